/* 3x3 convolution of stride 1 and pad 1 on CPU devices by minimal filtering, F(m x m, 3 x 3):
 *   y = A^T [ sum over channels of (G g G^T) * (B^T d B) ] A, then + bias + residual, act
 * (Lavin and Gray 2015, arXiv:1509.09308). d is the window of (m + 2)^2 inputs under a tile of m x
 * m outputs, g a 3x3 filter, * the product of elements: (m + 2)^2 products of matrices instead of
 * 9 m^2. G g G^T comes ready (op `pack`): u [FREQS][panels][channels][NR].
 *
 * Polynomials are interpolated at p = 0, 1, -1 and infinity (m = 2), at 0, +-3/4, +-3/2 and
 * infinity (m = 4). With these, all constants here are exact floats, and errors are a third of
 * those with the usual 0, +-1, +-2: V, M and y are of one magnitude.
 *
 * Tiles are counted over all images in row order, and go in groups of MR. For a strip of groups:
 *   conv2d_windows_winograd   B^T d B into v [group][FREQS][blocks of KB channels][MR][LDA]
 *   conv2d_products_winograd  for each frequency m = v u, into m [group][panels][FREQS][MR][NR]
 *   conv2d_tiles_winograd     A^T m A, bias, residual, act into y, clipped at the map's border
 * A strip's v and m stay in the last cache. Channel sums run in chains of SUM terms, each from
 * zero. SPDX-License-Identifier: MIT */
#ifndef TILE
#define TILE 4 /* m: 2 or 4 */
#endif
#define SIDE  (TILE + 2)
#define FREQS (SIDE * SIDE)
#include "tile.clh"

/* Where whole vectors lie at multiples of their size, which one store takes. */
#define STORE_OWN(x, to) (*(global vec *)(to) = (x))

/* One line of a window, and of a tile. Points p and -p share the even and the odd powers. */
#if TILE == 4
#define P2 0.5625f /* squares of the points 3/4 and 3/2 */
#define Q2 2.25f
static inline void window_line(const vec d[SIDE], vec v[SIDE])
{
    const vec p_even = fma(d[2], -Q2, d[4]), p_odd = fma(d[1], -Q2, d[3]) * 0.75f;
    const vec q_even = fma(d[2], -P2, d[4]), q_odd = fma(d[1], -P2, d[3]) * 1.5f;
    v[0] = fma(d[0], P2 * Q2, fma(d[2], -(P2 + Q2), d[4]));
    v[1] = p_even + p_odd;
    v[2] = p_even - p_odd;
    v[3] = q_even + q_odd;
    v[4] = q_even - q_odd;
    v[5] = fma(d[1], P2 * Q2, fma(d[3], -(P2 + Q2), d[5]));
}

static inline void tile_line(const vec m[SIDE], vec y[TILE])
{
    const vec p_even = m[1] + m[2], p_odd = (m[1] - m[2]) * 0.75f;
    const vec q_even = m[3] + m[4], q_odd = (m[3] - m[4]) * 1.5f;
    y[0] = m[0] + p_even + q_even;
    y[1] = p_odd + q_odd;
    y[2] = fma(p_even, P2, q_even * Q2);
    y[3] = fma(p_odd, P2, fma(q_odd, Q2, m[5]));
}
#else
static inline void window_line(const vec d[SIDE], vec v[SIDE])
{
    v[0] = d[2] - d[0];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
}

static inline void tile_line(const vec m[SIDE], vec y[TILE])
{
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] + m[3];
}
#endif

/* Where a tile lies: its image, and its first output. */
typedef struct place {
    int image, y, x;
} place;

static place place_of(int tile, int height, int width)
{
    const int down = (height + TILE - 1) / TILE, across = (width + TILE - 1) / TILE;
    place p;
    p.image = tile / (down * across);
    p.y = tile / across % down * TILE;
    p.x = tile % across * TILE;
    return p;
}

/* B^T d B of one window and `count` channels, whose inputs lie `down` and `right` apart, into
 * frequencies `stride` apart; `to` may be `from`. */
