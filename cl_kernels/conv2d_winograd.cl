/* 3x3 convolution of stride 1 and pad 1 on CPU devices by minimal filtering (winograd.clh), then
 * + bias + residual, act. Weights: u [FREQS][panels][channels][NR].
 *
 * Tiles are counted over all images in row order, and go in groups of MR. Where a map has many
 * tiles, a work-item does all for GROUPS groups of them, in local memory: conv2d_whole_winograd.
 * Else, for a strip of groups, whose v and m stay in the last cache:
 *   conv2d_windows_winograd   B^T d B into v [group][FREQS][blocks of KB channels][MR][LDA]
 *   conv2d_products_winograd  for each frequency m = v u, into m [group][panels][FREQS][MR][NR]
 *   conv2d_tiles_winograd     A^T m A, bias, residual, act into y, clipped at the map's border
 * Channel sums run in chains of SUM terms, each from zero. SPDX-License-Identifier: MIT */
#ifndef GROUPS
#define GROUPS 0 /* groups of a work-item that does all; 0: three kernels */
#endif
#include "tile.clh"
#include "winograd.clh"

/* Where v and m are. */
#if GROUPS > 0
#define SPACE local
#else
#define SPACE global
#endif

/* A map, and the window at (y, x) of it, which may reach beyond its border. */
typedef struct window {
    global const float *image;
    int y, x, height, width, channels;
} window;

/* The vector of channels from c on of input (i, j) of a window, of which channels before `end`
 * count; what is not there reads as 0. */
INLINE vec load_inside(const window *w, int i, int j, int c, int end)
{
    const int y = w->y + i, x = w->x + j;
    if (y < 0 || y >= w->height || x < 0 || x >= w->width) return (vec)(0.0f);
    return load_part(w->image + ((size_t)y * w->width + x) * w->channels + c, end - c);
}

/* B^T d B of channels [c0, end) into frequencies `stride` apart. `whole`: the window lies in the
 * map, and the channels are whole vectors. */
INLINE void transform_channels(SPACE float *to, size_t stride, const window *w, int c0, int end,
                               int whole)
{
    for (int c = c0; c < end; c += VW) {
        vec rows[SIDE][SIDE], line[SIDE], out[SIDE];
        global const float *from = w->image + ((ptrdiff_t)w->y * w->width + w->x) * w->channels + c;
#pragma unroll
        for (int i = 0; i < SIDE; i++) {
#pragma unroll
            for (int j = 0; j < SIDE; j++)
                line[j] = whole ? LOAD_VEC(0, from + ((size_t)i * w->width + j) * w->channels)
                                : load_inside(w, i, j, c, end);
            window_line(line, rows[i]);
        }
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
#pragma unroll
            for (int i = 0; i < SIDE; i++) line[i] = rows[i][j];
            window_line(line, out);
#pragma unroll
            for (int i = 0; i < SIDE; i++)
                STORE_VEC(out[i], 0, to + (i * SIDE + j) * stride + c - c0);
        }
    }
}

/* B^T d B of the window of a tile, channels [c0, end). Past the last tile it is that one's again,
 * whose products nobody reads. */
INLINE void transform_window(SPACE float *to, size_t stride, global const float *x, int tile,
                             int tiles, int height, int width, int channels, int c0, int end)
{
    const place p = place_of(min(tile, tiles - 1), height, width);
    const window w = {.image = x + (size_t)p.image * height * width * channels,
                      .y = p.y - 1,
                      .x = p.x - 1,
                      .height = height,
                      .width = width,
                      .channels = channels};
    if ((end - c0) % VW == 0 && w.y >= 0 && w.x >= 0 && w.y + SIDE <= height && w.x + SIDE <= width)
        transform_channels(to, stride, &w, c0, end, 1);
    else
        transform_channels(to, stride, &w, c0, end, 0);
}

/* A^T m A of one tile and vector of columns; frequencies MR * NR apart. */
static inline void transform_tile(vec out[TILE][TILE], SPACE const float *m)
{
    vec rows[SIDE][TILE], line[SIDE], column[TILE];
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
#pragma unroll
        for (int j = 0; j < SIDE; j++) line[j] = LOAD_VEC(0, m + (i * SIDE + j) * MR * NR);
        tile_line(line, rows[i]);
    }
#pragma unroll
    for (int j = 0; j < TILE; j++) {
#pragma unroll
        for (int i = 0; i < SIDE; i++) line[i] = rows[i][j];
        tile_line(line, column);
#pragma unroll
        for (int i = 0; i < TILE; i++) out[i][j] = column[i];
    }
}

/* What becomes of sums on their way into y. */
typedef struct finish {
    global float *y;
    global const float *bias, *residual;
    int act, n, residual_rows, height, width;
} finish;

/* A group and a panel: the tiles of `sums` [FREQS][MR][NR] into y, `count` of them from `tile` on.
 */
