/* Vocabulary: tokens (in the byte alphabet of split.h) and their ids, from a vocab.json.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_VOCAB_H
#define TPP_TEXT_VOCAB_H

#include "core/status.h"
#include "core/table.h"

#include <stddef.h>
#include <stdint.h>

/* The ids of RoBERTa's special tokens: positions and padding depend on them. */
enum { TPP_TOKEN_START = 0, TPP_TOKEN_PAD = 1, TPP_TOKEN_END = 2, TPP_TOKEN_UNKNOWN = 3 };

/* Zero-initialise; free in any state. */
typedef struct tpp_vocab {
    tpp_table ids;     /* token -> id */
    const char **text; /* id -> token, borrowed from `ids` */
    size_t count;
} tpp_vocab;

/* Reads {"token": id, ...}: ids are 0 to count - 1, each once; <s> 0, <pad> 1, </s> 2, <unk> 3.
 * TPP_EIO when the file cannot be read or is over 64 MiB, TPP_EFORMAT when it is not that. */
TPP_MUST_CHECK tpp_status tpp_vocab_read(tpp_vocab *out, const char *path);

/* Id of a token, or -1. */
int32_t tpp_vocab_id(const tpp_vocab *v, const char *token, size_t length);

void tpp_vocab_free(tpp_vocab *v);

#endif
