/* Dynamic mask head on CPU devices, for eight dynamic channels.
 *   Formula and operands: mask_head.cl; c = CHANNELS, a multiple of VW.
 * The first layer is eight dot products over the channels, whose vectors are summed crosswise into
 * one vector of eight outputs; the second and third layer live in such vectors.
 * One work-item (a group of its own) takes `each` pixels for all queries: features come from memory
 * once. Grid: (blocks of pixels, batches); `queries` are those of a batch.
 * SPDX-License-Identifier: MIT */
#ifndef CHANNELS
#define CHANNELS 256
#endif
#include "tile.clh"

enum { D = 8 };

/* What a query makes of its theta; the first layer's weights lie in local memory. */
typedef struct {
    float8 wx, wy, b0, w1[D], b1, w2; /* w1[i]: weights of input i to all outputs */
    float b2;
} head;

#define ADD_PAIRS(a, b) ((float8)((a).even + (a).odd, (b).even + (b).odd))

/* Lane i: the sum of the lanes of x[i]. */
static float8 sum_eight(const float8 x[D])
{
    const float8 p0 = ADD_PAIRS(x[0], x[1]), p1 = ADD_PAIRS(x[2], x[3]);
    const float8 p2 = ADD_PAIRS(x[4], x[5]), p3 = ADD_PAIRS(x[6], x[7]);
    const float8 q0 = ADD_PAIRS(p0, p1), q1 = ADD_PAIRS(p2, p3);
    return ADD_PAIRS(q0, q1);
}

INLINE float8 first_layer(global const float *from, local const float *w0)
{
    vec acc[D];
    float8 half_sum[D];
#pragma unroll
    for (int o = 0; o < D; o++) acc[o] = (vec)(0.0f);
    for (int i = 0; i < CHANNELS; i += VW) {
        const vec x = LOAD_VEC(0, from + i);
#pragma unroll
        for (int o = 0; o < D; o++) acc[o] = fma(x, LOAD_VEC(0, w0 + o * CHANNELS + i), acc[o]);
    }
#pragma unroll
    for (int o = 0; o < D; o++)
#if VW == 16
        half_sum[o] = acc[o].lo + acc[o].hi;
#else
        half_sum[o] = acc[o];
#endif
    return sum_eight(half_sum);
}

static float8 relu_eight(float8 x)
{
    return x < (float8)(0.0f) ? (float8)(0.0f) : x;
}

INLINE void read_head(head *h, local float *w0, global const float *theta, int rel_coord)
{
    const int inputs = CHANNELS + (rel_coord ? 2 : 0);
    float wx[D], wy[D];
    for (int o = 0; o < D; o++) {
        global const float *w = theta + (size_t)o * inputs;
        copy_floats(w0 + o * CHANNELS, w, CHANNELS);
        wx[o] = rel_coord ? w[CHANNELS] : 0.0f;
        wy[o] = rel_coord ? w[CHANNELS + 1] : 0.0f;
    }
    global const float *w1 = theta + (size_t)D * inputs, *w2 = w1 + D * D;
    h->wx = vload8(0, wx);
    h->wy = vload8(0, wy);
    for (int i = 0; i < D; i++)
        h->w1[i] = (float8)(w1[i], w1[D + i], w1[2 * D + i], w1[3 * D + i], w1[4 * D + i],
                            w1[5 * D + i], w1[6 * D + i], w1[7 * D + i]);
    h->w2 = vload8(0, w2);
    h->b0 = vload8(1, w2);
    h->b1 = vload8(2, w2);
    h->b2 = w2[3 * D];
}

/* The products of a pixel whose sum is its logit. */
static float8 pixel_products(const head *h, float8 first, float dx, float dy)
{
    const float8 z = relu_eight(first + (h->wx * dx + h->wy * dy) + h->b0);
    float8 sum = h->w1[0] * z.s0 + h->w1[1] * z.s1;
    sum += h->w1[2] * z.s2 + h->w1[3] * z.s3;
    sum += h->w1[4] * z.s4 + h->w1[5] * z.s5;
    sum += h->w1[6] * z.s6 + h->w1[7] * z.s7;
    return h->w2 * relu_eight(sum + h->b1);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void mask_head_vector(
    global float *restrict y, global const float *restrict theta,
    global const float *restrict features, global const float *restrict box, int height, int width,
    int image_height, int image_width, int rel_coord, float coord_scale, int queries, int thetas,
    int each)
{
    local float w0[D * CHANNELS];
    const int pixels = height * width, first = (int)get_group_id(0) * each;
    const int last = min(first + each, pixels), start = (int)get_group_id(1) * queries;
    features += (size_t)get_group_id(1) * pixels * CHANNELS;
    theta += (size_t)start * thetas;
    box += 4 * start;
    y += (size_t)start * pixels;
    for (int query = 0; query < queries; query++) {
        head h;
        read_head(&h, w0, theta + (size_t)query * thetas, rel_coord);
        const float center_x = box[4 * query] * (float)image_width;
        const float center_y = box[4 * query + 1] * (float)image_height;
        for (int p = first; p < last; p += D) {
            float8 part[D];
            for (int j = 0; j < D; j++) {
                const int pixel = min(p + j, last - 1); /* beyond: computed, never stored */
                const float dx = coord_scale * (center_x - (float)(4 * (pixel % width) + 2));
                const float dy = coord_scale * (center_y - (float)(4 * (pixel / width) + 2));
                part[j] = pixel_products(&h, first_layer(features + (size_t)pixel * CHANNELS, w0),
                                         dx, dy);
            }
            float lane[D];
            vstore8(sum_eight(part) + h.b2, 0, lane);
            global float *to = y + (size_t)query * pixels + p;
            for (int j = 0; j < min((int)D, last - p); j++) to[j] = lane[j];
        }
    }
}
