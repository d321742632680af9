/* DICOM: a series of slices or a multi-frame file as a volume, and DICOM-SEG out. By DCMTK, where
 * the program was built with it; without, reading is refused by name.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_DICOM_H
#define TPP_IO_DICOM_H

#include "core/status.h"
#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tpp_volume_options;

/* Is the file DICOM (its "DICM" mark, or a header without one), or does the folder hold a file that
 * is? */
bool tpp_dicom_is(const char *path);

/* Reads a file, or the one series of a folder, sorted by position. Slices missing, doubled, of
 * another series or orientation, gantry tilt: refused or warned of by name. Options as in
 * volume_file.h. */
TPP_MUST_CHECK tpp_status tpp_dicom_read(tpp_volume *out, const char *path,
                                         const struct tpp_volume_options *o);

/* One label of a DICOM-SEG. Codes may be NULL: then a general anatomical code is written. */
typedef struct tpp_dicom_segment {
    int label; /* its value in `labels` */
    const char *name;
    const char *category_code, *category_meaning, *type_code, *type_meaning; /* SNOMED CT */
    const char *modifier_code, *modifier_meaning; /* of the type: left, right; or NULL */
    const char *site_code, *site_meaning;         /* anatomic region of a lesion; or NULL */
    uint8_t rgb[3];
} tpp_dicom_segment;

/* Writes a Segmentation Storage object (binary) that refers to the slices `like` was read from.
 * `labels` is [z,y,x] of `like`. The file appears whole or not at all; the same input gives the
 * same bytes. */
TPP_MUST_CHECK tpp_status tpp_dicom_write_seg(const char *path, const tpp_volume *like,
                                              const uint8_t *labels,
                                              const tpp_dicom_segment *segments, int n_segments,
                                              const char *version);

/* "DCMTK 3.6.7", or NULL: not built in. */
const char *tpp_dicom_library(void);

#ifdef __cplusplus
}
#endif
#endif
