/* Matrix product and convolution on CPU devices: implicit GEMM over gathered rows.
 *   y [m, n] = act(A [m, k] w^T + bias + residual), panels [ceil(n / NR), k, NR] of w (op `pack`).
 *
 * A is x itself (gemm, plus an addend of repeating rows), or the patches of a map (conv2d): row =
 * output pixel, k = (ky, kx, channel). For one ky, the `kernel * channels` values of a patch lie
 * side by side in x, so a patch is `kernel` runs, clipped at the left and right border.
 *
 * One work-item (a group of its own) takes `strips` tiles of MR rows and `panels_each` panels,
 * GROUP at a time. It walks k in blocks of KB: gathers its rows of A once, then multiplies them
 * with each panel, whose block stays in the first cache for all strips. Sums wait in local memory.
 * The last block goes strip by strip, and its tiles leave for y from the registers, so that whole
 * rows leave together and memory is written while the next tile is multiplied.
 * A layer normalisation may follow (gemm, gamma and beta [n], n a multiple of VW): a work-item then
 * has all columns of its rows, and norms them where they are, still in its cache.
 * Grid: (blocks of rows, groups of panels).
 * SPDX-License-Identifier: MIT */
#ifndef STRIPS
#define STRIPS 8 /* most tiles of a work-item: STRIPS * MR * LDA floats of local memory */
#endif
#include "norm.clh"
#include "tile.clh"

enum { GROUP = 256 / NR, COLS = GROUP * NR }; /* panels, columns of a group */
#define LDS (COLS + 16)                       /* row stride of the sums of a group */

/* Terms between two requests for lines of memory, and rows of a tile asked for at once. */
enum { AHEAD_TERMS = 32, AHEAD_ROWS = (MR + 1) / 2 };

/* What the work-items of a launch share. */
typedef struct product {
    global float *y;
    global const float *panels, *bias, *residual;
    int m, n, k, act, residual_rows; /* residual_rows: m where there is no residual */
} product;

/* Where A comes from: rows of x (kernel_size 0), or patches of a map. */
typedef struct source {
    global const float *x, *addend;
    int addend_rows, height, width, channels, kernel_size, pixels;
    local const int *patch_y, *patch_x; /* corners of the work-item's patches */
} source;

/* Terms [k0, k0 + count) of the patch at (iy0, ix0) of one image. */
INLINE void gather_patch(local float *to, global const float *image, int iy0, int ix0, int height,
                         int width, int kernel_size, int channels, int k0, int count)
{
    const int run = kernel_size * channels;
    const int left = max(-ix0, 0) * channels;                   /* terms of a run before the map */
    const int right = min(width - ix0, kernel_size) * channels; /* and where it ends */
    int ky = k0 / run, r0 = k0 - ky * run;                      /* the run and where in it */
    if (left == 0 && right == run && iy0 >= 0 && iy0 + kernel_size <= height) {
        for (int at = 0; at < count; ky++, r0 = 0) {
            const int here = min(run - r0, count - at);
            copy_floats(to + at, image + ((ptrdiff_t)(iy0 + ky) * width + ix0) * channels + r0,
                        here);
            at += here;
        }
        return;
    }
    for (int at = 0; at < count; ky++, r0 = 0) {
        const int r1 = min(run, r0 + count - at), iy = iy0 + ky;
        const int from = clamp(left, r0, r1), end = clamp(right, from, r1);
        const int inside = iy >= 0 && iy < height && from < end;
        local float *row = to + at - r0;
        if (inside) {
            if (from > r0) zero_floats(row + r0, from - r0);
            copy_floats(row + from, image + ((ptrdiff_t)iy * width + ix0) * channels + from,
                        end - from);
            if (r1 > end) zero_floats(row + end, r1 - end);
        } else {
            zero_floats(row + r0, r1 - r0);
        }
        at += r1 - r0;
    }
}

/* Terms [k0, k0 + count) of row `row0 + i` of A; beyond the end: of the last, computed, not stored.
 */
INLINE void gather_row(local float *a, const source *from, const product *t, int row0, int i,
                       int k0, int count)
{
    const int row = min(row0 + i, t->m - 1);
    local float *to = a + i * LDA;
    if (from->kernel_size > 0) {
        global const float *image =
            from->x + (size_t)(row / from->pixels) * from->height * from->width * from->channels;
        gather_patch(to, image, from->patch_y[i], from->patch_x[i], from->height, from->width,
                     from->kernel_size, from->channels, k0, count);
        return;
    }
    copy_floats(to, from->x + (size_t)row * t->k + k0, count);
    if (from->addend)
        add_floats(to, from->addend + (size_t)(row % from->addend_rows) * t->k + k0, count);
}

/* Rows of x that will be gathered next, by this work-item or the one after it. */
typedef struct ahead {
    global const float *x;
    int rows, floats, next, each; /* `each` rows are asked for with a tile, from `next` on */
} ahead;

