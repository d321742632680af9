/* The `tile` algorithm of the dynamic mask head.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"
#include "ops/tile.h"

#include <stdio.h>

enum { THETA, FEATURES, BOX }; /* operands */
/* Work-items of a group, the pixels of each, and channels that pass through local memory at once;
 * the last two as mask_head_tile.cl has them. */
enum { LOCAL = 64, PER = 2, CHUNK = 16 };

static bool is_aligned(const tpp_call *c)
{
    return c->in[FEATURES].shape.d[2] % 4 == 0;
}

static void options_of(const tpp_call *c, char *text, size_t size)
{
    const tpp_mask_head_attr *a = c->attr;
    (void)snprintf(text, size, "-DLOCAL=%d -DD=%d -DALIGNED=%d%s", LOCAL, a->channels,
                   is_aligned(c), c->in[FEATURES].type == TPP_F16 ? " -DX_HALF=1" : "");
}

bool tpp_mask_head_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_mask_head_attr *a = c->attr;
    const size_t floats = (size_t)CHUNK * (size_t)(PER * LOCAL + 2 + a->channels);
    return tpp_tile_runs_on(caps) && LOCAL <= caps->max_group &&
           floats * sizeof(float) <= caps->local_mem &&
           (size_t)tpp_shape_rows(&c->in[THETA].shape) <= caps->max_groups &&
           tpp_shape_count(&c->out[0].shape) > 0;
}

tpp_status tpp_mask_head_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_mask_head_attr *a = c->attr;
    const tpp_shape *theta = &c->in[THETA].shape;
    const size_t blocks = tpp_round_up((size_t)a->height * (size_t)a->width, (size_t)PER * LOCAL);
    const tpp_grid grid = {.global = {blocks / PER, (size_t)tpp_shape_rows(theta)},
                           .local = {LOCAL}};
    options_of(c, options, sizeof(options));
    return tpp_record(
        s, "mask_head_tile", "mask_head_tile", options, grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[THETA].mem), TPP_ARG(c->in[FEATURES].mem),
                 TPP_ARG(c->in[BOX].mem), TPP_ARG(a->height), TPP_ARG(a->width),
                 TPP_ARG(a->image_height), TPP_ARG(a->image_width), TPP_ARG(a->rel_coord),
                 TPP_ARG(a->coord_scale), TPP_ARG(tpp_int(theta->d[1])),
                 TPP_ARG(tpp_int(c->in[FEATURES].shape.d[2])), TPP_ARG(tpp_int(theta->d[2]))));
}

/* Two queries, and a few more channels and pixels than a group takes at once. */
bool tpp_mask_head_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[96], options[64];
    const tpp_mask_head_attr *a = c->attr;
    const int64_t n = a->channels, channels = is_aligned(c) ? 20 : 19;
    options_of(c, options, sizeof(options));
    (void)snprintf(key, sizeof(key), "tile mask_head %s", options);
    const tpp_mask_head_attr attr = {.height = 11,
                                     .width = 13,
                                     .image_height = 44,
                                     .image_width = 52,
                                     .channels = a->channels,
                                     .rel_coord = 1,
                                     .coord_scale = 0.125f};
    const tpp_case tried = {.name = "first_use",
                            .attr = &attr,
                            .in = {TPP_SHAPE(1, 2, n * (channels + 2) + n * n + 3 * n + 1),
                                   TPP_SHAPE(1, (int64_t)11 * 13, channels), TPP_SHAPE(1, 2, 4)},
                            .fill = {TPP_FILL_UNIFORM, TPP_FILL_UNIFORM, TPP_FILL_UNIT}};
    const unsigned halves = c->in[FEATURES].type == TPP_F16 ? 1u << FEATURES : 0u;
    return tpp_tile_try(d, key, &tpp_op_mask_head, &tried,
                        &(const tpp_check_how){.halves = halves});
}
