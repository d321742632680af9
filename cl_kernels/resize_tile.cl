/* Maps and masks in another size on GPUs; formulas in resample.cl and resize_mask.cl.
 *
 * resample_tile: one work-item per W channels of y, neighbours on neighbouring channels. With
 *   NEAREST ratio_y and ratio_x count, else they say nothing. Grid: tokens of all batches times
 *   channels / W.
 * resize_mask_tile: one work-item per MASK_WIDE bytes of a row of y (a divisor of out_width).
 *   Grid: rows of all maps times out_width / MASK_WIDE.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#ifndef NEAREST
#define NEAREST 0
#endif
#ifndef MASK_WIDE
#define MASK_WIDE 1 /* 1 or 4 */
#endif
#include "bilinear.clh"
#include "fours.clh"

/* The source pixels of a place, as bilinear_axis gives them. */
INLINE bilinear_pair source_of(int dst, int in, int out, float ratio)
{
#if NEAREST
    bilinear_pair p;
    p.first = p.second = min((int)floor((float)dst * ratio), in - 1);
    p.weight = 0.0f;
    (void)out;
    return p;
#else
    (void)ratio;
    return bilinear_axis(dst, in, out);
#endif
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resample_tile(
    global y_type *restrict y, global const x_type *restrict x, global const y_type *restrict add,
    int height, int width, int out_height, int out_width, float ratio_y, float ratio_x, int tokens,
    int channels)
{
    const int across = channels / W, id = (int)get_global_id(0), token = id / across;
    if (token >= tokens) return;
    const int line = token / out_width, batch = line / out_height; /* lines of all batches */
    const bilinear_pair v = source_of(line - batch * out_height, height, out_height, ratio_y);
    const bilinear_pair u = source_of(token - line * out_width, width, out_width, ratio_x);
    global const x_type *const map =
        x + (size_t)batch * height * width * channels + (id - token * across) * W;
    vec r = LOAD_XV(map + (size_t)(v.first * width + u.first) * channels);
    if (!NEAREST) {
        const vec b = LOAD_XV(map + (size_t)(v.first * width + u.second) * channels);
        const vec c = LOAD_XV(map + (size_t)(v.second * width + u.first) * channels);
        const vec d = LOAD_XV(map + (size_t)(v.second * width + u.second) * channels);
        const vec upper = r * (1.0f - u.weight) + b * u.weight;
        const vec lower = c * (1.0f - u.weight) + d * u.weight;
        r = upper * (1.0f - v.weight) + lower * v.weight;
    }
    const size_t at = (size_t)id * W;
    if (add) r += LOAD_YV(add + at);
    STORE_YV(r, y + at);
}

INLINE uchar above(global const x_type *upper, global const x_type *lower, float weight,
                   bilinear_pair h, float threshold)
{
    const float a = LOAD_X(h.first, upper) * (1.0f - weight) + LOAD_X(h.first, lower) * weight;
    const float b = LOAD_X(h.second, upper) * (1.0f - weight) + LOAD_X(h.second, lower) * weight;
    return a * (1.0f - h.weight) + b * h.weight > threshold ? 1 : 0;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resize_mask_tile(
    global uchar *restrict y, global const x_type *restrict x, float threshold, int height,
    int width, int out_height, int out_width, int maps)
{
    const int across = out_width / MASK_WIDE, id = (int)get_global_id(0), row = id / across;
    if (row >= maps * out_height) return;
    const int map = row / out_height, column = (id - row * across) * MASK_WIDE;
    const bilinear_pair v = bilinear_axis(row - map * out_height, height, out_height);
    global const x_type *const upper = x + ((size_t)map * height + v.first) * width;
    global const x_type *const lower = x + ((size_t)map * height + v.second) * width;
    uchar bytes[MASK_WIDE];
#pragma unroll
    for (int i = 0; i < MASK_WIDE; i++)
        bytes[i] =
            above(upper, lower, v.weight, bilinear_axis(column + i, width, out_width), threshold);
#if MASK_WIDE == 4
    vstore4((uchar4)(bytes[0], bytes[1], bytes[2], bytes[3]), id, y);
#else
    y[id] = bytes[0];
#endif
}
