/* Multi-scale deformable attention and its backward (Zhu et al. 2021, arXiv:2010.04159, eq. 3).
 *   value [b, s, c], s = sum of height*width, levels end to end, c = heads * d
 *   offsets [b, nq, heads, levels, points, 2] (x, y), logits [b, nq, heads, levels, points]
 *   ref [ref_batches, nq, ref_size], ref_size 2 (x, y) or 4 (x, y, w, h), in [0, 1]; y [b, nq, c]
 * Pixel of a sample, centres at +0.5 as in grid_sample with align_corners false:
 *   ref_size 2: px = x width + ox - 0.5;  4: px = (x + ox w / (2 points)) width - 0.5
 * y = sum over levels and points of softmax(logits) * bilinear(value, px, py); outside reads as 0.
 *
 * deform_attention_forward_plain: one work-item per element of y, grid (c, b*nq).
 *   Rows of value, offsets and logits may lie apart: *_pitch elements from one to the next.
 * Backward, without atomics:
 *   deform_attention_samples          sample [b, nq, heads, levels, points, 3] = px, py, weight;
 *                                     one work-item per sample
 *   deform_attention_backward_sample  dlogits = gradient of the weight, doffsets; one per sample
 *   deform_attention_backward_logits  softmax backward on dlogits in place; one per row of a head
 *   deform_attention_backward_value   dvalue gathers over all samples; grid (c, b*s)
 * Heights and widths are given for four levels; those beyond `levels` are not read.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the first axis */
#endif

/* Softmax over a row of n logits is exp(logit - row_max) / row_sum. */
static float row_max(global const float *logits, int n)
{
    float most = logits[0];
    for (int i = 1; i < n; i++) most = fmax(most, logits[i]);
    return most;
}

static float row_sum(global const float *logits, int n, float most)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) sum += exp(logits[i] - most);
    return sum;
}

/* Size of an offset of 1 in pixels of a level. */
static float2 offset_scale(global const float *ref, int ref_size, int points, float2 size)
{
    if (ref_size == 2) return (float2)(1.0f, 1.0f);
    return (float2)(ref[2], ref[3]) * size * (0.5f / (float)points);
}

static float2 sample_pixel(global const float *offset, global const float *ref, int ref_size,
                           int points, float2 size)
{
    const float2 o = (float2)(offset[0], offset[1]) * offset_scale(ref, ref_size, points, size);
    return (float2)(ref[0], ref[1]) * size + o - 0.5f;
}

static bool inside(float2 pixel, int height, int width)
{
    return pixel.x > -1.0f && pixel.x < (float)width && pixel.y > -1.0f && pixel.y < (float)height;
}

/* Value of one channel at a corner, 0 outside; `map` is the level's first token. */
static float corner(global const float *map, int height, int width, int c, int y, int x)
{
    if (x < 0 || x >= width || y < 0 || y >= height) return 0.0f;
    return map[(size_t)(y * width + x) * c];
}

/* The four corners around a pixel: s0 (y0, x0), s1 (y0, x1), s2 (y1, x0), s3 (y1, x1). */
static float4 corners(global const float *map, int height, int width, int c, float2 pixel)
{
    const int x = (int)floor(pixel.x), y = (int)floor(pixel.y);
    return (float4)(corner(map, height, width, c, y, x), corner(map, height, width, c, y, x + 1),
                    corner(map, height, width, c, y + 1, x),
                    corner(map, height, width, c, y + 1, x + 1));
}

