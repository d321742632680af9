/* activate, activate_backward: an activation function by element.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

static tpp_status infer_forward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_activate_attr *a = attr;
    TPP_TRY(tpp_want_present("activate", "x", &in[0]));
    if (a->act < 0 || a->act >= TPP_ACT_COUNT)
        return TPP_FAIL(TPP_EUNSUPPORTED, "activate: no activation has number %d", a->act);
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status infer_backward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_activate_attr *a = attr;
    TPP_TRY(tpp_want_present("activate_backward", "x", &in[1]));
    TPP_TRY(tpp_want_shape("activate_backward", "dy", &in[0], in[1]));
    if (a->act < 0 || a->act >= TPP_ACT_COUNT || a->act == TPP_ACT_INVERSE_SIGMOID ||
        a->act == TPP_ACT_BINARY)
        return TPP_FAIL(TPP_EUNSUPPORTED, "activate_backward: activation %d has no gradient",
                        a->act);
    out[0] = in[1];
    return TPP_OK;
}

static tpp_status record_forward(tpp_steps *s, const tpp_call *c)
{
    const tpp_activate_attr *a = c->attr;
    const int n = tpp_int(tpp_shape_count(&c->out[0].shape));
    return tpp_record_1d(
        s, "activate", "activate_forward_plain", "", n,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->act), TPP_ARG(n)));
}

static tpp_status record_backward(tpp_steps *s, const tpp_call *c)
{
    const tpp_activate_attr *a = c->attr;
    const int n = tpp_int(tpp_shape_count(&c->out[0].shape));
    return tpp_record_1d(s, "activate", "activate_backward_plain", "", n,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(a->act), TPP_ARG(n)));
}

/* A transcendental function counts as ten operations. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_activate_attr *a = attr;
    const bool cheap = a->act <= TPP_ACT_RELU || a->act == TPP_ACT_BINARY;
    return tpp_cost_pointwise(cheap ? 1 : 10, in, out);
}

static const tpp_activate_attr none = {TPP_ACT_NONE}, relu = {TPP_ACT_RELU}, gelu = {TPP_ACT_GELU},
                               tanh_ = {TPP_ACT_TANH}, sigmoid = {TPP_ACT_SIGMOID},
                               inverse = {TPP_ACT_INVERSE_SIGMOID}, binary = {TPP_ACT_BINARY};
#define S TPP_DIMS
enum { LARGE = TPP_FILL_LARGE, UNIT = TPP_FILL_UNIT };

static const tpp_case forward_cases[] = {
    {.name = "relu_5", .attr = &relu, .in = {S(5)}},
    {.name = "none_1", .attr = &none, .in = {S(1)}},
    {.name = "relu_1x63x31", .attr = &relu, .in = {S(1, 63, 31)}, .fill = {LARGE}},
    {.name = "gelu_33x65", .attr = &gelu, .in = {S(33, 65)}, .fill = {LARGE}},
    {.name = "tanh_2x7x64", .attr = &tanh_, .in = {S(2, 7, 64)}, .fill = {LARGE}},
    {.name = "sigmoid_127", .attr = &sigmoid, .in = {S(127)}, .fill = {LARGE}},
    {.name = "sigmoid_8209", .attr = &sigmoid, .in = {S(8209)}},
    {.name = "inverse_sigmoid_32x4", .attr = &inverse, .in = {S(32, 4)}, .fill = {UNIT}},
    {.name = "inverse_sigmoid_clamps_67", .attr = &inverse, .in = {S(67)}, .fill = {LARGE}},
    {.name = "binary_2x3x5x7", .attr = &binary, .in = {S(2, 3, 5, 7)}},
    {.name = NULL},
};

static const tpp_case backward_cases[] = {
    {.name = "relu_5", .attr = &relu, .in = {S(5), S(5)}},
    {.name = "none_1", .attr = &none, .in = {S(1), S(1)}},
    {.name = "relu_63x31", .attr = &relu, .in = {S(63, 31), S(63, 31)}, .fill = {0, LARGE}},
    {.name = "gelu_33x65", .attr = &gelu, .in = {S(33, 65), S(33, 65)}, .fill = {0, LARGE}},
    {.name = "tanh_2x64", .attr = &tanh_, .in = {S(2, 64), S(2, 64)}, .fill = {0, LARGE}},
    {.name = "sigmoid_127", .attr = &sigmoid, .in = {S(127), S(127)}, .fill = {0, LARGE}},
    {.name = NULL},
};

static const tpp_algorithm forward_algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_activate_vector_record),
    {.name = "plain", .record = record_forward},
    {.name = NULL},
};
static const tpp_algorithm backward_algorithms[] = {
    {.name = "plain", .record = record_backward},
    {.name = NULL},
};

const tpp_op tpp_op_activate = {
    .name = "activate",
    .attr_size = sizeof(tpp_activate_attr),
    .infer = infer_forward,
    .algorithms = forward_algorithms,
    .ref = tpp_ref_activate,
    .cost = cost,
    .cases = forward_cases,
};

const tpp_op tpp_op_activate_backward = {
    .name = "activate_backward",
    .attr_size = sizeof(tpp_activate_attr),
    .infer = infer_backward,
    .algorithms = backward_algorithms,
    .ref = tpp_ref_activate_backward,
    .cost = cost,
    .cases = backward_cases,
};
