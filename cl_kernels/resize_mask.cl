/* Finished mask: bilinear resize of logits (align_corners false, no antialiasing), then a
 * threshold. x [maps, height*width] logits; y [maps, out_height*out_width] bytes, 1 where the logit
 * is above threshold
 *
 * resize_mask_plain: one work-item per byte of y, grid (out_width, maps out_height).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif
#include "bilinear.clh"

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resize_mask_plain(
    global uchar *restrict y, global const float *restrict x, float threshold, int height,
    int width, int out_height, int out_width, int maps)
{
    const int column = (int)get_global_id(0), row = (int)get_global_id(1);
    if (column >= out_width || row >= maps * out_height) return;
    const int map = row / out_height;
    const bilinear_pair h = bilinear_axis(column, width, out_width);
    const bilinear_pair v = bilinear_axis(row - map * out_height, height, out_height);
    x += (size_t)map * height * width;
    global const float *upper = x + (size_t)v.first * width, *lower = x + (size_t)v.second * width;
    const float a = upper[h.first] * (1.0f - v.weight) + lower[h.first] * v.weight;
    const float b = upper[h.second] * (1.0f - v.weight) + lower[h.second] * v.weight;
    const float logit = a * (1.0f - h.weight) + b * h.weight;
    y[(size_t)row * out_width + column] = logit > threshold ? 1 : 0;
}
