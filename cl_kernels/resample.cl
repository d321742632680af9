/* A map in another size, plus an addend: y = resize(x) + add.
 *   x [batches, height*width, channels]; y, add? (NULL: absent)
 *   [batches, out_height*out_width, channels].
 *   nearest:  src = min(floor(dst ratio), in - 1), ratio = in / out rounded to float
 *   bilinear: bilinear.clh
 * Source: specification, section 2.11. One work-item per element of y, grid (channels,
 * batches * out_height * out_width).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the channels */
#endif
#include "bilinear.clh"

static int nearest(int dst, int in, float ratio)
{
    return min((int)floor((float)dst * ratio), in - 1);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resample_nearest_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict add,
    int height, int width, int out_height, int out_width, float ratio_y, float ratio_x, int tokens,
    int channels)
{
    const int channel = (int)get_global_id(0), token = (int)get_global_id(1);
    if (channel >= channels || token >= tokens) return;
    const int line = token / out_width, batch = line / out_height; /* lines of all batches */
    const int row = nearest(line - batch * out_height, height, ratio_y);
    const int col = nearest(token - line * out_width, width, ratio_x);
    const size_t at = (size_t)token * channels + channel;
    const size_t from = ((size_t)batch * height * width + row * width + col) * channels + channel;
    y[at] = x[from] + (add ? add[at] : 0.0f);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resample_bilinear_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict add,
    int height, int width, int out_height, int out_width, int tokens, int channels)
{
    const int channel = (int)get_global_id(0), token = (int)get_global_id(1);
    if (channel >= channels || token >= tokens) return;
    const int line = token / out_width, batch = line / out_height; /* lines of all batches */
    const bilinear_pair v = bilinear_axis(line - batch * out_height, height, out_height);
    const bilinear_pair u = bilinear_axis(token - line * out_width, width, out_width);
    x += (size_t)batch * height * width * channels + channel;
    const float a = x[(size_t)(v.first * width + u.first) * channels];
    const float b = x[(size_t)(v.first * width + u.second) * channels];
    const float c = x[(size_t)(v.second * width + u.first) * channels];
    const float d = x[(size_t)(v.second * width + u.second) * channels];
    const float upper = a * (1.0f - u.weight) + b * u.weight;
    const float lower = c * (1.0f - u.weight) + d * u.weight;
    const size_t at = (size_t)token * channels + channel;
    y[at] = upper * (1.0f - v.weight) + lower * v.weight + (add ? add[at] : 0.0f);
}
