/* What the files of the feed-forward block share.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_FFN_H
#define TPP_OPS_FFN_H

#include "ops/op.h"

enum { TPP_FFN_X, TPP_FFN_W1, TPP_FFN_B1, TPP_FFN_W2, TPP_FFN_B2 }; /* operands */

/* ffn_vector.c. Fused: one launch, no scratch. Not so where a device has too little local memory or
 * the call too few rows to share out: two products of gemm's `vector` do better there. */
bool tpp_ffn_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
bool tpp_ffn_vector_is_fused(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_ffn_vector_record(tpp_steps *s, const tpp_call *c);

#endif
