/* The `tile` algorithm of attention: which block, how many splits of the keys, and the launches.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"

#include <stdio.h>

enum { Q, K, V, VALID, INDEX };                          /* operands */
enum { QUERIES, KEYS, SPLITS };                          /* of tpp_params */
enum { DEPTH = 16, MOST_HEAD = 256, MOST_OWN = 64 };     /* MOST_OWN: of y, in registers */
enum { FEW = 8, MOST_SPLITS = 64, LEAST_KEYS = 4 * 64 }; /* LEAST_KEYS: of a split by default */

/* Queries of a group and keys of a block; a work-item makes 4 x 4 scores of it. The larger, the
 * fewer keys and values are read. */
typedef struct block {
    int queries, keys;
} block;

static const block blocks[] = {{64, 64}, {32, 64}, {16, 64},  {64, 32},
                               {32, 32}, {8, 128}, {16, 128}, {32, 128}};
enum { LARGE, MIDDLE, SMALL, SHORT_LARGE, SHORT_SMALL, NARROW, BROAD, BROAD_LARGE, BLOCKS };

typedef struct sizes {
    int bo, heads, head, nq, bk, nk;
    bool aligned, x_half, w_half, y_half;
} sizes;

static sizes sizes_of(const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    const tpp_operand *q = &c->in[Q], *k = &c->in[K], *v = &c->in[V];
    return (sizes){.bo = tpp_int(c->out[0].shape.d[0]),
                   .heads = a->heads,
                   .head = tpp_int(q->shape.d[2] / a->heads),
                   .nq = tpp_int(q->shape.d[1]),
                   .bk = tpp_int(k->shape.d[0]),
                   .nk = tpp_int(k->shape.d[1]),
                   .aligned =
                       tpp_pitch(q) % 4 == 0 && tpp_pitch(k) % 4 == 0 && tpp_pitch(v) % 4 == 0,
                   .x_half = q->type == TPP_F16,
                   .w_half = k->type == TPP_F16,
                   .y_half = c->out[0].type == TPP_F16};
}

static int ceil_div(int a, int b)
{
    return a / b + (a % b > 0);
}

static int group_of(const block *b)
{
    return b->queries / 4 * (b->keys / 4);
}

/* Work-items along the channels of y. */
static int width_of(const sizes *z)
{
    return z->head < 64 ? z->head / 4 : 16;
}

/* Can it hold such heads, on the device? */
static bool is_offered(const block *b, const sizes *z, const tpp_caps *caps)
{
    const int values = b->queries * z->head / group_of(b);
    const int floats =
        b->queries * (b->keys + 4) + DEPTH * (b->queries + b->keys + 8) + group_of(b) + b->queries;
    return (size_t)group_of(b) <= caps->max_group &&
           (size_t)floats * sizeof(float) <= caps->local_mem && values <= MOST_OWN &&
           b->queries * width_of(z) >= group_of(b);
}

/* Of a work-item: its part of y, and four weights for each of its queries. */
static int values_of(const block *b, const sizes *z)
{
    const int queries = b->queries * width_of(z) / group_of(b);
    return b->queries * z->head / group_of(b) + 4 * queries;
}

static bool is_held(const block *b, const sizes *z, const tpp_caps *caps)
{
    return tpp_tile_holds(caps, values_of(b, z));
}

static const block *smallest(const sizes *z, const tpp_caps *caps)
{
    return is_offered(&blocks[SMALL], z, caps) ? &blocks[SMALL] : NULL;
}

/* The block that parameters name; what they do not (a tuning file of another version), a small one.
 */
static const block *block_of(const tpp_params *params)
{
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i].queries == params->n[QUERIES] && blocks[i].keys == params->n[KEYS])
            return &blocks[i];
    return &blocks[SMALL];
}

static int64_t groups_of(const block *b, const sizes *z)
{
    return (int64_t)ceil_div(z->nq, b->queries) * z->heads * z->bo;
}

