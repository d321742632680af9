/* Matrix product and convolution on GPUs: implicit GEMM in tiles that pass through local memory.
 *   y [m, n] = act(A [m, k] w^T + bias + residual), panels [ceil(n / 32), k, 32] of w (op `pack`),
 *   bias? [n], residual? [residual_rows, n], row i of y takes row i mod residual_rows.
 * A NULL pointer is an operand that is absent. With NORM rows of y, which are as wide as a tile at
 * most (n a multiple of 4, act none or ReLU), are then normalised: gamma, beta [n].
 *
 * gemm_tile: A is x [m, k] (TRANS_X: stored [k, m]), plus addend [addend_rows, k] with ADDEND.
 * conv2d_tile (with PATCHES): A is the patches of a map [.., height, width, channels], row = output
 * pixel, k = (ky, kx, channel).
 *
 * A group makes one tile of y. BK terms of its rows of A and of its columns of w lie in local
 * memory, k after k, while the next BK are on their way from global memory to registers. Work-items
 * that are neighbours read neighbouring addresses. Terms beyond k count as 0; rows beyond m and
 * panels beyond n are read from the last, and never stored.
 * Grid: (tiles, splits) of groups of LOCAL, tiles of a row of them first, so that they share rows
 * of A in the cache. Of several splits each sums k_each terms (a multiple of BK) into its own m * n
 * values of y, one behind the other; sum_tile.cl adds those up, and norms them. SLICES of a group's
 * work-items do the same within it, in tiles of their own, for want of more groups: their sums meet
 * in local memory.
 *
 * Nothing depends on sub-groups or on the order of groups. Loops around barriers run equally often
 * in all work-items of a group. Sums are one chain of k_each terms.
 * SPDX-License-Identifier: MIT */
#ifndef PATCHES
#define PATCHES 0
#endif
#ifndef TRANS_X
#define TRANS_X 0
#endif
#ifndef ADDEND
#define ADDEND 0
#endif
#ifndef BATCH /* 1: products behind one another, of as many operands each: get_group_id(2) */
#define BATCH 0
#endif
#include "gemm_tile.clh"

#if defined(LEAST_LANES) && BK != 8 && BK != 16
#error "the loop over a block's terms is written out for 8 and 16"
#endif

/* ---- A: the A_LOADS reads of four values that a work-item does for a tile ---- */

#if TRANS_X
#define A_FOUR(i) (ITEM + (i)*ITEMS)
#define A_TERM(i) (A_FOUR(i) / (BM / 4))
#define A_ROW(i)  (A_FOUR(i) % (BM / 4) * 4) /* the first of four rows */
#else
#define A_TERM(i) (ITEM % (BK / 4) * 4) /* the first of four terms */
#define A_ROW(i)  (ITEM / (BK / 4) + (i) * (4 * ITEMS / BK))
#endif

/* A four on its way to local memory: what lies outside of A is replaced by 0 there, so that nothing
 * waits for memory before. */
typedef struct four {
    float4 v;
#if ADDEND
    float4 more;
#endif
    int inside;
} four;

#if PATCHES

typedef struct source {
    global const x_type *x;
    int height, width, channels, kernel_size;
    int ky, kx, channel;         /* of the next term */
    int y[A_LOADS], x0[A_LOADS]; /* corners of the patches */
    uint corner[A_LOADS];        /* and their place in x; outside of the map this may wrap */
} source;

/* Terms from k on are next. */
INLINE void seek(source *s, int k)
{
    const int term = k + A_TERM(0), tap = term / s->channels;
    s->channel = term - tap * s->channels;
    s->ky = tap / s->kernel_size;
    s->kx = tap - s->ky * s->kernel_size;
}

/* The same, BK terms on. */
INLINE void advance(source *s)
{
    s->channel += BK;
    while (s->channel >= s->channels) {
        s->channel -= s->channels;
        if (++s->kx < s->kernel_size) continue;
        s->kx = 0;
        s->ky++;
    }
}

INLINE int is_inside(const source *s, int i, int ky, int kx)
{
    const int iy = s->y[i] + ky, ix = s->x0[i] + kx;
    return ky < s->kernel_size && iy >= 0 && iy < s->height && ix >= 0 && ix < s->width;
}

