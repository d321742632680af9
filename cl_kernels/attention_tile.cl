/* Attention on GPUs: tiles through local memory and an online softmax; scores never exist whole.
 *   y = softmax(scale q k^T) v by heads; shapes and modes as in attention.cl. HEAD = c / heads is
 *   16, 32 or a multiple of 64. Rows of q, k and v may lie apart: *_pitch elements from one to the
 *   next, a multiple of 4 with ALIGNED. q is stored as x of storage.clh, k and v as w, y as y.
 *
 * attention_tile: a group takes BQ queries of one head and walks keys in blocks of BT. Of a block
 *   it makes scores s = q k^T (a work-item 4 queries x 4 keys, both operands through local memory
 *   by DEPTH channels), their softmax so far (LANES work-items a query; running maximum and sum as
 *   in Milakov and Gimelshein 2018, arXiv:1805.02867), and adds s v to its part of y, which stays
 *   in registers. Grid: ((output batch, head, block of queries), splits) of groups of LOCAL. A
 *   split takes keys_each keys, a multiple of BT. With SPLIT it leaves in `partial`
 *     sums [splits, bo, nq, c] of exp(score - maximum) v, and behind all of them
 *     pairs [splits, bo, nq, heads, 2] of maximum and sum of exp(score - maximum)
 * attention_tile_join (with SPLIT): y from those; a work-item makes four channels.
 *
 * Nothing depends on sub-groups or on the order of groups. Loops around barriers run equally often
 * in all work-items of a group.
 * SPDX-License-Identifier: MIT */
#ifndef HEAD
#define HEAD 32 /* channels of a head */
#endif
#ifndef BQ
#define BQ 64 /* queries of a group */
#define BT 64 /* keys of a block */
#endif
#ifndef ALIGNED
#define ALIGNED 1
#endif
#ifndef SPLIT
#define SPLIT 0
#endif
#include "storage.clh"

#define LOCAL (BQ / 4 * (BT / 4))
#define LANES (LOCAL / BQ) /* work-items that share the softmax of a query, neighbours */
#define DEPTH 16           /* channels in local memory at once */
#define LDQ   (BQ + 4)     /* row strides in local memory, whole fours; + 4: to other banks */
#define LDT   (BT + 4)

/* The part of y of a work-item: OWN neighbouring queries; FOURS fours of channels, WIDTH apart. */
#define WIDTH (HEAD < 64 ? HEAD / 4 : 16)
#define FOURS (HEAD / 4 / WIDTH)
#define OWN   (BQ * WIDTH / LOCAL)

/* Keys whose values are in local memory at once, in the place of q and k. */
#define STAGE  (DEPTH * (LDQ + LDT))
#define FIT    (STAGE / HEAD)
#define VALUES (FIT < 8 ? 4 : FIT < 16 ? 8 : FIT < 32 ? 16 : 32)

#if ALIGNED
#define READ_X4(p) LOAD_X4(p)
#define READ_W4(p) LOAD_W4(p)
#else
#define READ_X4(p) ((float4)(LOAD_X(0, p), LOAD_X(1, p), LOAD_X(2, p), LOAD_X(3, p)))
#define READ_W4(p) ((float4)(LOAD_W(0, p), LOAD_W(1, p), LOAD_W(2, p), LOAD_W(3, p)))
#endif

/* Several loads in flight take registers that a work-item may not have. */
#ifdef LEAST_LANES
#define LOADS _Pragma("unroll 1")
#else
#define LOADS
#endif

enum { MODE_SAME, MODE_EACH, MODE_INDEX };

/* What a group works on: the rows of its head. */
typedef struct part {
    global const x_type *q;
    global const w_type *k, *v;
    int q_pitch, k_pitch, v_pitch;
    int queries, keys; /* queries from q on, more than BQ in all but the last block */
} part;

/* Work-item i of those that read DEPTH channels of rows. */
#define ROW(i)  ((i) / (DEPTH / 4))
#define FOUR(i) ((i) % (DEPTH / 4))

