/* The decoder: queries that read the image around their boxes, refined layer by layer.
 * SPDX-License-Identifier: MIT */
#include "model/blocks.h"
#include "model/deform.h"
#include "model/mask_head.h"

/* x <- LN2(x + self), x <- LN1(x + cross), x <- LN3(x + ffn): the norms' numbers are not in order
 * of use (model.md 2.8). */
static tpp_value decoder_layer(tpp_graph *g, const tpp_model_dims *d, const tpp_queries *q,
                               tpp_value value, const char *p)
{
    tpp_value x = q->content;
    x = tpp_add(
        g, x,
        tpp_self_attention(g, x, q->qpos, TPP_NAME("%s.self_attn", p), d->config->model.heads));
    x = tpp_norm(g, x, TPP_NAME("%s.norm2", p));
    x = tpp_add(g, x,
                tpp_deform_attention(g, d, TPP_NAME("%s.cross_attn", p), tpp_add(g, x, q->qpos),
                                     q->ref, value));
    x = tpp_norm(g, x, TPP_NAME("%s.norm1", p));
    x = tpp_ffn_of(g, x, p, d->config->model.ffn);
    return tpp_norm(g, x, TPP_NAME("%s.norm3", p));
}

void tpp_deform_decoder(tpp_graph *g, const tpp_model_dims *d, const tpp_queries *q,
                        tpp_value value, tpp_frame_outputs *out)
{
    const bool refine = d->config->model.box_refine;
    tpp_queries now = *q;
    now.ref = tpp_activate(g, q->ref, TPP_ACT_SIGMOID);
    for (int j = 0; j < d->config->model.dec_layers; j++) {
        const int head = refine ? j : 0; /* one pair of heads for all layers otherwise */
        now.content =
            decoder_layer(g, d, &now, value, TPP_NAME("transformer.decoder.layers.%d", j));
        out->hs[j] = now.content;
        out->box[j] = tpp_box_head(g, now.content, now.ref, head);
        out->logit[j] = tpp_class_head(g, now.content, head, d->config->model.num_classes);
        if (refine) now.ref = tpp_stop_gradient(g, out->box[j]);
        tpp_mark(g, 0, 0, out->hs[j], "hs%d", j);
        tpp_mark(g, 0, 0, out->box[j], "box%d", j);
        tpp_mark(g, 0, 0, out->logit[j], "logit%d", j);
    }
}
