/* The `tile` algorithms of layer and group normalisation.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"
#include "ops/tile.h"

#include <stdio.h>

enum { X, GAMMA, BETA }; /* operands */
enum { LEAST_LANES = 32, MOST_FOURS = 16, GROUP = 256, ROW_GROUP = 64 };
/* A group of channels with more values than these is shared out among groups of work-items: one
 * alone takes longer for it than a launch. */
enum { ALONE = 32768 };
/* Blocks of statistics are few, because every group of the second kernel reads all of them. */
enum { BLOCK_TOKENS = 128, MOST_BLOCKS = 32, APPLY_TOKENS = 32, MOST_GROUPS = 512 };

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The largest power of two that the device lets a group have, up to `most`. */
static int group_of(const tpp_caps *caps, int most)
{
    int n = 1;
    while (2 * n <= most && (size_t)(2 * n) <= caps->max_group) n *= 2;
    return n;
}

static bool has_sub_groups(const tpp_caps *caps)
{
    return caps->sub_groups && !caps->no_sub_groups;
}

const char *tpp_tile_sub_group_options(const tpp_caps *caps)
{
    if (!has_sub_groups(caps)) return "";
    return caps->sub_group_std == 12   ? " -DSUB_GROUPS=1"
           : caps->sub_group_std == 20 ? " -DSUB_GROUPS=1 -cl-std=CL2.0"
                                       : " -DSUB_GROUPS=1 -cl-std=CL3.0";
}

/* ---- rows ---- */

/* Sub-groups may be as wide as a group: then that has one row. */
tpp_tile_rows tpp_tile_rows_of(int64_t cols, const tpp_caps *caps)
{
    const bool aligned = cols % 4 == 0;
    const int64_t vectors = aligned ? cols / 4 : cols;
    const int most = group_of(caps, GROUP);
    int lanes = has_sub_groups(caps) ? ROW_GROUP : LEAST_LANES;
    while (lanes < most && vectors > 2 * lanes) lanes *= 2;
    const int64_t fours = ceil_div(vectors, lanes);
    if (lanes > most || fours > MOST_FOURS) return (tpp_tile_rows){.lanes = 0};
    return (tpp_tile_rows){.lanes = lanes,
                           .fours = (int)fours,
                           .group = lanes > ROW_GROUP ? lanes : ROW_GROUP,
                           .aligned = aligned};
}

void tpp_tile_rows_options(const tpp_tile_rows *r, const char *more, char *text, size_t size)
{
    (void)snprintf(text, size, "-DLOCAL=%d -DLANES=%d -DFOURS=%d -DALIGNED=%d%s", r->group,
                   r->lanes, r->fours, r->aligned, more);
}

tpp_grid tpp_tile_rows_grid(const tpp_tile_rows *r, int64_t rows)
{
    const int64_t groups = ceil_div(rows, r->group / r->lanes);
    return (tpp_grid){.global = {(size_t)groups * (size_t)r->group}, .local = {(size_t)r->group}};
}

/* Of the storage, and of how sums are made. */
static void more_options(const tpp_call *c, const tpp_caps *caps, char *text, size_t size)
{
    (void)snprintf(text, size, "%s%s%s", c->in[X].type == TPP_F16 ? " -DX_HALF=1" : "",
                   c->out[0].type == TPP_F16 ? " -DY_HALF=1" : "",
                   tpp_tile_sub_group_options(caps));
}

/* One row in two sub-groups or more, with a tail. */
void tpp_tile_try_sub_groups(tpp_device *d)
{
    const tpp_layernorm_attr attr = {.eps = 1e-5f};
    const tpp_case tried = {.name = "first_use",
                            .attr = &attr,
                            .in = {TPP_SHAPE(3, 999), TPP_SHAPE(999), TPP_SHAPE(999)}};
    if (d->caps.sub_groups)
        (void)tpp_tile_try_part(d, "sub-group reduction", &d->caps.no_sub_groups, "layernorm",
                                &tpp_op_layernorm, &tried, &(const tpp_check_how){.halves = 0});
}

