/* What would make the same results again: a hash over input, model, targets and options. A case
 * whose report holds the key of the run in hand need not be run again.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_CASE_KEY_H
#define TPP_INFER_CASE_KEY_H

#include "core/status.h"
#include "infer/segment.h"
#include "io/hash.h"
#include "io/hash_input.h"

#include <stdbool.h>

/* Of everything that is the same for all cases. Reads the model's files, once. */
TPP_MUST_CHECK tpp_status tpp_hash_settings(tpp_sha256 *out, tpp_segmenter *s);

/* Of a case: of the settings and of the input. */
TPP_MUST_CHECK tpp_status tpp_case_key(tpp_sha256 *out, tpp_segmenter *s, const char *input);

/* The same where tpp_hash_input of the input is known. */
TPP_MUST_CHECK tpp_status tpp_case_key_of(tpp_sha256 *out, tpp_segmenter *s,
                                          const tpp_sha256 *input);

/* Does `folder` hold the complete results of a run with this key? Its report says so, and every
 * file that it lists is there with the hash it lists. */
TPP_MUST_CHECK tpp_status tpp_case_is_done(bool *out, const char *folder, const tpp_sha256 *key);

#endif
