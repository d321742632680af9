/* The `vector` algorithms of gemm and conv2d: implicit GEMM in register tiles, for CPU devices.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_GEMM_VECTOR_H
#define TPP_OPS_GEMM_VECTOR_H

#include "ops/op.h"

bool tpp_gemm_vector_supports(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_gemm_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_conv2d_vector_record(tpp_steps *s, const tpp_call *c);

/* Build options that choose the register tile for a device: vector width and rows. */
typedef struct tpp_tile {
    int vector_width, rows, strips, block;
    char options[96];
} tpp_tile;
tpp_tile tpp_tile_of(const tpp_caps *caps);

#define TPP_GEMM_VECTOR_ROW                                                                   \
    {                                                                                         \
        .name = "vector", .fuses = TPP_FUSE_ALL, .packs = 1u << TPP_GEMM_W, .cpu_only = true, \
        .supports = tpp_gemm_vector_supports, .record = tpp_gemm_vector_record                \
    }
#define TPP_CONV2D_VECTOR_ROW                                                           \
    {                                                                                   \
        .name = "vector", .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL,    \
        .packs = 1u << TPP_GEMM_W, .cpu_only = true, .record = tpp_conv2d_vector_record \
    }

#endif
