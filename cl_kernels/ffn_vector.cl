/* Feed-forward block on CPU devices, hidden layer and all in one pass over the rows:
 *   y = x + act(x w1^T + b1) w2^T + b2,   x, y [m, k], w1 [hidden, k], w2 [k, hidden],
 *   and with gamma and beta its layer normalisation (k is a multiple of VW then),
 * both weights in panels (op `pack`): [ceil(hidden / NR), k, NR] and [ceil(k / NR), hidden, NR].
 *
 * A work-item takes `strips` tiles of MR rows. It gathers them once, then walks the hidden layer in
 * blocks of KB units: makes the block from x, and adds what it gives to the sums of all columns of
 * y. Rows, block and sums lie in local memory, so of the hidden layer nothing ever reaches memory;
 * the weights stream by once for each work-item. Sums over k go in blocks of KB as well
 * (gemm_vector says why). Grid: (blocks of rows). SPDX-License-Identifier: MIT */
#ifndef STRIPS
#define STRIPS 8 /* most tiles of a work-item */
#endif
#ifndef COLS
#define COLS 256 /* k, rounded up to whole panels */
#endif
#include "norm.clh"
#include "tile.clh"

#define LDX (COLS + 16) /* row strides of x and y; of the hidden block: LDA */

/* block[.., LDA] = act(x w1^T + b1) for the hidden units [unit0, unit0 + units). */
INLINE void make_block(local float *block, local const float *x, global const float *panels,
                       global const float *b1, int act, int k, int tiles, int unit0, int units)
{
    for (int p = 0; p * NR < units; p++)
        for (int k0 = 0; k0 < k; k0 += KB)
            for (int s = 0; s < tiles; s++)
                tile_product(block + s * MR * LDA + p * NR, LDA, k0 == 0, x + s * MR * LDX + k0,
                             LDX, panels + ((size_t)(unit0 / NR + p) * k + k0) * NR,
                             min(KB, k - k0));
    for (int i = 0; i < tiles * MR; i++) {
        local float *row = block + i * LDA;
        for (int j = 0; j < units; j += VW) {
            const vec h = LOAD_VEC(0, row + j) + load_part(b1 + unit0 + j, units - j);
            STORE_VEC(activate_vec(act, h), 0, row + j);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void ffn_vector(
    global float *restrict y, global const float *restrict x, global const float *restrict panels1,
    global const float *restrict b1, global const float *restrict panels2,
    global const float *restrict b2, int act, int m, int k, int hidden, int strips,
    global const float *restrict gamma, global const float *restrict beta, float eps)
{
    local float rows[STRIPS * MR * LDX], sums[STRIPS * MR * LDX], block[STRIPS * MR * LDA];
    const int row0 = (int)get_group_id(0) * strips * MR, count = min(strips * MR, m - row0);
    const int tiles = (count + MR - 1) / MR;
    for (int i = 0; i < tiles * MR; i++) /* beyond the end: computed, never stored */
        copy_floats(rows + i * LDX, x + (size_t)min(row0 + i, m - 1) * k, k);
    for (int unit0 = 0; unit0 < hidden; unit0 += KB) {
        const int units = min(KB, hidden - unit0);
        make_block(block, rows, panels1, b1, act, k, tiles, unit0, units);
        for (int p = 0; p * NR < k; p++)
            for (int s = 0; s < tiles; s++)
                tile_product(sums + s * MR * LDX + p * NR, LDX, unit0 == 0, block + s * MR * LDA,
                             LDA, panels2 + ((size_t)p * hidden + unit0) * NR, units);
    }
    for (int i = 0; i < count; i++) {
        global float *to = y + (size_t)(row0 + i) * k;
        local float *row = sums + i * LDX;
        for (int j = 0; j < k; j += VW) {
            const vec v = LOAD_VEC(0, row + j) + LOAD_VEC(0, rows + i * LDX + j);
            const vec all = v + load_part(b2 + j, k - j);
            if (gamma)
                STORE_VEC(all, 0, row + j);
            else
                store_part(all, to + j, k - j);
        }
        if (gamma) NORMALIZE_ROW(to, row, k, eps, gamma, beta)
    }
}
