/* NIfTI-1 and NIfTI-2: reads .nii, .nii.gz and .hdr/.img pairs in either byte order, writes label
 * volumes. Format: nifti1.h and nifti2.h of nifti.nimh.nih.gov. An own reader, because the usual
 * library trusts dim[] and vox_offset before it has looked at the file's size.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_NIFTI_H
#define TPP_IO_NIFTI_H

#include "core/status.h"
#include "io/volume.h"
#include "io/volume_file.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads `path` into `out`. Whether the content is gzip is seen from its first bytes, and it is
 * never inflated beyond what the header promises. The whole promise has to be there, with nothing
 * but a little zero padding behind it. `o` NULL: the defaults, and a file with several time points
 * is refused. One slice with several time points is a clip: they are read along z.
 * TPP_EIO: a file is missing or cannot be read. TPP_EFORMAT: it is damaged or contradicts itself,
 * a singular affine included. TPP_EUNSUPPORTED: complex or vector voxels, ANALYZE 7.5.
 * TPP_EUSAGE: several time points. TPP_ENOMEM: larger than max_bytes. Every message names the
 * file. */
TPP_MUST_CHECK tpp_status tpp_nifti_read(tpp_volume *out, const char *path,
                                         const tpp_volume_options *o);

/* Writes `labels` ([z,y,x] of `like`) as uint8 in the geometry of `like`: its header byte for byte,
 * extensions included, except datatype, scaling, display range, and time axis, which are those of
 * a single-file 3-D label volume; a clip stays one. A `like` without a header of NIfTI's gets a
 * NIfTI-1 header with its affine as sform. `path` ends in .nii or .nii.gz (TPP_EUSAGE otherwise);
 * the file appears whole or not at all, and the same input gives the same bytes. */
TPP_MUST_CHECK tpp_status tpp_nifti_write_labels(const char *path, const tpp_volume *like,
                                                 const uint8_t *labels);

/* The same with values as float32. */
TPP_MUST_CHECK tpp_status tpp_nifti_write_values(const char *path, const tpp_volume *like,
                                                 const float *values);

#endif
