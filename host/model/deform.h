/* Multi-scale deformable attention, and the encoder and decoder layers around it (model.md 2.7 and
 * 2.8).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_DEFORM_H
#define TPP_MODEL_DEFORM_H

#include "model/tpp_model.h"

/* Queries z [B, Nq, C] sample `value` [B, S, C] around ref [B or 1, Nq, 2 or 4], in [0, 1]. */
tpp_value tpp_deform_attention(tpp_graph *g, const tpp_model_dims *d, const char *prefix,
                               tpp_value z, tpp_value ref, tpp_value value);

/* E [B, S, C] of the fused tokens x [B, S, C] of all levels. */
tpp_value tpp_deform_encoder(tpp_graph *g, const tpp_model_dims *d, tpp_value x);

typedef struct tpp_queries {
    tpp_value content; /* [B, Q, C] */
    tpp_value qpos;    /* [1, Q, C] */
    tpp_value ref;     /* [1, Q, 2 or 4], before the sigmoid */
} tpp_queries;

/* Fills hs, box and logit of every layer; value [B, S, C]. */
void tpp_deform_decoder(tpp_graph *g, const tpp_model_dims *d, const tpp_queries *q,
                        tpp_value value, tpp_frame_outputs *out);

/* Level l of a tensor of all levels: [B, S, C] to a map. */
tpp_map tpp_level_map(tpp_graph *g, const tpp_model_dims *d, tpp_value x, int l);

#endif
