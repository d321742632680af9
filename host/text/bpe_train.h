/* Learns a byte-level BPE vocabulary from sentences, in RoBERTa's file formats.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_BPE_TRAIN_H
#define TPP_TEXT_BPE_TRAIN_H

#include "core/status.h"
#include "core/str.h"
#include "text/prompts.h"

#include <stddef.h>

enum { TPP_BPE_TRAIN_MIN = 261, TPP_BPE_TRAIN_MAX = 4096 };

/* Texts of vocab.json and merges.txt. Ids: <s> <pad> </s> <unk>, the 256 bytes in order, one token
 * a merge, <mask> last. Merges go by frequency, ties by the bytes of the left, then the right
 * token, so the same sentences give the same files on any machine. Fewer than `size` tokens when
 * every piece is one token. TPP_EUSAGE for a size outside TPP_BPE_TRAIN_MIN to _MAX,
 * TPP_EFORMAT for texts that are not UTF-8. */
TPP_MUST_CHECK tpp_status tpp_bpe_train(tpp_str *vocab_json, tpp_str *merges_txt,
                                        const char *const *texts, size_t n_texts, size_t size);

/* From all names, aliases and sentences of a prompt library: as they are, in lower case, and word
 * by word. */
TPP_MUST_CHECK tpp_status tpp_bpe_train_prompts(tpp_str *vocab_json, tpp_str *merges_txt,
                                                const tpp_prompts *prompts, size_t size);

#endif
