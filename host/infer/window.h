/* Which intensities of a volume become black and white: windows by name or number, percentiles.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_WINDOW_H
#define TPP_INFER_WINDOW_H

#include "core/status.h"
#include "io/volume.h"

#include <stdbool.h>

/* Intensities at or below `low` are 0, at or above `high` 255, linear between; low < high. */
typedef struct tpp_window {
    double low, high;
    char name[48]; /* what it came from: "abdomen", "percentile", "-150:250" */
} tpp_window;

/* `spec`: "LO:HI", "LO%:HI%" (percentiles of the voxels that are not zero), "percentile" (0.5% to
 * 99.5%), "stored" (0 to 255), "dicom" (what the file says), a preset's name, or NULL: by
 * `modality`
 * ("CT", "MR", "US", ...; NULL or "": what the volume says, else a guess by its values) "abdomen"
 * for CT, "stored" for what cameras and ultrasound store in 8 bits, else "percentile". TPP_EUSAGE
 * lists the names that there are. */
TPP_MUST_CHECK tpp_status tpp_window_choose(tpp_window *out, const tpp_volume *v, const char *spec,
                                            const char *modality);

/* The same for pictures with 16 bits a channel: counts[v] values were v. `spec` NULL: percentile.
 */
enum { TPP_WINDOW_LEVELS = 1 << 16 };
TPP_MUST_CHECK tpp_status tpp_window_of_counts(tpp_window *out, const int64_t *counts,
                                               const char *spec);

/* Does `spec` look at values? Then tpp_window_of_counts needs counts; else they may be NULL. */
bool tpp_window_looks(const char *spec);

/* Do its values look like Hounsfield units: more than a few voxels of air? */
bool tpp_window_looks_like_ct(const tpp_volume *v);

/* Name of preset i, from 0; NULL past the last. */
const char *tpp_window_preset(int i);

/* 0 to 255; what is not finite is 0. */
unsigned char tpp_window_apply(const tpp_window *w, float value);

#endif
