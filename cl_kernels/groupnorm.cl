/* Group normalisation (Wu and He 2018, arXiv:1803.08494), then act:
 *   y = act((x - E) / sqrt(Var + eps) gamma + beta), statistics over the tokens and channels of a
 *   group, biased variance.
 *   x, y [batches, tokens, channels]; gamma, beta [channels]; group g holds the channels
 *   [g wide, (g + 1) wide); statistics [batches, groups, 2]: mean, 1 / sqrt(Var + eps).
 *
 * groupnorm_statistics_plain: one work-item per batch and group; two passes, as in layernorm.cl.
 * groupnorm_forward_plain: one work-item per element, grid (channels, batches * tokens).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#ifndef BLOCK
#define BLOCK                                                                           \
    64 /* tokens of a partial sum: the rounding error grows with tokens / BLOCK + BLOCK \
        */
#endif
#include "activation.clh"

/* Sum of one token's channels of a group, .*/
static float token_sum(global const float *x, int wide)
{
    float sum = 0.0f;
    for (int i = 0; i < wide; i++) sum += x[i];
    return sum;
}

static float token_squares(global const float *x, float mean, int wide)
{
    float sum = 0.0f;
    for (int i = 0; i < wide; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void groupnorm_statistics_plain(
    global float *restrict statistics, global const float *restrict x, float eps, int batches,
    int groups, int tokens, int channels)
{
    const int id = (int)get_global_id(0);
    if (id >= batches * groups) return;
    const int wide = channels / groups, batch = id / groups, group = id - batch * groups;
    const float count = (float)tokens * wide;
    x += (size_t)batch * tokens * channels + (size_t)group * wide;
    float mean = 0.0f, var = 0.0f;
    for (int from = 0; from < tokens; from += BLOCK) {
        float part = 0.0f;
        for (int t = from; t < min(from + BLOCK, tokens); t++)
            part += token_sum(x + (size_t)t * channels, wide);
        mean += part / count;
    }
    for (int from = 0; from < tokens; from += BLOCK) {
        float part = 0.0f;
        for (int t = from; t < min(from + BLOCK, tokens); t++)
            part += token_squares(x + (size_t)t * channels, mean, wide);
        var += part / count;
    }
    statistics[2 * id] = mean;
    statistics[2 * id + 1] = 1.0f / sqrt(var + eps);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void groupnorm_forward_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict gamma,
    global const float *restrict beta, global const float *restrict statistics, int act,
    int batches, int groups, int tokens, int channels)
{
    const int i = (int)get_global_id(0), row = (int)get_global_id(1);
    if (i >= channels || row >= batches * tokens) return;
    const size_t at = (size_t)row * channels + i;
    const size_t group = (size_t)(row / tokens) * groups + i / (channels / groups);
    const float n = (x[at] - statistics[2 * group]) * statistics[2 * group + 1];
    y[at] = activate(act, n * gamma[i] + beta[i]);
}
