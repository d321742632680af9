/* CLBlast's GEMM as a step: one place for its lock, its temporary memory and the check that its
 * result is right on this device.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_CLBLAST_H
#define TPP_OPS_CLBLAST_H

#include "ops/op.h"

/* y [m, n] = x [m, k] w [n, k]^T, row-major and dense, each at the start of its buffer.
 * trans_x: x is stored [k, m]; trans_w: w is stored [k, n]. */
typedef struct tpp_clblast_gemm {
    size_t m, n, k;
    bool trans_x, trans_w;
    cl_mem x, w, y, scratch;
    size_t scratch_bytes;
} tpp_clblast_gemm;

/* For tpp_algorithm.supports: false on a device where CLBlast is known not to work. */
bool tpp_clblast_supports(const tpp_call *c, const tpp_caps *caps);

/* Bytes of scratch that a product of these sizes may need, whatever the device's tile. */
size_t tpp_clblast_scratch(size_t m, size_t n, size_t k);

/* Is CLBlast right on this device? The first call runs products of odd sizes and compares them with
 * the host (first_use.h). Waits for the device the first time. */
bool tpp_clblast_usable(tpp_device *d);

/* Adds the product as a step. */
TPP_MUST_CHECK tpp_status tpp_clblast_record(tpp_steps *s, const tpp_clblast_gemm *p);

#endif
