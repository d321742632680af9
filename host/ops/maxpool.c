/* maxpool: the largest value under a window of a map.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

static int64_t out_size(int64_t size, const tpp_maxpool_attr *a)
{
    return (size + 2 * a->pad - a->kernel) / a->stride + 1;
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_maxpool_attr *a = attr;
    TPP_TRY(
        tpp_want_shape("maxpool", "x", &in[0], TPP_SHAPE(-1, (int64_t)a->height * a->width, -1)));
    /* With pad < kernel no window lies wholly outside the map. */
    if (a->kernel < 1 || a->stride < 1 || a->pad < 0 || a->pad >= a->kernel)
        return TPP_FAIL(TPP_EUNSUPPORTED, "maxpool: kernel %d, stride %d, pad %d: no such window",
                        a->kernel, a->stride, a->pad);
    if (a->height + 2 * a->pad < a->kernel || a->width + 2 * a->pad < a->kernel)
        return TPP_FAIL(TPP_ESHAPE, "maxpool: a map of %d x %d is smaller than the kernel %d",
                        a->height, a->width, a->kernel);
    out[0] = TPP_SHAPE(in[0].d[0], out_size(a->height, a) * out_size(a->width, a), in[0].d[2]);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_maxpool_attr *a = c->attr;
    const int64_t *d = c->out[0].shape.d;
    return tpp_record_2d(s, "maxpool", "maxpool_plain", "", (const int64_t[2]){d[2], d[0] * d[1]},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->height),
                                  TPP_ARG(a->width), TPP_ARG(a->kernel), TPP_ARG(a->stride),
                                  TPP_ARG(a->pad), TPP_ARG(tpp_int(d[0])),
                                  TPP_ARG(tpp_int(out_size(a->height, a))),
                                  TPP_ARG(tpp_int(out_size(a->width, a))), TPP_ARG(tpp_int(d[2]))));
}

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_maxpool_attr *a = attr;
    return tpp_cost_pointwise((double)a->kernel * a->kernel, in, out);
}

#define ATTR(h, w, k, s, p)                                                   \
    .attr = &(const tpp_maxpool_attr)                                         \
    {                                                                         \
        .height = (h), .width = (w), .kernel = (k), .stride = (s), .pad = (p) \
    }
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "3x3_stride_2_on_3x2", ATTR(3, 2, 3, 2, 1), .in = {S(1, 6, 3)}},
    {.name = "one_pixel", ATTR(1, 1, 3, 2, 1), .in = {S(1, 1, 1)}},
    {.name = "3x3_stride_2_on_31x17", ATTR(31, 17, 3, 2, 1), .in = {S(2, 527, 64)}},
    {.name = "3x3_stride_2_on_16x33", ATTR(16, 33, 3, 2, 1), .in = {S(1, 528, 65)}},
    {.name = "2x2_no_pad", ATTR(9, 7, 2, 2, 0), .in = {S(3, 63, 31)}},
    {.name = "5x5_stride_3", ATTR(11, 13, 5, 3, 2), .in = {S(1, 143, 5)}},
    {.name = "1x1", ATTR(4, 5, 1, 1, 0), .in = {S(2, 20, 7)}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_maxpool_vector_record),
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_maxpool = {
    .name = "maxpool",
    .attr_size = sizeof(tpp_maxpool_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_maxpool,
    .cost = cost,
    .cases = cases,
};
