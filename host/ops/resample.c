/* resample: a map in another size, nearest or bilinear, plus an addend.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

#include <limits.h>

/* bilinear.clh multiplies (2 out + 1) by in. */
static bool fits(int64_t in, int64_t out)
{
    return in >= 1 && out >= 1 && in <= INT_MAX / 3 && out <= INT_MAX / 3 &&
           (2 * out + 1) * in <= INT_MAX;
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_resample_attr *a = attr;
    if (a->mode != TPP_RESAMPLE_NEAREST && a->mode != TPP_RESAMPLE_BILINEAR)
        return TPP_FAIL(TPP_EUNSUPPORTED, "resample: no mode has number %d", a->mode);
    if (!fits(a->height, a->out_height) || !fits(a->width, a->out_width))
        return TPP_FAIL(TPP_EUNSUPPORTED, "resample: from %d x %d to %d x %d", a->height, a->width,
                        a->out_height, a->out_width);
    TPP_TRY(
        tpp_want_shape("resample", "x", &in[0], TPP_SHAPE(-1, (int64_t)a->height * a->width, -1)));
    const tpp_shape y = TPP_SHAPE(in[0].d[0], (int64_t)a->out_height * a->out_width, in[0].d[2]);
    if (in[1].rank > 0) TPP_TRY(tpp_want_shape("resample", "add", &in[1], y));
    out[0] = y;
    return TPP_OK;
}

static tpp_status record_nearest(tpp_steps *s, const tpp_call *c)
{
    const tpp_resample_attr *a = c->attr;
    const int tokens = tpp_int(tpp_shape_rows(&c->out[0].shape));
    const int channels = tpp_int(c->out[0].shape.d[2]);
    const float ratio_y = (float)((double)a->height / a->out_height);
    const float ratio_x = (float)((double)a->width / a->out_width);
    return tpp_record_2d(s, "resample", "resample_nearest_plain", "",
                         (const int64_t[2]){channels, tokens},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(a->height), TPP_ARG(a->width),
                                  TPP_ARG(a->out_height), TPP_ARG(a->out_width), TPP_ARG(ratio_y),
                                  TPP_ARG(ratio_x), TPP_ARG(tokens), TPP_ARG(channels)));
}

static tpp_status record_bilinear(tpp_steps *s, const tpp_call *c)
{
    const tpp_resample_attr *a = c->attr;
    const int tokens = tpp_int(tpp_shape_rows(&c->out[0].shape));
    const int channels = tpp_int(c->out[0].shape.d[2]);
    return tpp_record_2d(
        s, "resample", "resample_bilinear_plain", "", (const int64_t[2]){channels, tokens},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                 TPP_ARG(a->height), TPP_ARG(a->width), TPP_ARG(a->out_height),
                 TPP_ARG(a->out_width), TPP_ARG(tokens), TPP_ARG(channels)));
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_resample_attr *a = c->attr;
    return a->mode == TPP_RESAMPLE_NEAREST ? record_nearest(s, c) : record_bilinear(s, c);
}

/* Four weighted values in bilinear mode; the addend is one operation more. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_resample_attr *a = attr;
    const double flops = (a->mode == TPP_RESAMPLE_NEAREST ? 0 : 9) + (in[1].rank > 0 ? 1 : 0);
    return tpp_cost_pointwise(flops, in, out);
}

#define ATTR(m, h, w, oh, ow)                                                      \
    .attr = &(const tpp_resample_attr)                                             \
    {                                                                              \
        .mode = TPP_RESAMPLE_##m, .height = (h), .width = (w), .out_height = (oh), \
        .out_width = (ow)                                                          \
    }
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "bilinear_2x3_to_4x5", ATTR(BILINEAR, 2, 3, 4, 5), .in = {S(1, 6, 2), S(1, 20, 2)}},
    {.name = "nearest_2x3_to_4x5", ATTR(NEAREST, 2, 3, 4, 5), .in = {S(1, 6, 2), S(1, 20, 2)}},
    {.name = "bilinear_1x1_to_7x3", ATTR(BILINEAR, 1, 1, 7, 3), .in = {S(1, 1, 1)}},
    {.name = "nearest_7x3_to_1x1", ATTR(NEAREST, 7, 3, 1, 1), .in = {S(1, 21, 1)}},
    {.name = "bilinear_11x20_to_31x67", ATTR(BILINEAR, 11, 20, 31, 67), .in = {S(2, 220, 33)}},
    {.name = "bilinear_down_33x65_to_13x17", ATTR(BILINEAR, 33, 65, 13, 17), .in = {S(1, 2145, 7)}},
    {.name = "bilinear_same_size", ATTR(BILINEAR, 9, 5, 9, 5), .in = {S(1, 45, 31), S(1, 45, 31)}},
    {.name = "nearest_12x20_to_23x40",
     ATTR(NEAREST, 12, 20, 23, 40),
     .in = {S(2, 240, 64), S(2, 920, 64)}},
    {.name = "nearest_7x5_to_13x11",
     ATTR(NEAREST, 7, 5, 13, 11),
     .in = {S(2, 35, 37), S(2, 143, 37)}},
    {.name = "bilinear_11x20_to_23x40",
     ATTR(BILINEAR, 11, 20, 23, 40),
     .in = {S(2, 220, 72), S(2, 920, 72)}},
    {.name = "nearest_down_45x80_to_11x20", ATTR(NEAREST, 45, 80, 11, 20), .in = {S(1, 3600, 5)}},
    {.name = "nearest_wide_1x1000_to_1x997", ATTR(NEAREST, 1, 1000, 1, 997), .in = {S(1, 1000, 1)}},
    {.name = "bilinear_wide_1x997_to_1x1000",
     ATTR(BILINEAR, 1, 997, 1, 1000),
     .in = {S(1, 997, 1)}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_resample_vector_record),
    TPP_RESAMPLE_TILE_ROW,
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_resample = {
    .name = "resample",
    .attr_size = sizeof(tpp_resample_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_resample,
    .cost = cost,
    .cases = cases,
};
