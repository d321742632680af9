/* Deformable attention on CPU devices: a head's channels in native vectors, softmax inside.
 *   Shapes and formula: deform_attention.cl and host/ref/ref.h; HEAD is a multiple of VW.
 * One work-item (a group of its own) takes `each` queries with all heads. Grid: (blocks of queries,
 * batches).
 * SPDX-License-Identifier: MIT */
#ifndef HEAD
#define HEAD 32 /* channels of a head */
#endif
#ifndef LEVELS
#define LEVELS 4
#endif
#ifndef POINTS
#define POINTS 4
#endif
#include "tile.clh"

enum { VECTORS = HEAD / VW, SAMPLES = LEVELS * POINTS };

/* Softmax of the logits of one head. */
static void softmax_samples(float weight[SAMPLES], global const float *logits)
{
    float top = logits[0], sum = 0.0f;
    for (int i = 1; i < SAMPLES; i++) top = fmax(top, logits[i]);
    for (int i = 0; i < SAMPLES; i++) {
        weight[i] = exp(logits[i] - top);
        sum += weight[i];
    }
    for (int i = 0; i < SAMPLES; i++) weight[i] /= sum;
}

/* acc += weight times the bilinear sample of `map` (of `c` channels a pixel) at pixel (px, py). */
static void add_sample(vec acc[VECTORS], global const float *map, int c, int height, int width,
                       float px, float py, float weight)
{
    if (!(px > -1.0f && py > -1.0f && px < (float)width && py < (float)height)) return;
    const int x0 = (int)floor(px), y0 = (int)floor(py);
    const float fx = px - (float)x0, fy = py - (float)y0;
    for (int corner = 0; corner < 4; corner++) {
        const int x = x0 + (corner & 1), y = y0 + (corner >> 1);
        if (x < 0 || x >= width || y < 0 || y >= height) continue;
        const float w = weight * ((corner & 1) ? fx : 1.0f - fx) * ((corner >> 1) ? fy : 1.0f - fy);
        global const float *at = map + ((size_t)y * width + x) * c;
        for (int i = 0; i < VECTORS; i++) acc[i] = fma(LOAD_VEC(i, at), (vec)(w), acc[i]);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void deform_attention_vector(
    global float *restrict y, global const float *restrict value,
    global const float *restrict offsets, global const float *restrict logits,
    global const float *restrict ref, int heads, int ref_batches, int ref_size, int tokens, int nq,
    int each, int height0, int height1, int height2, int height3, int width0, int width1,
    int width2, int width3)
{
    const int level_height[4] = {height0, height1, height2, height3};
    const int level_width[4] = {width0, width1, width2, width3};
    const int batch = (int)get_group_id(1), c = heads * HEAD;
    const int first = (int)get_group_id(0) * each, last = min(first + each, nq);
    for (int query = first; query < last; query++) {
        const size_t row = (size_t)batch * nq + query;
        global const float *r =
            ref + ((size_t)(ref_batches > 1 ? batch : 0) * nq + query) * ref_size;
        for (int head = 0; head < heads; head++) {
            float weight[SAMPLES];
            vec acc[VECTORS];
            softmax_samples(weight, logits + (row * heads + head) * SAMPLES);
            for (int i = 0; i < VECTORS; i++) acc[i] = (vec)(0.0f);
            global const float *o = offsets + (row * heads + head) * SAMPLES * 2;
            global const float *map = value + (size_t)batch * tokens * c + head * HEAD;
            for (int l = 0; l < LEVELS; l++) {
                const float w = (float)level_width[l], h = (float)level_height[l];
                for (int p = 0; p < POINTS; p++, o += 2) {
                    const float dx = ref_size == 4 ? o[0] / POINTS * r[2] * 0.5f * w : o[0];
                    const float dy = ref_size == 4 ? o[1] / POINTS * r[3] * 0.5f * h : o[1];
                    add_sample(acc, map, c, level_height[l], level_width[l], r[0] * w + dx - 0.5f,
                               r[1] * h + dy - 0.5f, weight[l * POINTS + p]);
                }
                map += (size_t)level_height[l] * level_width[l] * c;
            }
            global float *out = y + row * c + head * HEAD;
            for (int i = 0; i < VECTORS; i++) STORE_VEC(acc[i], i, out);
        }
    }
}
