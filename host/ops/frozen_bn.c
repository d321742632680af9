/* frozen_bn, fold_bn: batch normalisation with constant statistics, applied or folded into the
 * weight of the convolution before it.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

/* gamma, beta, mean and var are in[1..4], each [channels]. */
static tpp_status want_statistics(const char *op, const tpp_shape *in, int64_t channels)
{
    static const char *const names[] = {"x", "gamma", "beta", "mean", "var"};
    for (int i = 1; i <= 4; i++) TPP_TRY(tpp_want_shape(op, names[i], &in[i], TPP_SHAPE(channels)));
    return TPP_OK;
}

static tpp_status infer_apply(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_rank("frozen_bn", "x", &in[0], 3));
    TPP_TRY(want_statistics("frozen_bn", in, in[0].d[2]));
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status infer_fold(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("fold_bn", "w", &in[0]));
    TPP_TRY(want_statistics("fold_bn", in, in[0].d[0]));
    out[0] = in[0];
    out[1] = TPP_SHAPE(in[0].d[0]);
    return TPP_OK;
}

static tpp_status record_apply(tpp_steps *s, const tpp_call *c)
{
    const tpp_bn_attr *a = c->attr;
    const int rows = tpp_int(tpp_shape_rows(&c->in[0].shape));
    const int cols = tpp_int(tpp_shape_cols(&c->in[0].shape));
    return tpp_record_2d(s, "frozen_bn", "frozen_bn_plain", "", (const int64_t[2]){cols, rows},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem),
                                  TPP_ARG(c->in[3].mem), TPP_ARG(c->in[4].mem), TPP_ARG(a->eps),
                                  TPP_ARG(rows), TPP_ARG(cols)));
}

static tpp_status record_fold(tpp_steps *s, const tpp_call *c)
{
    const tpp_bn_attr *a = c->attr;
    const int cout = tpp_int(c->in[0].shape.d[0]);
    const int each = tpp_int(tpp_shape_count(&c->in[0].shape) / cout);
    return tpp_record_2d(
        s, "frozen_bn", "fold_bn_plain", "", (const int64_t[2]){each, cout},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->out[1].mem), TPP_ARG(c->in[0].mem),
                 TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem), TPP_ARG(c->in[3].mem),
                 TPP_ARG(c->in[4].mem), TPP_ARG(a->eps), TPP_ARG(cout), TPP_ARG(each)));
}

static tpp_cost cost_apply(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(2, in, out);
}

static tpp_cost cost_fold(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(1, in, out);
}

static const tpp_bn_attr usual = {.eps = 1e-5f}, large = {.eps = 0.25f};
#define S    TPP_DIMS
#define FILL .fill = {[1] = TPP_FILL_POSITIVE, [4] = TPP_FILL_POSITIVE} /* gamma, var */

static const tpp_case apply_cases[] = {
    {.name = "1x2x3", .attr = &usual, .in = {S(1, 2, 3), S(3), S(3), S(3), S(3)}, FILL},
    {.name = "1x1x1", .attr = &large, .in = {S(1, 1, 1), S(1), S(1), S(1), S(1)}, FILL},
    {.name = "2x33x65", .attr = &usual, .in = {S(2, 33, 65), S(65), S(65), S(65), S(65)}, FILL},
    {.name = "3x31x64", .attr = &large, .in = {S(3, 31, 64), S(64), S(64), S(64), S(64)}, FILL},
    {.name = NULL},
};

static const tpp_case fold_cases[] = {
    {.name = "3x2", .attr = &usual, .in = {S(3, 2), S(3), S(3), S(3), S(3)}, FILL},
    {.name = "1x1x1x1", .attr = &large, .in = {S(1, 1, 1, 1), S(1), S(1), S(1), S(1)}, FILL},
    {.name = "64x3x7x7", .attr = &usual, .in = {S(64, 3, 7, 7), S(64), S(64), S(64), S(64)}, FILL},
    {.name = "33x65x1x1",
     .attr = &usual,
     .in = {S(33, 65, 1, 1), S(33), S(33), S(33), S(33)},
     FILL},
    {.name = "31x17x3x3",
     .attr = &large,
     .in = {S(31, 17, 3, 3), S(31), S(31), S(31), S(31)},
     FILL},
    {.name = NULL},
};

static const tpp_algorithm apply_algorithms[] = {
    {.name = "plain", .record = record_apply},
    {.name = NULL},
};
static const tpp_algorithm fold_algorithms[] = {
    {.name = "plain", .record = record_fold},
    {.name = NULL},
};

const tpp_op tpp_op_frozen_bn = {
    .name = "frozen_bn",
    .attr_size = sizeof(tpp_bn_attr),
    .infer = infer_apply,
    .algorithms = apply_algorithms,
    .ref = tpp_ref_frozen_bn,
    .cost = cost_apply,
    .cases = apply_cases,
};

const tpp_op tpp_op_fold_bn = {
    .name = "fold_bn",
    .attr_size = sizeof(tpp_bn_attr),
    .infer = infer_fold,
    .algorithms = fold_algorithms,
    .ref = tpp_ref_fold_bn,
    .cost = cost_fold,
    .cases = fold_cases,
};