static float blend(float4 v, float2 part)
{
    const float upper = v.s0 + part.x * (v.s1 - v.s0), lower = v.s2 + part.x * (v.s3 - v.s2);
    return upper + part.y * (lower - upper);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_forward_plain(
    global float *restrict y, global const float *restrict value,
    global const float *restrict offsets, global const float *restrict logits,
    global const float *restrict ref, int heads, int levels, int points, int h0, int h1, int h2,
    int h3, int w0, int w1, int w2, int w3, int b, int nq, int s, int c, int ref_batches,
    int ref_size, int value_pitch, int offset_pitch, int logit_pitch)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= c || row >= b * nq) return;
    const int height[4] = {h0, h1, h2, h3}, width[4] = {w0, w1, w2, w3};
    const int query = row % nq, batch = row / nq, head = channel / (c / heads), n = levels * points;
    global const float *offset = offsets + (size_t)row * offset_pitch + head * n * 2;
    global const float *logit = logits + (size_t)row * logit_pitch + head * n;
    global const float *r = ref + (size_t)(batch % ref_batches * nq + query) * ref_size;
    global const float *map = value + (size_t)batch * s * value_pitch + channel;
    const float most = row_max(logit, n);
    float sum = 0.0f;
    for (int level = 0; level < levels; level++) {
        const float2 size = (float2)((float)width[level], (float)height[level]);
        for (int point = 0; point < points; point++) {
            const int at = level * points + point;
            const float2 pixel = sample_pixel(offset + 2 * at, r, ref_size, points, size);
            if (!inside(pixel, height[level], width[level])) continue;
            const float4 v = corners(map, height[level], width[level], value_pitch, pixel);
            sum += exp(logit[at] - most) * blend(v, pixel - floor(pixel));
        }
        map += (size_t)height[level] * width[level] * value_pitch;
    }
    y[(size_t)row * c + channel] = sum / row_sum(logit, n, most);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_samples(
    global float *restrict sample, global const float *restrict offsets,
    global const float *restrict logits, global const float *restrict ref, int heads, int levels,
    int points, int h0, int h1, int h2, int h3, int w0, int w1, int w2, int w3, int b, int nq,
    int ref_batches, int ref_size)
{
    const int at = (int)get_global_id(0), n = levels * points;
    if (at >= b * nq * heads * n) return;
    const int height[4] = {h0, h1, h2, h3}, width[4] = {w0, w1, w2, w3};
    const int level = at / points % levels, row = at / n / heads;
    const int query = row % nq, batch = row / nq;
    global const float *r = ref + (size_t)(batch % ref_batches * nq + query) * ref_size;
    global const float *head_logits = logits + (size_t)(at / n) * n;
    const float2 size = (float2)((float)width[level], (float)height[level]);
    const float2 pixel = sample_pixel(offsets + 2 * (size_t)at, r, ref_size, points, size);
    const float most = row_max(head_logits, n);
    sample[3 * (size_t)at] = pixel.x;
    sample[3 * (size_t)at + 1] = pixel.y;
    sample[3 * (size_t)at + 2] = exp(logits[at] - most) / row_sum(head_logits, n, most);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_backward_sample(
    global float *restrict doffsets, global float *restrict dlogits,
    global const float *restrict dy, global const float *restrict value,
    global const float *restrict ref, global const float *restrict sample, int heads, int levels,
    int points, int h0, int h1, int h2, int h3, int w0, int w1, int w2, int w3, int b, int nq,
    int s, int c, int ref_batches, int ref_size)
{
    const int at = (int)get_global_id(0), n = levels * points;
    if (at >= b * nq * heads * n) return;
    const int height[4] = {h0, h1, h2, h3}, width[4] = {w0, w1, w2, w3};
    const int level = at / points % levels, head = at / n % heads, row = at / n / heads;
    const int query = row % nq, batch = row / nq, d = c / heads;
    const float2 size = (float2)((float)width[level], (float)height[level]);
    const float2 pixel = (float2)(sample[3 * (size_t)at], sample[3 * (size_t)at + 1]);
    const float2 part = pixel - floor(pixel);
    global const float *map = value + (size_t)batch * s * c + head * d;
    for (int i = 0; i < level; i++) map += (size_t)height[i] * width[i] * c;
    float weight = 0.0f;
    float2 slope = (float2)(0.0f, 0.0f);
    for (int i = 0; i < d && inside(pixel, height[level], width[level]); i++) {
        const float4 v = corners(map + i, height[level], width[level], c, pixel);
        const float g = dy[(size_t)row * c + head * d + i];
        weight += g * blend(v, part);
        slope.x += g * ((1.0f - part.y) * (v.s1 - v.s0) + part.y * (v.s3 - v.s2));
        slope.y += g * ((1.0f - part.x) * (v.s2 - v.s0) + part.x * (v.s3 - v.s1));
    }
    global const float *r = ref + (size_t)(batch % ref_batches * nq + query) * ref_size;
    slope *= sample[3 * (size_t)at + 2] * offset_scale(r, ref_size, points, size);
    doffsets[2 * (size_t)at] = slope.x;
    doffsets[2 * (size_t)at + 1] = slope.y;
    dlogits[at] = weight;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_backward_logits(
    global float *restrict dlogits, global const float *restrict sample, int rows, int n)
{
    const int row = (int)get_global_id(0);
    if (row >= rows) return;
    const size_t first = (size_t)row * n;
    float mean = 0.0f;
    for (int i = 0; i < n; i++) mean += sample[3 * (first + i) + 2] * dlogits[first + i];
    for (int i = 0; i < n; i++)
        dlogits[first + i] = sample[3 * (first + i) + 2] * (dlogits[first + i] - mean);
}

/* A token's weight in a sample is max(0, 1 - |px - x|) max(0, 1 - |py - y|). */
__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_backward_value(
    global float *restrict dvalue, global const float *restrict dy,
    global const float *restrict sample, int heads, int levels, int points, int h0, int h1, int h2,
    int h3, int w0, int w1, int w2, int w3, int b, int nq, int s, int c)
{
    const int channel = (int)get_global_id(0), token = (int)get_global_id(1);
    if (channel >= c || token >= b * s) return;
    const int height[4] = {h0, h1, h2, h3}, width[4] = {w0, w1, w2, w3};
    const int batch = token / s, head = channel / (c / heads);
    int level = 0, place = token % s;
    for (; place >= height[level] * width[level]; level++) place -= height[level] * width[level];
    const float x = (float)(place % width[level]), y = (float)(place / width[level]);
    float sum = 0.0f;
    for (int query = 0; query < nq; query++) {
        const size_t row = (size_t)batch * nq + query;
        global const float *at = sample + 3 * ((row * heads + head) * levels + level) * points;
        float share = 0.0f;
        for (int point = 0; point < points; point++, at += 3) {
            const float fx = 1.0f - fabs(at[0] - x), fy = 1.0f - fabs(at[1] - y);
            if (fx > 0.0f && fy > 0.0f) share += at[2] * fx * fy;
        }
        if (share != 0.0f) sum += share * dy[row * c + channel];
    }
    dvalue[(size_t)token * c + channel] = sum;
}