/* Keys of a split, in whole blocks. */
static int keys_each(const block *b, const sizes *z, int splits)
{
    const int most = splits < 1 ? 1 : splits > MOST_SPLITS ? MOST_SPLITS : splits;
    return ceil_div(ceil_div(z->nk, b->keys), most) * b->keys;
}

/* Splits of about equally many keys, none empty. */
static int splits_of(const block *b, const sizes *z, int wanted)
{
    return ceil_div(z->nk, keys_each(b, z, wanted));
}

static tpp_params params_of(const block *b, const sizes *z, int splits)
{
    return (tpp_params){{b->queries, b->keys, splits_of(b, z, splits)}};
}

/* No block much larger than what there is; the largest of those of which there are two for each
 * compute unit, with the keys in splits where they are many. The more keys, the less of y a
 * work-item holds. */
static tpp_params choose(const sizes *z, const tpp_caps *caps)
{
    static const int tall[] = {LARGE, MIDDLE, SMALL}, flat[] = {SHORT_LARGE, SHORT_SMALL, SMALL},
                     broad[] = {BROAD_LARGE, BROAD, NARROW};
    const int *order = !is_held(&blocks[SMALL], z, caps)   ? broad
                       : z->nk <= blocks[SHORT_LARGE].keys ? flat
                                                           : tall;
    const int64_t wanted = tpp_tile_groups(caps);
    const int most = z->nk / LEAST_KEYS < 1 ? 1 : z->nk / LEAST_KEYS;
    const block *b = smallest(z, caps);
    for (int i = 0; i < 3; i++) {
        const block *one = &blocks[order[i]];
        const bool is_wide = one->queries > 16 && z->nq <= one->queries / 2;
        if (is_wide || !is_offered(one, z, caps) || !is_held(one, z, caps)) continue;
        b = one;
        if (groups_of(b, z) * most >= wanted) break;
    }
    if (z->nq <= FEW && z->nk > blocks[SMALL].keys && is_offered(&blocks[NARROW], z, caps))
        b = &blocks[NARROW];
    const int64_t splits = (wanted + groups_of(b, z) - 1) / groups_of(b, z);
    return params_of(b, z, splits < most ? (int)splits : most);
}

bool tpp_attention_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const sizes z = sizes_of(c);
    const bool is_head =
        z.head == 16 || z.head == 32 || (z.head % 64 == 0 && z.head <= MOST_HEAD && z.head > 0);
    return tpp_tile_runs_on(caps) && is_head && smallest(&z, caps) != NULL &&
           c->in[K].type == c->in[V].type && z.bo > 0 && z.nq > 0 && z.nk > 0;
}

/* Number 0: the default. Then every block as it is, and with splits where it leaves compute units
 * idle. */
bool tpp_attention_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    static const int splits[] = {1, 4, 16};
    const sizes z = sizes_of(c);
    *out = choose(&z, caps);
    for (int at = 0; at < BLOCKS && i > 0; at++) {
        const block *b = &blocks[at];
        int last = 0;
        if (!is_offered(b, &z, caps)) continue;
        for (int j = 0; j < 3 && i > 0; j++) {
            const int got = splits_of(b, &z, splits[j]);
            if (got == last || (j > 0 && groups_of(b, &z) >= tpp_tile_groups(caps))) break;
            last = got;
            *out = params_of(b, &z, got);
            i--;
        }
    }
    return i == 0;
}

size_t tpp_attention_tile_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const sizes z = sizes_of(c);
    const int splits = splits_of(block_of(&c->params), &z, c->params.n[SPLITS]);
    const size_t parts = (size_t)splits * (size_t)z.bo * (size_t)z.nq * (size_t)z.heads;
    return splits > 1 ? parts * ((size_t)z.head + 2) * sizeof(float) : 0;
}

/* y from what the splits left in scratch. */
static tpp_status record_join(tpp_steps *s, const tpp_call *c, const sizes *z, int splits,
                              const char *options)
{
    const size_t local = (size_t)group_of(block_of(&c->params));
    const int rows = z->bo * z->nq;
    const size_t fours = (size_t)rows * (size_t)z->heads * (size_t)z->head / 4;
    const tpp_grid grid = {.global = {tpp_round_up(fours, local)}, .local = {local}};
    return tpp_record(s, "attention_tile", "attention_tile_join", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->scratch.mem), TPP_ARG(splits),
                               TPP_ARG(z->heads), TPP_ARG(rows)));
}

