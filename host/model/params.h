/* Every parameter of the model: its published name and shape, for a configuration.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_PARAMS_H
#define TPP_MODEL_PARAMS_H

#include "config/model_config.h"
#include "core/shape.h"
#include "core/table.h"

typedef struct tpp_model_param {
    const char *name;
    tpp_shape shape;
    bool used; /* false: only by the same model with more switches on; a file may hold it */
} tpp_model_param;

/* Zero-initialise. In the order in which the graphs use them, the unused ones last. */
typedef struct tpp_model_params {
    tpp_model_param *items;
    size_t count;
    tpp_table index; /* name -> place in items */
} tpp_model_params;

/* What the model's graphs ask for: derived by recording them all. */
TPP_MUST_CHECK tpp_status tpp_model_params_list(tpp_model_params *p,
                                                const struct tpp_model_config *config);
void tpp_model_params_free(tpp_model_params *p);

/* NULL: no such parameter. */
const tpp_model_param *tpp_model_params_find(const tpp_model_params *p, const char *name);

/* Names that published checkpoints hold and inference has no use for: aliases and buffers
 * (model.md 3.1). */
bool tpp_model_param_is_surplus(const char *name);

#endif
