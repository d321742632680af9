/* The `vector` algorithms of attention and deformable attention.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

#include <stdio.h>

enum { Q, K, V, VALID, INDEX };       /* operands of attention */
enum { VALUE, OFFSETS, LOGITS, REF }; /* of deform_attention */
enum { DEFORM_QUERIES = 16, MAX_HEAD = 256 };

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int head_size(const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    return tpp_int(tpp_shape_cols(&c->in[Q].shape) / a->heads);
}

enum { ROWS, STRIPS }; /* of tpp_params: rows of a tile, tiles of a work-item */
static const tpp_params wide[] = {{{14, 4}}, {{8, 7}}, {{10, 5}}};
static const tpp_params narrow[] = {{{6, 4}}, {{6, 8}}, {{4, 8}}};

bool tpp_attention_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    (void)c;
    return tpp_vector_params(caps, &TPP_PARAM_SETS(wide, narrow), i, out);
}

/* Of attention_vector: queries and results of all strips, scores of one, maxima and sums, with the
 * largest parameters. */
static size_t local_bytes(const tpp_caps *caps)
{
    enum { MOST_ROWS = 56, MOST_TILE = 14 };
    const size_t width = MAX_HEAD + 16;
    return sizeof(float) * ((2 * MOST_ROWS + MOST_TILE) * width +
                            MOST_ROWS * ((size_t)tpp_vector_width(caps) + 1) + MOST_TILE);
}

bool tpp_attention_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const int head = head_size(c);
    return head % tpp_panel_width(caps) == 0 && head <= MAX_HEAD &&
           local_bytes(caps) <= caps->local_mem;
}

/* Keys in panels. */
size_t tpp_attention_vector_scratch(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_shape *k = &c->in[K].shape;
    const size_t panel = (size_t)tpp_panel_width(caps);
    return sizeof(float) * (size_t)k->d[0] * tpp_round_up((size_t)k->d[1], panel) * (size_t)k->d[2];
}

/* How queries and heads are shared out: all heads together where that leaves pieces enough and the
 * keys are few (many are better shared by several tiles of one head). */
typedef struct cut {
    int strips, blocks, heads_each;
} cut;

static cut cut_work(const tpp_call *c, const tpp_caps *caps)
{
    enum { FEW_KEYS = 64, PIECES_EACH = 4 };
    const tpp_attention_attr *a = c->attr;
    const int nq = tpp_int(c->in[Q].shape.d[1]), bo = tpp_int(c->out[0].shape.d[0]);
    const int tiles = ceil_div(nq, c->params.n[ROWS]);
    const int wanted = PIECES_EACH * caps->compute_units;
    if (c->in[K].shape.d[1] <= FEW_KEYS && c->in[Q].shape.d[2] <= MAX_HEAD && tiles * bo >= wanted)
        return (cut){.strips = 1, .blocks = tiles, .heads_each = a->heads};
    cut w = {.strips = c->params.n[STRIPS], .heads_each = 1};
    while (w.strips > 1 && ceil_div(tiles, w.strips) * a->heads * bo < wanted) w.strips--;
    w.blocks = ceil_div(tiles, w.strips);
    return w;
}

tpp_status tpp_attention_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[160];
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const tpp_attention_attr *a = c->attr;
    const int nq = tpp_int(c->in[Q].shape.d[1]), bk = tpp_int(c->in[K].shape.d[0]);
    const int nk = tpp_int(c->in[K].shape.d[1]), bo = tpp_int(c->out[0].shape.d[0]);
    const cut w = cut_work(c, caps);
    (void)snprintf(options, sizeof(options), "-DVW=%d -DMR=%d -DKB=%d -DSTRIPS=%d -DHEAD=%d",
                   tpp_vector_width(caps), c->params.n[ROWS], MAX_HEAD, c->params.n[STRIPS],
                   head_size(c));
    const tpp_grid keys = {
        .global = {(size_t)ceil_div(nk, tpp_panel_width(caps)), (size_t)a->heads, (size_t)bk}};
    TPP_TRY(tpp_record(s, "attention_vector", "attention_pack_keys", options, keys,
                       TPP_ARGS(TPP_ARG(c->scratch.mem), TPP_ARG(c->in[K].mem), TPP_ARG(a->heads),
                                TPP_ARG(nk), TPP_ARG(a->scale), TPP_ARG(tpp_pitch(&c->in[K])))));
    const tpp_grid grid = {
        .global = {(size_t)w.blocks, (size_t)(a->heads / w.heads_each), (size_t)bo}};
    return tpp_record(s, "attention_vector", "attention_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[Q].mem),
                               TPP_ARG(c->scratch.mem), TPP_ARG(c->in[V].mem),
                               TPP_ARG(c->in[VALID].mem), TPP_ARG(c->in[INDEX].mem),
                               TPP_ARG(a->mode), TPP_ARG(a->heads), TPP_ARG(nq), TPP_ARG(bk),
                               TPP_ARG(nk), TPP_ARG(w.strips), TPP_ARG(w.heads_each),
                               TPP_ARG(tpp_pitch(&c->in[Q])), TPP_ARG(tpp_pitch(&c->in[V]))));
}

bool tpp_deform_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_deform_attr *a = c->attr;
    const int64_t head = tpp_shape_cols(&c->in[VALUE].shape) / a->heads;
    return head % (tpp_panel_width(caps) / TPP_PANEL_VECTORS) == 0;
}

tpp_status tpp_deform_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[160];
    const tpp_deform_attr *a = c->attr;
    const tpp_shape *value = &c->in[VALUE].shape, *ref = &c->in[REF].shape;
    const int nq = tpp_int(c->in[OFFSETS].shape.d[1]);
    (void)snprintf(options, sizeof(options), "-DVW=%d -DHEAD=%d -DLEVELS=%d -DPOINTS=%d",
                   tpp_vector_width(tpp_device_caps(tpp_steps_device(s))),
                   tpp_int(value->d[2] / a->heads), a->levels, a->points);
    const tpp_grid grid = {.global = {(size_t)ceil_div(nq, DEFORM_QUERIES), (size_t)value->d[0]}};
    return tpp_record(
        s, "deform_attention_vector", "deform_attention_vector", options, grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[VALUE].mem), TPP_ARG(c->in[OFFSETS].mem),
                 TPP_ARG(c->in[LOGITS].mem), TPP_ARG(c->in[REF].mem), TPP_ARG(a->heads),
                 TPP_ARG(tpp_int(ref->d[0])), TPP_ARG(tpp_int(ref->d[2])),
                 TPP_ARG(tpp_int(value->d[1])), TPP_ARG(nq), TPP_ARG((int)DEFORM_QUERIES),
                 TPP_ARG(tpp_pitch(&c->in[VALUE])), TPP_ARG(tpp_pitch(&c->in[OFFSETS])),
                 TPP_ARG(tpp_pitch(&c->in[LOGITS])), TPP_ARG(a->height[0]), TPP_ARG(a->height[1]),
                 TPP_ARG(a->height[2]), TPP_ARG(a->height[3]), TPP_ARG(a->width[0]),
                 TPP_ARG(a->width[1]), TPP_ARG(a->width[2]), TPP_ARG(a->width[3])));
}
