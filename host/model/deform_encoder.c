/* Deformable attention and the encoder.
 * SPDX-License-Identifier: MIT */
#include "model/blocks.h"
#include "model/deform.h"
#include "model/position.h"

tpp_value tpp_deform_attention(tpp_graph *g, const tpp_model_dims *d, const char *prefix,
                               tpp_value z, tpp_value ref, tpp_value value)
{
    const int c = d->config->model.hidden,
              samples = d->config->model.heads * d->levels * d->config->model.points;
    tpp_deform_attr attr = {
        .heads = d->config->model.heads, .levels = d->levels, .points = d->config->model.points};
    for (int l = 0; l < d->levels; l++) {
        attr.height[l] = d->level[l].height;
        attr.width[l] = d->level[l].width;
    }
    const tpp_value in[] = {
        tpp_linear(g, value, TPP_NAME("%s.value_proj", prefix), c),
        tpp_linear(g, z, TPP_NAME("%s.sampling_offsets", prefix), (int64_t)samples * 2),
        tpp_linear(g, z, TPP_NAME("%s.attention_weights", prefix), samples), ref};
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "deform_attention", &attr, 4, in, out);
    return tpp_linear(g, out[0], TPP_NAME("%s.output_proj", prefix), c);
}

tpp_map tpp_level_map(tpp_graph *g, const tpp_model_dims *d, tpp_value x, int l)
{
    const tpp_map_size *s = &d->level[l];
    return (tpp_map){.v = tpp_slice(g, x, 1, d->level_start[l], tpp_map_tokens(s)),
                     .height = s->height,
                     .width = s->width};
}

/* Sine encoding plus the level's own vector, of all levels: [1, S, C]. */
static tpp_value level_positions(tpp_graph *g, const tpp_model_dims *d)
{
    tpp_value pos[TPP_MAX_LEVELS];
    const tpp_value embed =
        tpp_param(g, "transformer.level_embed", TPP_SHAPE(d->levels, d->config->model.hidden));
    for (int l = 0; l < d->levels; l++)
        pos[l] = tpp_add(g, tpp_sine2d_value(g, &d->level[l]), tpp_slice(g, embed, 0, l, 1));
    return tpp_concat(g, 1, d->levels, pos);
}

tpp_value tpp_deform_encoder(tpp_graph *g, const tpp_model_dims *d, tpp_value x)
{
    const tpp_value pos = level_positions(g, d), centres = tpp_centres_value(g, d);
    for (int l = 0; l < d->config->model.enc_layers; l++) {
        const tpp_name p = tpp_name_of("transformer.encoder.layers.%d", l);
        x = tpp_add(g, x,
                    tpp_deform_attention(g, d, TPP_NAME("%s.self_attn", p.text), tpp_add(g, x, pos),
                                         centres, x));
        x = tpp_norm(g, x, TPP_NAME("%s.norm1", p.text));
        x = tpp_ffn_of(g, x, p.text, d->config->model.ffn);
        x = tpp_norm(g, x, TPP_NAME("%s.norm2", p.text));
    }
    return x;
}
