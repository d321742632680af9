/* Vision-language fusion and the choice of a prompt.
 * SPDX-License-Identifier: MIT */
#include "model/fusion.h"

#include "core/mem.h"
#include "model/blocks.h"
#include "model/deform.h"

/* C -> C -> C -> 1 with ReLU between. */
static tpp_value score(tpp_graph *g, tpp_value a, int64_t c)
{
    a = tpp_activate(g, tpp_linear(g, a, "fusion_module.ffn.0", c), TPP_ACT_RELU);
    a = tpp_activate(g, tpp_linear(g, a, "fusion_module.ffn.2", c), TPP_ACT_RELU);
    return tpp_linear(g, a, "fusion_module.ffn.4", 1);
}

/* u [B*P, N, 1], the same for all tokens of a level, from their mean a [B*P, N, C]. */
static tpp_value level_scores(tpp_graph *g, const tpp_model_dims *d, tpp_value a)
{
    const tpp_shape s = tpp_shape_of(g, a);
    const tpp_value mean = tpp_mean_tokens(g, a, TPP_NONE, d->config->model.heads);
    const tpp_value u = score(g, mean, s.d[2]);
    const tpp_value all = tpp_gather_rows(g, u, tpp_every_row(g, s.d[0]), (int)s.d[1]);
    return tpp_reshape(g, all, TPP_SHAPE(s.d[0], s.d[1], 1));
}

/* u [B*P, S, 1] of the prompts' attention a [B*P, S, C]: per token, or by level. */
static tpp_value prompt_scores(tpp_graph *g, const tpp_model_dims *d, tpp_value a)
{
    if (d->config->fusion.weight_scope == TPP_WEIGHT_SCOPE_TOKEN)
        return score(g, a, tpp_shape_of(g, a).d[2]);
    tpp_value u[TPP_MAX_LEVELS];
    for (int l = 0; l < d->levels; l++) u[l] = level_scores(g, d, tpp_level_map(g, d, a, l).v);
    return tpp_concat(g, 1, d->levels, u);
}

/* y = scale sum_p x A_p softmax_p(u). */
static tpp_fused mix(tpp_graph *g, const tpp_model_dims *d, tpp_value x, tpp_value a)
{
    tpp_prompt_mix_attr attr = {.prompts = d->prompts,
                                .scale = d->config->fusion.divide_by_np ? 1.0f / (float)d->prompts
                                                                        : 1.0f,
                                .levels = d->levels};
    for (int l = 0; l < d->levels; l++) attr.tokens[l] = (int)tpp_map_tokens(&d->level[l]);
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    const tpp_value in[] = {x, a, prompt_scores(g, d, a)};
    (void)tpp_node(g, "prompt_mix", &attr, 3, in, out);
    tpp_fused fused = {.x = out[0]};
    for (int l = 0; l < TPP_MAX_LEVELS; l++) fused.weight[l] = out[1 + l];
    return fused;
}

tpp_fused tpp_fusion(tpp_graph *g, const tpp_model_dims *d, tpp_value x, const tpp_text *text)
{
    const tpp_keys keys = {.key = text->fusion_key,
                           .value = text->fusion_value,
                           .valid = text->valid,
                           .index = TPP_NONE,
                           .mode = TPP_ATTENTION_EACH};
    const tpp_value a = tpp_mha(g, x, &keys, TPP_FUSION_MHA, d->config->model.heads);
    if (d->config->fusion.mode == TPP_FUSION_SINGLE)
        return (tpp_fused){.x = tpp_mul(g, x, a),
                           .weight = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE}};
    return mix(g, d, x, a);
}

/* The same prompt for every image: the maximum of weights that have one 1. */
static tpp_value constant_prompt(tpp_graph *g, const tpp_model_dims *d, int64_t batch, int index)
{
    if (tpp_graph_status(g) != TPP_OK) return TPP_NONE;
    float *weight = tpp_calloc((size_t)(batch * d->prompts), sizeof(*weight));
    if (weight == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for a constant prompt");
    for (int64_t b = 0; b < batch; b++) weight[b * d->prompts + index] = 1.0f;
    const tpp_name key = tpp_name_of("prompt %d of %d x%lld", index, d->prompts, (long long)batch);
    const tpp_value v = tpp_constant(g, key.text, TPP_F32, TPP_SHAPE(batch, d->prompts), weight);
    tpp_free(weight);
    return tpp_argmax(g, v);
}

tpp_value tpp_choose_prompt(tpp_graph *g, const tpp_model_dims *d, int64_t batch,
                            const tpp_value weight[TPP_MAX_LEVELS])
{
    const struct tpp_model_config *c = d->config;
    if (c->text.ablate || c->fusion.mode == TPP_FUSION_SINGLE)
        return constant_prompt(g, d, batch, 0);
    if (c->prompt.select == TPP_SELECT_FIXED)
        return constant_prompt(g, d, batch, c->prompt.fixed_index);
    if (c->prompt.select_level >= 0) return tpp_argmax(g, weight[c->prompt.select_level]);
    tpp_value sum = weight[0]; /* which is as good as the mean */
    for (int l = 1; l < d->levels; l++) sum = tpp_add(g, sum, weight[l]);
    return tpp_argmax(g, sum);
}
