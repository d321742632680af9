/* Convolution of token-major maps, y = act(conv(x, w) + bias + residual), zero padding.
 *   x [b, height*width, cin], w [cout, cin, taps, taps], bias? [cout],
 *   residual? [residual_rows, cout]; y [b, out_height*out_width, cout]; row i of y takes row
 *   i mod residual_rows. A NULL pointer is an operand that is absent.
 *
 * conv2d_forward_plain: one work-item per element of y, grid (cout, b*out_height*out_width). The
 *   sum runs tap by tap, which keeps the partial sums short.
 * conv2d_columns: rows first .. first + count - 1 of the matrix whose product with w [cout, k] is
 *   the convolution, k = cin*taps*taps in w's order: columns [count, k]; grid (k, count).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the first axis */
#endif
#include "activation.clh"

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void conv2d_forward_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict w,
    global const float *restrict bias, global const float *restrict residual, int act, int height,
    int width, int taps, int stride, int pad, int out_height, int out_width, int rows, int cin,
    int cout, int residual_rows)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= cout || row >= rows) return;
    const int place = row % (out_height * out_width), batch = row / (out_height * out_width);
    const int top = place / out_width * stride - pad, left = place % out_width * stride - pad;
    float sum = 0.0f;
    for (int ky = max(-top, 0); ky < taps && top + ky < height; ky++)
        for (int kx = max(-left, 0); kx < taps && left + kx < width; kx++) {
            global const float *from =
                x + ((size_t)(batch * height + top + ky) * width + left + kx) * cin;
            global const float *weight = w + ((size_t)channel * cin * taps + ky) * taps + kx;
            float part = 0.0f;
            for (int i = 0; i < cin; i++) part += from[i] * weight[(size_t)i * taps * taps];
            sum += part;
        }
    if (bias) sum += bias[channel];
    if (residual) sum += residual[(size_t)(row % residual_rows) * cout + channel];
    y[(size_t)row * cout + channel] = activate(act, sum);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void conv2d_columns(
    global float *restrict columns, global const float *restrict x, int first, int count,
    int height, int width, int taps, int stride, int pad, int out_height, int out_width, int cin)
{
    const int k = (int)get_global_id(0), row = (int)get_global_id(1), n = cin * taps * taps;
    if (k >= n || row >= count) return;
    const int place = (first + row) % (out_height * out_width);
    const int batch = (first + row) / (out_height * out_width);
    const int ky = k / taps % taps, kx = k % taps, channel = k / (taps * taps);
    const int iy = place / out_width * stride - pad + ky;
    const int ix = place % out_width * stride - pad + kx;
    const bool inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
    const size_t from = ((size_t)(batch * height + iy) * width + ix) * cin + channel;
    columns[(size_t)row * n + k] = inside ? x[from] : 0.0f;
}
