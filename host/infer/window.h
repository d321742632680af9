/* Which intensities of a volume become black and white: windows by name or number, percentiles.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_WINDOW_H
#define TPP_INFER_WINDOW_H

#include "core/status.h"
#include "io/volume.h"

/* Intensities at or below `low` are 0, at or above `high` 255, linear between; low < high. */
typedef struct tpp_window {
    double low, high;
    char name[48]; /* what it came from: "abdomen", "percentile", "-150:250" */
} tpp_window;

/* `spec`: "lo:hi", a preset's name, "percentile" (the 0.5th to the 99.5th of the voxels that are
 * not zero), or NULL: "abdomen" if the volume looks like CT (values of -500 or below), else
 * "percentile". TPP_EUSAGE lists the names that there are. */
TPP_MUST_CHECK tpp_status tpp_window_choose(tpp_window *out, const tpp_volume *v, const char *spec);

/* Name of preset i, from 0; NULL past the last. */
const char *tpp_window_preset(int i);

/* 0 to 255; what is not finite is 0. */
unsigned char tpp_window_apply(const tpp_window *w, float value);

#endif
