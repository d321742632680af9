/* Volumes of every format: finds out what a file is, reads it, and writes results in kind.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VOLUME_FILE_H
#define TPP_IO_VOLUME_FILE_H

#include "core/status.h"
#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define TPP_VOLUME_MAX_BYTES (UINT64_C(8) << 30)

typedef struct tpp_volume_options {
    uint64_t max_bytes; /* of voxels, in the file and in memory; 0: TPP_VOLUME_MAX_BYTES */
    int64_t time;       /* which time point of a file with several; -1: refuse such a file */
    bool header_only;   /* leave `voxels` NULL; voxel data are not looked at */
} tpp_volume_options;

/* Is `path` a volume by its content or name: NIfTI, NRRD, MetaImage, a DICOM file, or a folder that
 * holds DICOM files? Pictures, videos and folders of pictures are not. */
bool tpp_volume_is(const char *path);

/* Reads it, whatever it is. TPP_EIO, TPP_EFORMAT, TPP_EUNSUPPORTED (with what to do), TPP_ENOMEM;
 * TPP_EUSAGE: several time points and none was chosen. Every message names the file. */
TPP_MUST_CHECK tpp_status tpp_volume_read(tpp_volume *out, const char *path,
                                          const tpp_volume_options *o);

/* Ending of the files that hold results in the geometry of `like`: ".nii.gz", ".nrrd", ".mha".
 * DICOM has ".nii.gz" (and DICOM-SEG beside it, dicom.h). */
const char *tpp_volume_suffix(const tpp_volume *like);

/* Writes [z,y,x] of `like` in its geometry and, where the format has one, its header: labels as
 * uint8, values as float32. `path` ends in tpp_volume_suffix. The file appears whole or not at all,
 * and the same input gives the same bytes. */
TPP_MUST_CHECK tpp_status tpp_volume_write_labels(const char *path, const tpp_volume *like,
                                                  const uint8_t *labels);
TPP_MUST_CHECK tpp_status tpp_volume_write_values(const char *path, const tpp_volume *like,
                                                  const float *values);

/* "NIfTI" */
const char *tpp_volume_format_text(tpp_volume_format format);

#endif
