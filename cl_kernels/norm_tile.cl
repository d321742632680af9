/* Layer and group normalisation on GPUs; formulas in layernorm.cl and groupnorm.cl.
 *
 * layernorm_tile: y [rows, cols] of x; gamma, beta [cols] float. LANES work-items a row, which they
 *   hold in registers. Grid: groups of LOCAL / LANES rows.
 *
 * Group norm: x, y [batches, tokens, channels], group g holds `wide` channels. In one launch where
 * a group of channels is little enough for a group of work-items, else in two:
 *   groupnorm_tile        all of it. Grid: (groups, batches).
 *   groupnorm_blocks_tile per block of `each` tokens: mean and sum of squared distances from it,
 *                         [batches, groups, blocks, 2]. Grid: (blocks, batches * groups).
 *   groupnorm_apply_tile  y = act(...) of `each` tokens; every group of work-items joins the blocks
 *                         anew, which are few: a launch less. Grid: (blocks of tokens, batches).
 * All values of a group of channels are summed by item, then by a tree over the items.
 * SPDX-License-Identifier: MIT */
#include "activation.clh"
#include "norm_tile.clh"

#ifndef GROUPS /* most groups of channels in groupnorm_apply_tile */
#define GROUPS 1
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void layernorm_tile(
    global y_type *restrict y, global const x_type *restrict x, global const float *restrict gamma,
    global const float *restrict beta, float eps, int rows, int cols)
{
    local float part[LOCAL];
    const int id = (int)get_local_id(0), lane = id % LANES, vectors = cols / W;
    const int row = (int)get_group_id(0) * (LOCAL / LANES) + id / LANES;
    global const x_type *from = x + (size_t)min(row, rows - 1) * cols;
    vec v[FOURS];
#pragma unroll
    for (int i = 0; i < FOURS; i++) v[i] = LOAD_XV(from + min(lane + i * LANES, vectors - 1) * W);
    normalize(v, part, lane, vectors, eps);
    if (row >= rows) return;
#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        const int at = (lane + i * LANES) * W;
        if (at >= cols) continue;
        STORE_YV(v[i] * LOAD_FV(gamma + at) + LOAD_FV(beta + at), y + (size_t)row * cols + at);
    }
}

/* ---- group norm ---- */

/* Vector i of the values of a group of channels, `across` of them a token: its place in x. */
INLINE size_t place(int i, int across, int channels)
{
    const int token = i / across;
    return (size_t)token * channels + (i - token * across) * W;
}

/* Mean of `count` vectors, and the sum of squared distances from it. Has barriers. */
INLINE float2 statistics(global const x_type *x, local float *part, int count, int across,
                         int channels)
{
    const int id = (int)get_local_id(0);
    float sum = 0.0f, square = 0.0f;
    for (int i = id; i < count; i += LOCAL) {
        const vec v = LOAD_XV(x + place(i, across, channels));
        sum += LANES_OF(v);
    }
    const float mean = sum_of_items(sum, part, LOCAL) / (float)(count * W);
    for (int i = id; i < count; i += LOCAL) {
        const vec v = LOAD_XV(x + place(i, across, channels)) - mean;
        square += LANES_OF(v * v);
    }
    return (float2)(mean, sum_of_items(square, part, LOCAL));
}

INLINE vec activate_vec(int act, vec v)
{
    if (act == ACT_NONE) return v;
#if ALIGNED
    return (float4)(activate(act, v.x), activate(act, v.y), activate(act, v.z), activate(act, v.w));
#else
    return activate(act, v);
#endif
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void groupnorm_tile(
    global y_type *restrict y, global const x_type *restrict x, global const float *restrict gamma,
    global const float *restrict beta, float eps, int act, int tokens, int channels, int wide)
{
    local float part[LOCAL];
    const int across = wide / W, count = tokens * across, first = (int)get_group_id(0) * wide;
    const size_t start = (size_t)get_group_id(1) * tokens * channels + first;
    const float2 s = statistics(x + start, part, count, across, channels);
    const float rstd = 1.0f / sqrt(s.y / (float)(count * W) + eps);
    for (int i = (int)get_local_id(0); i < count; i += LOCAL) {
        const int channel = first + i % across * W;
        const size_t at = start + place(i, across, channels);
        const vec n = (LOAD_XV(x + at) - s.x) * rstd;
        STORE_YV(activate_vec(act, n * LOAD_FV(gamma + channel) + LOAD_FV(beta + channel)), y + at);
    }
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void groupnorm_blocks_tile(
    global float *restrict partial, global const x_type *restrict x, int groups, int tokens,
    int channels, int wide, int each)
{
    local float part[LOCAL];
    const int block = (int)get_group_id(0), row = (int)get_group_id(1), batch = row / groups;
    const int across = wide / W, first = block * each;
    const size_t start =
        ((size_t)batch * tokens + first) * channels + (row - batch * groups) * wide;
    const float2 s =
        statistics(x + start, part, min(each, tokens - first) * across, across, channels);
    if (get_local_id(0) == 0) vstore2(s, (size_t)row * get_num_groups(0) + block, partial);
}

/* Mean and 1 / deviation of a group of channels, from its blocks. */
INLINE float2 join_blocks(global const float *partial, float eps, int tokens, int wide, int each)
{
    float mean = 0.0f, square = 0.0f;
    for (int first = 0, b = 0; first < tokens; first += each, b++)
        mean += partial[2 * b] * ((float)min(each, tokens - first) / (float)tokens);
    for (int first = 0, b = 0; first < tokens; first += each, b++) {
        const float d = partial[2 * b] - mean;
        square += partial[2 * b + 1] + d * d * (float)min(each, tokens - first) * (float)wide;
    }
    return (float2)(mean, 1.0f / sqrt(square / ((float)tokens * (float)wide) + eps));
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void groupnorm_apply_tile(
    global y_type *restrict y, global const x_type *restrict x, global const float *restrict gamma,
    global const float *restrict beta, global const float *restrict partial, float eps, int act,
    int groups, int tokens, int channels, int wide, int each, int apply)
{
    local float2 of_group[GROUPS];
    const int batch = (int)get_group_id(1), blocks = (tokens + each - 1) / each;
    const int first = (int)get_group_id(0) * apply, across = channels / W;
    for (int g = (int)get_local_id(0); g < groups; g += LOCAL)
        of_group[g] = join_blocks(partial + ((size_t)batch * groups + g) * blocks * 2, eps, tokens,
                                  wide, each);
    barrier(CLK_LOCAL_MEM_FENCE);
    const int count = min(apply, tokens - first) * across;
    const size_t start = ((size_t)batch * tokens + first) * channels;
    for (int i = (int)get_local_id(0); i < count; i += LOCAL) {
        const int channel = i % across * W;
        const float2 s = of_group[channel / wide];
        const size_t at = start + (size_t)i * W;
        const vec n = (LOAD_XV(x + at) - s.x) * s.y;
        STORE_YV(activate_vec(act, n * LOAD_FV(gamma + channel) + LOAD_FV(beta + channel)), y + at);
    }
}
