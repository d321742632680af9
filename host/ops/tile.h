/* The `tile` algorithms: tiles through local memory, for GPUs. One row macro per op, for its table
 * of algorithms. SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_TILE_H
#define TPP_OPS_TILE_H

#include "ops/check.h"

/* Was nothing of `tile` found wrong on the device, and do buffers start at whole float4s there? */
static inline bool tpp_tile_runs_on(const tpp_caps *caps)
{
    return !caps->no_tile && caps->base_align > 0 && caps->base_align % (4 * sizeof(float)) == 0;
}

/* Groups of work-items that keep a GPU busy: two for each local memory, one waiting while the other
 * computes. */
static inline int64_t tpp_tile_groups(const tpp_caps *caps)
{
    const int cores = caps->compute_units / (caps->shared_by > 0 ? caps->shared_by : 1);
    return 2 * (int64_t)(cores > 0 ? cores : 1);
}

/* Does a work-item with so many values need twice the usual registers? Where sub-groups have 8 or
 * 16 lanes (least_lanes), ocloc keeps more in memory (tests/vendors/table.csv). */
static inline bool tpp_tile_is_heavy(const tpp_caps *caps, int values)
{
    return caps->least_lanes > 0 && values > 40;
}

static inline bool tpp_tile_holds(const tpp_caps *caps, int values)
{
    return !tpp_tile_is_heavy(caps, values) || (caps->large_grf && !caps->no_large_grf);
}

/* Build options for that. */
static inline const char *tpp_tile_registers(const tpp_caps *caps, int values)
{
    const bool asks = tpp_tile_is_heavy(caps, values) && tpp_tile_holds(caps, values);
    return asks ? " -cl-intel-256-GRF-per-thread" : "";
}

/* Is `tile` right on this case? Tried once for each `key` and device; gemm_tile.c. */
bool tpp_tile_try(tpp_device *d, const char *key, const tpp_op *op, const tpp_case *c,
                  const tpp_check_how *how);
/* The same for a part of `tile` that has a flag of its own in d->caps. */
bool tpp_tile_try_part(tpp_device *d, const char *part, bool *off, const char *key,
                       const tpp_op *op, const tpp_case *c, const tpp_check_how *how);
/* And of what holds so many values in a work-item: where it asks for more registers and fails, that
 * alone is given up. */
bool tpp_tile_try_with(tpp_device *d, int values, const char *key, const tpp_op *op,
                       const tpp_case *c, const tpp_check_how *how);

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

/* Products behind one another in one launch, float, without an epilogue: y [count, m, n] = x
 * [count, m, k] w^T, panels [count, ceil(n / TPP_TILE_PANEL), k, TPP_TILE_PANEL] of w. */
typedef struct tpp_tile_batch {
    int count, m, n, k;
    cl_mem y, x, panels;
} tpp_tile_batch;
TPP_MUST_CHECK tpp_status tpp_gemm_tile_record_batch(tpp_steps *s, const tpp_tile_batch *b);

/* Does the smallest tile fit the device? */
bool tpp_gemm_tile_runs_on(const tpp_caps *caps);

enum { TPP_TILE_PANEL = 32 }; /* columns of a panel; a tile has whole ones */

/* Panels are as wide for every tile, so that all of them read one packed weight. */
void tpp_tile_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr);

#define TPP_GEMM_TILE_ROW                                                                  \
    {                                                                                      \
        .name = "tile", .gpu_only = true, .fuses = TPP_FUSE_ALL | TPP_FUSE_NORM,           \
        .packs = 1u << TPP_GEMM_W, .packing = tpp_tile_packing, .halves = TPP_TILE_HALVES, \
        .param = {"rows", "columns", "depth", "splits"}, .variant = tpp_gemm_tile_variant, \
        .supports = tpp_gemm_tile_supports, .usable = tpp_gemm_tile_usable,                \
        .scratch = tpp_gemm_tile_scratch, .record = tpp_gemm_tile_record                   \
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

/* ---- winograd_tile.c. Parameter: outputs of a tile along an axis. Checked where it is tuned. */

bool tpp_winograd_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_winograd_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
void tpp_winograd_tile_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr);
size_t tpp_winograd_tile_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_winograd_tile_record(tpp_steps *s, const tpp_call *c);

#define TPP_WINOGRAD_TILE_ROW                                                                 \
    {                                                                                         \
        .name = "winograd_tile", .gpu_only = true,                                            \
        .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL, .packs = 1u << TPP_GEMM_W, \
        .packing = tpp_winograd_tile_packing, .param = {"tile"},                              \
        .variant = tpp_winograd_tile_variant, .supports = tpp_winograd_tile_supports,         \
        .scratch = tpp_winograd_tile_scratch, .record = tpp_winograd_tile_record              \
    }

/* ---- norm_tile.c: layer and group normalisation, in half storage too ---- */

/* Rows of `cols` values in the registers of work-items (norm_tile.clh). */
typedef struct tpp_tile_rows {
    int lanes; /* work-items of a row; 0: the device has not enough */
    int fours; /* vectors of each */
    int group; /* work-items of a group, of one or more rows */
    bool aligned;
} tpp_tile_rows;
tpp_tile_rows tpp_tile_rows_of(int64_t cols, const tpp_caps *caps);
/* Build options for them, then `more`. */
void tpp_tile_rows_options(const tpp_tile_rows *r, const char *more, char *text, size_t size);
/* Tries sums over sub-groups once, where the device has them; before `usable` of what norms. */
void tpp_tile_try_sub_groups(tpp_device *d);
/* Build options for them where they are used, else "". */
const char *tpp_tile_sub_group_options(const tpp_caps *caps);
tpp_grid tpp_tile_rows_grid(const tpp_tile_rows *r, int64_t rows);