tpp_status tpp_attention_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[160];
    const tpp_attention_attr *a = c->attr;
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const sizes z = sizes_of(c);
    const block *b = block_of(&c->params);
    const int splits = splits_of(b, &z, c->params.n[SPLITS]);
    const int each = keys_each(b, &z, c->params.n[SPLITS]), along = ceil_div(z.nq, b->queries);
    const int n = snprintf(
        options, sizeof(options), "-DHEAD=%d -DBQ=%d -DBT=%d -DALIGNED=%d -DSPLIT=%d%s%s%s%s",
        z.head, b->queries, b->keys, z.aligned, splits > 1, z.x_half ? " -DX_HALF=1" : "",
        z.w_half ? " -DW_HALF=1" : "", z.y_half ? " -DY_HALF=1" : "",
        tpp_tile_registers(caps, values_of(b, &z)));
    if (n < 0 || (size_t)n >= sizeof(options))
        return TPP_FAIL(TPP_EINTERNAL, "attention_tile: build options are too long");
    const tpp_grid grid = {
        .global = {(size_t)groups_of(b, &z) * (size_t)group_of(b), (size_t)splits},
        .local = {(size_t)group_of(b)}};
    TPP_TRY(tpp_record(
        s, "attention_tile", "attention_tile", options, grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->scratch.mem), TPP_ARG(c->in[Q].mem),
                 TPP_ARG(c->in[K].mem), TPP_ARG(c->in[V].mem), TPP_ARG(c->in[VALID].mem),
                 TPP_ARG(c->in[INDEX].mem), TPP_ARG(a->mode), TPP_ARG(z.heads), TPP_ARG(a->scale),
                 TPP_ARG(along), TPP_ARG(z.bo), TPP_ARG(z.nq), TPP_ARG(z.bk), TPP_ARG(z.nk),
                 TPP_ARG(tpp_pitch(&c->in[Q])), TPP_ARG(tpp_pitch(&c->in[K])),
                 TPP_ARG(tpp_pitch(&c->in[V])), TPP_ARG(each))));
    return splits > 1 ? record_join(s, c, &z, splits, options) : TPP_OK;
}

/* Each block once for each size of a head, alone and in splits: a few more queries and keys than it
 * has. */
bool tpp_attention_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[64];
    const sizes z = sizes_of(c);
    const block *b = block_of(&c->params);
    const int splits = splits_of(b, &z, c->params.n[SPLITS]) > 1 ? 2 : 1;
    const unsigned halves = (z.x_half ? 1u << Q : 0u) | (z.w_half ? 1u << K | 1u << V : 0u) |
                            (z.y_half ? (unsigned)TPP_HALF_OUT : 0u);
    const unsigned pitches = z.aligned ? 0u : 1u << Q | 1u << K | 1u << V;
    (void)snprintf(key, sizeof(key), "tile attention %dx%d/%d of %d %x %x", b->queries, b->keys,
                   splits, z.head, halves, pitches);
    enum { HEADS = 2, MORE = 5 };
    const int64_t channels = HEADS * (int64_t)z.head, queries = b->queries + MORE,
                  keys = b->keys * (splits > 1 ? 3 : 1) + MORE;
    const tpp_attention_attr attr = {
        .heads = HEADS, .mode = TPP_ATTENTION_SAME, .scale = 4.0f / (float)z.head};
    const tpp_case tried = {.name = "first_use",
                            .attr = &attr,
                            .in = {TPP_SHAPE(1, queries, channels), TPP_SHAPE(1, keys, channels),
                                   TPP_SHAPE(1, keys, channels)}};
    const tpp_params params = {{b->queries, b->keys, splits}};
    return tpp_tile_try_with(
        d, values_of(b, &z), key, &tpp_op_attention, &tried,
        &(const tpp_check_how){.params = &params, .halves = halves, .pitches = pitches});
}
