/* Small modules that several parts of the model are made of.
 * SPDX-License-Identifier: MIT */
#include "model/blocks.h"

#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

tpp_name tpp_name_of(const char *format, ...)
{
    tpp_name name;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(name.text, sizeof(name.text), format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof(name.text));
    (void)n;
    return name;
}

static int64_t width_of(const tpp_graph *g, tpp_value x)
{
    const tpp_shape s = tpp_shape_of(g, x);
    return tpp_shape_cols(&s);
}

tpp_value tpp_mha_project(tpp_graph *g, tpp_value x, const char *prefix, tpp_mha_part part)
{
    const int64_t c = width_of(g, x);
    const tpp_value w = tpp_param(g, TPP_NAME("%s.in_proj_weight", prefix), TPP_SHAPE(3 * c, c));
    const tpp_value b = tpp_param(g, TPP_NAME("%s.in_proj_bias", prefix), TPP_SHAPE(3 * c));
    return tpp_gemm(g, x, tpp_slice(g, w, 0, (int64_t)part * c, c),
                    tpp_slice(g, b, 0, (int64_t)part * c, c));
}

static tpp_value attend(tpp_graph *g, tpp_value q, const tpp_keys *k, int heads)
{
    const int64_t c = width_of(g, q);
    const tpp_attention_attr attr = {
        .heads = heads, .mode = (int)k->mode, .scale = (float)(1.0 / sqrt((double)c / heads))};
    return tpp_attention(g, q, k->key, k->value, k->valid, k->index, attr);
}

static tpp_value project_out(tpp_graph *g, tpp_value x, const char *prefix)
{
    return tpp_linear(g, x, TPP_NAME("%s.out_proj", prefix), width_of(g, x));
}

tpp_value tpp_mha(tpp_graph *g, tpp_value x, const tpp_keys *keys, const char *prefix, int heads)
{
    const tpp_value q = tpp_mha_project(g, x, prefix, TPP_MHA_QUERY);
    return project_out(g, attend(g, q, keys, heads), prefix);
}

tpp_value tpp_self_attention(tpp_graph *g, tpp_value x, tpp_value pos, const char *prefix,
                             int heads)
{
    const tpp_shape s = tpp_shape_of(g, x);
    const tpp_value v = tpp_mha_project(g, x, prefix, TPP_MHA_VALUE);
    /* One token attends to itself alone, whatever the scores. */
    if (s.d[1] == 1) return project_out(g, v, prefix);
    const tpp_value z = tpp_add(g, x, pos);
    const tpp_keys keys = {.key = tpp_mha_project(g, z, prefix, TPP_MHA_KEY),
                           .value = v,
                           .valid = TPP_NONE,
                           .index = TPP_NONE,
                           .mode = TPP_ATTENTION_SAME};
    return tpp_mha(g, z, &keys, prefix, heads);
}

tpp_value tpp_mlp3(tpp_graph *g, tpp_value x, const char *prefix, int64_t hidden, int64_t out)
{
    x = tpp_activate(g, tpp_linear(g, x, TPP_NAME("%s.layers.0", prefix), hidden), TPP_ACT_RELU);
    x = tpp_activate(g, tpp_linear(g, x, TPP_NAME("%s.layers.1", prefix), hidden), TPP_ACT_RELU);
    return tpp_linear(g, x, TPP_NAME("%s.layers.2", prefix), out);
}

tpp_value tpp_ffn_of(tpp_graph *g, tpp_value x, const char *prefix, int64_t hidden)
{
    return tpp_ffn(g, x, TPP_NAME("%s.linear1", prefix), TPP_NAME("%s.linear2", prefix), hidden,
                   TPP_ACT_RELU);
}

tpp_value tpp_norm(tpp_graph *g, tpp_value x, const char *prefix)
{
    return tpp_layernorm(g, x, prefix, TPP_NORM_EPS);
}

tpp_value tpp_zeros(tpp_graph *g, tpp_shape shape)
{
    tpp_value v = TPP_NONE;
    if (tpp_graph_status(g) != TPP_OK) return TPP_NONE;
    const tpp_name key = tpp_name_of("zeros %s", tpp_shape_text(&shape));
    if (tpp_constant_known(g, key.text, &v)) return v;
    float *zeros = tpp_calloc((size_t)tpp_shape_count(&shape), sizeof(*zeros));
    if (zeros == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", key.text);
    v = tpp_constant(g, key.text, TPP_F32, shape, zeros);
    tpp_free(zeros);
    return v;
}

tpp_value tpp_mean_tokens(tpp_graph *g, tpp_value x, tpp_value valid, int heads)
{
    const tpp_shape s = tpp_shape_of(g, x);
    const tpp_value nobody = tpp_zeros(g, TPP_SHAPE(s.d[0], 1, s.d[2]));
    /* A query of zeros scores every key alike, so that its softmax is the mean. */
    const tpp_keys keys = {
        .key = x, .value = x, .valid = valid, .index = TPP_NONE, .mode = TPP_ATTENTION_SAME};
    return attend(g, nobody, &keys, heads);
}

tpp_map tpp_resample_add(tpp_graph *g, tpp_map x, tpp_value add, int height, int width,
                         tpp_resample_mode mode)
{
    const tpp_resample_attr attr = {.mode = (int)mode,
                                    .height = x.height,
                                    .width = x.width,
                                    .out_height = height,
                                    .out_width = width};
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "resample", &attr, 2, (tpp_value[]){x.v, add}, out); /* sticky in the graph */
    return (tpp_map){.v = out[0], .height = height, .width = width};
}

tpp_value tpp_argmax(tpp_graph *g, tpp_value x)
{
    const tpp_topk_attr attr = {.k = 1}; /* argmax has no attributes: room for whatever it reads */
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "argmax", &attr, 1, &x, out);
    return out[0];
}

tpp_value tpp_every_row(tpp_graph *g, int64_t n)
{
    tpp_value v = TPP_NONE;
    if (tpp_graph_status(g) != TPP_OK) return TPP_NONE;
    const tpp_name key = tpp_name_of("rows %lld", (long long)n);
    if (tpp_constant_known(g, key.text, &v)) return v;
    int32_t *rows = tpp_calloc((size_t)n, sizeof(*rows));
    if (rows == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", key.text);
    for (int64_t i = 0; i < n; i++) rows[i] = (int32_t)i;
    v = tpp_constant(g, key.text, TPP_I32, TPP_SHAPE(n), rows);
    tpp_free(rows);
    return v;
}
