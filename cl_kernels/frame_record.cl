/* What the host is told of frames that share one best query, in one small buffer:
 *   y [frames, 8] = cx, cy, w, h of the best query, its largest logit, best, prompt, 0
 *   box [frames, queries, 4], logit [frames or 1, queries, classes], best [1] (below `queries`),
 *   prompt [frames]; logit_step: queries between the logits of two frames, 0 when they are shared.
 * One work-item per element of y.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

enum { RECORD = 8, AT_LOGIT = 4, AT_BEST, AT_PROMPT };

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void frame_record_plain(
    global float *restrict y, global const float *restrict box, global const float *restrict logit,
    global const int *restrict best, global const int *restrict prompt, int frames, int queries,
    int logit_step, int classes)
{
    const int id = (int)get_global_id(0), frame = id / RECORD, i = id - frame * RECORD;
    if (frame >= frames) return;
    const int query = frame * queries + best[0], scored = frame * logit_step + best[0];
    float value = 0.0f;
    if (i < AT_LOGIT) {
        value = box[query * 4 + i];
    } else if (i == AT_LOGIT) {
        value = -INFINITY;
        for (int k = 0; k < classes; k++) value = fmax(value, logit[scored * classes + k]);
    } else if (i == AT_BEST) {
        value = best[0];
    } else if (i == AT_PROMPT) {
        value = prompt[frame];
    }
    y[id] = value;
}
