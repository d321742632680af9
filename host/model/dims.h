/* Sizes of everything in the model, from a configuration and the size of the network's input.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_DIMS_H
#define TPP_MODEL_DIMS_H

#include "config/model_config.h"
#include "core/status.h"
#include "ref/ref.h"

enum { TPP_STAGES = 4, TPP_MAX_LAYERS = 64, TPP_MIN_SIDE = 32 };

typedef struct tpp_map_size {
    int height, width, channels;
} tpp_map_size;

typedef struct tpp_model_dims {
    const struct tpp_model_config *config; /* borrowed */
    int height, width;                     /* of the network's input */
    int prompts, length;                   /* P sentences, padded to L tokens */
    int levels;
    tpp_map_size res[TPP_STAGES];       /* backbone stages: strides 4, 8, 16, 32 */
    tpp_map_size level[TPP_MAX_LEVELS]; /* encoder levels: strides 8, 16, 32, 64; C channels */
    int64_t level_start[TPP_MAX_LEVELS];
    int64_t tokens; /* S, of all levels */
} tpp_model_dims;

/* Checks that the model can be built at this size; keeps `config`. TPP_EUNSUPPORTED for switches
 * that this version does not have, TPP_EUSAGE for sizes out of range; `d` is untouched then. */
TPP_MUST_CHECK tpp_status tpp_model_dims_set(tpp_model_dims *d,
                                             const struct tpp_model_config *config, int height,
                                             int width, int prompts, int length);

/* Does any frame depend on the one before it? */
bool tpp_model_propagates(const struct tpp_model_config *config);

/* Tokens of a level or stage. */
static inline int64_t tpp_map_tokens(const tpp_map_size *s)
{
    return (int64_t)s->height * s->width;
}

/* Parameters that the controller makes for each query (model.md 2.12). */
int64_t tpp_theta_count(const struct tpp_model_config *config);

#endif
