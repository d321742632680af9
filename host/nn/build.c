/* Builders: one call, one node (or the parameters and nodes of a small module).
 * SPDX-License-Identifier: MIT */
#include "nn/graph.h"

#include <stdio.h>

enum { NAME = 192 };

/* PREFIX.SUFFIX as a parameter. */
static tpp_value param(tpp_graph *g, const char *prefix, const char *suffix, tpp_shape shape)
{
    char name[NAME];
    const int n = snprintf(name, sizeof(name), "%s.%s", prefix, suffix);
    if (n < 0 || n >= NAME)
        return tpp_graph_fail(g, TPP_EINTERNAL, "the name %.80s... is too long", prefix);
    return tpp_param(g, name, shape);
}

/* A node with one output. */
static tpp_value one(tpp_graph *g, const char *op, const void *attr, int n_in, const tpp_value *in)
{
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    return tpp_node(g, op, attr, n_in, in, out) == TPP_OK ? out[0] : TPP_NONE;
}

static int64_t cols(const tpp_graph *g, tpp_value x)
{
    const tpp_shape s = tpp_shape_of(g, x);
    return tpp_shape_cols(&s);
}

tpp_value tpp_gemm(tpp_graph *g, tpp_value x, tpp_value w, tpp_value bias)
{
    const tpp_gemm_attr attr = {.act = TPP_ACT_NONE};
    return one(g, "gemm", &attr, 3, (tpp_value[]){x, w, bias});
}

tpp_value tpp_linear(tpp_graph *g, tpp_value x, const char *prefix, int64_t n)
{
    const tpp_value w = param(g, prefix, "weight", TPP_SHAPE(n, cols(g, x)));
    return tpp_gemm(g, x, w, param(g, prefix, "bias", TPP_SHAPE(n)));
}

tpp_map tpp_conv2d_with(tpp_graph *g, tpp_map x, tpp_value w, tpp_value bias, tpp_conv c)
{
    const tpp_conv2d_attr attr = {.act = TPP_ACT_NONE,
                                  .height = x.height,
                                  .width = x.width,
                                  .kernel = c.kernel,
                                  .stride = c.stride,
                                  .pad = c.pad};
    return (tpp_map){.v = one(g, "conv2d", &attr, 3, (tpp_value[]){x.v, w, bias}),
                     .height = (x.height + 2 * c.pad - c.kernel) / c.stride + 1,
                     .width = (x.width + 2 * c.pad - c.kernel) / c.stride + 1};
}

tpp_map tpp_conv2d(tpp_graph *g, tpp_map x, const char *prefix, tpp_conv c)
{
    const tpp_value w =
        param(g, prefix, "weight", TPP_SHAPE(c.cout, cols(g, x.v), c.kernel, c.kernel));
    const tpp_value b = c.bias ? param(g, prefix, "bias", TPP_SHAPE(c.cout)) : TPP_NONE;
    return tpp_conv2d_with(g, x, w, b, c);
}

tpp_map tpp_maxpool(tpp_graph *g, tpp_map x, int kernel, int stride, int pad)
{
    const tpp_maxpool_attr attr = {
        .height = x.height, .width = x.width, .kernel = kernel, .stride = stride, .pad = pad};
    return (tpp_map){.v = one(g, "maxpool", &attr, 1, &x.v),
                     .height = (x.height + 2 * pad - kernel) / stride + 1,
                     .width = (x.width + 2 * pad - kernel) / stride + 1};
}

tpp_map tpp_frozen_bn(tpp_graph *g, tpp_map x, const char *prefix)
{
    const tpp_bn_attr attr = {.eps = 1e-5f};
    const tpp_shape c = TPP_SHAPE(cols(g, x.v));
    const tpp_value in[] = {x.v, param(g, prefix, "weight", c), param(g, prefix, "bias", c),
                            param(g, prefix, "running_mean", c),
                            param(g, prefix, "running_var", c)};
    return (tpp_map){.v = one(g, "frozen_bn", &attr, 5, in), .height = x.height, .width = x.width};
}

tpp_map tpp_resample(tpp_graph *g, tpp_map x, int height, int width, tpp_resample_mode mode)
{
    const tpp_resample_attr attr = {.mode = mode,
                                    .height = x.height,
                                    .width = x.width,
                                    .out_height = height,
                                    .out_width = width};
    return (tpp_map){.v = one(g, "resample", &attr, 1, &x.v), .height = height, .width = width};
}

tpp_value tpp_activate(tpp_graph *g, tpp_value x, tpp_act act)
{
    const tpp_activate_attr attr = {.act = act};
    return one(g, "activate", &attr, 1, &x);
}

static tpp_value binary(tpp_graph *g, tpp_binary_op op, tpp_value a, tpp_value b)
{
    const tpp_binary_attr attr = {.op = op};
    return one(g, "binary", &attr, 2, (tpp_value[]){a, b});
}

