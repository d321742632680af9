/* Heads on the decoder's queries: boxes, classes, and masks by dynamic convolutions (model.md 2.8
 * and 2.12).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_MASK_HEAD_H
#define TPP_MODEL_MASK_HEAD_H

#include "model/tpp_model.h"

/* [B, Q, 4] from hs [B, Q, C] and the reference [B or 1, Q, 2 or 4] in [0, 1]; `layer` names it. */
tpp_value tpp_box_head(tpp_graph *g, tpp_value hs, tpp_value ref, int layer);

/* [B, Q, classes] logits. */
tpp_value tpp_class_head(tpp_graph *g, tpp_value hs, int layer, int classes);

/* [B, Q, h4*w4] logits; relative coordinates are those of the boxes, through which no gradient
 * passes. */
tpp_value tpp_mask_head(tpp_graph *g, const tpp_model_dims *d, tpp_value hs, tpp_value box,
                        tpp_value mask_features);

#endif
