/* The `vector` algorithms: work-groups of one, explicit native vectors, for CPU devices. One row
 * macro per op, for its table of algorithms.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_VECTOR_H
#define TPP_OPS_VECTOR_H

#include "ops/op.h"

/* Floats of a vector: 8 or 16, whatever the device says. */
int tpp_vector_width(const tpp_caps *caps);

/* Sets of parameters for vectors of 16 and of 8 floats, the default first. */
typedef struct tpp_param_sets {
    const tpp_params *wide, *narrow;
    int n_wide, n_narrow;
} tpp_param_sets;
#define TPP_PARAM_SETS(wide, narrow)                                    \
    ((tpp_param_sets){(wide), (narrow), sizeof(wide) / sizeof(*(wide)), \
                      sizeof(narrow) / sizeof(*(narrow))})

/* The i-th set for this device's vectors; false past the last. */
bool tpp_vector_params(const tpp_caps *caps, const tpp_param_sets *sets, int i, tpp_params *out);

/* The register tile of a product, and the build options that choose it. */
typedef struct tpp_tile {
    int vector_width; /* floats */
    int rows;         /* of a tile; its columns are two vectors */
    int strips;       /* most tiles of rows in one work-item */
    int block;        /* terms of a sum between two visits of y */
    char options[96];
} tpp_tile;
tpp_tile tpp_tile_of(const tpp_caps *caps, const tpp_params *params);

/* gemm_vector.c */
bool tpp_gemm_vector_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_conv2d_vector_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_gemm_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
TPP_MUST_CHECK tpp_status tpp_gemm_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_conv2d_vector_record(tpp_steps *s, const tpp_call *c);

/* conv2d_winograd.c: 3x3, stride 1, pad 1, of 16 channels or more. */
/* For winograd_tile.c too: tiles of all images, `tile` outputs wide; and is it such a convolution,
 * with weights in panels of so many columns that its kernels can count? */
int64_t tpp_winograd_tiles(const tpp_call *c, int tile);
bool tpp_winograd_takes(const tpp_call *c, int panel);
bool tpp_conv2d_winograd_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_conv2d_winograd_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
void tpp_conv2d_winograd_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr);
size_t tpp_conv2d_winograd_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_conv2d_winograd_record(tpp_steps *s, const tpp_call *c);

/* attention_vector.c: heads of whole panels, at most a block of channels each. */
bool tpp_attention_vector_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_attention_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
size_t tpp_attention_vector_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_attention_vector_record(tpp_steps *s, const tpp_call *c);
bool tpp_deform_vector_supports(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_deform_vector_record(tpp_steps *s, const tpp_call *c);

/* norm_vector.c: channels in whole vectors. */
bool tpp_layernorm_vector_supports(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_layernorm_vector_record(tpp_steps *s, const tpp_call *c);
bool tpp_groupnorm_vector_supports(const tpp_call *c, const tpp_caps *caps);
size_t tpp_groupnorm_vector_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_groupnorm_vector_record(tpp_steps *s, const tpp_call *c);

/* row_vector.c: any shape. */
TPP_MUST_CHECK tpp_status tpp_binary_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_slice_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_concat_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_embedding_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_activate_vector_record(tpp_steps *s, const tpp_call *c);

/* map_vector.c: any shape; prompt_mix and mask_head want channels in whole vectors. */
TPP_MUST_CHECK tpp_status tpp_resample_vector_record(tpp_steps *s, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_maxpool_vector_record(tpp_steps *s, const tpp_call *c);
bool tpp_prompt_mix_vector_supports(const tpp_call *c, const tpp_caps *caps);
size_t tpp_prompt_mix_vector_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_prompt_mix_vector_record(tpp_steps *s, const tpp_call *c);
bool tpp_mask_head_vector_supports(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_mask_head_vector_record(tpp_steps *s, const tpp_call *c);

/* The row of an op whose vector algorithm takes any shape and needs no scratch. */
#define TPP_ANY_VECTOR_ROW(function)                             \
    {                                                            \
        .name = "vector", .cpu_only = true, .record = (function) \
    }
#define TPP_PROMPT_MIX_VECTOR_ROW                                                        \
    {                                                                                    \
        .name = "vector", .cpu_only = true, .supports = tpp_prompt_mix_vector_supports,  \
        .scratch = tpp_prompt_mix_vector_scratch, .record = tpp_prompt_mix_vector_record \
    }
#define TPP_MASK_HEAD_VECTOR_ROW                                                       \
    {                                                                                  \
        .name = "vector", .cpu_only = true, .supports = tpp_mask_head_vector_supports, \
        .record = tpp_mask_head_vector_record                                          \
    }
#define TPP_TILE_PARAMS .param = {"rows", "strips", "block"}, .variant = tpp_gemm_vector_variant
#define TPP_GEMM_VECTOR_ROW                                                                 \
    {                                                                                       \
        .name = "vector", .fuses = TPP_FUSE_ALL | TPP_FUSE_NORM, .packs = 1u << TPP_GEMM_W, \
        .cpu_only = true, TPP_TILE_PARAMS, .supports = tpp_gemm_vector_supports,            \
        .record = tpp_gemm_vector_record                                                    \
    }
#define TPP_CONV2D_VECTOR_ROW                                                        \
    {                                                                                \
        .name = "vector", .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL, \
        .packs = 1u << TPP_GEMM_W, .cpu_only = true, TPP_TILE_PARAMS,                \
        .supports = tpp_conv2d_vector_supports, .record = tpp_conv2d_vector_record   \
    }
#define TPP_CONV2D_WINOGRAD_ROW                                                                   \
    {                                                                                             \
        .name = "winograd", .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL,            \
        .packs = 1u << TPP_GEMM_W, .cpu_only = true, .param = {"tile", "rows", "block", "strip"}, \
        .variant = tpp_conv2d_winograd_variant, .packing = tpp_conv2d_winograd_packing,           \
        .supports = tpp_conv2d_winograd_supports, .scratch = tpp_conv2d_winograd_scratch,         \
        .record = tpp_conv2d_winograd_record                                                      \
    }
#define TPP_ATTENTION_VECTOR_ROW                                                       \
    {                                                                                  \
        .name = "vector", .cpu_only = true, .supports = tpp_attention_vector_supports, \
        .param = {"rows", "strips"}, .variant = tpp_attention_vector_variant,          \
        .pitches = TPP_ATTENTION_PITCHES, .scratch = tpp_attention_vector_scratch,     \
        .record = tpp_attention_vector_record                                          \
    }
/* Projections that are columns of one matrix: value, offsets, logits; query, key, value. */
#define TPP_DEFORM_PITCHES    7u
#define TPP_ATTENTION_PITCHES 7u
#define TPP_DEFORM_VECTOR_ROW                                                       \
    {                                                                               \
        .name = "vector", .cpu_only = true, .supports = tpp_deform_vector_supports, \
        .pitches = TPP_DEFORM_PITCHES, .record = tpp_deform_vector_record           \
    }
#define TPP_LAYERNORM_VECTOR_ROW                                                       \
    {                                                                                  \
        .name = "vector", .cpu_only = true, .supports = tpp_layernorm_vector_supports, \
        .record = tpp_layernorm_vector_record                                          \
    }
#define TPP_GROUPNORM_VECTOR_ROW                                                       \
    {                                                                                  \
        .name = "vector", .cpu_only = true, .supports = tpp_groupnorm_vector_supports, \
        .scratch = tpp_groupnorm_vector_scratch, .record = tpp_groupnorm_vector_record \
    }

#endif
