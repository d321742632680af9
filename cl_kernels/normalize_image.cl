/* 8-bit image to network input: y = (x / 255 - mean) / std, by channel.
 *   x [pixels, channels] bytes, channels 1 (grey, repeated) or 3; y [pixels, 3]
 *
 * normalize_image_plain: one work-item per element of y.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void normalize_image_plain(
    global float *restrict y, global const uchar *restrict x, float mean0, float mean1, float mean2,
    float std0, float std1, float std2, int channels, int n)
{
    const int at = (int)get_global_id(0), channel = at % 3;
    if (at >= n) return;
    const float mean[3] = {mean0, mean1, mean2}, deviation[3] = {std0, std1, std2};
    const float value = (float)x[channels == 3 ? at : at / 3] / 255.0f;
    y[at] = (value - mean[channel]) / deviation[channel];
}
