/* Text: RoBERTa (model.md 2.4), feature resizer (2.5), and the keys and values that later graphs
 * attend to, which depend on the sentences alone.
 * SPDX-License-Identifier: MIT */
#include "model/blocks.h"
#include "model/fusion.h"
#include "model/pixel_decoder.h"
#include "model/tpp_model.h"

#include <math.h>

#define TEXT "text_encoder."

static tpp_value embed(tpp_graph *g, const tpp_model_dims *d, const tpp_text_inputs *in)
{
    const tpp_embedding_attr attr = {0};
    const int64_t width = d->config->text.hidden;
    const tpp_value operands[] = {
        in->ids, in->places,
        tpp_param(g, TEXT "embeddings.word_embeddings.weight",
                  TPP_SHAPE(d->config->text.vocab, width)),
        tpp_param(g, TEXT "embeddings.position_embeddings.weight",
                  TPP_SHAPE(d->config->text.positions, width)),
        tpp_param(g, TEXT "embeddings.token_type_embeddings.weight", TPP_SHAPE(1, width))};
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "embedding", &attr, 5, operands, out);
    return tpp_norm(g, out[0], TEXT "embeddings.LayerNorm");
}

/* x <- LN(x + W_o attention(x)); x <- LN(x + W_2 gelu(W_1 x)). */
static tpp_value encoder_layer(tpp_graph *g, const tpp_model_dims *d, tpp_value x, tpp_value valid,
                               const char *p)
{
    const int width = d->config->text.hidden, heads = d->config->text.heads;
    const tpp_attention_attr attr = {.heads = heads,
                                     .mode = TPP_ATTENTION_SAME,
                                     .scale = (float)(1.0 / sqrt((double)width / heads))};
    const tpp_value q = tpp_linear(g, x, TPP_NAME("%s.attention.self.query", p), width);
    const tpp_value k = tpp_linear(g, x, TPP_NAME("%s.attention.self.key", p), width);
    const tpp_value v = tpp_linear(g, x, TPP_NAME("%s.attention.self.value", p), width);
    const tpp_value a = tpp_attention(g, q, k, v, valid, TPP_NONE, attr);
    x = tpp_add(g, x, tpp_linear(g, a, TPP_NAME("%s.attention.output.dense", p), width));
    x = tpp_norm(g, x, TPP_NAME("%s.attention.output.LayerNorm", p));
    x = tpp_ffn(g, x, TPP_NAME("%s.intermediate.dense", p), TPP_NAME("%s.output.dense", p),
                d->config->text.ffn, TPP_ACT_GELU);
    return tpp_norm(g, x, TPP_NAME("%s.output.LayerNorm", p));
}

/* Hidden states [P, L, D]. */
static tpp_value roberta(tpp_graph *g, const tpp_model_dims *d, const tpp_text_inputs *in)
{
    tpp_value x = embed(g, d, in);
    for (int l = 0; l < d->config->text.layers; l++)
        x = encoder_layer(g, d, x, in->valid, TPP_NAME(TEXT "encoder.layer.%d", l));
    return x;
}

/* [1, P, D] from the first token of each prompt. */
static tpp_value pool(tpp_graph *g, const tpp_model_dims *d, tpp_value hidden)
{
    const int width = d->config->text.hidden;
    const tpp_value first =
        tpp_reshape(g, tpp_slice(g, hidden, 1, 0, 1), TPP_SHAPE(1, d->prompts, width));
    return tpp_activate(g, tpp_linear(g, first, TEXT "pooler.dense", width), TPP_ACT_TANH);
}

/* Text width to C; one module for words and sentences. */
static tpp_value resize(tpp_graph *g, const tpp_model_dims *d, tpp_value x)
{
    const float eps = 1e-12f;
    x = tpp_linear(g, x, "resizer.fc", d->config->model.hidden);
    return tpp_layernorm(g, x, "resizer.layer_norm", eps);
}

/* The words of all prompts one after another: [P, L, C] to [1, P*L, C]. */
static tpp_value pack(tpp_graph *g, const tpp_text_inputs *in, tpp_value x)
{
    return tpp_gather_rows(g, x, in->packed, 1);
}

/* Keys and values are projected here, once: K = (X + P^txt) Wk + bk, V = X Wv + bv. */
static void project(tpp_graph *g, const tpp_model_dims *d, const tpp_text_inputs *in,
                    tpp_text *text)
{
    const tpp_value placed = tpp_add(g, text->words, in->word_pos);
    text->fusion_key = tpp_mha_project(g, placed, TPP_FUSION_MHA, TPP_MHA_KEY);
    text->fusion_value = tpp_mha_project(g, text->words, TPP_FUSION_MHA, TPP_MHA_VALUE);
    for (int s = 0; s < TPP_STAGES; s++) {
        const tpp_name mha = tpp_name_of(TPP_FPN_MHA, s + 1);
        tpp_value k = tpp_mha_project(g, placed, mha.text, TPP_MHA_KEY);
        tpp_value v = tpp_mha_project(g, text->words, mha.text, TPP_MHA_VALUE);
        if (d->config->fpn.text == TPP_FPN_TEXT_ALL) {
            k = pack(g, in, k);
            v = pack(g, in, v);
        }
        text->fpn_key[s] = k;
        text->fpn_value[s] = v;
    }
}

tpp_text tpp_encode_text(tpp_graph *g, const tpp_model_dims *d, const tpp_text_inputs *in)
{
    const struct tpp_model_config *c = d->config;
    tpp_text text = {.valid = in->valid, .packed_valid = in->packed_valid};
    /* The encoder is frozen: nothing behind it is trained (model.md 4.4). */
    const tpp_value hidden = tpp_stop_gradient(g, roberta(g, d, in));
    const tpp_value pooled = tpp_stop_gradient(g, pool(g, d, hidden));
    text.words = resize(g, d, hidden);
    text.sentence = resize(g, d, pooled);
    if (c->query.text == TPP_QUERY_TEXT_MEAN_WORDS)
        text.sentence = tpp_reshape(g, tpp_mean_tokens(g, text.words, in->valid, c->model.heads),
                                    TPP_SHAPE(1, d->prompts, c->model.hidden));
    /* Without prompts all values are alike, so that neither scores nor padding matter (9.4). */
    if (c->text.ablate)
        text.words = tpp_zeros(g, TPP_SHAPE(d->prompts, d->length, c->model.hidden));
    project(g, d, in, &text);
    tpp_mark(g, 0, 0, hidden, "text.hidden");
    tpp_mark(g, 0, 0, pooled, "text.pooled");
    tpp_mark(g, 0, 0, text.words, "text.words");
    tpp_mark(g, 0, 0, text.sentence, "text.sentence");
    return text;
}