/* Four channels of a row into columns of them. */
INLINE void store_turned(local float *to, int ld, int i, float4 v)
{
    local float *const at = to + 4 * FOUR(i) * ld + ROW(i);
    at[0] = v.x;
    at[ld] = v.y;
    at[2 * ld] = v.z;
    at[3 * ld] = v.w;
}

/* Channels [c0, c0 + DEPTH) of queries and of keys from key0 on: stage [channel][row]. Rows that
 * are not there are the last one again: what comes of them is not used. */
INLINE void load_channels(local float *stage, const part *p, int key0, int c0)
{
    LOADS for (int i = (int)get_local_id(0); i < BQ * (DEPTH / 4); i += LOCAL)
    {
        const size_t row = (size_t)min(ROW(i), p->queries - 1);
        store_turned(stage, LDQ, i, READ_X4(p->q + row * p->q_pitch + c0 + 4 * FOUR(i)));
    }
    LOADS for (int i = (int)get_local_id(0); i < BT * (DEPTH / 4); i += LOCAL)
    {
        const size_t row = (size_t)min(key0 + ROW(i), p->keys - 1);
        store_turned(stage + DEPTH * LDQ, LDT, i,
                     READ_W4(p->k + row * p->k_pitch + c0 + 4 * FOUR(i)));
    }
}

/* Scores of a block of keys into s [BQ][LDT], those of keys that are not there -infinity. */
INLINE void make_scores(local float *s, local float *stage, const part *p, int key0, float scale)
{
    const int key = (int)get_local_id(0) % (BT / 4) * 4;
    const int query = (int)get_local_id(0) / (BT / 4) * 4;
    float4 sums[4];
#pragma unroll
    for (int i = 0; i < 4; i++) sums[i] = (float4)(0.0f);
#pragma unroll 1
    for (int c0 = 0; c0 < HEAD; c0 += DEPTH) {
        barrier(CLK_LOCAL_MEM_FENCE);
        load_channels(stage, p, key0, c0);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 4
        for (int i = 0; i < DEPTH; i++) {
            const float4 a = *(local const float4 *)(stage + i * LDQ + query);
            const float4 b = *(local const float4 *)(stage + DEPTH * LDQ + i * LDT + key);
            sums[0] += a.x * b;
            sums[1] += a.y * b;
            sums[2] += a.z * b;
            sums[3] += a.w * b;
        }
    }
    const int4 place = (int4)(key0 + key) + (int4)(0, 1, 2, 3);
#pragma unroll
    for (int i = 0; i < 4; i++)
        *(local float4 *)(s + (query + i) * LDT + key) =
            place < (int4)(p->keys) ? sums[i] * scale : (float4)(-INFINITY);
}

/* Of the query that this work-item shares: its running maximum, and the sum of its lane. */
typedef struct running {
    float maximum, sum;
} running;

/* Scores become exp(score - maximum so far); factor [BQ] is what earlier sums shrink by. `most`
 * [BQ][LANES] is scratch. A block has a key, so the maximum is finite. */
INLINE void softmax_block(local float *s, local float *most, local float *factor, running *r)
{
    const int query = (int)get_local_id(0) / LANES, lane = (int)get_local_id(0) % LANES;
    local float *const own = s + query * LDT + lane;
    float top = -INFINITY, sum = 0.0f;
    for (int i = 0; i < BT; i += LANES) top = fmax(top, own[i]);
    most[get_local_id(0)] = top;
    barrier(CLK_LOCAL_MEM_FENCE);
    top = r->maximum;
    for (int i = 0; i < LANES; i++) top = fmax(top, most[query * LANES + i]);
    for (int i = 0; i < BT; i += LANES) {
        const float e = exp(own[i] - top);
        own[i] = e;
        sum += e;
    }
    const float shrink = exp(r->maximum - top);
    if (lane == 0) factor[query] = shrink;
    r->sum = r->sum * shrink + sum;
    r->maximum = top;
}