bool tpp_layernorm_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_layernorm_tile_usable(tpp_device *d, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_layernorm_tile_record(tpp_steps *s, const tpp_call *c);
bool tpp_groupnorm_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_groupnorm_tile_usable(tpp_device *d, const tpp_call *c);
size_t tpp_groupnorm_tile_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_groupnorm_tile_record(tpp_steps *s, const tpp_call *c);

#define TPP_LAYERNORM_TILE_ROW                                                        \
    {                                                                                 \
        .name = "tile", .gpu_only = true, .halves = 1u << 0 | TPP_HALF_OUT,           \
        .supports = tpp_layernorm_tile_supports, .usable = tpp_layernorm_tile_usable, \
        .record = tpp_layernorm_tile_record                                           \
    }
#define TPP_GROUPNORM_TILE_ROW                                                        \
    {                                                                                 \
        .name = "tile", .gpu_only = true, .halves = 1u << 0 | TPP_HALF_OUT,           \
        .supports = tpp_groupnorm_tile_supports, .usable = tpp_groupnorm_tile_usable, \
        .scratch = tpp_groupnorm_tile_scratch, .record = tpp_groupnorm_tile_record    \
    }

/* ---- resize_tile.c: resample and resize_mask, in half storage too ---- */

bool tpp_resample_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_resample_tile_usable(tpp_device *d, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_resample_tile_record(tpp_steps *s, const tpp_call *c);
bool tpp_resize_mask_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_resize_mask_tile_usable(tpp_device *d, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_resize_mask_tile_record(tpp_steps *s, const tpp_call *c);

#define TPP_RESAMPLE_TILE_ROW                                                         \
    {                                                                                 \
        .name = "tile", .gpu_only = true, .halves = 1u << 0 | 1u << 1 | TPP_HALF_OUT, \
        .supports = tpp_resample_tile_supports, .usable = tpp_resample_tile_usable,   \
        .record = tpp_resample_tile_record                                            \
    }
#define TPP_RESIZE_MASK_TILE_ROW                                                          \
    {                                                                                     \
        .name = "tile", .gpu_only = true, .halves = 1u << 0,                              \
        .supports = tpp_resize_mask_tile_supports, .usable = tpp_resize_mask_tile_usable, \
        .record = tpp_resize_mask_tile_record                                             \
    }

/* attention_tile.c: heads of 16, 32 or multiples of 64 channels up to 256; k and v are stored
 * alike. Parameters: queries of a group, keys of a block, splits of the keys. */
bool tpp_attention_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_attention_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
size_t tpp_attention_tile_scratch(const tpp_call *c, const tpp_caps *caps);
TPP_MUST_CHECK tpp_status tpp_attention_tile_record(tpp_steps *s, const tpp_call *c);
bool tpp_attention_tile_usable(tpp_device *d, const tpp_call *c);

#define TPP_ATTENTION_TILE_ROW                                                          \
    {                                                                                   \
        .name = "tile", .gpu_only = true, .halves = 7u /* q, k, v */ | TPP_HALF_OUT,    \
        .pitches = TPP_ATTENTION_PITCHES, .param = {"queries", "keys", "splits"},       \
        .variant = tpp_attention_tile_variant, .supports = tpp_attention_tile_supports, \
        .usable = tpp_attention_tile_usable, .scratch = tpp_attention_tile_scratch,     \
        .record = tpp_attention_tile_record                                             \
    }

/* ---- mask_head_tile.c: features in half storage too ---- */

bool tpp_mask_head_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_mask_head_tile_usable(tpp_device *d, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_mask_head_tile_record(tpp_steps *s, const tpp_call *c);

#define TPP_MASK_HEAD_TILE_ROW                                                        \
    {                                                                                 \
        .name = "tile", .gpu_only = true, .halves = 1u << 1 /* features */,           \
        .supports = tpp_mask_head_tile_supports, .usable = tpp_mask_head_tile_usable, \
        .record = tpp_mask_head_tile_record                                           \
    }

/* ---- deform_attention_tile.c ---- */

/* Parameters: columns and rows of a tile of queries. */
bool tpp_deform_tile_supports(const tpp_call *c, const tpp_caps *caps);
bool tpp_deform_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
bool tpp_deform_tile_usable(tpp_device *d, const tpp_call *c);
TPP_MUST_CHECK tpp_status tpp_deform_tile_record(tpp_steps *s, const tpp_call *c);

/* Half storage: value and y. Rows apart: value, offsets, logits. */
#define TPP_DEFORM_TILE_ROW                                                                \
    {                                                                                      \
        .name = "tile", .gpu_only = true, .halves = 1u << 0 | TPP_HALF_OUT, .pitches = 7u, \
        .param = {"columns", "rows"}, .variant = tpp_deform_tile_variant,                  \
        .supports = tpp_deform_tile_supports, .usable = tpp_deform_tile_usable,            \
        .record = tpp_deform_tile_record                                                   \
    }

#endif
