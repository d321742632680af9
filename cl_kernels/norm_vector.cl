/* Layer and group normalisation on CPU devices: whole rows in native vectors, two passes.
 *   x, y [rows, c] with c a multiple of VW; gamma, beta [c].
 *
 * layernorm_vector: one work-item takes `each` rows.
 * groupnorm: statistics of all n tokens of a batch and c / groups channels, in two kernels:
 *   groupnorm_blocks  per block of `each` tokens and channel: mean and sum of squared distances
 *                     from it, [batches, blocks, 2, c]. Grid: (blocks, batches).
 *   groupnorm_apply   y = act((x - mean) factor + beta) for `tokens` tokens. Every work-item joins
 *                     the blocks anew, which are few: a launch less.
 *                     Grid: (blocks of tokens, batches).
 * SPDX-License-Identifier: MIT */
#include "norm.clh"
#include "tile.clh"

#ifndef CHANNELS
#define CHANNELS 256 /* most channels of groupnorm */
#endif

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void layernorm_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict gamma,
    global const float *restrict beta, float eps, int rows, int c, int each)
{
    const int first = (int)get_group_id(0) * each, last = min(first + each, rows);
    for (int row = first; row < last; row++) {
        global const float *from = x + (size_t)row * c;
        global float *to = y + (size_t)row * c;
        NORMALIZE_ROW(to, from, c, eps, gamma, beta)
    }
}

/* sum += rows [first, last) of x, or their squared distances from `mean` where there is one, in
 * chains of SUM rows. */
INLINE void sum_rows(local float *sum, local float *chain, global const float *x,
                     local const float *mean, int first, int last, int c)
{
    for (int from = first; from < last; from += SUM) {
        zero_floats(chain, c);
        for (int t = from; t < min(from + SUM, last); t++)
            for (int i = 0; i < c; i += VW) {
                const vec v = LOAD_VEC(0, x + (size_t)t * c + i), all = LOAD_VEC(0, chain + i);
                const vec d = mean ? v - LOAD_VEC(0, mean + i) : v;
                STORE_VEC(mean ? fma(d, d, all) : all + d, 0, chain + i);
            }
        for (int i = 0; i < c; i += VW)
            STORE_VEC(LOAD_VEC(0, sum + i) + LOAD_VEC(0, chain + i), 0, sum + i);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void groupnorm_blocks(
    global float *restrict partial, global const float *restrict x, int n, int c, int each)
{
    local float mean[CHANNELS], square[CHANNELS], chain[CHANNELS];
    const int block = (int)get_group_id(0), batch = (int)get_group_id(1);
    const int first = block * each, last = min(first + each, n);
    global const float *map = x + (size_t)batch * n * c;
    zero_floats(mean, c);
    zero_floats(square, c);
    sum_rows(mean, chain, map, 0, first, last, c);
    const float inverse = 1.0f / (float)(last - first);
    for (int i = 0; i < c; i += VW) STORE_VEC(LOAD_VEC(0, mean + i) * (vec)(inverse), 0, mean + i);
    sum_rows(square, chain, map, mean, first, last, c);
    global float *to = partial + ((size_t)batch * get_num_groups(0) + block) * 2 * c;
    for (int i = 0; i < c; i += VW) {
        STORE_VEC(LOAD_VEC(0, mean + i), 0, to + i);
        STORE_VEC(LOAD_VEC(0, square + i), 0, to + c + i);
    }
}

/* value[i] = mean of the values of i's group. */
INLINE void mean_of_groups(local float *value, int groups, int c)
{
    const int channels = c / groups;
    for (int g = 0; g < c; g += channels) {
        float sum = 0.0f;
        for (int i = g; i < g + channels; i++) sum += value[i];
        sum /= (float)channels;
        for (int i = g; i < g + channels; i++) value[i] = sum;
    }
}

/* mean and variance of every channel's group, from the blocks of one batch. */
INLINE void join_blocks(local float *mean, local float *variance, global const float *partial,
                        int n, int c, int each, int groups)
{
    zero_floats(mean, c);
    zero_floats(variance, c);
    for (int first = 0, b = 0; first < n; first += each, b++) {
        const vec share = (vec)((float)min(each, n - first) / (float)n);
        for (int i = 0; i < c; i += VW)
            STORE_VEC(
                fma(LOAD_VEC(0, partial + (size_t)b * 2 * c + i), share, LOAD_VEC(0, mean + i)), 0,
                mean + i);
    }
    mean_of_groups(mean, groups, c);
    for (int first = 0, b = 0; first < n; first += each, b++) {
        global const float *from = partial + (size_t)b * 2 * c;
        const float share = (float)min(each, n - first) / (float)n, inverse = 1.0f / (float)n;
        for (int i = 0; i < c; i += VW) {
            const vec d = LOAD_VEC(0, from + i) - LOAD_VEC(0, mean + i);
            const vec within = LOAD_VEC(0, from + c + i) * (vec)(inverse);
            STORE_VEC(LOAD_VEC(0, variance + i) + fma(d * d, (vec)(share), within), 0,
                      variance + i);
        }
    }
    mean_of_groups(variance, groups, c);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void groupnorm_apply(
    global float *restrict y, global const float *restrict x, global const float *restrict partial,
    global const float *restrict gamma, global const float *restrict beta, float eps, int act,
    int groups, int n, int c, int each, int tokens)
{
    local float mean[CHANNELS], factor[CHANNELS];
    const int batch = (int)get_group_id(1);
    const int first = (int)get_group_id(0) * tokens, last = min(first + tokens, n);
    const int blocks = (n + each - 1) / each;
    join_blocks(mean, factor, partial + (size_t)batch * blocks * 2 * c, n, c, each, groups);
    for (int i = 0; i < c; i++) factor[i] = 1.0f / sqrt(factor[i] + eps);
    for (int i = 0; i < c; i += VW)
        STORE_VEC(LOAD_VEC(0, gamma + i) * LOAD_VEC(0, factor + i), 0, factor + i);
    for (int t = first; t < last; t++) {
        const size_t row = ((size_t)batch * n + t) * c;
        for (int i = 0; i < c; i += VW) {
            const vec d = LOAD_VEC(0, x + row + i) - LOAD_VEC(0, mean + i);
            const vec z = fma(d, LOAD_VEC(0, factor + i), LOAD_VEC(0, beta + i));
            STORE_VEC(activate_vec(act, z), 0, y + row + i);
        }
    }
}
