/* box_refine: a step from a reference box or point, in logit space.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_shape("box_refine", "delta", &in[0], TPP_SHAPE(-1, -1, 4)));
    TPP_TRY(tpp_want_shape("box_refine", "ref", &in[1], TPP_SHAPE(-1, in[0].d[1], -1)));
    if ((in[1].d[2] != 2 && in[1].d[2] != 4) || (in[1].d[0] != 1 && in[1].d[0] != in[0].d[0]))
        return TPP_FAIL(TPP_ESHAPE,
                        "box_refine: ref has shape %s, 1 or %lld batches of 2 or 4 columns are "
                        "wanted",
                        tpp_shape_text(&in[1]), (long long)in[0].d[0]);
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const int n = tpp_int(tpp_shape_count(&c->out[0].shape));
    return tpp_record_1d(s, "box_refine", "box_refine_plain", "", n,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(tpp_int(c->in[1].shape.d[2])),
                                  TPP_ARG(tpp_int(tpp_shape_rows(&c->in[1].shape))), TPP_ARG(n)));
}

/* Two transcendental functions of ten operations, and a sum. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(21, in, out);
}

static const tpp_box_refine_attr nothing = {0};
#define S    TPP_DIMS
#define FILL .fill = {TPP_FILL_LARGE, TPP_FILL_UNIT}

static const tpp_case cases[] = {
    {.name = "2_boxes", .attr = &nothing, .in = {S(1, 2, 4), S(1, 2, 4)}, FILL},
    {.name = "1_point", .attr = &nothing, .in = {S(1, 1, 4), S(1, 1, 2)}, FILL},
    {.name = "33_points", .attr = &nothing, .in = {S(1, 33, 4), S(1, 33, 2)}, FILL},
    {.name = "65_boxes", .attr = &nothing, .in = {S(1, 65, 4), S(1, 65, 4)}, FILL},
    {.name = "3x5_boxes", .attr = &nothing, .in = {S(3, 5, 4), S(3, 5, 4)}, FILL},
    {.name = "3x5_from_shared_points", .attr = &nothing, .in = {S(3, 5, 4), S(1, 5, 2)}, FILL},
    {.name = "17_boxes_clamped",
     .attr = &nothing,
     .in = {S(1, 17, 4), S(1, 17, 4)},
     .fill = {0, TPP_FILL_LARGE}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_box_refine = {
    .name = "box_refine",
    .attr_size = sizeof(tpp_box_refine_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_box_refine,
    .cost = cost,
    .cases = cases,
};