INLINE four load_a(const source *s, const product *t, int i, int k)
{
    four f;
#if ALIGN_X
    f.inside = is_inside(s, i, s->ky, s->kx);
    const uint tap = (uint)(s->ky * s->width + s->kx);
    const uint at = s->corner[i] + tap * s->channels + s->channel;
    f.v = LOAD_X4(s->x + (f.inside ? at : 0));
    (void)t, (void)k;
#else
    float value[4];
#pragma unroll
    for (int c = 0; c < 4; c++) {
        const int term = k + A_TERM(i) + c, tap = term / s->channels;
        const int ky = tap / s->kernel_size, kx = tap - ky * s->kernel_size;
        const int inside = is_inside(s, i, ky, kx);
        const uint at =
            s->corner[i] + (uint)(ky * s->width + kx) * s->channels + (term - tap * s->channels);
        value[c] = inside ? LOAD_X(inside ? at : 0, s->x) : 0.0f;
    }
    f.inside = 1;
    f.v = (float4)(value[0], value[1], value[2], value[3]);
    (void)t;
#endif
    return f;
}

#else /* rows */

typedef struct source {
    global const x_type *x, *addend;
    int addend_rows;
} source;

INLINE void seek(source *s, int k)
{
    (void)s, (void)k;
}

INLINE void advance(source *s)
{
    (void)s;
}

/* Four values from `at` on in a run of `count`. */
INLINE float4 load_run(global const x_type *x, int at, int count)
{
#if ALIGN_X
    return LOAD_X4(x + min(at, count - 4));
#else
    return (float4)(at < count ? LOAD_X(min(at, count - 1), x) : 0.0f,
                    at + 1 < count ? LOAD_X(min(at + 1, count - 1), x) : 0.0f,
                    at + 2 < count ? LOAD_X(min(at + 2, count - 1), x) : 0.0f,
                    at + 3 < count ? LOAD_X(min(at + 3, count - 1), x) : 0.0f);
#endif
}

INLINE four load_a(const source *s, const product *t, int i, int k)
{
    const int term = k + A_TERM(i), row = t->row0 + A_ROW(i);
    four f;
    f.inside = term < t->k;
#if TRANS_X
    f.v = load_run(s->x + (size_t)min(term, t->k - 1) * t->m, row, t->m);
#else
    const int last = min(row, t->m - 1);
    f.v = load_run(s->x + (size_t)last * t->k, term, t->k);
#if ADDEND
    f.more = load_run(s->addend + (size_t)(last % s->addend_rows) * t->k, term, t->k);
#endif
#endif
    return f;
}

#endif

INLINE void store_a(local float4 *a, int i, four f)
{
#if ADDEND
    f.v += f.more;
#endif
    const float4 v = f.inside ? f.v : (float4)(0.0f);
#if TRANS_X
    a[A_TERM(i) * LDA4 + A_ROW(i) / 4] = v;
#else
    local float *to = (local float *)a + A_TERM(i) * 4 * LDA4 + A_ROW(i);
    to[0] = v.x;
    to[4 * LDA4] = v.y;
    to[8 * LDA4] = v.z;
    to[12 * LDA4] = v.w;
#endif
}

/* ---- all of a group ---- */

/* The products of `count` terms, a constant, of both tiles. */
INLINE void add_terms(float4 (*sums)[TN / 4], local const float4 *a, local const float4 *b,
                      int count)
{
#pragma unroll
    for (int step = 0; step < count; step += MMA_K) {
        float4 part_a[TM / 4], part_b[TN / 4];
        MMA_LOAD_A(part_a, a + step * LDA4);
        MMA_LOAD_B(part_b, b + step * LDB4);
        MMA(sums, part_a, part_b);
    }
}

INLINE void multiply(const product *t, source *from, local float4 *tile, int begin, int end)
{
    local float4 *const a = tile + SLICE * TILE4, *const b = a + BK * LDA4;
    float4 sums[TM][TN / 4], next_b[B_LOADS];
    four next_a[A_LOADS];
#pragma unroll
    for (int i = 0; i < TM; i++) {
#pragma unroll
        for (int j = 0; j < TN / 4; j++) sums[i][j] = (float4)(0.0f);
    }
#if SLICES > 1 /* all as long, for the barriers; terms beyond k are 0 */
    const int each = ((end - begin + BK - 1) / BK + SLICES - 1) / SLICES * BK;
    begin += SLICE * each;
    end = begin + each;
#endif
    seek(from, begin);
#pragma unroll
    for (int i = 0; i < A_LOADS; i++) next_a[i] = load_a(from, t, i, begin);
#pragma unroll
    for (int i = 0; i < B_LOADS; i++) next_b[i] = load_b(t, i, begin);
    for (int k = begin; k < end; k += BK) {
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int i = 0; i < A_LOADS; i++) store_a(a, i, next_a[i]);
#pragma unroll
        for (int i = 0; i < B_LOADS; i++) store_b(b, i, next_b[i]);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (k + BK < end) {
            advance(from);
#pragma unroll
            for (int i = 0; i < A_LOADS; i++) next_a[i] = load_a(from, t, i, k + BK);
#pragma unroll
            for (int i = 0; i < B_LOADS; i++) next_b[i] = load_b(t, i, k + BK);
        }
        local const float4 *to_a = a + ITEM_ROW, *to_b = b + ITEM_COLUMN;
#ifdef LEAST_LANES /* where ocloc makes a loop it copies all sums in each turn */
        add_terms(sums, to_a, to_b, 8);
        if (BK > 8) add_terms(sums, to_a + 8 * LDA4, to_b + 8 * LDB4, 8);
#else
#pragma unroll 1
        for (int block = 0; block < BK; block += UNROLL) {
            add_terms(sums, to_a, to_b, UNROLL);
            to_a += UNROLL * LDA4;
            to_b += UNROLL * LDB4;
        }
#endif
    }
