/* Memory read.
 * SPDX-License-Identifier: MIT */
#include "model/memory.h"

#include "model/blocks.h"
#include "model/deform.h"

#include <math.h>

#define KEY   "transformer.conv_key"
#define VALUE "transformer.conv_value"

/* Input channels start .. start + count - 1 of the kernel [C, 1 + C, 3, 3]; channel 0 is the
 * mask's. */
static tpp_value kernel_part(tpp_graph *g, const tpp_model_dims *d, const char *prefix,
                             int64_t start, int64_t count)
{
    const int64_t c = d->config->model.hidden;
    const tpp_value w = tpp_param(g, TPP_NAME("%s.weight", prefix), TPP_SHAPE(c, c + 1, 3, 3));
    return tpp_slice(g, w, 1, start, count);
}

static tpp_conv conv_of(const tpp_model_dims *d)
{
    return (tpp_conv){.cout = d->config->model.hidden, .kernel = 3, .stride = 1, .pad = 1};
}

static tpp_value feature_part(tpp_graph *g, const tpp_model_dims *d, tpp_map features,
                              const char *prefix)
{
    const int64_t c = d->config->model.hidden;
    const tpp_value w = kernel_part(g, d, prefix, 1, c);
    const tpp_value b = tpp_param(g, TPP_NAME("%s.bias", prefix), TPP_SHAPE(c));
    return tpp_conv2d_with(g, features, w, b, conv_of(d)).v;
}

/* x + conv_m(mask). */
static tpp_value add_mask_part(tpp_graph *g, const tpp_model_dims *d, tpp_value x, tpp_map mask,
                               const char *prefix)
{
    const tpp_value w = kernel_part(g, d, prefix, 0, 1);
    return tpp_add(g, x, tpp_conv2d_with(g, mask, w, TPP_NONE, conv_of(d)).v);
}

void tpp_memory_encode(tpp_graph *g, const tpp_model_dims *d, tpp_encoding *out)
{
    tpp_map features = tpp_level_map(g, d, out->encoder, 0);
    if (d->config->mem.source == TPP_MEM_SOURCE_PREV) features.v = tpp_stop_gradient(g, features.v);
    out->memory_key = feature_part(g, d, features, KEY);
    out->memory_value = feature_part(g, d, features, VALUE);
}

static tpp_map activated(tpp_graph *g, const tpp_model_dims *d, tpp_value mask)
{
    static const tpp_act acts[TPP_MASK_ACT_COUNT] = {[TPP_MASK_ACT_NONE] = TPP_ACT_NONE,
                                                     [TPP_MASK_ACT_SIGMOID] = TPP_ACT_SIGMOID,
                                                     [TPP_MASK_ACT_BINARY] = TPP_ACT_BINARY};
    const tpp_act act = acts[d->config->mem.mask_act];
    return (tpp_map){.v = act == TPP_ACT_NONE ? mask : tpp_activate(g, mask, act),
                     .height = d->level[0].height,
                     .width = d->level[0].width};
}

/* The published code skips the read when all of the mask is zero. Raw logits never are; after
 * mem.mask_act=binary an empty mask then reads the features alone, as the reference does. */
tpp_value tpp_memory_read(tpp_graph *g, const tpp_model_dims *d, tpp_value encoder, tpp_value mask,
                          tpp_value key, tpp_value value)
{
    const int64_t n = tpp_map_tokens(&d->level[0]);
    const tpp_attention_attr attr = {.heads = 1,
                                     .mode = TPP_ATTENTION_SAME,
                                     .scale = (float)(1.0 / sqrt(d->config->model.hidden))};
    const tpp_map mu = activated(g, d, mask);
    const tpp_value here = tpp_level_map(g, d, encoder, 0).v;
    tpp_value read = tpp_attention(g, tpp_stop_gradient(g, here), add_mask_part(g, d, key, mu, KEY),
                                   add_mask_part(g, d, value, mu, VALUE), TPP_NONE, TPP_NONE, attr);
    tpp_mark(g, 0, 0, read, "memory_read");
    if (d->config->mem.residual) read = tpp_add(g, here, read);
    return tpp_concat(g, 1, 2, (tpp_value[]){read, tpp_slice(g, encoder, 1, n, d->tokens - n)});
}
