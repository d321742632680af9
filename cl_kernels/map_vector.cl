/* Ops on maps [batches, height*width, channels], on CPU devices: a pixel's channels in native
 * vectors, and one by one where the width does not divide them.
 *   resample_nearest_vector, resample_bilinear_vector: formula and operands of resample.cl
 *   maxpool_vector: formula and operands of maxpool.cl
 * One work-item (a group of its own) takes one line of the result, so that what belongs to a line
 * or a pixel is computed once for all channels. Grid: (out_height, batches).
 * SPDX-License-Identifier: MIT */
#include "bilinear.clh"
#include "tile.clh"

static int nearest(int dst, int in, float ratio)
{
    return min((int)floor((float)dst * ratio), in - 1);
}

/* First element of this work-item's line of a map of `pixels` a line. */
static size_t own_line(int pixels, int channels)
{
    return (get_group_id(1) * get_num_groups(0) + get_group_id(0)) * (size_t)pixels * channels;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void resample_nearest_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict add,
    int height, int width, int out_width, float ratio_y, float ratio_x, int channels)
{
    const size_t line = own_line(out_width, channels);
    const int row = nearest((int)get_group_id(0), height, ratio_y);
    x += (get_group_id(1) * height + row) * (size_t)width * channels;
    for (int pixel = 0; pixel < out_width; pixel++) {
        const size_t at = line + (size_t)pixel * channels;
        global const float *from = x + (size_t)nearest(pixel, width, ratio_x) * channels;
        int i = 0;
        for (; i + VW <= channels; i += VW) {
            const vec v = LOAD_VEC(0, from + i);
            STORE_VEC(add ? v + LOAD_VEC(0, add + at + i) : v, 0, y + at + i);
        }
        for (; i < channels; i++) y[at + i] = from[i] + (add ? add[at + i] : 0.0f);
    }
}

/* upper and lower line of a bilinear sample between the pixels of `u`; T: float or vec. */
#define BLEND(T, upper0, upper1, lower0, lower1, u, v)                                           \
    (((upper0) * (T)(1.0f - (u).weight) + (upper1) * (T)((u).weight)) * (T)(1.0f - (v).weight) + \
     ((lower0) * (T)(1.0f - (u).weight) + (lower1) * (T)((u).weight)) * (T)((v).weight))

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void resample_bilinear_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict add,
    int height, int width, int out_width, int channels)
{
    const size_t line = own_line(out_width, channels), pitch = (size_t)width * channels;
    const bilinear_pair v = bilinear_axis((int)get_group_id(0), height, (int)get_num_groups(0));
    global const float *upper = x + (get_group_id(1) * height + v.first) * pitch;
    global const float *lower = x + (get_group_id(1) * height + v.second) * pitch;
    for (int pixel = 0; pixel < out_width; pixel++) {
        const bilinear_pair u = bilinear_axis(pixel, width, out_width);
        const size_t at = line + (size_t)pixel * channels;
        const size_t left = (size_t)u.first * channels, right = (size_t)u.second * channels;
        int i = 0;
        for (; i + VW <= channels; i += VW) {
            const vec z =
                BLEND(vec, LOAD_VEC(0, upper + left + i), LOAD_VEC(0, upper + right + i),
                      LOAD_VEC(0, lower + left + i), LOAD_VEC(0, lower + right + i), u, v);
            STORE_VEC(add ? z + LOAD_VEC(0, add + at + i) : z, 0, y + at + i);
        }
        for (; i < channels; i++)
            y[at + i] = BLEND(float, upper[left + i], upper[right + i], lower[left + i],
                              lower[right + i], u, v) +
                        (add ? add[at + i] : 0.0f);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void maxpool_vector(
    global float *restrict y, global const float *restrict x, int height, int width, int size,
    int stride, int pad, int out_width, int channels)
{
    const size_t line = own_line(out_width, channels);
    const int top = (int)get_group_id(0) * stride - pad;
    const int first_row = max(top, 0), last_row = min(top + size, height);
    x += get_group_id(1) * height * (size_t)width * channels;
    for (int pixel = 0; pixel < out_width; pixel++) {
        const int left = pixel * stride - pad;
        const int first_col = max(left, 0), last_col = min(left + size, width);
        const size_t at = line + (size_t)pixel * channels;
        int i = 0;
        for (; i + VW <= channels; i += VW) {
            vec best = (vec)(-INFINITY);
            for (int row = first_row; row < last_row; row++)
                for (int col = first_col; col < last_col; col++) {
                    const vec z = LOAD_VEC(0, x + ((size_t)row * width + col) * channels + i);
                    best = z > best ? z : best;
                }
            STORE_VEC(best, 0, y + at + i);
        }
        for (; i < channels; i++) {
            float best = -INFINITY;
            for (int row = first_row; row < last_row; row++)
                for (int col = first_col; col < last_col; col++)
                    best = fmax(best, x[((size_t)row * width + col) * channels + i]);
            y[at + i] = best;
        }
    }
}
