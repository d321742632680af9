/* One pass of the 8-bit image resize; resize_plan.h makes bounds and weights.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

enum { X, BOUNDS, WEIGHTS };

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_resize_axis_attr *a = attr;
    if (a->outer < 1 || a->n < 1 || a->inner < 1 || a->m < 1 || a->taps < 1)
        return TPP_FAIL(TPP_ESHAPE, "resize_axis: [%lld,%lld,%lld] to %lld by %d taps",
                        (long long)a->outer, (long long)a->n, (long long)a->inner, (long long)a->m,
                        a->taps);
    if (tpp_shape_count(&in[X]) != a->outer * a->n * a->inner ||
        tpp_shape_count(&a->out) != a->outer * a->m * a->inner)
        return TPP_FAIL(TPP_ESHAPE, "resize_axis: x %s and result %s, [%lld,%lld to %lld,%lld]",
                        tpp_shape_text(&in[X]), tpp_shape_text(&a->out), (long long)a->outer,
                        (long long)a->n, (long long)a->m, (long long)a->inner);
    TPP_TRY(tpp_want_shape("resize_axis", "bounds", &in[BOUNDS], TPP_SHAPE(a->m, 2)));
    TPP_TRY(tpp_want_shape("resize_axis", "weights", &in[WEIGHTS], TPP_SHAPE(a->m, a->taps)));
    out[0] = a->out;
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_resize_axis_attr *a = c->attr;
    const int outer = tpp_int(a->outer), n = tpp_int(a->n), inner = tpp_int(a->inner);
    const int m = tpp_int(a->m);
    return tpp_record_2d(
        s, "resize_axis", "resize_axis_plain", "", (const int64_t[2]){a->m * a->inner, a->outer},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[X].mem), TPP_ARG(c->in[BOUNDS].mem),
                 TPP_ARG(c->in[WEIGHTS].mem), TPP_ARG(outer), TPP_ARG(n), TPP_ARG(inner),
                 TPP_ARG(m), TPP_ARG(a->taps)));
}

static const tpp_algorithm algorithms[] = {
    {.name = "plain", .record = record},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_resize_axis_attr *a = attr;
    const double bytes =
        (double)(tpp_shape_count(&in[X]) + tpp_shape_count(&out[0])) +
        4.0 * (double)(tpp_shape_count(&in[BOUNDS]) + tpp_shape_count(&in[WEIGHTS]));
    return (tpp_cost){.flops = 2.0 * a->taps * (double)tpp_shape_count(&out[0]), .bytes = bytes};
}

#define ATTR(...)                 \
    &(const tpp_resize_axis_attr) \
    {                             \
        __VA_ARGS__               \
    }
#define S     TPP_DIMS
#define FILLS .fill = {TPP_FILL_BYTE, TPP_FILL_RESIZE, TPP_FILL_RESIZE}

static const tpp_case cases[] = {
    {.name = "tiny_up",
     .attr = ATTR(2, 3, 3, 5, 3, S(2, 15)),
     .in = {S(2, 9), S(5, 2), S(5, 3)},
     FILLS},
    {.name = "from_one_pixel",
     .attr = ATTR(1, 1, 3, 7, 3, S(7, 3)),
     .in = {S(1, 3), S(7, 2), S(7, 3)},
     FILLS},
    {.name = "to_one_pixel",
     .attr = ATTR(5, 100, 1, 1, 201, S(5, 1)),
     .in = {S(5, 100), S(1, 2), S(1, 201)},
     FILLS},
    {.name = "columns_down",
     .attr = ATTR(31, 96, 3, 65, 5, S(31, 195)),
     .in = {S(31, 288), S(65, 2), S(65, 5)},
     FILLS},
    {.name = "rows_up",
     .attr = ATTR(1, 64, 99, 127, 3, S(127, 99)),
     .in = {S(64, 99), S(127, 2), S(127, 3)},
     FILLS},
    {.name = "almost_same",
     .attr = ATTR(7, 65, 1, 64, 5, S(7, 64)),
     .in = {S(7, 65), S(64, 2), S(64, 5)},
     FILLS},
    {.name = NULL},
};

const tpp_op tpp_op_resize_axis = {
    .name = "resize_axis",
    .attr_size = sizeof(tpp_resize_axis_attr),
    .in_types = {TPP_U8, TPP_I32, TPP_I32},
    .out_types = {TPP_U8},
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_resize_axis,
    .cost = cost,
    .cases = cases,
};
