/* argmax, topk: places of the largest elements.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

static tpp_status infer_argmax(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("argmax", "x", &in[0]));
    out[0] = TPP_SHAPE(tpp_shape_rows(&in[0]));
    return TPP_OK;
}

static tpp_status infer_topk(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_topk_attr *a = attr;
    TPP_TRY(tpp_want_present("topk", "x", &in[0]));
    if (a->k < 1 || a->k > tpp_shape_count(&in[0]))
        return TPP_FAIL(TPP_ESHAPE, "topk: the %d largest of %s", a->k, tpp_shape_text(&in[0]));
    out[0] = TPP_SHAPE(a->k);
    return TPP_OK;
}

static tpp_status record_argmax(tpp_steps *s, const tpp_call *c)
{
    const int rows = tpp_int(tpp_shape_rows(&c->in[0].shape));
    const int cols = tpp_int(tpp_shape_cols(&c->in[0].shape));
    return tpp_record_1d(
        s, "topk", "argmax_plain", "", rows,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(rows), TPP_ARG(cols)));
}

static tpp_status record_topk(tpp_steps *s, const tpp_call *c)
{
    const tpp_topk_attr *a = c->attr;
    const int n = tpp_int(tpp_shape_count(&c->in[0].shape));
    return tpp_record_1d(
        s, "topk", "topk_plain", "", n,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->k), TPP_ARG(n)));
}

/* Comparisons: one an element for the largest, k for k. */
static tpp_cost cost_argmax(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return (tpp_cost){.flops = (double)tpp_shape_count(&in[0]), .bytes = tpp_bytes_moved(in, out)};
}

static tpp_cost cost_topk(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_topk_attr *a = attr;
    return (tpp_cost){.flops = (double)a->k * (double)tpp_shape_count(&in[0]),
                      .bytes = tpp_bytes_moved(in, out)};
}

#define ATTR(n)                    \
    .attr = &(const tpp_topk_attr) \
    {                              \
        .k = (n)                   \
    }
#define S TPP_DIMS
/* Whole numbers below a small limit: many ties. */
#define TIES .fill = {TPP_FILL_INDEX}, .limit = 3

static const tpp_case argmax_cases[] = {
    {.name = "2x3", ATTR(1), .in = {S(2, 3)}},
    {.name = "1", ATTR(1), .in = {S(1)}},
    {.name = "300", ATTR(1), .in = {S(300)}},
    {.name = "ties_300", ATTR(1), .in = {S(300)}, TIES},
    {.name = "ties_33x5", ATTR(1), .in = {S(33, 5)}, TIES},
    {.name = "2x65x31", ATTR(1), .in = {S(2, 65, 31)}},
    {.name = "127x1", ATTR(1), .in = {S(127, 1)}},
    {.name = NULL},
};

static const tpp_case topk_cases[] = {
    {.name = "2_of_5", ATTR(2), .in = {S(5)}},
    {.name = "1_of_1", ATTR(1), .in = {S(1)}},
    {.name = "all_of_33", ATTR(33), .in = {S(33)}},
    {.name = "5_of_1x300x1", ATTR(5), .in = {S(1, 300, 1)}},
    {.name = "1_of_300_ties", ATTR(1), .in = {S(300)}, TIES},
    {.name = "50_of_7x9_ties", ATTR(50), .in = {S(7, 9)}, TIES},
    {.name = "64_of_65", ATTR(64), .in = {S(65, 1)}},
    {.name = NULL},
};

static const tpp_algorithm argmax_algorithms[] = {
    {.name = "plain", .record = record_argmax},
    {.name = NULL},
};
static const tpp_algorithm topk_algorithms[] = {
    {.name = "plain", .record = record_topk},
    {.name = NULL},
};

const tpp_op tpp_op_argmax = {
    .name = "argmax",
    .attr_size = sizeof(tpp_topk_attr),
    .out_types = {TPP_I32},
    .infer = infer_argmax,
    .algorithms = argmax_algorithms,
    .ref = tpp_ref_argmax,
    .cost = cost_argmax,
    .cases = argmax_cases,
};

const tpp_op tpp_op_topk = {
    .name = "topk",
    .attr_size = sizeof(tpp_topk_attr),
    .out_types = {TPP_I32},
    .infer = infer_topk,
    .algorithms = topk_algorithms,
    .ref = tpp_ref_topk,
    .cost = cost_topk,
    .cases = topk_cases,
};
