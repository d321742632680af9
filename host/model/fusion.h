/* Vision-language fusion and the choice of a prompt (model.md 2.6).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_FUSION_H
#define TPP_MODEL_FUSION_H

#include "model/tpp_model.h"

#define TPP_FUSION_MHA "fusion_module.multihead_attn"

typedef struct tpp_fused {
    tpp_value x; /* [B, S, C] */
    /* [B, P] of each level: mean weight of each prompt; none with fusion.mode=single */
    tpp_value weight[TPP_MAX_LEVELS];
} tpp_fused;

/* The tokens x [B, S, C] of all levels, each multiplied with what it reads of the prompts. */
tpp_fused tpp_fusion(tpp_graph *g, const tpp_model_dims *d, tpp_value x, const tpp_text *text);

/* I32 [batch]: the prompt that queries and pixel decoder use, from the weights of all levels. */
tpp_value tpp_choose_prompt(tpp_graph *g, const tpp_model_dims *d, int64_t batch,
                            const tpp_value weight[TPP_MAX_LEVELS]);

#endif
