/* Layer and group normalisation on CPU devices: whole rows in native vectors, two passes.
 *   x, y [rows, c] with c a multiple of VW; gamma, beta [c].
 *
 * layernorm_vector: one work-item takes `each` rows.
 * groupnorm: statistics of all n tokens of a batch and c / groups channels, in three kernels:
 *   groupnorm_blocks  per block of `each` tokens and channel: mean and sum of squared distances
 *                     from it, [batches, blocks, 2, c]. Grid: (blocks, batches).
 *   groupnorm_merge   per group, over blocks and channels: mean and gamma / deviation of every
 *                     channel, [batches, 2, c]. Grid: (groups, batches).
 *   groupnorm_apply   y = act((x - mean) factor + beta). Grid: (blocks, batches).
 * SPDX-License-Identifier: MIT */
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
        vec sum = (vec)(0.0f), square = (vec)(0.0f);
        for (int i = 0; i < c; i += VW) sum += LOAD_VEC(0, from + i);
        const float mean = sum_lanes(sum) / (float)c;
        for (int i = 0; i < c; i += VW) {
            const vec d = LOAD_VEC(0, from + i) - (vec)(mean);
            square = fma(d, d, square);
        }
        const float factor = 1.0f / sqrt(sum_lanes(square) / (float)c + eps);
        for (int i = 0; i < c; i += VW) {
            const vec d = (LOAD_VEC(0, from + i) - (vec)(mean)) * (vec)(factor);
            STORE_VEC(fma(d, LOAD_VEC(0, gamma + i), LOAD_VEC(0, beta + i)), 0, to + i);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void groupnorm_blocks(
    global float *restrict partial, global const float *restrict x, int n, int c, int each)
{
    local float mean[CHANNELS], square[CHANNELS];
    const int block = (int)get_group_id(0), batch = (int)get_group_id(1);
    const int first = block * each, last = min(first + each, n);
    global const float *map = x + (size_t)batch * n * c;
    zero_floats(mean, c);
    zero_floats(square, c);
    for (int t = first; t < last; t++) add_floats(mean, map + (size_t)t * c, c);
    const float inverse = 1.0f / (float)(last - first);
    for (int i = 0; i < c; i += VW) STORE_VEC(LOAD_VEC(0, mean + i) * (vec)(inverse), 0, mean + i);
    for (int t = first; t < last; t++)
        for (int i = 0; i < c; i += VW) {
            const vec d = LOAD_VEC(0, map + (size_t)t * c + i) - LOAD_VEC(0, mean + i);
            STORE_VEC(fma(d, d, LOAD_VEC(0, square + i)), 0, square + i);
        }
    global float *to = partial + ((size_t)batch * get_num_groups(0) + block) * 2 * c;
    for (int i = 0; i < c; i += VW) {
        STORE_VEC(LOAD_VEC(0, mean + i), 0, to + i);
        STORE_VEC(LOAD_VEC(0, square + i), 0, to + c + i);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void groupnorm_merge(
    global float *restrict stat, global const float *restrict partial,
    global const float *restrict gamma, float eps, int n, int c, int each, int blocks)
{
    const int group = (int)get_group_id(0), batch = (int)get_group_id(1);
    const int channels = c / (int)get_num_groups(0), c0 = group * channels;
    global const float *from = partial + (size_t)batch * blocks * 2 * c;
    float mean = 0.0f, square = 0.0f;
    for (int b = 0; b < blocks; b++) {
        float sum = 0.0f;
        for (int i = 0; i < channels; i++) sum += from[(size_t)b * 2 * c + c0 + i];
        mean += sum * (float)min(each, n - b * each);
    }
    mean /= (float)n * (float)channels;
    for (int b = 0; b < blocks; b++) {
        float sum = 0.0f;
        for (int i = 0; i < channels; i++) {
            const float d = from[(size_t)b * 2 * c + c0 + i] - mean;
            sum += from[((size_t)b * 2 + 1) * c + c0 + i] + d * d * (float)min(each, n - b * each);
        }
        square += sum;
    }
    const float factor = 1.0f / sqrt(square / ((float)n * (float)channels) + eps);
    for (int i = c0; i < c0 + channels; i++) {
        stat[(size_t)batch * 2 * c + i] = mean;
        stat[((size_t)batch * 2 + 1) * c + i] = factor * gamma[i];
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void groupnorm_apply(
    global float *restrict y, global const float *restrict x, global const float *restrict stat,
    global const float *restrict beta, int act, int n, int c, int each)
{
    const int batch = (int)get_group_id(1);
    const int first = (int)get_group_id(0) * each, last = min(first + each, n);
    global const float *mean = stat + (size_t)batch * 2 * c, *factor = mean + c;
    for (int t = first; t < last; t++) {
        const size_t row = ((size_t)batch * n + t) * c;
        for (int i = 0; i < c; i += VW) {
            const vec d = LOAD_VEC(0, x + row + i) - LOAD_VEC(0, mean + i);
            const vec z = fma(d, LOAD_VEC(0, factor + i), LOAD_VEC(0, beta + i));
            STORE_VEC(activate_vec(act, z), 0, y + row + i);
        }
    }
}
