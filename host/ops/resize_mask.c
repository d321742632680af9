/* Mask logits to a mask of the original size.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"

/* bilinear.clh counts in int: (2 out + 1) in < 2^31. */
static bool fits(int in, int out)
{
    return in >= 1 && out >= 1 && (2 * (int64_t)out + 1) * in <= INT32_MAX;
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_resize_mask_attr *a = attr;
    if (!fits(a->height, a->out_height) || !fits(a->width, a->out_width))
        return TPP_FAIL(TPP_ESHAPE, "resize_mask: from %d x %d to %d x %d", a->height, a->width,
                        a->out_height, a->out_width);
    TPP_TRY(tpp_want_shape("resize_mask", "x", &in[0],
                           TPP_SHAPE(-1, (int64_t)a->height * a->width, 1)));
    out[0] = TPP_SHAPE(in[0].d[0] * (int64_t)a->out_height * a->out_width);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_resize_mask_attr *a = c->attr;
    const int maps = tpp_int(c->in[0].shape.d[0]);
    return tpp_record_2d(s, "resize_mask", "resize_mask_plain", "",
                         (const int64_t[2]){a->out_width, (int64_t)maps * a->out_height},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(a->threshold), TPP_ARG(a->height), TPP_ARG(a->width),
                                  TPP_ARG(a->out_height), TPP_ARG(a->out_width), TPP_ARG(maps)));
}

static const tpp_algorithm algorithms[] = {
    TPP_RESIZE_MASK_TILE_ROW,
    {.name = "plain", .record = record},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    const double pixels = (double)tpp_shape_count(&out[0]);
    return (tpp_cost){.flops = 20.0 * pixels,
                      .bytes = pixels + 4.0 * (double)tpp_shape_count(&in[0])};
}

#define ATTR(...)                 \
    &(const tpp_resize_mask_attr) \
    {                             \
        __VA_ARGS__               \
    }
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "tiny", .attr = ATTR(2, 3, 4, 5, 0.0f), .in = {S(1, 6, 1)}},
    {.name = "one_pixel", .attr = ATTR(1, 1, 4, 5, 0.0f), .in = {S(1, 1, 1)}},
    {.name = "four_times", .attr = ATTR(16, 24, 64, 96, 0.0f), .in = {S(1, 384, 1)}},
    {.name = "odd", .attr = ATTR(19, 31, 75, 118, 0.25f), .in = {S(1, 589, 1)}},
    {.name = "3_maps", .attr = ATTR(5, 7, 19, 27, 0.125f), .in = {S(3, 35, 1)}},
    {.name = "down", .attr = ATTR(90, 67, 31, 33, -0.5f), .in = {S(1, 6030, 1)}},
    {.name = NULL},
};

const tpp_op tpp_op_resize_mask = {
    .name = "resize_mask",
    .attr_size = sizeof(tpp_resize_mask_attr),
    .out_types = {TPP_U8},
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_resize_mask,
    .cost = cost,
    .cases = cases,
};