/* Values of VALUES keys from key0 on: stage [key][HEAD]. */
INLINE void load_values(local float *stage, const part *p, int key0)
{
    LOADS for (int i = (int)get_local_id(0); i < VALUES * (HEAD / 4); i += LOCAL)
    {
        const size_t key = (size_t)min(key0 + i / (HEAD / 4), p->keys - 1);
        *(local float4 *)(stage + 4 * i) = READ_W4(p->v + key * p->v_pitch + 4 * (i % (HEAD / 4)));
    }
}

#define FIRST_QUERY ((int)get_local_id(0) / WIDTH * OWN)
#define FIRST_FOUR  ((int)get_local_id(0) % WIDTH)

/* y += weight v, for key `at` of the values in local memory; `weight`: a component of w. */
#define ADD_KEY(y, w, weight, stage, at)                                                      \
    _Pragma("unroll") for (int j_ = 0; j_ < FOURS; j_++)                                      \
    {                                                                                         \
        const float4 v_ =                                                                     \
            *(local const float4 *)((stage) + (at)*HEAD + 4 * (FIRST_FOUR + j_ * WIDTH));     \
        _Pragma("unroll") for (int i_ = 0; i_ < OWN; i_++)(y)[i_][j_] += (w)[i_].weight * v_; \
    }

/* y = y factor + s v for a block of keys. */
INLINE void add_values(float4 (*y)[FOURS], local const float *s, local const float *factor,
                       local float *stage, const part *p, int key0)
{
#pragma unroll
    for (int i = 0; i < OWN; i++) {
#pragma unroll
        for (int j = 0; j < FOURS; j++) y[i][j] *= factor[FIRST_QUERY + i];
    }
#pragma unroll 1
    for (int t = 0; t < BT && key0 + t < p->keys; t += VALUES) {
        barrier(CLK_LOCAL_MEM_FENCE);
        load_values(stage, p, key0 + t);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
        for (int k = 0; k < VALUES; k += 4) {
            float4 w[OWN];
#pragma unroll
            for (int i = 0; i < OWN; i++)
                w[i] = *(local const float4 *)(s + (FIRST_QUERY + i) * LDT + t + k);
            ADD_KEY(y, w, x, stage, k)
            ADD_KEY(y, w, y, stage, k + 1)
            ADD_KEY(y, w, z, stage, k + 2)
            ADD_KEY(y, w, w, stage, k + 3)
        }
    }
}

/* Where results go: rows of c, of the group's first query and head. */
typedef struct target {
#if SPLIT
    global float *sums, *pairs;
#else
    global y_type *y;
#endif
    int heads;
} target;

/* y over the sum of all lanes of a query, 0 where no key took part; or both as they are. `sums`
 * [BQ][LANES]. */
INLINE void store_part(const target *to, int queries, float4 (*y)[FOURS], local float *sums,
                       const running *r)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    sums[get_local_id(0)] = r->sum;
    barrier(CLK_LOCAL_MEM_FENCE);
#if SPLIT
    const int query = (int)get_local_id(0) / LANES;
    if (get_local_id(0) % LANES == 0 && query < queries) {
        float sum = 0.0f;
        for (int lane = 0; lane < LANES; lane++) sum += sums[query * LANES + lane];
        global float *const pair = to->pairs + (size_t)query * to->heads * 2;
        pair[0] = r->maximum;
        pair[1] = sum;
    }
#endif
#pragma unroll
    for (int i = 0; i < OWN; i++) {
        const size_t at = (size_t)(FIRST_QUERY + i) * to->heads * HEAD + 4 * FIRST_FOUR;
        if (FIRST_QUERY + i >= queries) continue;
#if SPLIT
#pragma unroll
        for (int j = 0; j < FOURS; j++) STORE_FLOAT4(y[i][j], to->sums + at + 4 * WIDTH * j);
#else
        float sum = 0.0f;
        for (int lane = 0; lane < LANES; lane++) sum += sums[(FIRST_QUERY + i) * LANES + lane];
        const float share = sum == 0.0f ? 0.0f : 1.0f / sum;
#pragma unroll
        for (int j = 0; j < FOURS; j++) STORE_Y4(y[i][j] * share, to->y + at + 4 * WIDTH * j);
#endif
    }
}