static unsigned halves_of(const tpp_call *c)
{
    return (c->in[X].type == TPP_F16 ? 1u << X : 0u) |
           (c->out[0].type == TPP_F16 ? (unsigned)TPP_HALF_OUT : 0u);
}

bool tpp_layernorm_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_tile_rows r = tpp_tile_rows_of(tpp_shape_cols(&c->in[X].shape), caps);
    return tpp_tile_runs_on(caps) && r.lanes > 0 && (size_t)r.group <= caps->max_group &&
           tpp_shape_count(&c->in[X].shape) > 0;
}

tpp_status tpp_layernorm_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[160], more[96];
    const tpp_layernorm_attr *a = c->attr;
    const tpp_shape *x = &c->in[X].shape;
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const int rows = tpp_int(tpp_shape_rows(x)), cols = tpp_int(tpp_shape_cols(x));
    const tpp_tile_rows r = tpp_tile_rows_of(cols, caps);
    more_options(c, caps, more, sizeof(more));
    tpp_tile_rows_options(&r, more, options, sizeof(options));
    return tpp_record(s, "norm_tile", "layernorm_tile", options, tpp_tile_rows_grid(&r, rows),
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[X].mem),
                               TPP_ARG(c->in[GAMMA].mem), TPP_ARG(c->in[BETA].mem), TPP_ARG(a->eps),
                               TPP_ARG(rows), TPP_ARG(cols)));
}

/* Rows of the same code: as long, a few more than a group has. */
bool tpp_layernorm_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[64];
    const int64_t cols = tpp_shape_cols(&c->in[X].shape);
    tpp_tile_try_sub_groups(d);
    const tpp_tile_rows r = tpp_tile_rows_of(cols, tpp_device_caps(d));
    const unsigned halves = halves_of(c);
    (void)snprintf(key, sizeof(key), "tile layernorm %d/%d/%d/%d %x", r.group, r.lanes, r.fours,
                   r.aligned, halves);
    const tpp_layernorm_attr attr = {.eps = 1e-5f};
    const tpp_case tried = {.name = "first_use",
                            .attr = &attr,
                            .in = {TPP_SHAPE(9, cols), TPP_SHAPE(cols), TPP_SHAPE(cols)}};
    return tpp_tile_try(d, key, &tpp_op_layernorm, &tried,
                        &(const tpp_check_how){.halves = halves});
}

/* ---- group norm ---- */

/* How a call is shared out. */
typedef struct sharing {
    int batches, tokens, channels, groups, wide;
    int local, blocks, each; /* blocks 0: one launch */
} sharing;

static sharing sharing_of(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_groupnorm_attr *a = c->attr;
    const int64_t *d = c->in[X].shape.d;
    sharing z = {.batches = tpp_int(d[0]),
                 .tokens = tpp_int(d[1]),
                 .channels = tpp_int(d[2]),
                 .groups = a->groups,
                 .wide = tpp_int(d[2] / a->groups),
                 .local = group_of(caps, GROUP)};
    if ((int64_t)z.tokens * z.wide <= ALONE) return z;
    const int64_t least = ceil_div(z.tokens, MOST_BLOCKS);
    z.each = least > BLOCK_TOKENS ? (int)least : BLOCK_TOKENS;
    z.blocks = (int)ceil_div(z.tokens, z.each);
    return z;
}

bool tpp_groupnorm_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    if (tpp_shape_count(&c->in[X].shape) == 0) return false;
    const sharing z = sharing_of(c, caps);
    return tpp_tile_runs_on(caps) && z.groups <= MOST_GROUPS &&
           (size_t)z.batches * (size_t)z.groups <= caps->max_groups &&
           (size_t)z.groups * 2 * sizeof(float) <= caps->local_mem &&
           (size_t)z.local * sizeof(float) <= caps->local_mem;
}

