/* pack: a weight in panels of columns, as vector GEMMs and convolutions read it; or its filters
 * interpolated, as winograd convolutions do.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

/* A weight seen as [n, cin, taps] (trans: stored [cin, n]). */
typedef struct weight_view {
    int64_t n, cin, taps;
} weight_view;

static weight_view view_weight(const tpp_pack_attr *a, const tpp_shape *w)
{
    if (a->trans) return (weight_view){.n = w->d[1], .cin = w->d[0], .taps = 1};
    return (weight_view){
        .n = w->d[0], .cin = w->d[1], .taps = w->rank == 4 ? w->d[2] * w->d[3] : 1};
}

static tpp_status infer_winograd(const tpp_pack_attr *a, const tpp_shape *in, tpp_shape *out)
{
    TPP_TRY(tpp_want_shape("pack", "w", &in[0], TPP_SHAPE(-1, -1, 3, 3)));
    if (a->panel < 1 || a->trans || (a->winograd != 2 && a->winograd != 4))
        return TPP_FAIL(
            TPP_EUNSUPPORTED,
            "pack: winograd tiles of %d, panels of %d, trans %d; tiles of 2 or 4, panels "
            "of 1 or more and trans 0 are wanted",
            a->winograd, a->panel, a->trans);
    const int64_t side = a->winograd + 2;
    out[0] = TPP_SHAPE(side * side, (in[0].d[0] + a->panel - 1) / a->panel, in[0].d[1], a->panel);
    return TPP_OK;
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_pack_attr *a = attr;
    if (a->winograd != 0) return infer_winograd(a, in, out);
    if (a->trans || in[0].rank != 4) TPP_TRY(tpp_want_rank("pack", "w", &in[0], 2));
    if (a->panel < 1) return TPP_FAIL(TPP_EUNSUPPORTED, "pack: a panel has %d columns", a->panel);
    const weight_view v = view_weight(a, &in[0]);
    out[0] = TPP_SHAPE((v.n + a->panel - 1) / a->panel, v.taps * v.cin, a->panel);
    return TPP_OK;
}

static tpp_status record_winograd(tpp_steps *s, const tpp_call *c)
{
    const tpp_pack_attr *a = c->attr;
    const tpp_shape *y = &c->out[0].shape;
    const int count = tpp_int(tpp_shape_count(y) / y->d[0]);
    return tpp_record_1d(s, "pack", "pack_winograd", "", count,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->panel),
                                  TPP_ARG(a->winograd), TPP_ARG(tpp_int(c->in[0].shape.d[0])),
                                  TPP_ARG(tpp_int(y->d[2])), TPP_ARG(count)));
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_pack_attr *a = c->attr;
    if (a->winograd != 0) return record_winograd(s, c);
    const weight_view v = view_weight(a, &c->in[0].shape);
    const int count = tpp_int(tpp_shape_count(&c->out[0].shape));
    return tpp_record_1d(s, "pack", "pack_plain", "", count,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->panel),
                                  TPP_ARG(a->trans), TPP_ARG(tpp_int(v.n)), TPP_ARG(tpp_int(v.cin)),
                                  TPP_ARG(tpp_int(v.taps)), TPP_ARG(count)));
}

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(0, in, out);
}

static const tpp_pack_attr two = {.panel = 2}, sixteen = {.panel = 16}, thirty_two = {.panel = 32},
                           trans = {.panel = 16, .trans = 1}, trans_32 = {.panel = 32, .trans = 1},
                           tiles_2 = {.panel = 16, .winograd = 2},
                           tiles_4 = {.panel = 32, .winograd = 4};
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "3x2_by_2", .attr = &two, .in = {S(3, 2)}},
    {.name = "1x1", .attr = &sixteen, .in = {S(1, 1)}},
    {.name = "33x31", .attr = &sixteen, .in = {S(33, 31)}},
    {.name = "64x63", .attr = &thirty_two, .in = {S(64, 63)}},
    {.name = "31x5x3x3", .attr = &sixteen, .in = {S(31, 5, 3, 3)}},
    {.name = "65x3x7x7", .attr = &thirty_two, .in = {S(65, 3, 7, 7)}},
    {.name = "8x24x1x1", .attr = &sixteen, .in = {S(8, 24, 1, 1)}},
    {.name = "7x4x1x3", .attr = &two, .in = {S(7, 4, 1, 3)}},
    {.name = "trans_31x33", .attr = &trans, .in = {S(31, 33)}},
    {.name = "trans_65x64", .attr = &trans_32, .in = {S(65, 64)}},
    {.name = "winograd_2", .attr = &tiles_2, .in = {S(33, 5, 3, 3)}},
    {.name = "winograd_4", .attr = &tiles_4, .in = {S(65, 31, 3, 3)}},
    {.name = "winograd_4_1x1", .attr = &tiles_4, .in = {S(1, 1, 3, 3)}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_pack = {
    .name = "pack",
    .attr_size = sizeof(tpp_pack_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_pack,
    .cost = cost,
    .cases = cases,
};
