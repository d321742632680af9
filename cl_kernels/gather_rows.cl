/* Rows picked by index, and the backward of that.
 *   gather_rows:  y row i repeat + j = x row index[i]; y [n repeat, cols], x [rows, cols]
 *   scatter_rows: dx row r = sum of the dy rows i repeat + j with index[i] = r, in order
 *   index [n], values in [0, rows).
 * One work-item per element of y, grid (cols, n repeat), or of dx, grid (cols, rows): scatter reads
 * the whole index for each element and so needs no atomics.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gather_rows_plain(
    global float *restrict y, global const float *restrict x, global const int *restrict index,
    int repeat, int rows_out, int cols)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= cols || row >= rows_out) return;
    y[(size_t)row * cols + col] = x[(size_t)index[row / repeat] * cols + col];
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void scatter_rows_plain(
    global float *restrict dx, global const float *restrict dy, global const int *restrict index,
    int repeat, int n, int rows, int cols)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= cols || row >= rows) return;
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        if (index[i] != row) continue;
        for (int j = 0; j < repeat; j++) sum += dy[((size_t)i * repeat + j) * cols + col];
    }
    dx[(size_t)row * cols + col] = sum;
}
