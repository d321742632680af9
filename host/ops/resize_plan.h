/* Pillow's 8-bit bilinear resize of one axis: which source pixels, with which integer weights.
 * Source: specification, appendix B.3.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_RESIZE_PLAN_H
#define TPP_OPS_RESIZE_PLAN_H

#include <stdint.h>

#include "core/status.h"

typedef struct tpp_resize_plan {
    int64_t n, m; /* source and destination length */
    int taps;     /* weights kept for each destination, unused ones are 0 */
    int32_t *bounds;  /* [m, 2]: first source index, number of weights */
    int32_t *weights; /* [m, taps], scaled by 2^22 */
} tpp_resize_plan;

TPP_MUST_CHECK tpp_status tpp_resize_plan_make(tpp_resize_plan *out, int64_t n, int64_t m);
void tpp_resize_plan_free(tpp_resize_plan *p);

#endif
