/* layernorm, layernorm_backward: normalisation over the last axis.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

static tpp_status infer_forward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("layernorm", "x", &in[0]));
    const int64_t cols = tpp_shape_cols(&in[0]);
    TPP_TRY(tpp_want_shape("layernorm", "gamma", &in[1], TPP_SHAPE(cols)));
    TPP_TRY(tpp_want_shape("layernorm", "beta", &in[2], TPP_SHAPE(cols)));
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status infer_backward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("layernorm_backward", "x", &in[1]));
    const int64_t cols = tpp_shape_cols(&in[1]);
    TPP_TRY(tpp_want_shape("layernorm_backward", "dy", &in[0], in[1]));
    TPP_TRY(tpp_want_shape("layernorm_backward", "gamma", &in[2], TPP_SHAPE(cols)));
    out[0] = in[1];
    out[1] = out[2] = in[2];
    return TPP_OK;
}

static tpp_status record_forward(tpp_steps *s, const tpp_call *c)
{
    const tpp_layernorm_attr *a = c->attr;
    const int rows = tpp_int(tpp_shape_rows(&c->in[0].shape));
    const int cols = tpp_int(tpp_shape_cols(&c->in[0].shape));
    return tpp_record_1d(s, "layernorm", "layernorm_forward_plain", "", rows,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem), TPP_ARG(a->eps),
                                  TPP_ARG(rows), TPP_ARG(cols)));
}

/* Mean and 1 / deviation of each row. */
static size_t scratch_backward(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    return (size_t)tpp_shape_rows(&c->in[1].shape) * 2 * sizeof(float);
}

static tpp_status record_backward(tpp_steps *s, const tpp_call *c)
{
    const tpp_layernorm_attr *a = c->attr;
    const int rows = tpp_int(tpp_shape_rows(&c->in[1].shape));
    const int cols = tpp_int(tpp_shape_cols(&c->in[1].shape));
    const tpp_arg dy = TPP_ARG(c->in[0].mem), x = TPP_ARG(c->in[1].mem),
                  statistics = TPP_ARG(c->scratch.mem);
    TPP_TRY(tpp_record_1d(s, "layernorm", "layernorm_backward_plain", "", rows,
                          TPP_ARGS(TPP_ARG(c->out[0].mem), statistics, dy, x, TPP_ARG(c->in[2].mem),
                                   TPP_ARG(a->eps), TPP_ARG(rows), TPP_ARG(cols))));
    return tpp_record_1d(s, "layernorm", "layernorm_backward_parameters_plain", "", cols,
                         TPP_ARGS(TPP_ARG(c->out[1].mem), TPP_ARG(c->out[2].mem), dy, x, statistics,
                                  TPP_ARG(rows), TPP_ARG(cols)));
}

/* An element: one addition for the mean, three operations for the variance, four to normalise. */
static tpp_cost cost_forward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(8, in, out);
}

/* The statistics again (4), g and its two sums (6), dx (6), dgamma and dbeta (5). */
static tpp_cost cost_backward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(21, in, out);
}

static const tpp_layernorm_attr usual = {.eps = 1e-5f}, small = {.eps = 1e-12f};
#define S TPP_DIMS
enum { LARGE = TPP_FILL_LARGE, POSITIVE = TPP_FILL_POSITIVE };

static const tpp_case forward_cases[] = {
    {.name = "2x5", .attr = &usual, .in = {S(2, 5), S(5), S(5)}},
    {.name = "one_column", .attr = &usual, .in = {S(3, 1), S(1), S(1)}},
    {.name = "one_row_257", .attr = &usual, .in = {S(257), S(257), S(257)}},
    {.name = "2x33x31", .attr = &usual, .in = {S(2, 33, 31), S(31), S(31)}, .fill = {LARGE}},
    {.name = "65x64", .attr = &small, .in = {S(65, 64), S(64), S(64)}},
    {.name = "1x63x768", .attr = &small, .in = {S(1, 63, 768), S(768), S(768)}},
    {.name = "mean_far_from_0",
     .attr = &usual,
     .in = {S(7, 256), S(256), S(256)},
     .fill = {POSITIVE, POSITIVE}},
    {.name = NULL},
};

static const tpp_case backward_cases[] = {
    {.name = "2x5", .attr = &usual, .in = {S(2, 5), S(2, 5), S(5)}},
    {.name = "one_row_257", .attr = &usual, .in = {S(257), S(257), S(257)}},
    {.name = "2x33x31",
     .attr = &usual,
     .in = {S(2, 33, 31), S(2, 33, 31), S(31)},
     .fill = {0, LARGE}},
    {.name = "65x64",
     .attr = &small,
     .in = {S(65, 64), S(65, 64), S(64)},
     .fill = {0, 0, POSITIVE}},
    {.name = "1x127x256", .attr = &usual, .in = {S(1, 127, 256), S(1, 127, 256), S(256)}},
    {.name = "509x3", .attr = &usual, .in = {S(509, 3), S(509, 3), S(3)}},
    {.name = NULL},
};

static const tpp_algorithm forward_algorithms[] = {
    TPP_LAYERNORM_VECTOR_ROW,
    TPP_LAYERNORM_TILE_ROW,
    {.name = "plain", .record = record_forward},
    {.name = NULL},
};
static const tpp_algorithm backward_algorithms[] = {
    {.name = "plain", .scratch = scratch_backward, .record = record_backward},
    {.name = NULL},
};

const tpp_op tpp_op_layernorm = {
    .name = "layernorm",
    .attr_size = sizeof(tpp_layernorm_attr),
    .infer = infer_forward,
    .algorithms = forward_algorithms,
    .ref = tpp_ref_layernorm,
    .cost = cost_forward,
    .cases = forward_cases,
};

const tpp_op tpp_op_layernorm_backward = {
    .name = "layernorm_backward",
    .attr_size = sizeof(tpp_layernorm_attr),
    .infer = infer_backward,
    .algorithms = backward_algorithms,
    .ref = tpp_ref_layernorm_backward,
    .cost = cost_backward,
    .cases = backward_cases,
};
