/* 8-bit image to the backbone's input.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_normalize_attr *a = attr;
    TPP_TRY(tpp_want_rank("normalize_image", "x", &in[0], 2));
    if (in[0].d[1] != 1 && in[0].d[1] != 3)
        return TPP_FAIL(TPP_ESHAPE, "normalize_image: %lld channels, 1 or 3 are wanted",
                        (long long)in[0].d[1]);
    for (int i = 0; i < 3; i++)
        if (!(a->std[i] > 0))
            return TPP_FAIL(TPP_EUSAGE, "normalize_image: std %g of channel %d is not positive",
                            (double)a->std[i], i);
    out[0] = TPP_SHAPE(1, in[0].d[0], 3);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_normalize_attr *a = c->attr;
    const int channels = tpp_int(c->in[0].shape.d[1]), n = tpp_int(3 * c->in[0].shape.d[0]);
    return tpp_record_1d(s, "normalize_image", "normalize_image_plain", "", n,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(a->mean[0]), TPP_ARG(a->mean[1]), TPP_ARG(a->mean[2]),
                                  TPP_ARG(a->std[0]), TPP_ARG(a->std[1]), TPP_ARG(a->std[2]),
                                  TPP_ARG(channels), TPP_ARG(n)));
}

static const tpp_algorithm algorithms[] = {
    {.name = "plain", .record = record},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    const double bytes = (double)tpp_shape_count(&in[0]) + 4.0 * (double)tpp_shape_count(&out[0]);
    return (tpp_cost){.flops = 3.0 * (double)tpp_shape_count(&out[0]), .bytes = bytes};
}

#define S TPP_DIMS
static const tpp_normalize_attr imagenet = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

static const tpp_case cases[] = {
    {.name = "tiny", .attr = &imagenet, .in = {S(3, 3)}, .fill = {TPP_FILL_BYTE}},
    {.name = "one_grey_pixel", .attr = &imagenet, .in = {S(1, 1)}, .fill = {TPP_FILL_BYTE}},
    {.name = "grey", .attr = &imagenet, .in = {S(1023, 1)}, .fill = {TPP_FILL_BYTE}},
    {.name = "color", .attr = &imagenet, .in = {S(2747, 3)}, .fill = {TPP_FILL_BYTE}},
    {.name = NULL},
};

const tpp_op tpp_op_normalize_image = {
    .name = "normalize_image",
    .attr_size = sizeof(tpp_normalize_attr),
    .in_types = {TPP_U8},
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_normalize_image,
    .cost = cost,
    .cases = cases,
};
