/* A step from a reference box or point, in logit space: y = sigmoid(delta + inverse_sigmoid(ref)).
 *   delta, y [queries, 4] (cx, cy, w, h); ref [refs, known], query q takes ref q mod refs; known =
 *   4, or 2: then w and h have no reference and y = sigmoid(delta).
 * Source: specification, section 2.8. One work-item per element of y.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#include "activation.clh"

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void box_refine_plain(
    global float *restrict y, global const float *restrict delta, global const float *restrict ref,
    int known, int refs, int n)
{
    const size_t id = get_global_id(0);
    if (id >= (size_t)n) return;
    const int i = (int)id, query = i / 4, part = i - query * 4;
    float logit = delta[i];
    if (part < known) logit += inverse_sigmoid(ref[query % refs * known + part]);
    y[i] = sigmoid(logit);
}
