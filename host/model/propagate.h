/* What goes from frame to frame: which queries, and their state (model.md 2.10, 2.13, 9.2, 9.3).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_PROPAGATE_H
#define TPP_MODEL_PROPAGATE_H

#include "model/tpp_model.h"

/* Content of the queries before the first layer, [B, Q, C]. */
tpp_value tpp_initial_content(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                              const tpp_track *track);

/* Do the queries of the first frame, or of a later one, start from the sentence? */
bool tpp_reads_sentence(const struct tpp_model_config *config, bool is_first);

/* [1, Q, K] class scores by which the best query is found, from logit [B, Q, K]: with mode=clip the
 * mean of the frames' probabilities, else (B = 1) the logits, which rank alike. */
tpp_value tpp_query_scores(tpp_graph *g, const tpp_model_dims *d, tpp_value logit);

/* I32 [1]: the query with the largest class score (the first of equals). */
tpp_value tpp_best_query(tpp_graph *g, tpp_value logit);

/* Rows of each x[b], x [B, Q, n], that `index` [k] names: [B, k, n]; x itself when Q is 1. */
tpp_value tpp_pick_queries(tpp_graph *g, tpp_value x, tpp_value index);

/* The state that frame t leaves: `in->keep` queries of `out`, whose best and best_mask are set. */
tpp_track tpp_next_track(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                         const tpp_track *track, const tpp_frame_outputs *out);

#endif
