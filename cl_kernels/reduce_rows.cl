/* Sums of up to `block` neighbouring rows: y[b] = x[b block] + x[b block + 1] + ..., in order.
 *   x [rows, cols] from element x_start on; y [ceil(rows / block), cols] from element y_start on.
 * Repeated until one row is left (each pass reads what the last one wrote, in one scratch buffer),
 * this sums all rows with an error that grows with block log(rows) / log(block), not with rows.
 * One work-item per element of y, grid (cols, ceil(rows / block)).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif

/* No restrict: x and y may be different parts of one buffer. */
__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void reduce_rows_plain(
    global float *y, global const float *x, int y_start, int x_start, int rows, int cols, int block)
{
    const int col = (int)get_global_id(0), b = (int)get_global_id(1);
    const int from = b * block;
    if (col >= cols || from >= rows) return;
    float sum = 0.0f;
    for (int row = from; row < min(from + block, rows); row++)
        sum += x[x_start + (size_t)row * cols + col];
    y[y_start + (size_t)b * cols + col] = sum;
}
