/* Deformable attention on GPUs, softmax, places and samples in one kernel.
 *   Shapes and formula: deform_attention.cl and host/ref/ref.h. value is x of storage.clh.
 *   Rows of value, offsets and logits may lie apart: *_pitch elements from one to the next.
 *
 * A work-group makes one head of ROWS x COLUMNS queries. Where the queries are the maps' own pixels
 * (`maps`), these are a rectangle of a map, whose samples share cache lines; else a run of queries.
 * First its items share the samples: place and weights of each go to local memory once. Then LANES
 * items a query walk over all its samples, each with W channels of the head.
 * Local memory: 24 bytes a sample. Grid: (tiles of queries, heads, batches).
 * SPDX-License-Identifier: MIT */
#ifndef HEAD
#define HEAD 32 /* channels of a head */
#endif
#ifndef LEVELS
#define LEVELS 4
#endif
#ifndef POINTS
#define POINTS 4
#endif
#ifndef COLUMNS /* of a tile of queries */
#define COLUMNS 4
#endif
#ifndef ROWS
#define ROWS 2
#endif
#include "fours.clh"

#define QUERIES (ROWS * COLUMNS)
#define LANES   (HEAD / W)
#define LOCAL   (QUERIES * LANES)
#define SAMPLES (LEVELS * POINTS)
#define EACH    ((QUERIES * SAMPLES + LOCAL - 1) / LOCAL) /* samples of an item, at most */
#define STRIDE  (SAMPLES + 1)                             /* + 1: queries in other banks */

typedef struct {
    int4 height, width; /* of the levels */
} maps_size;

typedef struct {
    int start, height, width; /* its first token */
} map_size;

static inline map_size map_of(const maps_size *s, int level)
{
    map_size m = {0, s->height.s0, s->width.s0};
    if (level > 0) m = (map_size){m.height * m.width, s->height.s1, s->width.s1};
    if (level > 1) m = (map_size){m.start + m.height * m.width, s->height.s2, s->width.s2};
    if (level > 2) m = (map_size){m.start + m.height * m.width, s->height.s3, s->width.s3};
    return m;
}

/* A tile's queries: `start` is the first of a map `width` wide, whose part of rows from y and
 * columns from x the tile is. */
typedef struct {
    int start, height, width, y, x;
} tile;

static inline tile tile_at(const maps_size *s, int number, int maps, int nq)
{
    if (!maps) return (tile){number * QUERIES, 1, nq - number * QUERIES, 0, 0};
    for (int level = 0;; level++) {
        const map_size m = map_of(s, level);
        const int across = (m.width + COLUMNS - 1) / COLUMNS;
        const int count = across * ((m.height + ROWS - 1) / ROWS);
        if (number < count || level == LEVELS - 1)
            return (tile){m.start, m.height, m.width, number / across * ROWS,
                          number % across * COLUMNS};
        number -= count;
    }
}

/* Query i of a tile; what is beyond the map is the last of its row or column. */
static inline int query_of(const tile *t, int i, int maps)
{
    if (!maps) return t->start + min(i, t->width - 1);
    const int y = min(t->y + i / COLUMNS, t->height - 1);
    return t->start + y * t->width + min(t->x + i % COLUMNS, t->width - 1);
}

static inline bool is_inside(const tile *t, int i, int maps)
{
    if (!maps) return i < t->width;
    return t->y + i / COLUMNS < t->height && t->x + i % COLUMNS < t->width;
}

/* Along one axis: a pixel inside the map, 1 if the other is the next, else 0; their weights, 0 for
 * one that is outside. */
typedef struct {
    int first, step;
    float weight[2];
} pair;

/* A place further out than a pixel, or NaN, moves to where both weights are 0. */
static inline pair pair_at(float place, int size)
{
    const float low = place > -1.0f ? place : -1.0f;
    const float in = low < (float)size ? low : (float)size, whole = floor(in), part = in - whole;
    const int at = (int)whole, last = size - 1, first = clamp(at, 0, last);
    return (pair){first,
                  min(at + 1, last) - first,
                  {at >= 0 && at <= last ? 1.0f - part : 0.0f, at < last ? part : 0.0f}};
}

/* A sample as the items walk over it: its first pixel's token times 4, plus 1 if there is one to
 * the right, plus 2 if there is one below; and the four weights. */
typedef struct {
    int place;
    float4 weight;
} corners;

/* Of sample i of a head, offset o, reference point r; `share` is what the sample is worth. */
static inline corners corners_of(const maps_size *s, int i, global const float *o,
                                 global const float *r, int ref_size, float share)
{
    const map_size m = map_of(s, i / POINTS);
    const float width = (float)m.width, height = (float)m.height;
    float dx = o[2 * i], dy = o[2 * i + 1];
    if (ref_size == 4) {
        dx = dx / (float)POINTS * r[2] * 0.5f * width;
        dy = dy / (float)POINTS * r[3] * 0.5f * height;
    }
    const pair x = pair_at(r[0] * width + dx - 0.5f, m.width);
    const pair y = pair_at(r[1] * height + dy - 0.5f, m.height);
    const float upper = share * y.weight[0], lower = share * y.weight[1];
    return (corners){(m.start + y.first * m.width + x.first) << 2 | y.step << 1 | x.step,
                     (float4)(upper * x.weight[0], upper * x.weight[1], lower * x.weight[0],
                              lower * x.weight[1])};
}

