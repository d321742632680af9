/* Deformable attention on CPU devices: the samples of a head in native vectors until their weights
 * and places are known, then its channels in native vectors.
 *   Shapes and formula: deform_attention.cl and host/ref/ref.h; HEAD is a multiple of VW.
 *   Rows of value, offsets and logits may lie apart: *_pitch elements from one to the next.
 * One work-item (a group of its own) takes `each` queries, head after head, so that what the
 * samples of neighbouring queries share stays in the first cache. Grid: (blocks of queries,
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

enum { VECTORS = HEAD / VW, SAMPLES = LEVELS * POINTS, LANES = (SAMPLES + VW - 1) / VW * VW };

/* By sample: its level's size and first element. */
typedef struct {
    float width[LANES], height[LANES];
    int start[LANES];
} tables;

/* By sample: elements and weights of its four corners. */
typedef struct {
    int at[4][LANES];
    float weight[4][LANES];
} corners;

/* Values step i + first, i < count, and `other` in further lanes. */
static vec load_lanes(global const float *from, int first, int step, int count, float other)
{
    float lane[VW];
    for (int i = 0; i < VW; i++) lane[i] = i < count ? from[first + i * step] : other;
    return LOAD_VEC(0, lane);
}

/* x (odd 0) or y (odd 1) of `count` pairs. */
static vec load_pairs(global const float *from, int odd, int count)
{
    if (count < VW) return load_lanes(from, odd, 2, count, 0.0f);
    const vec a = LOAD_VEC(0, from), b = LOAD_VEC(1, from);
    return odd ? (vec)(a.odd, b.odd) : (vec)(a.even, b.even);
}

/* Softmax numerators of one head's logits; returns 1 / their sum. */
static float softmax_samples(float e[LANES], global const float *logits)
{
    vec top = (vec)(-INFINITY), sum = (vec)(0.0f);
    for (int i = 0; i < SAMPLES; i += VW) {
        const vec z = SAMPLES - i < VW ? load_lanes(logits, i, 1, SAMPLES - i, -INFINITY)
                                       : LOAD_VEC(0, logits + i);
        top = fmax(top, z);
        STORE_VEC(z, 0, e + i);
    }
    const vec most = (vec)(max_lanes(top));
    for (int i = 0; i < SAMPLES; i += VW) {
        const vec z = exp(LOAD_VEC(0, e + i) - most);
        sum += z;
        STORE_VEC(z, 0, e + i);
    }
    return 1.0f / sum_lanes(sum);
}

/* Along one axis: the pixels before and after place `p`, inside the map, and their weights, 0 for a
 * pixel outside. A place further out than a pixel, or NaN, moves to where both weights are 0. */
#define AXIS(p, size, first, second, weight0, weight1)                                       \
    {                                                                                        \
        const ivec last_ = TO_INT(size) - 1;                                                 \
        const vec low_ = (p) > (vec)(-1.0f) ? (p) : (vec)(-1.0f);                            \
        const vec in_ = low_ < (size) ? low_ : (size), floor_ = floor(in_);                  \
        const ivec at_ = TO_INT(floor_);                                                     \
        weight1 = at_ < last_ ? in_ - floor_ : (vec)(0.0f);                                  \
        weight0 = (at_ >= 0) && (at_ <= last_) ? (vec)(1.0f) - (in_ - floor_) : (vec)(0.0f); \
        first = clamp(at_, (ivec)(0), last_);                                                \
        second = min(at_ + 1, last_);                                                        \
    }

