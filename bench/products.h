/* The matrix products of a frame.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_BENCH_PRODUCTS_H
#define TPP_BENCH_PRODUCTS_H

#include "nodes.h"

/* y [m, n] = x [m, k] w [n, k]^T, `count` times in a frame. */
typedef struct bench_product {
    int m, n, k, count;
    double flops; /* of all `count` */
} bench_product;

/* Of every gemm, 1x1 convolution without stride and both halves of ffn; equal sizes are one; most
 * operations first. The caller frees *out with tpp_free. */
TPP_MUST_CHECK tpp_status bench_products_of(bench_product **out, int *count, const bench_node *node,
                                            int n_nodes);

#endif
