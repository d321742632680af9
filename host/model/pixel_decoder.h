/* Cross-modal pixel decoder: from the encoder's levels and the finest backbone map to mask features
 * (model.md 2.11).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_PIXEL_DECODER_H
#define TPP_MODEL_PIXEL_DECODER_H

#include "model/tpp_model.h"

/* printf format of the text attention's names: its stage from 1 (stride 4) to 4. */
#define TPP_FPN_MHA "pixel_decoder.cross_attn_%d.multihead_attn"

/* [B, h4*w4, mask_dim] of encoder [B, S, C], the stride-4 map and the words of prompt[b]. With
 * mode=clip the B images are frames of one clip and see each other. */
tpp_value tpp_pixel_decoder(tpp_graph *g, const tpp_model_dims *d, tpp_value encoder, tpp_map res2,
                            const tpp_text *text, tpp_value prompt);

#endif
