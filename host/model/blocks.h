/* Small modules that several parts of the model are made of.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_BLOCKS_H
#define TPP_MODEL_BLOCKS_H

#include "nn/graph.h"

#define TPP_NORM_EPS 1e-5f

/* A parameter's name or prefix, made in place: its text lives until the end of the call it is an
 * argument of. */
typedef struct tpp_name {
    char text[128];
} tpp_name;
tpp_name tpp_name_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define TPP_NAME(...) (tpp_name_of(__VA_ARGS__).text)

/* Multi-head attention with packed projections: PREFIX.in_proj_weight [3C, C] = rows [Wq; Wk; Wv],
 * PREFIX.in_proj_bias [3C], PREFIX.out_proj. */
typedef enum tpp_mha_part { TPP_MHA_QUERY, TPP_MHA_KEY, TPP_MHA_VALUE } tpp_mha_part;

/* x W + b of one of the three. */
tpp_value tpp_mha_project(tpp_graph *g, tpp_value x, const char *prefix, tpp_mha_part part);

/* Keys and values that are projected already, and which of them take part. */
typedef struct tpp_keys {
    tpp_value key, value;
    tpp_value valid, index; /* of op attention; may be TPP_NONE */
    tpp_attention_mode mode;
} tpp_keys;

/* x is projected to queries, attends, and goes through the output projection. */
tpp_value tpp_mha(tpp_graph *g, tpp_value x, const tpp_keys *keys, const char *prefix, int heads);

/* Attention of a set to itself: queries and keys of x + pos, values of x. */
tpp_value tpp_self_attention(tpp_graph *g, tpp_value x, tpp_value pos, const char *prefix,
                             int heads);

/* Three linears PREFIX.layers.0 .. 2 with ReLU between: C -> hidden -> hidden -> out. */
tpp_value tpp_mlp3(tpp_graph *g, tpp_value x, const char *prefix, int64_t hidden, int64_t out);

/* PREFIX.linear1, ReLU, PREFIX.linear2, plus x. */
tpp_value tpp_ffn_of(tpp_graph *g, tpp_value x, const char *prefix, int64_t hidden);

/* PREFIX.weight and so on with eps 1e-5. */
tpp_value tpp_norm(tpp_graph *g, tpp_value x, const char *prefix);

tpp_value tpp_zeros(tpp_graph *g, tpp_shape shape);

/* I32 [n]: 0, 1, .. n - 1. */
tpp_value tpp_every_row(tpp_graph *g, int64_t n);

/* Mean of the first `valid` tokens (I32 [B], TPP_NONE: all): x [B, N, C] to [B, 1, C]. */
tpp_value tpp_mean_tokens(tpp_graph *g, tpp_value x, tpp_value valid, int heads);

/* Resampled, plus `add` of the result's shape unless that is TPP_NONE. */
tpp_map tpp_resample_add(tpp_graph *g, tpp_map x, tpp_value add, int height, int width,
                         tpp_resample_mode mode);

/* I32 [R]: first maximum of each row of x [R, C]. */
tpp_value tpp_argmax(tpp_graph *g, tpp_value x);

#endif
