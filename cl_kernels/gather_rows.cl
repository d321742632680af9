/* Rows picked by index, and the backward of that.
 *   gather_rows:  y row i repeat + j = x row index[i]; y [n repeat, cols], x [rows, cols]; in each
 *                 of `batches` parts of x and y
 *   scatter_rows: dx row r = sum of the dy rows i repeat + j with index[i] = r, in order; likewise
 *   index [n], values in [0, rows).
 * One work-item per element of y, grid (cols, batches n repeat), or of dx, grid (cols, batches
 * rows): scatter reads the whole index for each element and so needs no atomics.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gather_rows_plain(
    global float *restrict y, global const float *restrict x, global const int *restrict index,
    int repeat, int batches, int n, int rows, int cols)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= cols || row >= batches * n * repeat) return;
    const int pick = row / repeat, batch = pick / n;
    y[(size_t)row * cols + col] = x[((size_t)batch * rows + index[pick - batch * n]) * cols + col];
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void scatter_rows_plain(
    global float *restrict dx, global const float *restrict dy, global const int *restrict index,
    int repeat, int batches, int n, int rows, int cols)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= cols || row >= batches * rows) return;
    const int batch = row / rows, wanted = row - batch * rows;
    dy += (size_t)batch * n * repeat * cols;
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        if (index[i] != wanted) continue;
        for (int j = 0; j < repeat; j++) sum += dy[((size_t)i * repeat + j) * cols + col];
    }
    dx[(size_t)row * cols + col] = sum;
}
