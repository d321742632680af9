/* The `tile` algorithm of deformable attention.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"
#include "ops/tile.h"

#include <stdio.h>

enum { VALUE, OFFSETS, LOGITS, REF }; /* operands */
enum { COLUMNS, ROWS };               /* of tpp_params: queries of a tile */
enum { MOST_ITEMS = 256, LEAST_ITEMS = 64, SAMPLE_BYTES = 24 /* in local memory */ };

/* The larger, the more cache lines its samples share. */
static const tpp_params tiles[] = {{{8, 8}}, {{8, 4}}, {{4, 4}}, {{4, 2}},
                                   {{2, 2}}, {{2, 1}}, {{1, 1}}};
enum { TILES = sizeof(tiles) / sizeof(tiles[0]) };

/* A call as the kernel sees it. */
typedef struct sizes {
    int batches, queries, tokens, head, samples, value_pitch;
    bool maps;    /* the queries are the tokens */
    bool aligned; /* heads and rows are whole fours */
} sizes;

static sizes sizes_of(const tpp_call *c)
{
    const tpp_deform_attr *a = c->attr;
    const int64_t *d = c->in[VALUE].shape.d;
    sizes z = {.batches = tpp_int(d[0]),
               .queries = tpp_int(c->in[OFFSETS].shape.d[1]),
               .tokens = tpp_int(d[1]),
               .head = tpp_int(d[2] / a->heads),
               .samples = a->levels * a->points,
               .value_pitch = tpp_pitch(&c->in[VALUE])};
    z.maps = z.queries == z.tokens;
    z.aligned = z.head % 4 == 0 && z.value_pitch % 4 == 0;
    return z;
}

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int items_of(const sizes *z, const tpp_params *t)
{
    return t->n[COLUMNS] * t->n[ROWS] * (z->aligned ? z->head / 4 : z->head);
}

static bool fits(const sizes *z, const tpp_params *t, const tpp_caps *caps)
{
    const size_t items = (size_t)items_of(z, t),
                 samples = (size_t)(t->n[COLUMNS] * t->n[ROWS]) * ((size_t)z->samples + 1);
    return items <= MOST_ITEMS && items <= caps->max_group &&
           samples * SAMPLE_BYTES <= caps->local_mem;
}

static int tiles_of(const sizes *z, const tpp_deform_attr *a, const tpp_params *t)
{
    if (!z->maps) return ceil_div(z->queries, t->n[COLUMNS] * t->n[ROWS]);
    int n = 0;
    for (int i = 0; i < a->levels; i++)
        n += ceil_div(a->width[i], t->n[COLUMNS]) * ceil_div(a->height[i], t->n[ROWS]);
    return n;
}

/* The largest of which there are two groups for each compute unit, else one as small as a group
 * should be. */
static tpp_params choose(const sizes *z, const tpp_deform_attr *a, const tpp_caps *caps)
{
    const int64_t wanted = tpp_tile_groups(caps);
    tpp_params best = tiles[TILES - 1];
    for (int i = TILES - 1; i >= 0; i--) {
        const int64_t groups = (int64_t)tiles_of(z, a, &tiles[i]) * a->heads * z->batches;
        if (!fits(z, &tiles[i], caps)) break;
        if (items_of(z, &best) < LEAST_ITEMS || groups >= wanted) best = tiles[i];
    }
    return best;
}

/* The tile that parameters name; what they do not, or what is too large once rows lie apart, is the
 * smallest. */
static const tpp_params *tile_of(const sizes *z, const tpp_params *p, const tpp_caps *caps)
{
    for (int i = 0; i < TILES; i++)
        if (tiles[i].n[COLUMNS] == p->n[COLUMNS] && tiles[i].n[ROWS] == p->n[ROWS] &&
            fits(z, &tiles[i], caps))
            return &tiles[i];
    return &tiles[TILES - 1];
}

/* Tokens are counted in fours of an int. A head's channels one by one are the most items that a
 * query may need. */
bool tpp_deform_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_deform_attr *a = c->attr;
    const sizes z = sizes_of(c);
    enum { MOST_TOKENS = 1 << 29 };
    return tpp_tile_runs_on(caps) && tpp_shape_count(&c->out[0].shape) > 0 &&
           z.tokens < MOST_TOKENS && (size_t)z.batches <= caps->max_groups &&
           (size_t)a->heads <= caps->max_groups && fits(&z, &tiles[TILES - 1], caps);
}

