/* Masks of a case, back in the form that its frames came in.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_MASKS_H
#define TPP_INFER_MASKS_H

#include "core/status.h"
#include "infer/found.h"
#include "infer/frames.h"
#include "infer/mask_store.h"
#include "infer/out_folder.h"
#include "infer/target.h"

#include <stdbool.h>

/* Everything is borrowed. */
typedef struct tpp_masks {
    const tpp_frames *frames;
    const tpp_targets *targets;
    const tpp_mask_store *store; /* [targets] */
    const tpp_found *found;      /* [targets * frames] */
    bool multilabel;             /* one file for all targets: target t is t + 1 */
    const char *version;         /* of the program, for DICOM-SEG */
} tpp_masks;

/* Writes, below `out`: of a volume seg.nii.gz (or .nrrd, .mha, as the input is) in the file's own
 * geometry, of several targets TARGET.nii.gz each unless multilabel; of DICOM also seg.dcm; of
 * pictures and videos masks/[TARGET/]NAME.png with 0 and 255 (multilabel: labels). Where targets
 * overlap in one file, the one with the higher score in that frame has the pixel. */
TPP_MUST_CHECK tpp_status tpp_masks_write(const tpp_masks *m, const tpp_out_folder *out);

/* What the masks are called below the folder: "seg.nii.gz", "masks". In new memory of the caller;
 * NULL: out of memory. `t` -1: of all targets in one. */
char *tpp_masks_name(const tpp_masks *m, int t);

/* Name that frame i's picture has below its folder: "0001.png". In new memory of the caller. */
char *tpp_masks_picture_name(const tpp_frames *f, int64_t i);

#endif
