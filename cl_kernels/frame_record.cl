/* What the host is told of a frame, in one small buffer:
 *   y [8] = cx, cy, w, h of the best query, its largest logit, best, prompt, 0
 *   box [queries, 4], logit [queries, classes], best [1] (below `queries`), prompt [1].
 * One work-item per element of y.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

enum { RECORD = 8, AT_LOGIT = 4, AT_BEST, AT_PROMPT };

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void frame_record_plain(
    global float *restrict y, global const float *restrict box, global const float *restrict logit,
    global const int *restrict best, global const int *restrict prompt, int classes)
{
    const int i = (int)get_global_id(0);
    if (i >= RECORD) return;
    const int query = best[0];
    float value = 0.0f;
    if (i < AT_LOGIT) {
        value = box[query * 4 + i];
    } else if (i == AT_LOGIT) {
        value = -INFINITY;
        for (int k = 0; k < classes; k++) value = fmax(value, logit[query * classes + k]);
    } else if (i == AT_BEST) {
        value = query;
    } else if (i == AT_PROMPT) {
        value = prompt[0];
    }
    y[i] = value;
}
