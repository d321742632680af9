/* Dynamic mask head on GPUs; formula and operands in mask_head.cl, features in half storage too.
 *
 * mask_head_tile: a group of LOCAL work-items takes PIXELS pixels of one query, each PER of them, a
 *   lane apart. Features and the first layer's weights pass through local memory, CHUNK channels at
 *   a time. Grid: (blocks of pixels, queries of all batches).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64
#endif
#ifndef D
#define D 8 /* channels of the dynamic convolutions */
#endif
#include "fours.clh"

#define PER    2
#define PIXELS (PER * LOCAL)
#define CHUNK  16
#define STRIDE                                                                        \
    (PIXELS + 2) /* of a channel in local memory: stores of neighbours in other banks \
                  */

/* Channels start .. start + CHUNK of a block of pixels, [CHUNK][STRIDE]; 0 beyond the last. */
INLINE void stage_features(local float *to, global const x_type *from, int start, int c, int last)
{
    for (int i = (int)get_local_id(0); i < PIXELS * (CHUNK / W); i += LOCAL) {
        const int pixel = i / (CHUNK / W), channel = i % (CHUNK / W) * W;
        vec v = (vec)(0.0f);
        if (start + channel < c) v = LOAD_XV(from + (size_t)min(pixel, last) * c + start + channel);
        local float *const at = to + channel * STRIDE + pixel;
#if W == 4
        at[0] = v.x;
        at[STRIDE] = v.y;
        at[2 * STRIDE] = v.z;
        at[3 * STRIDE] = v.w;
#else
        at[0] = v;
#endif
    }
}

/* Weights of the same channels, [CHUNK][D]. */
INLINE void stage_weights(local float *to, global const float *w0, int start, int c, int inputs)
{
    for (int i = (int)get_local_id(0); i < D * CHUNK; i += LOCAL) {
        const int o = i / CHUNK, channel = start + i % CHUNK;
        to[i % CHUNK * D + o] = channel < c ? w0[o * inputs + channel] : 0.0f;
    }
}

/* The logit of a pixel from the sums over its channels. */
INLINE float logit(const float *sum, float dx, float dy, global const float *wxy, int inputs,
                   int rel_coord, global const float *w1)
{
    global const float *const w2 = w1 + D * D, *const b0 = w2 + D, *const b1 = b0 + D;
    float first[D], result = b1[D];
#pragma unroll
    for (int o = 0; o < D; o++) {
        first[o] = sum[o] + b0[o];
        if (rel_coord) first[o] += wxy[o * inputs] * dx + wxy[o * inputs + 1] * dy;
        first[o] = first[o] < 0.0f ? 0.0f : first[o];
    }
    /* not unrolled: all weights at once are more than there are scalar registers */
#pragma unroll 1
    for (int o = 0; o < D; o++) {
        float second = b1[o];
#pragma unroll
        for (int i = 0; i < D; i++) second += w1[o * D + i] * first[i];
        result += w2[o] * (second < 0.0f ? 0.0f : second);
    }
    return result;
}

MANY_REGISTERS __attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void mask_head_tile(
    global float *restrict y, global const float *restrict theta,
    global const x_type *restrict features, global const float *restrict box, int height, int width,
    int image_height, int image_width, int rel_coord, float coord_scale, int each, int c,
    int thetas)
{
    local float part[CHUNK * STRIDE], weight[CHUNK * D];
    const int id = (int)get_local_id(0), query = (int)get_group_id(1), pixels = height * width;
    const int first = (int)get_group_id(0) * PIXELS, inputs = c + (rel_coord ? 2 : 0);
    global const float *const w0 = theta + (size_t)query * thetas;
    global const x_type *const from = features + ((size_t)(query / each) * pixels + first) * c;
    float sum[PER][D];
    for (int j = 0; j < PER; j++)
        for (int o = 0; o < D; o++) sum[j][o] = 0.0f;
    for (int start = 0; start < c; start += CHUNK) {
        barrier(CLK_LOCAL_MEM_FENCE); /* the last chunk was read */
        stage_features(part, from, start, c, pixels - 1 - first);
        stage_weights(weight, w0, start, c, inputs);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int i = 0; i < CHUNK; i++)
#pragma unroll
            for (int j = 0; j < PER; j++)
#pragma unroll
                for (int o = 0; o < D; o++)
                    sum[j][o] =
                        fma(part[i * STRIDE + j * LOCAL + id], weight[i * D + o], sum[j][o]);
    }
    const float center_x = box[4 * query] * (float)image_width;
    const float center_y = box[4 * query + 1] * (float)image_height;
#pragma unroll
    for (int j = 0; j < PER; j++) {
        const int pixel = first + j * LOCAL + id;
        if (pixel >= pixels) return;
        const float dx = coord_scale * (center_x - (float)(4 * (pixel % width) + 2));
        const float dy = coord_scale * (center_y - (float)(4 * (pixel / width) + 2));
        y[(size_t)query * pixels + pixel] =
            logit(sum[j], dx, dy, w0 + c, inputs, rel_coord, w0 + D * inputs);
    }
}
