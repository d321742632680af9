/* Attention on CPU devices: register tiles and an online softmax; the scores never exist whole.
 *   y = softmax(scale q k^T) v by heads; shapes and modes as in attention.cl. HEAD = c / heads is a
 *   multiple of NR and at most KB. Rows of q, k and v may lie apart: *_pitch elements from one to
 *   the next.
 *
 * attention_pack_keys: keys [bk, nk, c] to panels [bk, heads, ceil(nk / NR), HEAD, NR], times
 *   scale, zero beyond nk. Grid: (panels, heads, bk).
 * attention_vector: one work-item takes up to STRIPS tiles of MR queries of heads_each heads, with
 *   at most KB channels, and walks the keys in blocks of KB, so that a block of keys and values
 *   stays in cache for all its tiles. Against few keys all heads of a row go together, so that q
 *   and y move in whole rows. Running maximum and sum per query as in Milakov and Gimelshein 2018,
 *   arXiv:1805.02867. Grid: (blocks of queries, groups of heads, output batches).
 * SPDX-License-Identifier: MIT */
#ifndef HEAD
#define HEAD 32 /* channels of a head */
#endif
#ifndef STRIPS
#define STRIPS 4
#endif
#ifndef KB
#define KB 256 /* keys of a block, and most channels of a head */
#endif
#include "tile.clh"

enum { MODE_SAME, MODE_EACH, MODE_INDEX };

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void attention_pack_keys(
    global float *restrict panels, global const float *restrict k, int heads, int nk, float scale,
    int k_pitch)
{
    const int panel = (int)get_group_id(0), head = (int)get_group_id(1);
    const int batch = (int)get_group_id(2), n_panels = (nk + NR - 1) / NR;
    global float *to = panels + (((size_t)batch * heads + head) * n_panels + panel) * HEAD * NR;
    for (int j = 0; j < NR; j++) {
        const int key = panel * NR + j;
        global const float *from =
            k + ((size_t)batch * nk + min(key, nk - 1)) * k_pitch + head * HEAD;
        const float factor = key < nk ? scale : 0.0f;
        for (int i = 0; i < HEAD; i++) to[(size_t)i * NR + j] = from[i] * factor;
    }
}

/* s[MR][count] = a panels: scores of one tile against a block of keys. */
INLINE void score_tile(local float *s, local const float *a, global const float *panels, int count)
{
    for (int p = 0; p * NR < count; p++)
        tile_product(s + p * NR, LDA, 1, a, LDA, panels + (size_t)p * HEAD * NR, HEAD);
}

/* Lanes from `count` on become -infinity. */
static vec mask_lanes(vec x, int count)
{
    return LANE < (ivec)(count) ? x : (vec)(-INFINITY);
}

/* Scores of a tile become exp(score - maximum of the row so far), those from `count` up to a whole
 * vector 0. `sum` keeps a vector for each row, `factor` is what earlier sums of a row shrink by.
 * Step by step over all rows, so that the latencies of one row hide behind the others. */
INLINE void softmax_tile(local float *s, int count, local float *maximum, local float *sum,
                         local float *factor)
{
    float top[MR];
#pragma unroll
    for (int m = 0; m < MR; m++) {
        vec best = (vec)(maximum[m]);
        for (int i = 0; i < count; i += VW)
            best = fmax(best, mask_lanes(LOAD_VEC(0, s + m * LDA + i), count - i));
        top[m] = max_lanes(best);
    }
    for (int m = 0; m < MR; m++) {
        factor[m] = maximum[m] == -INFINITY ? 0.0f : exp(maximum[m] - top[m]);
        maximum[m] = top[m];
    }
    for (int m = 0; m < MR; m++) {
        vec total = LOAD_VEC(m, sum) * factor[m];
        for (int i = 0; i < count; i += VW) {
            local float *at = s + m * LDA + i;
            const vec e = exp(mask_lanes(LOAD_VEC(0, at), count - i) - (vec)(top[m]));
            total += e;
            STORE_VEC(e, 0, at);
        }
        STORE_VEC(total, m, sum);
    }
}

