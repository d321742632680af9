/* One pass of Pillow's 8-bit bilinear resize, exact in integers (specification, appendix B.3):
 *   y[o][i][j] = clip((2^21 + sum_t weights[i][t] x[o][bounds[i][0] + t][j]) >> 22, 0, 255)
 *   x [outer, n, inner] bytes, bounds [m, 2] (first source index, count), weights [m, taps];
 *   y [outer, m, inner] bytes. The weights of one i sum to 2^22 but for their rounding, so the sum
 *   stays below 2^31.
 *
 * resize_axis_plain: one work-item per element of y, grid (m*inner, outer).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along m*inner */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void resize_axis_plain(
    global uchar *restrict y, global const uchar *restrict x, global const int *restrict bounds,
    global const int *restrict weights, int outer, int n, int inner, int m, int taps)
{
    const int at = (int)get_global_id(0), row = (int)get_global_id(1);
    if (at >= m * inner || row >= outer) return;
    const int i = at / inner, j = at % inner;
    global const uchar *from = x + ((size_t)row * n + bounds[2 * i]) * inner + j;
    int sum = 1 << 21;
    for (int t = 0; t < bounds[2 * i + 1]; t++)
        sum += weights[(size_t)i * taps + t] * from[(size_t)t * inner];
    y[(size_t)row * m * inner + at] = (uchar)clamp(sum >> 22, 0, 255);
}
