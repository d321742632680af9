/* Matrix product with epilogue: y = act((x + addend) w^T + bias + residual).
 *   y [m, n], x [m, k] (trans_x: [k, m]), w [n, k] (trans_w: [k, n]), bias? [n],
 *   residual? [residual_rows, n], addend? [addend_rows, k]; row i of y takes row i mod r of these.
 * A NULL pointer is an operand that is absent.
 *
 * gemm_plain: one work-item per element of y, grid (n, m). Sums in blocks of BLOCK, so that the
 * rounding error grows with k / BLOCK + BLOCK and not with k.
 * gemm_epilogue: bias, residual and act on a product that is already in y, grid (n, m).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along n */
#endif
#ifndef BLOCK
#define BLOCK 64 /* terms of a partial sum */
#endif
#include "activation.clh"

/* Terms [from, to) of the dot product; steps are the distances of neighbours along k. */
static float partial_dot(global const float *x, int x_step, global const float *addend,
                         global const float *w, int w_step, int from, int to)
{
    float sum = 0.0f;
    for (int i = from; i < to; i++) {
        const float extra = addend ? addend[i] : 0.0f;
        sum += (x[(size_t)i * x_step] + extra) * w[(size_t)i * w_step];
    }
    return sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gemm_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict w,
    global const float *restrict bias, global const float *restrict residual,
    global const float *restrict addend, int act, int trans_x, int trans_w, int m, int n, int k,
    int residual_rows, int addend_rows)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= n || row >= m) return;
    global const float *x_row = trans_x ? x + row : x + (size_t)row * k;
    global const float *w_row = trans_w ? w + col : w + (size_t)col * k;
    global const float *addend_row = addend ? addend + (size_t)(row % addend_rows) * k : 0;
    float sum = 0.0f;
    for (int from = 0; from < k; from += BLOCK)
        sum += partial_dot(x_row, trans_x ? m : 1, addend_row, w_row, trans_w ? n : 1, from,
                           min(from + BLOCK, k));
    if (bias) sum += bias[col];
    if (residual) sum += residual[(size_t)(row % residual_rows) * n + col];
    y[(size_t)row * n + col] = activate(act, sum);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gemm_epilogue(
    global float *restrict y, global const float *restrict bias,
    global const float *restrict residual, int act, int m, int n, int residual_rows)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= n || row >= m) return;
    float sum = y[(size_t)row * n + col];
    if (bias) sum += bias[col];
    if (residual) sum += residual[(size_t)(row % residual_rows) * n + col];
    y[(size_t)row * n + col] = activate(act, sum);
}