/* What comes after terms [k0, k0 + KB) of rows [row0, row0 + rows), asked for while `tiles` tiles
 * are multiplied. Patches overlap, so most of the next is in a cache already. */
INLINE ahead rows_after(const source *from, const product *t, int row0, int rows, int k0, int tiles)
{
    ahead h = {.x = from->x};
    const int k1 = k0 + KB < t->k ? k0 + KB : 0, row1 = k1 > 0 ? row0 : row0 + rows;
    if (from->kernel_size > 0) return h;
    h.x = from->x + (size_t)row1 * t->k + k1;
    h.rows = min(rows, t->m - row1);
    h.floats = min(KB, t->k - k1);
    h.each = (rows + tiles - 1) / tiles;
    return h;
}

INLINE void expect_rows(ahead *h, int k)
{
    for (int end = min(h->next + h->each, h->rows); h->next < end; h->next++)
        EXPECT_LATER(h->x + (size_t)h->next * k, h->floats)
}

/* y = act(sums + residual + bias) for any act and part of a tile: `rows` rows from row0 on, `cols`
 * columns from col0 on. In the order of finish_tile, so that no bit depends on where tiles lie. */
INLINE void finish_part(local const float *sums, local const float *bias, const product *t,
                        int row0, int rows, int col0, int cols)
{
    for (int i = 0; i < rows; i++, sums += LDS) {
        global float *y = t->y + (size_t)(row0 + i) * t->n + col0;
        global const float *more =
            t->residual ? t->residual + (size_t)((row0 + i) % t->residual_rows) * t->n + col0 : 0;
        for (int j = 0; j < cols; j += VW) {
            vec v = LOAD_VEC(0, sums + j);
            if (more) v += load_part(more + j, cols - j);
            v += LOAD_VEC(0, bias + j);
            store_part(activate_vec(t->act, v), y + j, cols - j);
        }
    }
}

/* The last block of a whole tile, with act none or ReLU: y = act(a b + sums + bias + residual),
 * sums if there are some. Lines of y and residual `ahead` of this tile, the next one, are asked for
 * while this one is multiplied, and the residual of the rows below. */
INLINE void finish_tile(global float *y, global const float *residual, int n, int ahead,
                        local const float *sums, int has_sums, local const float *bias, int act,
                        local const float *a, global const float *b, int count)
{
    vec acc[MR][2];
#pragma unroll
    for (int m = 0; m < MR; m++) acc[m][0] = acc[m][1] = (vec)(0.0f);
    for (int k = 0, row = 0; k < count; k += AHEAD_TERMS) {
        for (int end = min(row + AHEAD_ROWS, MR); row < end; row++) {
            const size_t at = (size_t)row * n + ahead;
            EXPECT_WRITE(y + at, NR)
            if (residual) {
                EXPECT_READ(residual + at, NR)
                EXPECT_LATER(residual + (size_t)(row + MR) * n, NR)
            }
        }
        TILE_MULTIPLY(acc, a + k, LDA, b + (size_t)k * NR, NR, min(AHEAD_TERMS, count - k))
    }
    if (has_sums) add_tile(acc, sums, LDS);
    if (residual) {
#pragma unroll
        for (int m = 0; m < MR; m++) {
            acc[m][0] += LOAD_VEC(0, residual + (size_t)m * n);
            acc[m][1] += LOAD_VEC(1, residual + (size_t)m * n);
        }
    }
    const vec bias0 = LOAD_VEC(0, bias), bias1 = LOAD_VEC(1, bias);
    const vec least = (vec)(act == ACT_RELU ? 0.0f : -INFINITY);
#pragma unroll
    for (int m = 0; m < MR; m++) {
        const vec y0 = acc[m][0] + bias0, y1 = acc[m][1] + bias1;
        STORE_VEC(y0 < least ? least : y0, 0, y + (size_t)m * n);
        STORE_VEC(y1 < least ? least : y1, 1, y + (size_t)m * n);
    }
}

/* The last block of k for all panels of a group. */
INLINE void finish_block(const product *t, local const float *a, local float *sums,
                         local const float *bias, ahead *next, int row0, int rows, int panel0,
                         int panel1, int k0)
{
    const int simple = t->act == ACT_NONE || t->act == ACT_RELU,
              k1 = k0 + (t->k - k0 - 1) / SUM * SUM;
    for (int row = 0; row < rows; row += MR)
        for (int p = panel0; p < panel1; p++) {
            const int col = p * NR, cols = min(NR, t->n - col), here = min(MR, rows - row);
            const int turn = (row0 + row) % t->residual_rows;
            /* Sums of one block alone stay in the first cache: all tiles have the same place. */
            local float *sum = sums + (k0 > 0 ? row * LDS + (p - panel0) * NR : 0);
            local const float *tile = a + row * LDA;
            global const float *panel = t->panels + ((size_t)p * t->k + k0) * NR;
            const size_t at = (size_t)(row0 + row) * t->n + col;
            const int whole = simple && here == MR && cols == NR && turn + MR <= t->residual_rows;
            expect_rows(next, t->k);
            if (!whole || k1 > k0)
                tile_product(sum, LDS, k0 == 0, tile, LDA, panel, (whole ? k1 : t->k) - k0);
            if (whole)
                finish_tile(t->y + at, t->residual ? t->residual + (size_t)turn * t->n + col : 0,
                            t->n, p + 1 < panel1 ? NR : MR * t->n - (p - panel0) * NR, sum, k1 > 0,
                            bias + (p - panel0) * NR, t->act, tile + k1 - k0,
                            panel + (size_t)(k1 - k0) * NR, t->k - k1);
            else
                finish_part(sum, bias + (p - panel0) * NR, t, row0 + row, here, col, cols);
        }
}

