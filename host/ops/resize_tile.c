/* The `tile` algorithms of resample and resize_mask.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"

#include <stdio.h>

enum { X, ADD }; /* operands */
enum { MASK_WIDE = 4 };

static bool is_half(const tpp_operand *x)
{
    return x->shape.rank > 0 && x->type == TPP_F16;
}

static bool whole_fours(int64_t n)
{
    return n % 4 == 0;
}

/* ---- resample ---- */

bool tpp_resample_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const bool agree = c->in[ADD].shape.rank == 0 || c->in[ADD].type == c->out[0].type;
    return tpp_tile_runs_on(caps) && agree && tpp_shape_count(&c->out[0].shape) > 0;
}

static void resample_options(const tpp_call *c, char *text, size_t size)
{
    const tpp_resample_attr *a = c->attr;
    (void)snprintf(text, size, "-DALIGNED=%d -DNEAREST=%d%s%s", whole_fours(c->out[0].shape.d[2]),
                   a->mode == TPP_RESAMPLE_NEAREST, is_half(&c->in[X]) ? " -DX_HALF=1" : "",
                   is_half(&c->out[0]) ? " -DY_HALF=1" : "");
}

tpp_status tpp_resample_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_resample_attr *a = c->attr;
    const int tokens = tpp_int(tpp_shape_rows(&c->out[0].shape));
    const int channels = tpp_int(c->out[0].shape.d[2]);
    const float ratio_y = (float)((double)a->height / a->out_height);
    const float ratio_x = (float)((double)a->width / a->out_width);
    const int wide = whole_fours(channels) ? 4 : 1;
    resample_options(c, options, sizeof(options));
    return tpp_record_1d(s, "resize_tile", "resample_tile", options,
                         (int64_t)tokens * (channels / wide),
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[X].mem),
                                  TPP_ARG(c->in[ADD].mem), TPP_ARG(a->height), TPP_ARG(a->width),
                                  TPP_ARG(a->out_height), TPP_ARG(a->out_width), TPP_ARG(ratio_y),
                                  TPP_ARG(ratio_x), TPP_ARG(tokens), TPP_ARG(channels)));
}

bool tpp_resample_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[96], options[64];
    const tpp_resample_attr *a = c->attr;
    const int64_t channels = whole_fours(c->out[0].shape.d[2]) ? 12 : 5;
    const unsigned halves = (is_half(&c->in[X]) ? 1u << X : 0u) |
                            (is_half(&c->out[0]) ? 1u << ADD | (unsigned)TPP_HALF_OUT : 0u);
    resample_options(c, options, sizeof(options));
    (void)snprintf(key, sizeof(key), "tile resample %s", options);
    const tpp_resample_attr attr = {
        .mode = a->mode, .height = 5, .width = 7, .out_height = 11, .out_width = 13};
    const tpp_case tried = {.name = "first_use",
                            .attr = &attr,
                            .in = {TPP_SHAPE(2, 35, channels), TPP_SHAPE(2, 143, channels)}};
    return tpp_tile_try(d, key, &tpp_op_resample, &tried, &(const tpp_check_how){.halves = halves});
}

/* ---- resize_mask ---- */

bool tpp_resize_mask_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    return tpp_tile_runs_on(caps) && tpp_shape_count(&c->out[0].shape) > 0;
}

static void mask_options(const tpp_call *c, char *text, size_t size)
{
    const tpp_resize_mask_attr *a = c->attr;
    (void)snprintf(text, size, "-DMASK_WIDE=%d%s", whole_fours(a->out_width) ? MASK_WIDE : 1,
                   is_half(&c->in[X]) ? " -DX_HALF=1" : "");
}

tpp_status tpp_resize_mask_tile_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_resize_mask_attr *a = c->attr;
    const int maps = tpp_int(c->in[X].shape.d[0]);
    const int wide = whole_fours(a->out_width) ? MASK_WIDE : 1;
    mask_options(c, options, sizeof(options));
    return tpp_record_1d(s, "resize_tile", "resize_mask_tile", options,
                         (int64_t)maps * a->out_height * (a->out_width / wide),
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[X].mem),
                                  TPP_ARG(a->threshold), TPP_ARG(a->height), TPP_ARG(a->width),
                                  TPP_ARG(a->out_height), TPP_ARG(a->out_width), TPP_ARG(maps)));
}

bool tpp_resize_mask_tile_usable(tpp_device *d, const tpp_call *c)
{
    char key[96], options[64];
    const tpp_resize_mask_attr *a = c->attr;
    mask_options(c, options, sizeof(options));
    (void)snprintf(key, sizeof(key), "tile resize_mask %s", options);
    const tpp_resize_mask_attr attr = {.height = 5,
                                       .width = 7,
                                       .out_height = 19,
                                       .out_width = whole_fours(a->out_width) ? 28 : 27,
                                       .threshold = 0.125f};
    const tpp_case tried = {
        .name = "first_use", .attr = &attr, .in = {TPP_SHAPE(2, (int64_t)5 * 7, 1)}};
    return tpp_tile_try(d, key, &tpp_op_resize_mask, &tried,
                        &(const tpp_check_how){.halves = is_half(&c->in[X]) ? 1u << X : 0u});
}
