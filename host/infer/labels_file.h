/* Names and colours of a result's labels, for people and for viewers.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_LABELS_FILE_H
#define TPP_INFER_LABELS_FILE_H

#include "core/status.h"
#include "infer/out_folder.h"
#include "infer/target.h"

/* Writes labels.json, labels.txt (ITK-SNAP's label descriptions) and labels.ctbl (3D Slicer's
 * colour table). Target i has label i + 1. */
TPP_MUST_CHECK tpp_status tpp_labels_write(const tpp_targets *targets, const tpp_out_folder *out);

#endif
