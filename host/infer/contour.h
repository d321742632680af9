/* Outlines of a mask as an SVG path.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_CONTOUR_H
#define TPP_INFER_CONTOUR_H

#include "core/status.h"
#include "core/str.h"

#include <stdint.h>

/* Adds the data of a path ("M3 0l1 1...z", a loop for each outline and each hole) for the mask
 * [height, width]; nothing for an empty one. In half pixels, so that all numbers are whole: a pixel
 * (row y, column x) has its centre at (2x + 1, 2y + 1). The lines are those of marching squares,
 * with corners left out that lie within 3/8 pixel of the line. */
TPP_MUST_CHECK tpp_status tpp_contour_svg(tpp_str *out, const uint8_t *mask, int height, int width);

#endif
