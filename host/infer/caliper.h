/* The largest distance between two points of a mask, as a calliper measures it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_CALIPER_H
#define TPP_INFER_CALIPER_H

#include <stdint.h>

/* Columns of one row of a mask: [from, to); from == to: none. */
typedef struct tpp_run {
    int from, to;
} tpp_run;

/* A corner of a pixel, in pixels. */
typedef struct tpp_corner {
    int x, y;
} tpp_corner;

/* Largest distance between corners of the pixels of a mask whose row y reaches over run[y], in the
 * unit of the two spacings; 0 for an empty mask. Exact: the ends lie on the convex hull.
 * `scratch` has room for 4 * (height + 1) corners. */
double tpp_caliper_diameter(const tpp_run *run, int height, double row_mm, double column_mm,
                            tpp_corner *scratch);

#endif
