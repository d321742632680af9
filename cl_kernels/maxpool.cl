/* Largest value under a kernel x kernel window; places outside the map do not take part.
 *   x [batches, height*width, channels]; y [batches, out_height*out_width, channels];
 *   the window of (oy, ox) starts at (oy stride - pad, ox stride - pad); pad < kernel, so that no
 *   window is empty.
 * One work-item per element of y, grid (channels, batches * out_height * out_width).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the channels */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void maxpool_plain(
    global float *restrict y, global const float *restrict x, int height, int width, int size,
    int stride, int pad, int batches, int out_height, int out_width, int channels)
{
    const int channel = (int)get_global_id(0), token = (int)get_global_id(1);
    if (channel >= channels || token >= batches * out_height * out_width) return;
    const int line = token / out_width, batch = line / out_height; /* lines of all batches */
    const int top = (line - batch * out_height) * stride - pad;
    const int left = (token - line * out_width) * stride - pad;
    x += (size_t)batch * height * width * channels + channel;
    float best = -INFINITY;
    for (int i = max(top, 0); i < min(top + size, height); i++)
        for (int j = max(left, 0); j < min(left + size, width); j++)
            best = fmax(best, x[(size_t)(i * width + j) * channels]);
    y[(size_t)token * channels + channel] = best;
}