size_t tpp_groupnorm_tile_scratch(const tpp_call *c, const tpp_caps *caps)
{
    const sharing z = sharing_of(c, caps);
    return (size_t)z.batches * (size_t)z.groups * (size_t)z.blocks * 2 * sizeof(float);
}

static tpp_status record_blocks(tpp_steps *s, const tpp_call *c, const sharing *z,
                                const char *options)
{
    const size_t local = (size_t)z->local;
    const tpp_groupnorm_attr *a = c->attr;
    const tpp_arg x = TPP_ARG(c->in[X].mem), partial = TPP_ARG(c->scratch.mem);
    const tpp_arg groups = TPP_ARG(z->groups), tokens = TPP_ARG(z->tokens),
                  channels = TPP_ARG(z->channels), wide = TPP_ARG(z->wide), each = TPP_ARG(z->each);
    const tpp_grid blocks = {
        .global = {(size_t)z->blocks * local, (size_t)z->batches * (size_t)z->groups},
        .local = {local}};
    const tpp_grid pieces = {
        .global = {(size_t)ceil_div(z->tokens, APPLY_TOKENS) * local, (size_t)z->batches},
        .local = {local}};
    TPP_TRY(tpp_record(s, "norm_tile", "groupnorm_blocks_tile", options, blocks,
                       TPP_ARGS(partial, x, groups, tokens, channels, wide, each)));
    return tpp_record(s, "norm_tile", "groupnorm_apply_tile", options, pieces,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), x, TPP_ARG(c->in[GAMMA].mem),
                               TPP_ARG(c->in[BETA].mem), partial, TPP_ARG(a->eps), TPP_ARG(a->act),
                               groups, tokens, channels, wide, each, TPP_ARG((int)APPLY_TOKENS)));
}

tpp_status tpp_groupnorm_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[160], more[96];
    const tpp_groupnorm_attr *a = c->attr;
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const sharing z = sharing_of(c, caps);
    more_options(c, caps, more, sizeof(more));
    (void)snprintf(options, sizeof(options), "-DLOCAL=%d -DALIGNED=%d -DGROUPS=%d%s", z.local,
                   z.wide % 4 == 0, z.blocks > 0 ? z.groups : 1, more);
    if (z.blocks > 0) return record_blocks(s, c, &z, options);
    const tpp_grid grid = {.global = {(size_t)z.groups * (size_t)z.local, (size_t)z.batches},
                           .local = {(size_t)z.local}};
    return tpp_record(s, "norm_tile", "groupnorm_tile", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[X].mem),
                               TPP_ARG(c->in[GAMMA].mem), TPP_ARG(c->in[BETA].mem), TPP_ARG(a->eps),
                               TPP_ARG(a->act), TPP_ARG(z.tokens), TPP_ARG(z.channels),
                               TPP_ARG(z.wide)));
}

/* A few channels in as many launches. */
bool tpp_groupnorm_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[64];
    tpp_tile_try_sub_groups(d);
    const sharing z = sharing_of(c, tpp_device_caps(d));
    const unsigned halves = halves_of(c);
    const int wide = z.wide % 4 == 0 ? 8 : 3, groups = 2;
    const int64_t tokens = z.blocks > 0 ? ALONE / wide + 5 : 70, channels = (int64_t)groups * wide;
    (void)snprintf(key, sizeof(key), "tile groupnorm %d/%d/%d %x", z.local, z.blocks > 0, wide,
                   halves);
    const tpp_groupnorm_attr attr = {.eps = 1e-5f, .groups = groups, .act = TPP_ACT_RELU};
    const tpp_case tried = {
        .name = "first_use",
        .attr = &attr,
        .in = {TPP_SHAPE(1, tokens, channels), TPP_SHAPE(channels), TPP_SHAPE(channels)}};
    return tpp_tile_try(d, key, &tpp_op_groupnorm, &tried,
                        &(const tpp_check_how){.halves = halves});
}
