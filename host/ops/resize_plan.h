/* Pillow's 8-bit bilinear resize of one axis: which source pixels, with which integer weights.
 * Source: specification, appendix B.3.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_RESIZE_PLAN_H
#define TPP_OPS_RESIZE_PLAN_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tpp_resize_plan {
    int64_t n, m;     /* source and destination length */
    int taps;         /* weights kept for each destination, unused ones are 0 */
    int32_t *bounds;  /* [m, 2]: first source index, number of weights */
    int32_t *weights; /* [m, taps], scaled by 2^22 */
} tpp_resize_plan;

/* Is the axis of rows (the vertical pass) the first? It is when rows go away, and more than twice
 * as many as columns; otherwise columns come first. Each pass rounds to 8 bits, so the order shows.
 * Pillow 13 chooses so, to save work; older versions always took columns first. A pass that
 * changes nothing is left out. */
bool tpp_resize_rows_first(int64_t height, int64_t width, int64_t out_height, int64_t out_width);

TPP_MUST_CHECK tpp_status tpp_resize_plan_make(tpp_resize_plan *out, int64_t n, int64_t m);
void tpp_resize_plan_free(tpp_resize_plan *p);

#endif