/* o[MR][HEAD] = o factor + s v: values of one tile; `values` starts at the head's columns. */
INLINE void value_tile(local float *o, local const float *s, local const float *factor,
                       global const float *values, int c, int count)
{
    for (int p = 0; p * NR < HEAD; p++)
        for (int k0 = 0; k0 < count; k0 += SUM) {
            vec acc[MR][2];
            global const float *from = values + (size_t)k0 * c + p * NR;
#pragma unroll
            for (int m = 0; m < MR; m++) acc[m][0] = acc[m][1] = (vec)(0.0f);
            TILE_MULTIPLY(acc, s + k0, LDA, from, c, min(SUM, count - k0))
#pragma unroll
            for (int m = 0; m < MR; m++) {
                local float *to = o + m * LDA + p * NR;
                const vec shrink = (vec)(k0 > 0 ? 1.0f : factor[m]);
                STORE_VEC(fma(LOAD_VEC(0, to), shrink, acc[m][0]), 0, to);
                STORE_VEC(fma(LOAD_VEC(1, to), shrink, acc[m][1]), 1, to);
            }
        }
}

/* One head of a work-item's tiles: keys and values in blocks, running maximum and sum per query;
 * then o is divided by the sums. `panels` and `values` start at the head's. */
INLINE void attend(local float *o, local const float *a, local float *s, local float *maximum,
                   local float *sum, local float *factor, global const float *panels,
                   global const float *values, int c, int keys, int tiles)
{
    for (int i = 0; i < tiles * MR; i++) {
        zero_floats(o + i * LDA, HEAD);
        maximum[i] = -INFINITY;
        STORE_VEC((vec)(0.0f), i, sum);
    }
    for (int key0 = 0; key0 < keys; key0 += KB) {
        const int count = min(KB, keys - key0);
        for (int t = 0; t < tiles; t++) {
            score_tile(s, a + t * MR * LDA, panels + (size_t)key0 * HEAD, count);
            softmax_tile(s, count, maximum + t * MR, sum + t * MR * VW, factor);
            value_tile(o + t * MR * LDA, s, factor, values + (size_t)key0 * c, c, count);
        }
    }
    for (int i = 0; i < tiles * MR; i++) {
        const float total = sum_lanes(LOAD_VEC(i, sum));
        const vec inverse = (vec)(total > 0.0f ? 1.0f / total : 0.0f);
        for (int j = 0; j < HEAD; j += VW)
            STORE_VEC(LOAD_VEC(0, o + i * LDA + j) * inverse, 0, o + i * LDA + j);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void attention_vector(
    global float *restrict y, global const float *restrict q, global const float *restrict panels,
    global const float *restrict v, global const int *restrict valid,
    global const int *restrict index, int mode, int heads, int nq, int bk, int nk, int strips,
    int heads_each, int q_pitch, int v_pitch)
{
    local float a[STRIPS * MR * LDA], o[STRIPS * MR * LDA], s[MR * LDA];
    local float maximum[STRIPS * MR], sum[STRIPS * MR * VW], factor[MR];
    const int head0 = (int)get_group_id(1) * heads_each, batch = (int)get_group_id(2);
    const int from = mode == MODE_EACH ? batch / bk : batch;
    const int to = mode == MODE_EACH ? batch % bk : mode == MODE_INDEX ? index[batch] : batch;
    const int keys = valid ? clamp(valid[to], 0, nk) : nk, n_panels = (nk + NR - 1) / NR;
    const int row0 = (int)get_group_id(0) * strips * MR, c = heads * HEAD;
    const int tiles = min(strips, (nq - row0 + MR - 1) / MR);
    for (int i = 0; i < tiles * MR; i++) {
        const int row = min(row0 + i, nq - 1); /* beyond the end: computed, never stored */
        copy_floats(a + i * LDA, q + ((size_t)from * nq + row) * q_pitch + head0 * HEAD,
                    heads_each * HEAD);
    }
    for (int h = 0; h < heads_each; h++)
        attend(o + h * HEAD, a + h * HEAD, s, maximum, sum, factor,
               panels + ((size_t)to * heads + head0 + h) * n_panels * HEAD * NR,
               v + (size_t)to * nk * v_pitch + (head0 + h) * HEAD, v_pitch, keys, tiles);
    for (int i = 0; i < tiles * MR && row0 + i < nq; i++) {
        global float *out = y + ((size_t)batch * nq + row0 + i) * c + head0 * HEAD;
        for (int j = 0; j < heads_each * HEAD; j += VW)
            STORE_VEC(LOAD_VEC(0, o + i * LDA + j), 0, out + j);
    }
}
