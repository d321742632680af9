/* The `tile` algorithms: tiles through local memory, for GPUs. One row macro per op, for its table
 * of algorithms. SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_TILE_H
#define TPP_OPS_TILE_H

#include "ops/op.h"

/* gemm_tile.c, for gemm and conv2d alike. Parameters: rows and columns of a tile, terms of it in
 * local memory, splits of the sum. */
bool tpp_gemm_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_gemm_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
size_t tpp_gemm_tile_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_gemm_tile_record(tpp_steps *s, const tpp_call *c);
bool tpp_gemm_tile_usable(tpp_device *d, const tpp_call *c);
bool tpp_conv2d_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_conv2d_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
size_t tpp_conv2d_tile_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_conv2d_tile_record(tpp_steps *s, const tpp_call *c);
bool tpp_conv2d_tile_usable(tpp_device *d, const tpp_call *c);

/* Half storage: x with its addend, w, y with its residual; bias is float. */
#define TPP_TILE_HALVES                                                                      \
    (1u << TPP_GEMM_X | 1u << TPP_GEMM_ADDEND | 1u << TPP_GEMM_W | 1u << TPP_GEMM_RESIDUAL | \
     TPP_HALF_OUT)

/* Panels are as wide for every tile, so that all of them read one packed weight. */
void tpp_tile_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr);

#define TPP_GEMM_TILE_ROW                                                                   \
    {                                                                                       \
        .name = "tile", .gpu_only = true, .fuses = TPP_FUSE_ALL, .packs = 1u << TPP_GEMM_W, \
        .packing = tpp_tile_packing, .halves = TPP_TILE_HALVES,                             \
        .param = {"rows", "columns", "depth", "splits"}, .variant = tpp_gemm_tile_variant,  \
        .supports = tpp_gemm_tile_supports, .usable = tpp_gemm_tile_usable,                 \
        .scratch = tpp_gemm_tile_scratch, .record = tpp_gemm_tile_record                    \
    }
#define TPP_CONV2D_TILE_ROW                                                                   \
    {                                                                                         \
        .name = "tile", .gpu_only = true,                                                     \
        .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL, .packs = 1u << TPP_GEMM_W, \
        .packing = tpp_tile_packing, .halves = TPP_TILE_HALVES,                               \
        .param = {"rows", "columns", "depth", "splits"}, .variant = tpp_conv2d_tile_variant,  \
        .supports = tpp_conv2d_tile_supports, .usable = tpp_conv2d_tile_usable,               \
        .scratch = tpp_conv2d_tile_scratch, .record = tpp_conv2d_tile_record                  \
    }

#endif
