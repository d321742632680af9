/* The second pass of a product that was split along k: y = act(sum of splits + bias + residual);
 * or of one whose rows are then normalised: y = (y - mean) / sqrt(variance + eps) gamma + beta.
 *   part [splits, m, n] float, y [m, n], bias? [n], residual? [residual_rows, n]; row i of y takes
 *   row i mod residual_rows; gamma, beta [n]. A NULL pointer is an operand that is absent.
 * Splits are added in their order.
 *
 * sum_tile: one work-item per element, grid (n, m).
 * sum_norm_tile: act none or ReLU; LANES work-items a row, grid: groups of LOCAL / LANES rows.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#include "activation.clh"
#include "norm_tile.clh"

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

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void sum_norm_tile(
    global y_type *restrict y, global const float *restrict part, global const float *restrict bias,
    global const y_type *restrict residual, global const float *restrict gamma,
    global const float *restrict beta, float eps, int act, int splits, int m, int n,
    int residual_rows)
{
    local float sums[LOCAL];
    const int id = (int)get_local_id(0), lane = id % LANES, vectors = n / W;
    const int row = (int)get_group_id(0) * (LOCAL / LANES) + id / LANES, last = min(row, m - 1);
    const size_t more = residual ? (size_t)(last % residual_rows) * n : 0;
    const vec least = (vec)(act == ACT_RELU ? 0.0f : -INFINITY);
    vec v[FOURS];
#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        const int column = min(lane + i * LANES, vectors - 1) * W;
        global const float *const from = part + (size_t)last * n + column;
        v[i] = LOAD_FV(from);
        for (int j = 1; j < splits; j++) v[i] += LOAD_FV(from + (size_t)j * m * n);
        if (bias) v[i] += LOAD_FV(bias + column);
        if (residual) v[i] += LOAD_YV(residual + more + column);
        v[i] = v[i] < least ? least : v[i];
    }
    normalize(v, sums, lane, vectors, eps);
    if (row >= m) return;
#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        const int at = (lane + i * LANES) * W;
        if (at >= n) continue;
        STORE_YV(v[i] * LOAD_FV(gamma + at) + LOAD_FV(beta + at), y + (size_t)row * n + at);
    }
}
