/* The second pass of a product that was split along k: y = act(sum of splits + bias + residual).
 *   part [splits, m, n] float, y [m, n], bias? [n], residual? [residual_rows, n]; row i of y takes
 *   row i mod residual_rows. A NULL pointer is an operand that is absent.
 * One work-item per element, grid (n, m). Splits are added in their order.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along n */
#endif
#include "activation.clh"
#include "storage.clh"

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void sum_tile(
    global y_type *restrict y, global const float *restrict part, global const float *restrict bias,
    global const y_type *restrict residual, int act, int splits, int m, int n, int residual_rows)
{
    const int column = (int)get_global_id(0), row = (int)get_global_id(1);
    if (column >= n || row >= m) return;
    const size_t at = (size_t)row * n + column;
    float sum = part[at];
    for (int i = 1; i < splits; i++) sum += part[(size_t)i * m * n + at];
    if (bias) sum += bias[column];
    if (residual) sum += LOAD_Y((size_t)(row % residual_rows) * n + column, residual);
    STORE_Y(activate(act, sum), at, y);
}