/* In local memory, by query and sample. */
typedef struct {
    float share[QUERIES * STRIDE]; /* softmax numerators; logits before */
    int place[QUERIES * STRIDE];
    float4 weight[QUERIES * STRIDE];
} samples;

/* The logits of a head of all queries become softmax numerators. Has barriers. */
INLINE void share_out(local samples *k, const tile *t, int maps, global const float *logits,
                      int pitch)
{
    const int id = (int)get_local_id(0);
    float share[EACH];
    for (int i = id; i < QUERIES * SAMPLES; i += LOCAL)
        k->share[i / SAMPLES * STRIDE + i % SAMPLES] =
            logits[(size_t)query_of(t, i / SAMPLES, maps) * pitch + i % SAMPLES];
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        const int i = min(id + j * LOCAL, QUERIES * SAMPLES - 1), row = i / SAMPLES * STRIDE;
        float most = k->share[row];
        for (int n = 1; n < SAMPLES; n++) most = fmax(most, k->share[row + n]);
        share[j] = exp(k->share[row + i % SAMPLES] - most);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        const int i = id + j * LOCAL;
        if (i < QUERIES * SAMPLES) k->share[i / SAMPLES * STRIDE + i % SAMPLES] = share[j];
    }
}

/* W channels of a query, whose samples lie from `row` on: the weighted sum of all corners. */
INLINE vec sum_corners(local const samples *k, const maps_size *s, int row,
                       global const x_type *value, int pitch)
{
    vec upper = (vec)(0.0f), lower = (vec)(0.0f);
    float total = 0.0f;
    /* Unrolled too, all loads of all samples are in flight: AMD's compiler then spills. */
#pragma unroll 1
    for (int level = 0; level < LEVELS; level++) {
        const int line = map_of(s, level).width * pitch;
#pragma unroll
        for (int point = 0; point < POINTS; point++) {
            const int i = row + level * POINTS + point, place = k->place[i];
            const float4 weight = k->weight[i];
            global const x_type *from = value + (size_t)(place >> 2) * pitch;
            const int right = place & 1 ? pitch : 0, down = place & 2 ? line : 0;
            upper = fma(LOAD_XV(from), (vec)(weight.x), upper);
            upper = fma(LOAD_XV(from + right), (vec)(weight.y), upper);
            lower = fma(LOAD_XV(from + down), (vec)(weight.z), lower);
            lower = fma(LOAD_XV(from + down + right), (vec)(weight.w), lower);
            total += k->share[i];
        }
    }
    return (upper + lower) / total;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void deform_attention_tile(
    global y_type *restrict y, global const x_type *restrict value,
    global const float *restrict offsets, global const float *restrict logits,
    global const float *restrict ref, int heads, int ref_batches, int ref_size, int tokens, int nq,
    int maps, int value_pitch, int offset_pitch, int logit_pitch, int height0, int height1,
    int height2, int height3, int width0, int width1, int width2, int width3)
{
    local samples k;
    const int id = (int)get_local_id(0), head = (int)get_group_id(1), batch = (int)get_group_id(2);
    const maps_size s = {(int4)(height0, height1, height2, height3),
                         (int4)(width0, width1, width2, width3)};
    const tile t = tile_at(&s, (int)get_group_id(0), maps, nq);
    const size_t rows = (size_t)batch * nq;
    offsets += rows * offset_pitch + head * SAMPLES * 2;
    ref += (ref_batches > 1 ? rows : 0) * ref_size;
    share_out(&k, &t, maps, logits + rows * logit_pitch + head * SAMPLES, logit_pitch);
    for (int i = id; i < QUERIES * SAMPLES; i += LOCAL) { /* as share_out left them to the items */
        const int query = query_of(&t, i / SAMPLES, maps), at = i / SAMPLES * STRIDE + i % SAMPLES;
        const corners c = corners_of(&s, i % SAMPLES, offsets + (size_t)query * offset_pitch,
                                     ref + (size_t)query * ref_size, ref_size, k.share[at]);
        k.place[at] = c.place;
        k.weight[at] = c.weight;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int mine = id / LANES, channel = head * HEAD + id % LANES * W;
    const vec sum = sum_corners(
        &k, &s, mine * STRIDE, value + (size_t)batch * tokens * value_pitch + channel, value_pitch);
    if (!is_inside(&t, mine, maps)) return;
    STORE_YV(sum, y + (rows + query_of(&t, mine, maps)) * (size_t)(heads * HEAD) + channel);
}
