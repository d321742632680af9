/* Dynamic mask head: mask logits of every query.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

#include <stdio.h>

enum { THETA, FEATURES, BOX };
enum { MAX_CHANNELS = 32 }; /* a work-item holds them in registers */

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_mask_head_attr *a = attr;
    const int64_t d = a->channels, n = (int64_t)a->height * a->width;
    if (d < 1 || d > MAX_CHANNELS)
        return TPP_FAIL(TPP_ESHAPE, "mask_head: %d dynamic channels, 1 to %d are wanted",
                        a->channels, MAX_CHANNELS);
    TPP_TRY(tpp_want_shape("mask_head", "features", &in[FEATURES], TPP_SHAPE(-1, n, -1)));
    const int64_t b = in[FEATURES].d[0];
    const int64_t inputs = in[FEATURES].d[2] + (a->rel_coord ? 2 : 0);
    const int64_t thetas = d * inputs + d * d + 3 * d + 1;
    TPP_TRY(tpp_want_shape("mask_head", "theta", &in[THETA], TPP_SHAPE(b, -1, thetas)));
    const int64_t queries = in[THETA].d[1];
    TPP_TRY(tpp_want_shape("mask_head", "box", &in[BOX], TPP_SHAPE(b, queries, 4)));
    out[0] = TPP_SHAPE(b, queries, n);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_mask_head_attr *a = c->attr;
    const int each = tpp_int(c->in[THETA].shape.d[1]), thetas = tpp_int(c->in[THETA].shape.d[2]);
    const int queries = tpp_int(tpp_shape_rows(&c->in[THETA].shape)); /* of all batches */
    const int channels = tpp_int(c->in[FEATURES].shape.d[2]);
    char options[32];
    (void)snprintf(options, sizeof(options), "-DD=%d", a->channels);
    return tpp_record_2d(s, "mask_head", "mask_head_plain", options,
                         (const int64_t[2]){(int64_t)a->height * a->width, queries},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[THETA].mem),
                                  TPP_ARG(c->in[FEATURES].mem), TPP_ARG(c->in[BOX].mem),
                                  TPP_ARG(a->height), TPP_ARG(a->width), TPP_ARG(a->image_height),
                                  TPP_ARG(a->image_width), TPP_ARG(a->rel_coord),
                                  TPP_ARG(a->coord_scale), TPP_ARG(queries), TPP_ARG(each),
                                  TPP_ARG(channels), TPP_ARG(thetas)));
}

static const tpp_algorithm algorithms[] = {
    TPP_MASK_HEAD_VECTOR_ROW,
    TPP_MASK_HEAD_TILE_ROW,
    {.name = "plain", .record = record},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(2.0 * (double)in[THETA].d[2], in, out);
}

#define ATTR(...)               \
    &(const tpp_mask_head_attr) \
    {                           \
        __VA_ARGS__             \
    }
#define S TPP_DIMS
enum { ANY = TPP_FILL_UNIFORM, UNIT = TPP_FILL_UNIT };

static const tpp_case cases[] = {
    {.name = "tiny",
     .attr = ATTR(2, 3, 8, 12, 2, 1, 1.0f),
     .in = {S(1, 1, 23), S(1, 6, 4), S(1, 1, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "no_coordinates",
     .attr = ATTR(5, 7, 19, 27, 4, 0, 1.0f),
     .in = {S(1, 2, 61), S(1, 35, 8), S(1, 2, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "scaled_coordinates",
     .attr = ATTR(9, 13, 33, 51, 8, 1, 0.125f),
     .in = {S(1, 3, 361), S(1, 117, 32), S(1, 3, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "fewer_pixels_than_channels",
     .attr = ATTR(1, 5, 4, 20, 8, 0, 1.0f),
     .in = {S(1, 2, 8 * 16 + 64 + 25), S(1, 5, 16), S(1, 2, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "3_batches",
     .attr = ATTR(9, 13, 33, 51, 8, 1, 1.0f),
     .in = {S(3, 2, 8 * 34 + 64 + 25), S(3, 117, 32), S(3, 2, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "24_inputs",
     .attr = ATTR(7, 19, 28, 76, 8, 1, 1.0f),
     .in = {S(1, 1, 8 * 26 + 64 + 25), S(1, 133, 24), S(1, 1, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "odd_channels",
     .attr = ATTR(5, 7, 19, 27, 3, 1, 1.0f),
     .in = {S(2, 2, 3 * 21 + 9 + 9 + 1), S(2, 35, 19), S(2, 2, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = "model",
     .attr = ATTR(24, 34, 96, 136, 8, 1, 1.0f),
     .in = {S(1, 5, 2153), S(1, 816, 256), S(1, 5, 4)},
     .fill = {ANY, ANY, UNIT}},
    {.name = NULL},
};

const tpp_op tpp_op_mask_head = {
    .name = "mask_head",
    .attr_size = sizeof(tpp_mask_head_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_mask_head,
    .cost = cost,
    .cases = cases,
};
