/* RoBERTa's byte-level BPE: text to token ids and back. Source: model.md App. B.2; equal to Hugging
 * Face's ByteLevel tokenizer without prefix space.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_BPE_H
#define TPP_TEXT_BPE_H

#include "core/status.h"
#include "text/vocab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tpp_bpe tpp_bpe;

/* Ids with <s> first and </s> last. Free with tpp_tokens_free. */
typedef struct tpp_tokens {
    int32_t *id;
    size_t count;
    size_t uncut; /* tokens before cutting, specials included; > count: it was cut */
} tpp_tokens;

#define TPP_TOKENS_NO_LIMIT SIZE_MAX

/* Opens a vocab.json and a merges.txt. TPP_EIO, or TPP_EFORMAT with file and line: a merge of, or
 * into, what is no token, or given twice. */
TPP_MUST_CHECK tpp_status tpp_bpe_open(tpp_bpe **out, const char *vocab_path,
                                       const char *merges_path);
/* The two files of a folder. */
TPP_MUST_CHECK tpp_status tpp_bpe_open_folder(tpp_bpe **out, const char *folder);
void tpp_bpe_close(tpp_bpe *bpe);

size_t tpp_bpe_vocab_size(const tpp_bpe *bpe);

/* Tokens of any text (NUL bytes and nothing at all included), the spelling of special tokens being
 * text like other. At most `limit` tokens, specials included (at least 2): the end is cut off.
 * TPP_EFORMAT with the byte position when it is not UTF-8; TPP_EUSAGE over 1 MiB. */
TPP_MUST_CHECK tpp_status tpp_bpe_encode(const tpp_bpe *bpe, tpp_tokens *out, const char *text,
                                         size_t length, size_t limit);

/* Tokens of a prompt: as above, but white space alone is TPP_EUSAGE, and cutting is logged as a
 * warning. `lower`: lower case and single spaces first (switch text.lower). For RoBERTa `limit` is
 * 512: 510 and the specials. */
TPP_MUST_CHECK tpp_status tpp_bpe_prompt(const tpp_bpe *bpe, tpp_tokens *out, const char *text,
                                         size_t length, bool lower, size_t limit);

void tpp_tokens_free(tpp_tokens *t);

/* Bytes that tokens stand for, specials left out; new memory of the caller with a NUL after it that
 * *length does not count. TPP_EUSAGE for an id that is not in the vocabulary. */
TPP_MUST_CHECK tpp_status tpp_bpe_decode(const tpp_bpe *bpe, char **out, size_t *length,
                                         const int32_t *ids, size_t count);

#endif
