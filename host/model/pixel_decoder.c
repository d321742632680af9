/* Cross-modal pixel decoder.
 * SPDX-License-Identifier: MIT */
#include "model/pixel_decoder.h"

#include "model/blocks.h"
#include "model/deform.h"
#include "model/position.h"

#define FPN "pixel_decoder."

enum { GROUPS = 8 };

/* Self-attention of the tokens of each image, or with mode=clip of all images together: they are
 * the frames of one clip, and a token's place in time is not told (model.md 2.11). x [B, N, C], pos
 * [1, N, C]. */
static tpp_value self_attention(tpp_graph *g, const tpp_model_dims *d, tpp_value x, tpp_value pos,
                                const char *prefix)
{
    const tpp_shape s = tpp_shape_of(g, x);
    const int heads = d->config->model.heads;
    if (d->config->mode == TPP_MODE_ONLINE) return tpp_self_attention(g, x, pos, prefix, heads);
    x = tpp_reshape(g, x, TPP_SHAPE(1, s.d[0] * s.d[1], s.d[2]));
    return tpp_reshape(g, tpp_self_attention(g, x, pos, prefix, heads), s);
}

/* Self-attention of a map on a coarser grid of (height/r) x (width/r), plus x. Nearest
 * down-sampling picks tokens, so that positions may be picked on their own. */
static tpp_value reduced_attention(tpp_graph *g, const tpp_model_dims *d, tpp_map x, tpp_value pos,
                                   int r, const char *prefix)
{
    const int h = x.height / r, w = x.width / r;
    const tpp_map at = {.v = pos, .height = x.height, .width = x.width};
    const tpp_map small = tpp_resample(g, x, h, w, TPP_RESAMPLE_NEAREST);
    const tpp_map small_at = tpp_resample(g, at, h, w, TPP_RESAMPLE_NEAREST);
    const tpp_map a = {
        .v = self_attention(g, d, small.v, small_at.v, prefix), .height = h, .width = w};
    return tpp_resample_add(g, a, x.v, x.height, x.width, TPP_RESAMPLE_BILINEAR).v;
}

/* The words a stage attends to: those of the chosen prompt, or of all prompts. */
static tpp_keys words_of(const tpp_model_dims *d, const tpp_text *text, tpp_value prompt, int stage)
{
    const bool all = d->config->fpn.text == TPP_FPN_TEXT_ALL;
    return (tpp_keys){.key = text->fpn_key[stage],
                      .value = text->fpn_value[stage],
                      .valid = all ? text->packed_valid : text->valid,
                      .index = all ? TPP_NONE : prompt,
                      .mode = all ? TPP_ATTENTION_EACH : TPP_ATTENTION_INDEX};
}

/* x <- LN1(x + self), x <- LN2(x + words), x <- LN3(x + ffn). */
static tpp_map vision_language_block(tpp_graph *g, const tpp_model_dims *d, tpp_map x,
                                     const tpp_keys *words, int stage)
{
    const tpp_name p = tpp_name_of(FPN "cross_attn_%d", stage + 1);
    const tpp_name self = tpp_name_of("%s.self_attn", p.text);
    const tpp_map_size size = {x.height, x.width, d->config->model.hidden};
    const tpp_value pos = tpp_sine2d_value(g, &size);
    const int heads = d->config->model.heads, r = 1 << (TPP_STAGES - 1 - stage);
    x.v = r > 1 ? reduced_attention(g, d, x, pos, r, self.text)
                : tpp_add(g, x.v, self_attention(g, d, x.v, pos, self.text));
    x.v = tpp_norm(g, x.v, TPP_NAME("%s.norm1", p.text));
    x.v = tpp_add(g, x.v,
                  tpp_mha(g, tpp_add(g, x.v, pos), words, TPP_NAME(TPP_FPN_MHA, stage + 1), heads));
    x.v = tpp_norm(g, x.v, TPP_NAME("%s.norm2", p.text));
    x.v = tpp_ffn_of(g, x.v, p.text, d->config->model.ffn);
    x.v = tpp_norm(g, x.v, TPP_NAME("%s.norm3", p.text));
    return x;
}

/* PREFIX without bias, then GroupNorm PREFIX.norm. */
static tpp_map conv_norm(tpp_graph *g, tpp_map x, const char *prefix, tpp_conv c, tpp_act act)
{
    x = tpp_conv2d(g, x, prefix, c);
    x.v = tpp_groupnorm(g, x.v, TPP_NAME("%s.norm", prefix), GROUPS, act);
    return x;
}

/* One stage: lateral map, words, the coarser stage `above` (none at the coarsest), 3x3. */
static tpp_map stage_map(tpp_graph *g, const tpp_model_dims *d, tpp_map x, const tpp_map *above,
                         const tpp_keys *words, int stage)
{
    const int c = d->config->model.hidden;
    const tpp_conv lateral = {.cout = c, .kernel = 1, .stride = 1};
    const tpp_conv smooth = {.cout = c, .kernel = 3, .stride = 1, .pad = 1};
    x = conv_norm(g, x, TPP_NAME(FPN "adapter_%d", stage + 1), lateral, TPP_ACT_NONE);
    x = vision_language_block(g, d, x, words, stage);
    if (above != NULL)
        x = tpp_resample_add(g, *above, x.v, x.height, x.width, TPP_RESAMPLE_NEAREST);
    x = conv_norm(g, x, TPP_NAME(FPN "layer_%d", stage + 1), smooth, TPP_ACT_RELU);
    tpp_mark(g, x.height, x.width, x.v, "fpn%d", stage + 1);
    return x;
}

tpp_value tpp_pixel_decoder(tpp_graph *g, const tpp_model_dims *d, tpp_value encoder, tpp_map res2,
                            const tpp_text *text, tpp_value prompt)
{
    const tpp_conv last = {
        .cout = d->config->model.mask_dim, .kernel = 3, .stride = 1, .pad = 1, .bias = true};
    tpp_map y = {.v = TPP_NONE};
    for (int stage = TPP_STAGES - 1; stage >= 0; stage--) {
        const tpp_keys words = words_of(d, text, prompt, stage);
        const tpp_map x = stage > 0 ? tpp_level_map(g, d, encoder, stage - 1) : res2;
        y = stage_map(g, d, x, stage < TPP_STAGES - 1 ? &y : NULL, &words, stage);
    }
    y = tpp_conv2d(g, y, FPN "mask_features", last);
    tpp_mark(g, y.height, y.width, y.v, "mask_features");
    return y.v;
}
