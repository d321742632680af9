/* 3x3 convolution of stride 1 and pad 1 on GPUs by minimal filtering (winograd.clh), then + bias +
 * residual, act. Tiles are counted over all images in row order; for a strip of them:
 *   winograd_windows_tile   B^T d B into v [FREQS][tiles of the strip][channels]
 *   gemm_tile with BATCH    m [FREQS][tiles of the strip][n] = v u, for each frequency
 *   winograd_outputs_tile   A^T m A, bias, residual, act into y, clipped at the map's border
 * Neighbouring work-items have neighbouring channels. Grids: (channels, tiles), (n, tiles).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64
#endif
typedef float vec;
#include "activation.clh"
#include "winograd.clh"

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void winograd_windows_tile(
    global float *restrict v, global const float *restrict x, int first, int count, int height,
    int width, int channels)
{
    const int c = (int)get_global_id(0), tile = (int)get_global_id(1);
    if (c >= channels || tile >= count) return;
    const place p = place_of(first + tile, height, width);
    global const float *const image = x + (size_t)p.image * height * width * channels + c;
    float rows[SIDE][SIDE], line[SIDE], out[SIDE];
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
        const int iy = p.y - 1 + i;
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
            const int ix = p.x - 1 + j;
            const int inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
            line[j] = inside ? image[((size_t)iy * width + ix) * channels] : 0.0f;
        }
        window_line(line, rows[i]);
    }
#pragma unroll
    for (int j = 0; j < SIDE; j++) {
#pragma unroll
        for (int i = 0; i < SIDE; i++) line[i] = rows[i][j];
        window_line(line, out);
#pragma unroll
        for (int i = 0; i < SIDE; i++)
            v[((size_t)(i * SIDE + j) * count + tile) * channels + c] = out[i];
    }
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void winograd_outputs_tile(
    global float *restrict y, global const float *restrict m, global const float *restrict bias,
    global const float *restrict residual, int act, int n, int residual_rows, int first, int count,
    int height, int width)
{
    const int column = (int)get_global_id(0), tile = (int)get_global_id(1);
    if (column >= n || tile >= count) return;
    const place p = place_of(first + tile, height, width);
    const float more = bias ? bias[column] : 0.0f;
    float rows[SIDE][TILE], line[SIDE], out[TILE];
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
#pragma unroll
        for (int j = 0; j < SIDE; j++)
            line[j] = m[((size_t)(i * SIDE + j) * count + tile) * n + column];
        tile_line(line, rows[i]);
    }
#pragma unroll
    for (int j = 0; j < TILE; j++) {
#pragma unroll
        for (int i = 0; i < SIDE; i++) line[i] = rows[i][j];
        tile_line(line, out);
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            if (p.y + i >= height || p.x + j >= width) continue;
            const size_t row = ((size_t)p.image * height + p.y + i) * width + p.x + j;
            float sum = out[i] + more;
            if (residual) sum += residual[row % residual_rows * n + column];
            y[row * n + column] = activate(act, sum);
        }
    }
}