static void transform_window(global float *to, size_t stride, global const float *from, size_t down,
                             size_t right, int count)
{
    for (int c = 0; c < count; c += VW) {
        vec rows[SIDE][SIDE], line[SIDE], out[SIDE];
#pragma unroll
        for (int i = 0; i < SIDE; i++) {
#pragma unroll
            for (int j = 0; j < SIDE; j++) line[j] = LOAD_VEC(0, from + i * down + j * right + c);
            window_line(line, rows[i]);
        }
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
#pragma unroll
            for (int i = 0; i < SIDE; i++) line[i] = rows[i][j];
            window_line(line, out);
#pragma unroll
            for (int i = 0; i < SIDE; i++) STORE_OWN(out[i], to + (i * SIDE + j) * stride + c);
        }
    }
}

/* A window that the map's border cuts, or whose channels are no whole vectors: its inputs, or 0. */
static void gather_window(global float *to, size_t stride, global const float *image, int y0,
                          int x0, int height, int width, int channels, int c0, int count)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const int y = y0 + i, x = x0 + j;
            const int in = y >= 0 && y < height && x >= 0 && x < width;
            global const float *from =
                image + (in ? ((size_t)y * width + x) * channels + c0 : (size_t)0);
            for (int c = 0; c < count; c += VW)
                STORE_OWN(load_part(from + c, in ? count - c : 0),
                          to + (i * SIDE + j) * stride + c);
        }
}

/* One work-item: a group of tiles and a block of channels. Past the last tile it repeats that one,
 * whose products nobody reads. Grid: (groups, blocks). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_windows_winograd(
    global float *v, global const float *x, int first, int tiles, int height, int width,
    int channels)
{
    const int block = (int)get_group_id(1), blocks = (int)get_num_groups(1);
    const int group = (int)get_group_id(0), count = min(KB, channels - block * KB);
    const size_t stride = (size_t)blocks * MR * LDA;
    for (int r = 0; r < MR; r++) {
        const place p = place_of(min(first + group * MR + r, tiles - 1), height, width);
        const int y0 = p.y - 1, x0 = p.x - 1;
        global float *to = v + (((size_t)group * FREQS * blocks + block) * MR + r) * LDA;
        global const float *image = x + (size_t)p.image * height * width * channels;
        if (count % VW == 0 && y0 >= 0 && x0 >= 0 && y0 + SIDE <= height && x0 + SIDE <= width) {
            transform_window(to, stride, image + ((size_t)y0 * width + x0) * channels + block * KB,
                             (size_t)width * channels, (size_t)channels, count);
        } else {
            gather_window(to, stride, image, y0, x0, height, width, channels, block * KB, count);
            transform_window(to, stride, to, SIDE * stride, stride, count);
        }
    }
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
            STORE_OWN(acc[r][0], at);
            STORE_OWN(acc[r][1], at + VW);
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

/* A^T m A of one tile and vector of columns; frequencies MR * NR apart. */
static inline void transform_tile(vec out[TILE][TILE], global const float *m)
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

/* One work-item: a group of tiles and a panel. Grid: (groups, panels). */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_tiles_winograd(
    global float *restrict y, global const float *restrict m, global const float *restrict bias,
    global const float *restrict residual, int act, int n, int residual_rows, int first, int tiles,
    int height, int width)
{
    const int group = (int)get_group_id(0), panel = (int)get_group_id(1);
    const int rows = min(MR, tiles - first - group * MR);
    global const float *sums = m + ((size_t)group * get_num_groups(1) + panel) * FREQS * MR * NR;
    for (int at = 0; at < 2 * rows; at++) {
        const int r = at / 2, side = at % 2 * VW, col = panel * NR + side, cols = n - col;
        if (cols <= 0) continue;
        const place p = place_of(first + group * MR + r, height, width);
        const int down = min(TILE, height - p.y), right = min(TILE, width - p.x);
        const vec more = bias ? load_part(bias + col, cols) : (vec)(0.0f);
        vec out[TILE][TILE];
        transform_tile(out, sums + r * NR + side);
        for (int i = 0; i < down; i++)
            for (int j = 0; j < right; j++) {
                const int row = (p.image * height + p.y + i) * width + p.x + j;
                vec sum = out[i][j] + more;
                if (residual)
                    sum += load_part(residual + (size_t)(row % residual_rows) * n + col, cols);
                sum = activate_vec(act, sum);
                if (n % VW == 0)
                    STORE_OWN(sum, y + (size_t)row * n + col);
                else
                    store_part(sum, y + (size_t)row * n + col, cols);
            }
    }
}