/* Corners of all samples of one head: offsets `o`, reference point `r`; pixels lie `c` apart. */
static void find_corners(corners *k, const float e[LANES], const tables *t, global const float *o,
                         global const float *r, int ref_size, int c)
{
    for (int i = 0; i < SAMPLES; i += VW) {
        const vec w = LOAD_VEC(0, t->width + i), h = LOAD_VEC(0, t->height + i);
        vec dx = load_pairs(o + 2 * i, 0, SAMPLES - i), dy = load_pairs(o + 2 * i, 1, SAMPLES - i);
        if (ref_size == 4) {
            dx = dx / (float)POINTS * r[2] * 0.5f * w;
            dy = dy / (float)POINTS * r[3] * 0.5f * h;
        }
        const vec px = r[0] * w + dx - 0.5f, py = r[1] * h + dy - 0.5f;
        ivec x0, x1, y0, y1;
        vec u0, u1, v0, v1;
        AXIS(px, w, x0, x1, u0, u1)
        AXIS(py, h, y0, y1, v0, v1)
        const vec weight = LOAD_VEC(0, e + i);
        const ivec start = LOAD_VEC(0, t->start + i), pitch = TO_INT(w) * c;
        const ivec upper = start + y0 * pitch, lower = start + y1 * pitch;
        STORE_VEC(upper + x0 * c, 0, k->at[0] + i);
        STORE_VEC(upper + x1 * c, 0, k->at[1] + i);
        STORE_VEC(lower + x0 * c, 0, k->at[2] + i);
        STORE_VEC(lower + x1 * c, 0, k->at[3] + i);
        STORE_VEC(weight * v0 * u0, 0, k->weight[0] + i);
        STORE_VEC(weight * v0 * u1, 0, k->weight[1] + i);
        STORE_VEC(weight * v1 * u0, 0, k->weight[2] + i);
        STORE_VEC(weight * v1 * u1, 0, k->weight[3] + i);
    }
}

/* to = factor times the weighted sum of all corners of a head's map. */
static void add_corners(global float *to, const corners *k, global const float *map, float factor)
{
    vec acc[2][VECTORS];
    for (int i = 0; i < VECTORS; i++) acc[0][i] = acc[1][i] = (vec)(0.0f);
    for (int s = 0; s < SAMPLES; s++)
#pragma unroll
        for (int n = 0; n < 4; n++) {
            global const float *from = map + k->at[n][s];
            const vec weight = (vec)(k->weight[n][s]);
#pragma unroll
            for (int i = 0; i < VECTORS; i++)
                acc[n & 1][i] = fma(LOAD_VEC(i, from), weight, acc[n & 1][i]);
        }
    for (int i = 0; i < VECTORS; i++) STORE_VEC((acc[0][i] + acc[1][i]) * factor, i, to);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void deform_attention_vector(
    global float *restrict y, global const float *restrict value,
    global const float *restrict offsets, global const float *restrict logits,
    global const float *restrict ref, int heads, int ref_batches, int ref_size, int tokens, int nq,
    int each, int value_pitch, int offset_pitch, int logit_pitch, int height0, int height1,
    int height2, int height3, int width0, int width1, int width2, int width3)
{
    const int level_height[4] = {height0, height1, height2, height3};
    const int level_width[4] = {width0, width1, width2, width3};
    const int batch = (int)get_group_id(1), c = heads * HEAD;
    const int first = (int)get_group_id(0) * each, last = min(first + each, nq);
    tables t;
    for (int i = 0, start = 0, level = 0; i < LANES; i++) {
        t.width[i] = (float)level_width[level];
        t.height[i] = (float)level_height[level];
        t.start[i] = start * value_pitch;
        if (i % POINTS < POINTS - 1 || level == LEVELS - 1) continue;
        start += level_height[level] * level_width[level];
        level++;
    }
    for (int head = 0; head < heads; head++)
        for (int query = first; query < last; query++) {
            const size_t row = (size_t)batch * nq + query;
            const int at = head * SAMPLES;
            float e[LANES];
            corners k;
            const float factor = softmax_samples(e, logits + row * logit_pitch + at);
            find_corners(&k, e, &t, offsets + row * offset_pitch + 2 * at,
                         ref + ((size_t)(ref_batches > 1 ? batch : 0) * nq + query) * ref_size,
                         ref_size, value_pitch);
            add_corners(y + row * c + head * HEAD, &k,
                        value + (size_t)batch * tokens * value_pitch + head * HEAD, factor);
        }
}
