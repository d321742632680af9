/* Matrix product and convolution on CPU devices: implicit GEMM over gathered rows.
 *   y [m, n] = act(A [m, k] w^T + bias + residual), panels [ceil(n / NR), k, NR] of w (op `pack`).
 *
 * A is x itself (gemm, plus an addend of repeating rows), or the patches of a map (conv2d): row =
 * output pixel, k = (ky, kx, channel). For one ky, the `kernel * channels` values of a patch lie
 * side by side in x, so a patch is `kernel` runs, clipped at the left and right border.
 *
 * One work-item (a group of its own) takes `strips` tiles of MR rows and `panels_each` panels. It
 * walks k in blocks of KB: gathers its rows of A once, then multiplies them with each panel, whose
 * block stays in the first cache for all strips. Each block is summed from zero and then added to
 * what y holds of the blocks before, so that rounding errors grow with KB + k / KB, not with k.
 * Grid: (blocks of rows, groups of panels).
 * SPDX-License-Identifier: MIT */
#ifndef STRIPS
#define STRIPS 8 /* most tiles of a work-item: STRIPS * MR * LDA floats of local memory */
#endif
#include "tile.clh"

/* One tile of one block of k: rows [row0, row0 + rows) of y, columns of one panel. */
static void multiply_tile(local const float *a, global const float *panel, int count, int first,
                          int last, global float *y, int n, int col0, int row0, int rows,
                          global const float *bias, global const float *residual, int residual_rows,
                          int act)
{
    vec acc[MR][2];
    const int cols = n - col0;
#pragma unroll
    for (int m = 0; m < MR; m++) {
        acc[m][0] = (vec)(0.0f);
        acc[m][1] = (vec)(0.0f);
    }
    TILE_MULTIPLY(acc, a, panel, NR, count)
    vec bias0 = (vec)(0.0f), bias1 = (vec)(0.0f);
    if (last && bias) {
        bias0 = load_part(bias + col0, cols);
        if (cols > VW) bias1 = load_part(bias + col0 + VW, cols - VW);
    }
#pragma unroll
    for (int m = 0; m < MR; m++) {
        if (m >= rows) continue;
        vec y0 = acc[m][0], y1 = acc[m][1];
        global float *at = y + (size_t)(row0 + m) * n + col0;
        if (!first) {
            y0 += load_part(at, cols);
            if (cols > VW) y1 += load_part(at + VW, cols - VW);
        }
        if (last) {
            y0 += bias0;
            y1 += bias1;
            if (residual) {
                global const float *more =
                    residual + (size_t)((row0 + m) % residual_rows) * n + col0;
                y0 += load_part(more, cols);
                if (cols > VW) y1 += load_part(more + VW, cols - VW);
            }
            y0 = activate_vec(act, y0);
            y1 = activate_vec(act, y1);
        }
        store_part(y0, at, cols);
        if (cols > VW) store_part(y1, at + VW, cols - VW);
    }
}

/* All tiles of one block of k. */
static void multiply_block(local const float *a, global const float *panels, int k, int k0,
                           int count, global float *y, int m, int n, int row0, int strips,
                           int panel0, int panel1, global const float *bias,
                           global const float *residual, int residual_rows, int act)
{
    for (int p = panel0; p < panel1; p++) {
        global const float *panel = panels + ((size_t)p * k + k0) * NR;
        for (int s = 0; s < strips; s++) {
            const int row = row0 + s * MR;
            if (row >= m) break;
            multiply_tile(a + s * MR * LDA, panel, count, k0 == 0, k0 + count == k, y, n, p * NR,
                          row, min(MR, m - row), bias, residual, residual_rows, act);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict panels,
    global const float *restrict bias, global const float *restrict residual,
    global const float *restrict addend, int act, int m, int n, int k, int residual_rows,
    int addend_rows, int strips, int panels_each)
{
    local float a[STRIPS * MR * LDA];
    const int row0 = (int)get_group_id(0) * strips * MR;
    const int panel0 = (int)get_group_id(1) * panels_each;
    const int panel1 = min(panel0 + panels_each, (n + NR - 1) / NR);
    for (int k0 = 0; k0 < k; k0 += KB) {
        const int count = min(KB, k - k0);
        for (int i = 0; i < strips * MR; i++) {
            const int row = row0 + i;
            local float *to = a + i * LDA;
            if (row >= m) {
                zero_floats(to, count);
                continue;
            }
            copy_floats(to, x + (size_t)row * k + k0, count);
            if (addend) add_floats(to, addend + (size_t)(row % addend_rows) * k + k0, count);
        }
        multiply_block(a, panels, k, k0, count, y, m, n, row0, strips, panel0, panel1, bias,
                       residual, residual_rows, act);
    }
}

/* Terms [k0, k0 + count) of the patch at (iy0, ix0) of one image. */
static void gather_patch(local float *to, global const float *image, int iy0, int ix0, int height,
                         int width, int kernel_size, int channels, int k0, int count)
{
    const int run = kernel_size * channels;
    const int left = max(-ix0, 0) * channels;                   /* terms of a run before the map */
    const int right = min(width - ix0, kernel_size) * channels; /* and where it ends */
    int at = 0;
    while (at < count) {
        const int ky = (k0 + at) / run, r0 = (k0 + at) - ky * run;
        const int r1 = min(run, r0 + count - at), iy = iy0 + ky;
        const int from = clamp(left, r0, r1), end = clamp(right, from, r1);
        const int inside = iy >= 0 && iy < height && from < end;
        local float *row = to + at - r0;
        if (inside) {
            zero_floats(row + r0, from - r0);
            copy_floats(row + from,
                        image + ((size_t)iy * width + (size_t)(ix0 + from / channels)) * channels +
                            from % channels,
                        end - from);
            zero_floats(row + end, r1 - end);
        } else {
            zero_floats(row + r0, r1 - r0);
        }
        at += r1 - r0;
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict panels,
    global const float *restrict bias, global const float *restrict residual, int act, int m, int n,
    int residual_rows, int strips, int panels_each, int height, int width, int channels,
    int kernel_size, int stride, int pad, int out_height, int out_width)
{
    local float a[STRIPS * MR * LDA];
    local int patch_y[STRIPS * MR], patch_x[STRIPS * MR];
    const int k = kernel_size * kernel_size * channels;
    const int row0 = (int)get_group_id(0) * strips * MR;
    const int panel0 = (int)get_group_id(1) * panels_each;
    const int panel1 = min(panel0 + panels_each, (n + NR - 1) / NR);
    const int pixels = out_height * out_width;
    for (int i = 0; i < strips * MR; i++) {
        const int pixel = (row0 + i) % pixels;
        patch_y[i] = pixel / out_width * stride - pad;
        patch_x[i] = pixel % out_width * stride - pad;
    }
    for (int k0 = 0; k0 < k; k0 += KB) {
        const int count = min(KB, k - k0);
        for (int i = 0; i < strips * MR; i++) {
            local float *to = a + i * LDA;
            if (row0 + i >= m) {
                zero_floats(to, count);
                continue;
            }
            global const float *image =
                x + (size_t)((row0 + i) / pixels) * height * width * channels;
            gather_patch(to, image, patch_y[i], patch_x[i], height, width, kernel_size, channels,
                         k0, count);
        }
        multiply_block(a, panels, k, k0, count, y, m, n, row0, strips, panel0, panel1, bias,
                       residual, residual_rows, act);
    }
}
