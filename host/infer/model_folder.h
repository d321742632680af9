/* A model is a folder: model.yaml, weights.safetensors, vocab.json, merges.txt, MODEL_CARD.md.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_MODEL_FOLDER_H
#define TPP_INFER_MODEL_FOLDER_H

#include "config/model_config.h"
#include "core/status.h"
#include "io/safetensors.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TPP_MODEL_YAML    "model.yaml"
#define TPP_MODEL_WEIGHTS "weights.safetensors"
#define TPP_MODEL_VOCAB   "vocab.json"
#define TPP_MODEL_MERGES  "merges.txt"
#define TPP_MODEL_CARD    "MODEL_CARD.md"

/* Zero-initialise; close in any state. */
typedef struct tpp_model_folder {
    char *path;
    struct tpp_model_config config;
    tpp_safetensors *weights; /* mapped, and checked against `config` */
    tpp_bpe *bpe;
    bool is_synthetic; /* the weights say so: masks mean nothing */
} tpp_model_folder;

/* Opens and checks everything. `overrides` ("key=value") come after what model.yaml says.
 * TPP_EIO names a file that is missing; TPP_EFORMAT, TPP_EUSAGE one that does not fit. */
TPP_MUST_CHECK tpp_status tpp_model_folder_open(tpp_model_folder *m, const char *path,
                                                const char *const *overrides, size_t n_overrides);
void tpp_model_folder_close(tpp_model_folder *m);

/* Tokens of one prompt as the model takes them; cut, with a warning, at the longest it can take.
 * Free with tpp_tokens_free. */
TPP_MUST_CHECK tpp_status tpp_model_folder_tokens(const tpp_model_folder *m, tpp_tokens *out,
                                                  const char *text, size_t length);

/* Makes a folder with synthetic weights of `seed`, and the vocabulary files of another folder.
 * TPP_EUSAGE when the folder is not empty and `overwrite` is not given. */
TPP_MUST_CHECK tpp_status tpp_model_folder_synth(const char *path,
                                                 const struct tpp_model_config *config,
                                                 uint64_t seed, const char *vocab_folder,
                                                 bool overwrite);

#endif
