/* A product of a few rows on GPUs, in one launch: y [m, n] as in gemm_tile.cl, whose operands it
 * takes (not TRANS_X), and with NORM its layer normalisation.
 *
 * Reading w is all the work there is. A group makes ROWS rows and COLUMNS columns of y (a multiple
 * of a panel); with NORM COLUMNS are all there are. Its work-items share out the terms: item
 * (slice, column / 4) sums the terms slice, slice + SLICES, ..., then a tree over the slices adds
 * those up. So there is no second launch for splits of k, and bits repeat.
 * Grid: (n / COLUMNS, m / ROWS) of groups of LOCAL.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 256 /* COLUMNS / 4 times a power of two */
#endif
#ifndef COLUMNS
#define COLUMNS 32 /* a power of two: 32 to 4 * LOCAL */
#endif
#ifndef ROWS
#define ROWS 1 /* 1, 2, 4, 8; with NORM 1 */
#endif
#ifndef ADDEND
#define ADDEND 0
#endif
#ifndef NORM
#define NORM 0
#endif
#include "activation.clh"
#include "norm_tile.clh"

#define PANEL  32
#define C4     (COLUMNS / 4)
#define SLICES (LOCAL / C4)

INLINE float load_x(global const x_type *x, global const x_type *addend, size_t at, size_t more)
{
    return ADDEND ? LOAD_X(at, x) + LOAD_X(more, addend) : LOAD_X(at, x);
}

/* sums[r] of all items, added up over the slices, goes to rows [r, COLUMNS] of `to`. */
INLINE void add_slices(const float4 *sums, local float4 *part, local float *to)
{
    const int id = (int)get_local_id(0);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        part[id] = sums[r];
        for (int half_count = SLICES / 2; half_count > 0; half_count /= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            if (id < half_count * C4) part[id] += part[id + half_count * C4];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id < C4) vstore4(part[id], r * C4 + id, to);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

INLINE void finish_norm(global y_type *y, local const float *row, local float *part,
                        global const float *gamma, global const float *beta, float eps, int n)
{
    float sum = 0.0f, square = 0.0f;
    for (int i = (int)get_local_id(0); i < n; i += LOCAL) sum += row[i];
    const float mean = sum_of_items(sum, part, LOCAL) / (float)n;
    for (int i = (int)get_local_id(0); i < n; i += LOCAL)
        square += (row[i] - mean) * (row[i] - mean);
    const float rstd = 1.0f / sqrt(sum_of_items(square, part, LOCAL) / (float)n + eps);
    for (int i = (int)get_local_id(0); i < n; i += LOCAL)
        STORE_Y((row[i] - mean) * rstd * gamma[i] + beta[i], i, y);
}

MANY_REGISTERS __attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gemm_rows_tile(
    global y_type *restrict y, global const x_type *restrict x,
    global const w_type *restrict panels, global const float *restrict bias,
    global const y_type *restrict residual, global const x_type *restrict addend,
    global const float *restrict gamma, global const float *restrict beta, float eps, int act,
    int m, int n, int k, int residual_rows, int addend_rows)
{
    local float4 part[LOCAL];
    local float result[ROWS * COLUMNS];
    const int id = (int)get_local_id(0), column0 = (int)get_group_id(0) * COLUMNS;
    const int row0 = (int)get_group_id(1) * ROWS, mine = column0 + id % C4 * 4;
    global const w_type *const w =
        panels + (size_t)min(mine / PANEL, (n - 1) / PANEL) * k * PANEL + mine % PANEL;
    float4 sums[ROWS];
    size_t at[ROWS], more[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const int row = min(row0 + r, m - 1);
        sums[r] = (float4)(0.0f);
        at[r] = (size_t)row * k;
        more[r] = ADDEND ? (size_t)(row % addend_rows) * k : 0;
    }
#pragma unroll 4
    for (int term = id / C4; term < k; term += SLICES) {
        const float4 b = LOAD_W4(w + (size_t)term * PANEL);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            sums[r] += load_x(x, addend, at[r] + term, more[r] + term) * b;
    }
    add_slices(sums, part, result);
    for (int i = id; i < ROWS * COLUMNS; i += LOCAL) {
        const int row = row0 + i / COLUMNS, column = column0 + i % COLUMNS;
        float v = result[i];
        if (row >= m || column >= n) continue;
        if (bias) v += bias[column];
        if (residual) v += LOAD_Y((size_t)(row % residual_rows) * n + column, residual);
        v = activate(act, v);
        if (NORM)
            result[i] = v;
        else
            STORE_Y(v, (size_t)row * n + column, y);
    }
    if (!NORM) return;
    barrier(CLK_LOCAL_MEM_FENCE);
    finish_norm(y + (size_t)row0 * n, result, (local float *)part, gamma, beta, eps, n);
}