MANY_REGISTERS __attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_tile(
    global y_type *restrict y, global float *restrict partial, global const x_type *restrict q,
    global const w_type *restrict k, global const w_type *restrict v,
    global const int *restrict valid, global const int *restrict index, int mode, int heads,
    float scale, int blocks, int bo, int nq, int bk, int nk, int q_pitch, int k_pitch, int v_pitch,
    int keys_each)
{
    local float s[BQ * LDT] __attribute__((aligned(16)));
    local float stage[STAGE] __attribute__((aligned(16)));
    local float most[LOCAL], factor[BQ];
    const int group = (int)get_group_id(0), first = group % blocks * BQ;
    const int head = group / blocks % heads, batch = group / blocks / heads;
    const int from = mode == MODE_EACH ? batch / bk : batch;
    const int to = mode == MODE_EACH ? batch % bk : mode == MODE_INDEX ? index[batch] : batch;
    const int begin = (int)get_group_id(1) * keys_each;
    const int keys = valid ? min(valid[to], nk) : nk;
    const part p = {.q = q + ((size_t)from * nq + first) * q_pitch + head * HEAD,
                    .k = k + (size_t)to * nk * k_pitch + head * HEAD,
                    .v = v + (size_t)to * nk * v_pitch + head * HEAD,
                    .q_pitch = q_pitch,
                    .k_pitch = k_pitch,
                    .v_pitch = v_pitch,
                    .queries = nq - first,
                    .keys = min(keys, begin + keys_each)};
    running r = {-INFINITY, 0.0f};
    float4 sums[OWN][FOURS];
#pragma unroll
    for (int i = 0; i < OWN; i++) {
#pragma unroll
        for (int j = 0; j < FOURS; j++) sums[i][j] = (float4)(0.0f);
    }
#pragma unroll 1
    for (int key0 = begin; key0 < p.keys; key0 += BT) {
        make_scores(s, stage, &p, key0, scale);
        barrier(CLK_LOCAL_MEM_FENCE);
        softmax_block(s, most, factor, &r);
        barrier(CLK_LOCAL_MEM_FENCE);
        add_values(sums, s, factor, stage, &p, key0);
    }
#if SPLIT
    (void)y;
    const size_t rows = (size_t)bo * nq, row = get_group_id(1) * rows + (size_t)batch * nq + first;
    const target out = {.sums = partial + row * heads * HEAD + head * HEAD,
                        .pairs = partial + (get_num_groups(1) * rows * HEAD + row * 2) * heads +
                                 head * 2,
                        .heads = heads};
#else
    (void)partial, (void)bo;
    const size_t row = (size_t)batch * nq + first;
    const target out = {.y = y + (row * heads + head) * HEAD, .heads = heads};
#endif
    store_part(&out, p.queries, sums, most, &r);
}

#if SPLIT

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_tile_join(
    global y_type *restrict y, global const float *restrict partial, int splits, int heads,
    int rows)
{
    const size_t id = get_global_id(0), all = (size_t)rows * heads, part = id / (HEAD / 4);
    global const float *const sums = partial + id * 4, *const pairs =
                                                           partial + splits * all * HEAD + part * 2;
    if (part >= all) return;
    float most = -INFINITY, sum = 0.0f;
    float4 value = (float4)(0.0f);
    for (int i = 0; i < splits; i++) most = fmax(most, pairs[i * all * 2]);
    for (int i = 0; i < splits; i++) {
        if (pairs[i * all * 2] == -INFINITY) continue; /* it had no key */
        const float share = exp(pairs[i * all * 2] - most);
        sum += share * pairs[i * all * 2 + 1];
        value += share * LOAD_FLOAT4(sums + i * all * HEAD);
    }
    STORE_Y4(sum == 0.0f ? value : value / sum, y + id * 4);
}

#endif
