/* NIfTI-1 and NIfTI-2: reads .nii, .nii.gz and .hdr/.img pairs in either byte order, writes label
 * volumes. Format: nifti1.h and nifti2.h of nifti.nimh.nih.gov. An own reader, because the usual
 * library trusts dim[] and vox_offset before it has looked at the file's size.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_NIFTI_H
#define TPP_IO_NIFTI_H

#include "core/status.h"
#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define TPP_NIFTI_MAX_BYTES (UINT64_C(8) << 30)

typedef struct tpp_nifti_options {
    uint64_t max_bytes; /* of voxels, in the file and in memory; 0: TPP_NIFTI_MAX_BYTES */
    bool first_volume;  /* of a file with several time points take the first, else refuse it */
    bool header_only;   /* leave `voxels` NULL; neither 4-D nor voxel data are looked at */
} tpp_nifti_options;

/* Reads `path` into `out`. Whether the content is gzip is seen from its first bytes, and it is
 * never inflated beyond what the header promises. The whole promise has to be there, with nothing
 * but a little zero padding behind it. `o` NULL: all options zero.
 * TPP_EIO: a file is missing or cannot be read. TPP_EFORMAT: it is damaged or contradicts itself,
 * a singular affine included. TPP_EUNSUPPORTED: colour, complex or vector voxels, several time
 * points, ANALYZE 7.5. TPP_ENOMEM: larger than max_bytes. Every message names the file. */
TPP_MUST_CHECK tpp_status tpp_nifti_read(tpp_volume *out, const char *path,
                                         const tpp_nifti_options *o);

/* Writes `labels` ([z,y,x] of `like`) as uint8 in the geometry of `like`: its header byte for byte,
 * extensions included, except datatype, scaling, display range, and time axis, which are those of
 * a single-file 3-D label volume. A `like` without a header (made in memory) gets a NIfTI-1 header
 * with its affine as sform. `path` ends in .nii or .nii.gz (TPP_EUSAGE otherwise); the file
 * appears whole or not at all, and the same input gives the same bytes. */
TPP_MUST_CHECK tpp_status tpp_nifti_write_labels(const char *path, const tpp_volume *like,
                                                 const uint8_t *labels);

#endif
