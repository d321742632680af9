/* NRRD 1 to 5: reads .nrrd, and .nhdr with its data file; writes results as .nrrd. Format:
 * teem.sourceforge.net/nrrd/format.html, and for sequences of ultrasound PLUS's keys.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_NRRD_H
#define TPP_IO_NRRD_H

#include "core/status.h"
#include "io/volume.h"
#include "io/volume_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do these first bytes of a file begin a NRRD? */
bool tpp_nrrd_begins(const char *bytes, size_t size);

/* Reads `path`, which is the header. Options and failures as in volume_file.h. Encodings raw, gzip
 * and text. A first axis of 3 or 4 uint8 is colour; a first or last axis of another kind than space
 * is time, or, with two axes of space, the moments of a clip. */
TPP_MUST_CHECK tpp_status tpp_nrrd_read(tpp_volume *out, const char *path,
                                        const tpp_volume_options *o);

/* Writes `labels` as uint8, or `values` as float32, the other being NULL: the header of `like`
 * line for line, except type, storage, and the axes of colour and time. A `like` without a header
 * of NRRD's gets one. `path` ends in .nrrd (TPP_EUSAGE otherwise). */
TPP_MUST_CHECK tpp_status tpp_nrrd_write(const char *path, const tpp_volume *like,
                                         const uint8_t *labels, const float *values);

#endif