/* All of a work-item: rows [row0, row0 + rows) of y, panels [first, end). */
INLINE void multiply(const product *t, const source *from, local float *a, local float *sums,
                     local float *bias, int row0, int rows, int first, int end)
{
    const int tiles = (rows + MR - 1) / MR, k = t->k, last = (k - 1) / KB * KB;
    for (int panel0 = first; panel0 < end; panel0 += GROUP) {
        const int panel1 = min(panel0 + GROUP, end), col0 = panel0 * NR;
        ahead next;
        if (t->bias)
            copy_floats(bias, t->bias + col0, min(panel1 * NR, t->n) - col0);
        else
            zero_floats(bias, (panel1 - panel0) * NR);
        for (int k0 = 0; k0 < k; k0 += KB) {
            const int count = min(KB, k - k0);
            for (int i = 0; i < tiles * MR && (k > KB || panel0 == first); i++)
                gather_row(a, from, t, row0, i, k0, count);
            next = rows_after(from, t, row0, rows, k0, tiles * (panel1 - panel0));
            for (int p = panel0; p < panel1 && k0 < last; p++)
                for (int s = 0; s < tiles; s++) {
                    expect_rows(&next, k);
                    tile_product(sums + s * MR * LDS + (p - panel0) * NR, LDS, k0 == 0,
                                 a + s * MR * LDA, LDA, t->panels + ((size_t)p * k + k0) * NR,
                                 count);
                }
        }
        finish_block(t, a, sums, bias, &next, row0, rows, panel0, panel1, last);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict panels,
    global const float *restrict bias, global const float *restrict residual,
    global const float *restrict addend, int act, int m, int n, int k, int residual_rows,
    int addend_rows, int strips, int panels_each, global const float *restrict gamma,
    global const float *restrict beta, float eps)
{
    local float a[STRIPS * MR * LDA], sums[STRIPS * MR * LDS], bias_group[LDS];
    const product t = {y, panels, bias, residual, m, n, k, act, residual ? residual_rows : m};
    const source from = {.x = x, .addend = addend, .addend_rows = addend_rows};
    const int row0 = (int)get_group_id(0) * strips * MR, first = (int)get_group_id(1) * panels_each;
    const int end = min(row0 + strips * MR, m);
    multiply(&t, &from, a, sums, bias_group, row0, end - row0, first,
             min(first + panels_each, (n + NR - 1) / NR));
    for (int row = row0; gamma && row < end; row++)
        NORMALIZE_ROW(y + (size_t)row * n, y + (size_t)row * n, n, eps, gamma, beta)
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict panels,
    global const float *restrict bias, global const float *restrict residual, int act, int m, int n,
    int residual_rows, int strips, int panels_each, int height, int width, int channels,
    int kernel_size, int stride, int pad, int out_height, int out_width)
{
    local float a[STRIPS * MR * LDA], sums[STRIPS * MR * LDS], bias_group[LDS];
    local int patch_y[STRIPS * MR], patch_x[STRIPS * MR];
    const int k = kernel_size * kernel_size * channels, pixels = out_height * out_width;
    const int is_product = kernel_size == 1 && stride == 1 && pad == 0;
    const product t = {y, panels, bias, residual, m, n, k, act, residual ? residual_rows : m};
    const source from = {.x = x,
                         .height = height,
                         .width = width,
                         .channels = channels,
                         .kernel_size = is_product ? 0 : kernel_size,
                         .pixels = pixels,
                         .patch_y = patch_y,
                         .patch_x = patch_x};
    const int row0 = (int)get_group_id(0) * strips * MR, first = (int)get_group_id(1) * panels_each;
    for (int i = 0; i < strips * MR; i++) {
        const int pixel = min(row0 + i, m - 1) % pixels;
        patch_y[i] = pixel / out_width * stride - pad;
        patch_x[i] = pixel % out_width * stride - pad;
    }
    multiply(&t, &from, a, sums, bias_group, row0, min(strips * MR, m - row0), first,
             min(first + panels_each, (n + NR - 1) / NR));
}
