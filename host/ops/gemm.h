/* Sizes of a matrix product, shared by the algorithms of gemm, conv2d and ffn.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_GEMM_H
#define TPP_OPS_GEMM_H

#include "ops/op.h"

/* y [m, n] = act((x [m, k] + addend) w [n, k]^T + bias + residual); row i of residual and addend is
 * i mod their rows (0: absent). */
typedef struct tpp_gemm_sizes {
    int m, n, k, residual_rows, addend_rows;
} tpp_gemm_sizes;

/* Of a gemm call; reads nothing of w, which may be packed. */
tpp_gemm_sizes tpp_gemm_sizes_of(const tpp_call *c);

/* Records the product with the `plain` kernel; what other algorithms fall back on. */
TPP_MUST_CHECK tpp_status tpp_gemm_record_plain(tpp_steps *s, const tpp_call *c);

/* Records bias, residual and act, in place, on a product in c->out[0]; nothing when the call has
 * none of them. For gemm and conv2d alike: operands by TPP_GEMM_... position. */
TPP_MUST_CHECK tpp_status tpp_gemm_record_epilogue(tpp_steps *s, const tpp_call *c, int act);

#endif
