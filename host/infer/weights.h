/* Where the numbers of a model come from: a safetensors file, or the rule for synthetic weights.
 * Both are a tpp_param_source; the store asks them parameter by parameter.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_WEIGHTS_H
#define TPP_INFER_WEIGHTS_H

#include "config/model_config.h"
#include "core/shape.h"
#include "core/status.h"
#include "io/safetensors.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- from a file ---- */

/* Key of a file's metadata that says its numbers were made by the rule below: "seed 7". */
#define TPP_SYNTHETIC_KEY "synthetic"

/* Compares an open file with what the configuration's graphs ask for. TPP_EFORMAT when a parameter
 * is missing, has another shape, or is of a type that is no float, or when the file holds a name
 * that the model does not have: the message names the first ten and counts the rest. Left alone
 * are parameters of the same model with more switches on and what published checkpoints hold
 * beside their parameters (model.md 3). `path` is for messages. */
TPP_MUST_CHECK tpp_status tpp_weights_check(const tpp_safetensors *f, const char *path,
                                            const struct tpp_model_config *config);

/* The tensor that holds parameter `name`: under that name, or under one that published checkpoints
 * use for it (transformer.decoder.bbox_embed.*, ResNet without backbone.0.body.). NULL: absent. */
const tpp_safetensors_tensor *tpp_weights_find(const tpp_safetensors *f, const char *name);

/* A tpp_param_source; `file` is a tpp_safetensors that stays open. */
TPP_MUST_CHECK tpp_status tpp_weights_source(void *file, const char *name, const tpp_shape *shape,
                                             float *out);

/* Does the file say that it was made by the synthetic rule? */
bool tpp_weights_are_synthetic(const tpp_safetensors *f);

/* ---- by rule ---- */

/* A tpp_param_source; `seed` points to a uint64_t. Values by name and shape, rounded to float
 * (shared reference, README, "Synthetic numbers"). */
TPP_MUST_CHECK tpp_status tpp_synth_source(void *seed, const char *name, const tpp_shape *shape,
                                           float *out);

/* Writes all parameters of a configuration by that rule, one at a time. */
TPP_MUST_CHECK tpp_status tpp_synth_write(const char *path, const struct tpp_model_config *config,
                                          uint64_t seed);

#endif