#if SLICES > 1
    add_slices(sums, tile);
    if (SLICE > 0) return;
#endif
#if NORM
    finish_norm(t, sums, (local float *)tile);
#else
    if (t->n % 4 == 0 && (t->act == ACT_NONE || t->act == ACT_RELU)) {
#pragma unroll
        for (int i = 0; i < TM; i++) finish_row(t, i, sums[i]);
    } else {
#if SLICES == 1
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        finish_any(t, sums, tile);
    }
#endif
}

INLINE product product_of(global y_type *y, global const w_type *panels, global const float *bias,
                          global const y_type *residual, int act, int m, int n, int k,
                          int residual_rows)
{
    const int column_tiles = (n + BN - 1) / BN, group = (int)get_group_id(0);
    product t = {.panels = panels, .bias = bias, .residual = residual, .act = act, .m = m};
    t.n = n;
    t.k = k;
    t.residual_rows = residual_rows;
    t.row0 = group / column_tiles * BM;
    t.column0 = group % column_tiles * BN;
    t.y = y + get_group_id(1) * ((size_t)m * n);
#if BATCH /* without splits */
    t.y += get_group_id(2) * ((size_t)m * n);
    t.panels += get_group_id(2) * ((size_t)((n + PANEL - 1) / PANEL) * k * PANEL);
#endif
    return t;
}

#if !PATCHES

MANY_REGISTERS __attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void gemm_tile(
    global y_type *restrict y, global const x_type *restrict x,
    global const w_type *restrict panels, global const float *restrict bias,
    global const y_type *restrict residual, global const x_type *restrict addend,
    global const float *restrict gamma, global const float *restrict beta, float eps, int act,
    int m, int n, int k, int residual_rows, int addend_rows, int k_each)
{
    local float4 tile[SLICES * TILE4];
    product t = product_of(y, panels, bias, residual, act, m, n, k, residual_rows);
    t.gamma = gamma;
    t.beta = beta;
    t.eps = eps;
    const int begin = (int)get_group_id(1) * k_each;
    source from = {.x = x, .addend = addend, .addend_rows = addend_rows};
#if BATCH
    from.x += get_group_id(2) * ((size_t)m * k);
#endif
    multiply(&t, &from, tile, begin, min(begin + k_each, k));
}

#else

MANY_REGISTERS __attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void conv2d_tile(
    global y_type *restrict y, global const x_type *restrict x,
    global const w_type *restrict panels, global const float *restrict bias,
    global const y_type *restrict residual, int act, int m, int n, int residual_rows, int k_each,
    int height, int width, int channels, int kernel_size, int stride, int pad, int out_height,
    int out_width)
{
    local float4 tile[SLICES * TILE4];
    const int k = kernel_size * kernel_size * channels, pixels = out_height * out_width;
    const product t = product_of(y, panels, bias, residual, act, m, n, k, residual_rows);
    const int begin = (int)get_group_id(1) * k_each;
    source from = {.x = x, .height = height, .width = width, .channels = channels};
    from.kernel_size = kernel_size;
#pragma unroll
    for (int i = 0; i < A_LOADS; i++) {
        const int row = min(t.row0 + A_ROW(i), m - 1), image = row / pixels;
        const int pixel = row - image * pixels, oy = pixel / out_width;
        from.y[i] = oy * stride - pad;
        from.x0[i] = (pixel - oy * out_width) * stride - pad;
        from.corner[i] =
            (uint)((((ptrdiff_t)image * height + from.y[i]) * width + from.x0[i]) * channels);
    }
    multiply(&t, &from, tile, begin, min(begin + k_each, k));
}

#endif
