/* MetaImage: reads .mha, and .mhd with .raw or .zraw, ITK's "key = value" format; writes results as
 * .mha. Format: MetaIO's documentation, and for sequences of ultrasound PLUS's.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_METAIMAGE_H
#define TPP_IO_METAIMAGE_H

#include "core/status.h"
#include "io/volume.h"
#include "io/volume_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do these first bytes of a file begin a MetaImage? `size` up to some hundred. */
bool tpp_metaimage_begins(const char *bytes, size_t size);

/* Reads `path`, which is the header. Options and failures as in volume_file.h. Voxels are scaled by
 * ElementToIntensityFunctionSlope and -Offset where those are stated. */
TPP_MUST_CHECK tpp_status tpp_metaimage_read(tpp_volume *out, const char *path,
                                             const tpp_volume_options *o);

/* Writes `labels` as uint8, or `values` as float32, the other being NULL: the header of `like`
 * line for line, except type, channels, storage, and a time axis of which one point was read. A
 * `like` without a header of MetaImage's gets one. `path` ends in .mha (TPP_EUSAGE otherwise). */
TPP_MUST_CHECK tpp_status tpp_metaimage_write(const char *path, const tpp_volume *like,
                                              const uint8_t *labels, const float *values);

#endif
