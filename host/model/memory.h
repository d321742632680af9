/* Memory read: the stride-8 tokens of a frame attend to the previous mask and to features
 * (model.md 2.9).
 *
 * The key and value convolutions are linear in [mask, features]: conv(mask, G) = conv_m(mask) +
 * conv_f(G) + b. The second part depends on no earlier frame and is made ahead (tpp_memory_encode);
 * only the one-channel part is left in the chain from frame to frame.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_MEMORY_H
#define TPP_MODEL_MEMORY_H

#include "model/tpp_model.h"

/* conv_f(G) + b for keys and values, G = level 0 of `encoder`: sets out->memory_key, memory_value.
 * With mem.source=prev they belong to the next frame, and the gradient into G stops here. */
void tpp_memory_encode(tpp_graph *g, const tpp_model_dims *d, tpp_encoding *out);

/* What the decoder attends to, [1, S, C]: `encoder` with level 0 replaced by what it reads of the
 * memory (mem.residual: added to). `mask` [1, h0*w0, 1]; key, value as tpp_memory_encode made
 * them. */
tpp_value tpp_memory_read(tpp_graph *g, const tpp_model_dims *d, tpp_value encoder, tpp_value mask,
                          tpp_value key, tpp_value value);

#endif