INLINE void finish_group(const finish *f, SPACE const float *sums, int tile, int count, int panel)
{
    for (int at = 0; at < 2 * count; at++) {
        const int r = at / 2, side = at % 2 * VW, col = panel * NR + side, cols = f->n - col;
        if (cols <= 0) continue;
        const place p = place_of(tile + r, f->height, f->width);
        const int down = min(TILE, f->height - p.y), right = min(TILE, f->width - p.x);
        const vec more = f->bias ? load_part(f->bias + col, cols) : (vec)(0.0f);
        vec out[TILE][TILE];
        transform_tile(out, sums + r * NR + side);
        for (int i = 0; i < down; i++)
            for (int j = 0; j < right; j++) {
                const int row = (p.image * f->height + p.y + i) * f->width + p.x + j;
                vec sum = out[i][j] + more;
                if (f->residual)
                    sum += load_part(f->residual + (size_t)(row % f->residual_rows) * f->n + col,
                                     cols);
                store_part(activate_vec(f->act, sum), f->y + (size_t)row * f->n + col, cols);
            }
    }
}

#if GROUPS > 0

/* One work-item: all of GROUPS groups, a panel at a time. KB is `channels`, rounded up to whole
 * vectors. Grid: (groups / GROUPS). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_whole_winograd(
    global float *restrict y, global const float *restrict x, global const float *restrict u,
    global const float *restrict bias, global const float *restrict residual, int act, int n,
    int residual_rows, int tiles, int height, int width, int channels)
{
    local float v[GROUPS * FREQS * MR * LDA] __attribute__((aligned(64)));
    local float m[GROUPS * FREQS * MR * NR] __attribute__((aligned(64)));
    const finish f = {y, bias, residual, act, n, residual_rows, height, width};
    const int first = (int)get_group_id(0) * GROUPS * MR, count = min(GROUPS * MR, tiles - first);
    const int groups = (count + MR - 1) / MR, panels = (n + NR - 1) / NR;
    for (int i = 0; i < groups * MR; i++)
        transform_window(v + (i / MR * FREQS * MR + i % MR) * LDA, MR * LDA, x, first + i, tiles,
                         height, width, channels, 0, channels);
    for (int panel = 0; panel < panels; panel++) {
        for (int i = 0; i < FREQS; i++)
            for (int g = 0; g < groups; g++)
                tile_product(m + (g * FREQS + i) * MR * NR, NR, 1, v + (g * FREQS + i) * MR * LDA,
                             LDA, u + ((size_t)i * panels + panel) * channels * NR, channels);
        for (int g = 0; g < groups; g++)
            finish_group(&f, m + g * FREQS * MR * NR, first + g * MR, min(MR, count - g * MR),
                         panel);
    }
}

#else

/* One work-item: a group of tiles and a block of channels. Grid: (groups, blocks). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_windows_winograd(
    global float *v, global const float *x, int first, int tiles, int height, int width,
    int channels)
{
    const int block = (int)get_group_id(1), blocks = (int)get_num_groups(1);
    const int group = (int)get_group_id(0), c0 = block * KB;
    for (int r = 0; r < MR; r++)
        transform_window(v + (((size_t)group * FREQS * blocks + block) * MR + r) * LDA,
                         (size_t)blocks * MR * LDA, x, first + group * MR + r, tiles, height, width,
                         channels, c0, min(c0 + KB, channels));
}

/* One group, block of channels and panel: adds to m unless it is the first block. */
static void multiply_group(global float *m, global const float *v, global const float *u, int count,
                           int is_first)
{
    for (int k = 0; k < count; k += SUM) {
        vec acc[MR][2];
#pragma unroll
        for (int r = 0; r < MR; r++) acc[r][0] = acc[r][1] = (vec)(0.0f);
        TILE_MULTIPLY(acc, v + k, LDA, u + (size_t)k * NR, NR, min(SUM, count - k))
#pragma unroll
        for (int r = 0; r < MR; r++) {
            global float *at = m + r * NR;
            if (!is_first || k > 0) {
                acc[r][0] += LOAD_VEC(0, at);
                acc[r][1] += LOAD_VEC(1, at);
            }
            STORE_VEC(acc[r][0], 0, at);
            STORE_VEC(acc[r][1], 0, at + VW);
        }
    }
}

/* One work-item: a frequency and `panels_each` panels. A block of a panel stays in the first cache
 * for all groups. Grid: (frequencies, parts of the panels). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_products_winograd(
    global float *restrict m, global const float *restrict v, global const float *restrict u,
    int channels, int panels, int groups, int panels_each)
{
    const int f = (int)get_group_id(0), blocks = (channels + KB - 1) / KB;
    const int panel0 = (int)get_group_id(1) * panels_each;
    const int panel1 = min(panel0 + panels_each, panels);
    for (int p = panel0; p < panel1; p++)
        for (int b = 0; b < blocks; b++)
            for (int g = 0; g < groups; g++)
                multiply_group(m + (((size_t)g * panels + p) * FREQS + f) * MR * NR,
                               v + (((size_t)g * FREQS + f) * blocks + b) * MR * LDA,
                               u + (((size_t)f * panels + p) * channels + (size_t)b * KB) * NR,
                               min(KB, channels - b * KB), b == 0);
}

/* One work-item: a group of tiles and a panel. Grid: (groups, panels). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_tiles_winograd(
    global float *restrict y, global const float *restrict m, global const float *restrict bias,
    global const float *restrict residual, int act, int n, int residual_rows, int first, int tiles,
    int height, int width)
{
    const finish f = {y, bias, residual, act, n, residual_rows, height, width};
    const int group = (int)get_group_id(0), panel = (int)get_group_id(1);
    finish_group(&f, m + ((size_t)group * get_num_groups(1) + panel) * FREQS * MR * NR,
                 first + group * MR, min(MR, tiles - first - group * MR), panel);
}

#endif