tpp_value tpp_add(tpp_graph *g, tpp_value a, tpp_value b)
{
    return binary(g, TPP_BINARY_ADD, a, b);
}

tpp_value tpp_mul(tpp_graph *g, tpp_value a, tpp_value b)
{
    return binary(g, TPP_BINARY_MUL, a, b);
}

tpp_value tpp_layernorm(tpp_graph *g, tpp_value x, const char *prefix, float eps)
{
    const tpp_layernorm_attr attr = {.eps = eps};
    const tpp_shape c = TPP_SHAPE(cols(g, x));
    return one(g, "layernorm", &attr, 3,
               (tpp_value[]){x, param(g, prefix, "weight", c), param(g, prefix, "bias", c)});
}

tpp_value tpp_groupnorm(tpp_graph *g, tpp_value x, const char *prefix, int groups, tpp_act act)
{
    const tpp_groupnorm_attr attr = {.eps = 1e-5f, .groups = groups, .act = act};
    const tpp_shape c = TPP_SHAPE(cols(g, x));
    return one(g, "groupnorm", &attr, 3,
               (tpp_value[]){x, param(g, prefix, "weight", c), param(g, prefix, "bias", c)});
}

tpp_value tpp_ffn(tpp_graph *g, tpp_value x, const char *linear1, const char *linear2,
                  int64_t hidden, tpp_act act)
{
    const tpp_ffn_attr attr = {.act = act};
    const int64_t c = cols(g, x);
    const tpp_value in[] = {x, param(g, linear1, "weight", TPP_SHAPE(hidden, c)),
                            param(g, linear1, "bias", TPP_SHAPE(hidden)),
                            param(g, linear2, "weight", TPP_SHAPE(c, hidden)),
                            param(g, linear2, "bias", TPP_SHAPE(c))};
    return one(g, "ffn", &attr, 5, in);
}

tpp_value tpp_attention(tpp_graph *g, tpp_value q, tpp_value k, tpp_value v, tpp_value valid,
                        tpp_value index, tpp_attention_attr attr)
{
    return one(g, "attention", &attr, 5, (tpp_value[]){q, k, v, valid, index});
}

tpp_value tpp_slice(tpp_graph *g, tpp_value x, int axis, int64_t start, int64_t count)
{
    tpp_slice_attr attr = {
        .outer = 1, .inner = 1, .start = start, .count = count, .out = tpp_shape_of(g, x)};
    if (axis < 0 || axis >= attr.out.rank || x == TPP_NONE)
        return tpp_graph_status(g) != TPP_OK
                   ? TPP_NONE
                   : tpp_graph_fail(g, TPP_ESHAPE, "slice: axis %d of a tensor of rank %d", axis,
                                    attr.out.rank);
    for (int i = 0; i < axis; i++) attr.outer *= attr.out.d[i];
    for (int i = axis + 1; i < attr.out.rank; i++) attr.inner *= attr.out.d[i];
    attr.n = attr.out.d[axis];
    attr.out.d[axis] = count;
    return one(g, "slice", &attr, 1, &x);
}

tpp_value tpp_concat(tpp_graph *g, int axis, int n, const tpp_value *x)
{
    tpp_concat_attr attr = {.outer = 1, .inner = 1, .out = tpp_shape_of(g, x[0])};
    if (tpp_graph_status(g) != TPP_OK) return TPP_NONE;
    for (int i = 0; i < n; i++)
        if (x[i] == TPP_NONE || axis < 0 || axis >= tpp_shape_of(g, x[i]).rank)
            return tpp_graph_fail(g, TPP_ESHAPE, "concat: axis %d of part %d, which has rank %d",
                                  axis, i, tpp_shape_of(g, x[i]).rank);
    for (int i = 0; i < axis; i++) attr.outer *= attr.out.d[i];
    for (int i = axis + 1; i < attr.out.rank; i++) attr.inner *= attr.out.d[i];
    attr.out.d[axis] = 0;
    for (int i = 0; i < n; i++) attr.out.d[axis] += tpp_shape_of(g, x[i]).d[axis];
    return one(g, "concat", &attr, n, x);
}

tpp_value tpp_gather_rows(tpp_graph *g, tpp_value x, tpp_value index, int repeat)
{
    const tpp_gather_attr attr = {.repeat = repeat};
    return one(g, "gather_rows", &attr, 2, (tpp_value[]){x, index});
}

tpp_value tpp_gather_rows_of_each(tpp_graph *g, tpp_value x, tpp_value index, int batches)
{
    const tpp_gather_attr attr = {.repeat = 1, .batches = batches};
    return one(g, "gather_rows", &attr, 2, (tpp_value[]){x, index});
}