/* Number 0: the default. */
bool tpp_deform_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    const sizes z = sizes_of(c);
    *out = choose(&z, c->attr, caps);
    for (int j = 0; j < TILES && i > 0; j++) {
        if (!fits(&z, &tiles[j], caps)) continue;
        *out = tiles[j];
        i--;
    }
    return i == 0;
}

tpp_status tpp_deform_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[160];
    const tpp_deform_attr *a = c->attr;
    const sizes z = sizes_of(c);
    const tpp_shape *ref = &c->in[REF].shape;
    const tpp_params *t = tile_of(&z, &c->params, tpp_device_caps(tpp_steps_device(s)));
    const size_t items = (size_t)items_of(&z, t);
    const int n =
        snprintf(options, sizeof(options),
                 "-DHEAD=%d -DLEVELS=%d -DPOINTS=%d -DCOLUMNS=%d -DROWS=%d -DALIGNED=%d%s%s",
                 z.head, a->levels, a->points, t->n[COLUMNS], t->n[ROWS], z.aligned,
                 c->in[VALUE].type == TPP_F16 ? " -DX_HALF=1" : "",
                 c->out[0].type == TPP_F16 ? " -DY_HALF=1" : "");
    if (n < 0 || (size_t)n >= sizeof(options))
        return TPP_FAIL(TPP_EINTERNAL, "deform_attention_tile: build options are too long");
    const tpp_grid grid = {
        .global = {(size_t)tiles_of(&z, a, t) * items, (size_t)a->heads, (size_t)z.batches},
        .local = {items}};
    return tpp_record(
        s, "deform_attention_tile", "deform_attention_tile", options, grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[VALUE].mem), TPP_ARG(c->in[OFFSETS].mem),
                 TPP_ARG(c->in[LOGITS].mem), TPP_ARG(c->in[REF].mem), TPP_ARG(a->heads),
                 TPP_ARG(tpp_int(ref->d[0])), TPP_ARG(tpp_int(ref->d[2])), TPP_ARG(z.tokens),
                 TPP_ARG(z.queries), TPP_ARG((int)z.maps), TPP_ARG(z.value_pitch),
                 TPP_ARG(tpp_pitch(&c->in[OFFSETS])), TPP_ARG(tpp_pitch(&c->in[LOGITS])),
                 TPP_ARG(a->height[0]), TPP_ARG(a->height[1]), TPP_ARG(a->height[2]),
                 TPP_ARG(a->height[3]), TPP_ARG(a->width[0]), TPP_ARG(a->width[1]),
                 TPP_ARG(a->width[2]), TPP_ARG(a->width[3])));
}

/* Two heads of as many samples, over maps of a tile and a bit. */
bool tpp_deform_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[96];
    const tpp_deform_attr *a = c->attr;
    const sizes z = sizes_of(c);
    const int64_t ref_size = c->in[REF].shape.d[2];
    const tpp_params *t = tile_of(&z, &c->params, tpp_device_caps(d));
    const unsigned halves = (c->in[VALUE].type == TPP_F16 ? 1u << VALUE : 0u) |
                            (c->out[0].type == TPP_F16 ? (unsigned)TPP_HALF_OUT : 0u);
    const unsigned pitches = z.head % 4 == 0 && !z.aligned ? 1u << VALUE : 0u;
    (void)snprintf(key, sizeof(key), "tile deform_attention %d/%dx%d %dx%d %d/%d/%d/%d %x", z.head,
                   a->levels, a->points, t->n[COLUMNS], t->n[ROWS], z.maps, z.aligned,
                   (int)ref_size, (int)pitches, halves);
    tpp_deform_attr attr = {.heads = 2, .levels = a->levels, .points = a->points};
    int64_t tokens = 0;
    for (int i = 0; i < a->levels; i++) {
        attr.height[i] = (t->n[ROWS] >> i) + 1;
        attr.width[i] = (t->n[COLUMNS] >> i) + 2;
        tokens += (int64_t)attr.height[i] * attr.width[i];
    }
    const int64_t queries = z.maps ? tokens : tokens + 1, each = 2 * (int64_t)z.samples;
    const tpp_case tried = {
        .name = "first_use",
        .attr = &attr,
        .in = {TPP_SHAPE(1, tokens, 2 * (int64_t)z.head), TPP_SHAPE(1, queries, 2 * each),
               TPP_SHAPE(1, queries, each), TPP_SHAPE(1, queries, ref_size)},
        .fill = {TPP_FILL_UNIFORM, TPP_FILL_LARGE, TPP_FILL_LARGE, TPP_FILL_UNIT}};
    return tpp_tile_try(d, key, &tpp_op_deform_attention, &tried,
                        &(const tpp_check_how){.params = t, .halves = halves, .pitches = pitches});
}
