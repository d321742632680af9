/* What every op computes: its attributes, its operands, and its float64 reference.
 *
 * A reference is plain loops over double arrays, one thread, no device in sight; the registry test
 * holds every algorithm of every op against it. The kernel in cl_kernels/<op>.cl, the host side in
 * host/ops/<op>.c and the reference in host/ref/<op>.c share one name.
 *
 * Shapes: activations are token-major, [B, N, C] with N = h*w tokens of a map, rows first. "?"
 * marks an operand that may be absent (data NULL). "rows" of a tensor are the product of all axes
 * but the last. Sections of the model are those of the specification (model.md).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_REF_REF_H
#define TPP_REF_REF_H

#include "core/shape.h"

enum { TPP_MAX_IN = 8, TPP_MAX_OUT = 5, TPP_MAX_LEVELS = 4 };

/* Operands of a reference. Integer tensors (I32, U8) hold whole numbers in doubles too. */
typedef struct tpp_ref_call {
    const void *attr;
    tpp_shape in_shape[TPP_MAX_IN], out_shape[TPP_MAX_OUT];
    const double *in[TPP_MAX_IN]; /* NULL: absent */
    double *out[TPP_MAX_OUT];
} tpp_ref_call;

typedef enum tpp_act {
    TPP_ACT_NONE,
    TPP_ACT_RELU,
    TPP_ACT_GELU, /* 0.5 x (1 + erf(x / sqrt 2)) */
    TPP_ACT_TANH,
    TPP_ACT_SIGMOID,
    TPP_ACT_INVERSE_SIGMOID, /* ln(max(c, 1e-5) / max(1 - c, 1e-5)), c = x clamped to [0, 1] */
    TPP_ACT_BINARY,          /* x > 0 ? 1 : 0 */
    TPP_ACT_COUNT
} tpp_act;

/* gemm: y = act((x + addend) w^T + bias + residual); with gamma and beta layernorm(y) of that.
 *   x [.., K] (M rows), w [N, K], bias? [N], residual? [rows, N], addend? [rows, K], gamma?, beta?
 *   [N]; y [.., N].
 * trans_x: x is stored [K, M] (rank 2). trans_w: w is stored [K, N].
 * w may have more axes, [N, ..] with K values after the first ([N, K, 1, 1]).
 * residual and addend may have fewer rows r than x when r divides M: row i takes row i mod r.
 * addend and trans_x do not go together. */
typedef struct tpp_gemm_attr {
    int act; /* tpp_act */
    int trans_x, trans_w;
    float eps; /* of the normalisation */
} tpp_gemm_attr;
enum {
    TPP_GEMM_X,
    TPP_GEMM_W,
    TPP_GEMM_BIAS,
    TPP_GEMM_RESIDUAL,
    TPP_GEMM_ADDEND,
    TPP_NORM_GAMMA, /* of gemm and ffn alike */
    TPP_NORM_BETA
};

/* conv2d: cross-correlation, y = act(conv(x, w) + bias + residual).
 *   x [B, height*width, Cin], w [Cout, Cin, kernel, kernel], bias? [Cout],
 *   residual? [B or 1, Ho*Wo, Cout]; y [B, Ho*Wo, Cout],
 *   Ho = (height + 2 pad - kernel) / stride + 1, Wo likewise.
 * Operand positions as gemm's. */
typedef struct tpp_conv2d_attr {
    int act;
    int height, width; /* of x */
    int kernel, stride, pad;
} tpp_conv2d_attr;

/* ffn: y = act(x w1^T + b1) w2^T + b2 + x; the hidden rows need not exist all at once. With gamma
 * and beta layernorm(y) of that.
 *   x [.., K], w1 [H, K], b1 [H], w2 [K, H], b2 [K], gamma?, beta? [K]; y as x. */
typedef struct tpp_ffn_attr {
    int act;
    float eps; /* of the normalisation */
} tpp_ffn_attr;

/* pack: rows of a weight in panels of `panel` columns, zero-padded: what vector GEMMs read.
 *   w [N, K] or [Cout, Cin, k, k]; y [ceil(N/panel), taps*Cin, panel], tap-major
 *   (y[p][t*Cin + c][j] = w[p*panel + j][c][t]). trans: w is stored [K, N].
 * winograd m = 2 or 4: w [Cout, Cin, 3, 3], each filter g as G g G^T, (m + 2) x (m + 2) values
 *   (Lavin and Gray 2015, arXiv:1509.09308); y [(m+2)^2, ceil(N/panel), Cin, panel].
 *   Row i of G is (1, p, p^2) / prod over j != i of (p - p_j), p = p_i; the last one (0, 0, 1).
 *   p = 0, 1, -1 (m = 2) or 0, 3/4, -3/4, 3/2, -3/2 (m = 4). */
typedef struct tpp_pack_attr {
    int panel, trans;
    int winograd; /* 0: weights as they are */
} tpp_pack_attr;

/* frozen_bn: y = x a + b, a = gamma / sqrt(var + eps), b = beta - mean a (section 2.2).
 *   x [B, N, C], gamma, beta, mean, var [C].
 * fold_bn: w' = w a by output channel and bias' = b: in w [Cout, ..], gamma, beta, mean, var;
 *   out w', bias' [Cout]. */
typedef struct tpp_bn_attr {
    float eps;
} tpp_bn_attr;

/* maxpool: k x k, padded with -inf. x [B, height*width, C]. */
typedef struct tpp_maxpool_attr {
    int height, width, kernel, stride, pad;
} tpp_maxpool_attr;

/* activate: y = act(x), any shape. activate_backward: in dy, x; out dx (not differentiable: binary,
 * inverse sigmoid). */
typedef struct tpp_activate_attr {
    int act;
} tpp_activate_attr;

/* binary: y = a op b; b has the shape of a, or r rows of as many columns (row i takes i mod r),
 * or one element a row ([rows, 1]) when `by_row` is set. */
typedef enum tpp_binary_op { TPP_BINARY_ADD, TPP_BINARY_MUL } tpp_binary_op;
typedef struct tpp_binary_attr {
    int op, by_row;
} tpp_binary_attr;

/* layernorm: y = (x - E) / sqrt(Var + eps) gamma + beta over the last axis, biased variance.
 *   x [.., C], gamma [C], beta [C].
 * layernorm_backward: in dy, x, gamma; out dx, dgamma [C], dbeta [C]. */
typedef struct tpp_layernorm_attr {
    float eps;
} tpp_layernorm_attr;

/* groupnorm: statistics over the N tokens and C/groups channels of each group; then act.
 *   x [B, N, C], gamma [C], beta [C]. */
typedef struct tpp_groupnorm_attr {
    float eps;
    int groups, act;
} tpp_groupnorm_attr;

/* attention: y = softmax(scale q k^T) v per head; C = heads * d.
 *   q [Bq, Nq, C], k, v [Bk, Nk, C], valid? int [Bk] (keys from valid on do not take part; 0: y is
 *   0), index? int [Bq]; y [Bo, Nq, C].
 *   SAME:  Bo = Bq = Bk.
 *   EACH:  every query batch reads every key batch, Bo = Bq*Bk, output b*Bk + k.
 *   INDEX: query batch b reads key batch index[b], Bo = Bq.
 * attention_backward (SAME without valid): in dy, q, k, v; out dq, dk, dv. */
typedef enum tpp_attention_mode {
    TPP_ATTENTION_SAME,
    TPP_ATTENTION_EACH,
    TPP_ATTENTION_INDEX
} tpp_attention_mode;
typedef struct tpp_attention_attr {
    int heads, mode;
    float scale;
} tpp_attention_attr;

/* deform_attention: bilinear samples of `value` at `points` places per level, softmax-weighted
 * (section 2.7, steps 2 to 6 without the projections).
 *   value [B, S, C], S = sum of height*width, levels end to end; C = heads*d
 *   offsets [B, Nq, heads*levels*points*2] ordered (head, level, point, xy)
 *   logits [B, Nq, heads*levels*points], softmax over levels*points
 *   ref [B or 1, Nq, 2 or 4], (x, y[, w, h]) in [0, 1]; y [B, Nq, C].
 * deform_attention_backward: in dy, value, offsets, logits, ref;
 *   out dvalue, doffsets, dlogits. ref is a constant (gradient stops at reference boxes). */
typedef struct tpp_deform_attr {
    int heads, levels, points;
    int height[TPP_MAX_LEVELS], width[TPP_MAX_LEVELS];
} tpp_deform_attr;

/* prompt_mix: W = softmax over prompts of u, per token; y = scale sum_p x A_p W_p (section 2.6).
 *   x [B, N, C], a [B*P, N, C], u [B*P, N, 1]; out y [B, N, C], then for each of `levels` the mean
 *   weight [B, P] of its tokens: `tokens[l]` of them, levels end to end. levels 0: one, of all N.
 */
typedef struct tpp_prompt_mix_attr {
    int prompts;
    float scale;
    int levels, tokens[TPP_MAX_LEVELS];
} tpp_prompt_mix_attr;

/* Tokens of level l; 0 past the last. */
static inline int64_t tpp_prompt_mix_tokens(const tpp_prompt_mix_attr *a, int l, int64_t n)
{
    if (a->levels == 0) return l == 0 ? n : 0;
    return l < a->levels ? a->tokens[l] : 0;
}

/* argmax: first maximum of each row. x [R, C]; y int [R].
 * topk: indices of the k largest of all elements, largest first, ties by lower index;
 *   x any shape, y int [k]. */
typedef struct tpp_topk_attr {
    int k;
} tpp_topk_attr;

/* gather_rows: y row i*repeat + j = x row index[i]. x [.., C] as R rows, index int [n] in [0, R);
 *   y [1, n*repeat, C]. With batches B > 1 the same rows of each of B parts of x: x [B, R, C],
 *   y [B, n*repeat, C].  scatter_rows (its backward): in dy [1, n*repeat, C], index; out dx of
 *   `rows` rows: [1, rows, C], sums in order of i, zero where no index points; with batches dy is
 *   [B, n*repeat, C] and dx [B, rows, C]. */
typedef struct tpp_gather_attr {
    int repeat, rows; /* rows: scatter only */
    int batches;      /* 0 means 1 */
} tpp_gather_attr;

/* embedding: y = word[id] + position[place] + type[0] (section 2.4).
 *   id, place int [P, L]; word [V, D], position [X, D], type [1, D]; y [P, L, D]. */
typedef struct tpp_embedding_attr {
    int unused;
} tpp_embedding_attr;

/* resample: x [B, height*width, C] to [B, out_height*out_width, C], plus add? of that shape.
 * Nearest: src = min(floor(dst * (float)(in / out)), in - 1); bilinear: align_corners=false without
 * antialiasing (section 2.11). */
typedef enum tpp_resample_mode { TPP_RESAMPLE_NEAREST, TPP_RESAMPLE_BILINEAR } tpp_resample_mode;
typedef struct tpp_resample_attr {
    int mode, height, width, out_height, out_width;
} tpp_resample_attr;

/* slice: x seen as [outer, n, inner]; y = x[:, start : start + count, :], shape `out`.
 * concat: up to 8 inputs [outer, n_i, inner] joined along the middle, shape `out`. */
typedef struct tpp_slice_attr {
    int64_t outer, n, inner, start, count;
    tpp_shape out;
} tpp_slice_attr;
typedef struct tpp_concat_attr {
    int64_t outer, inner;
    tpp_shape out;
} tpp_concat_attr;

/* copy: y = x. reduce_rows: y [C] = sum of all rows of x, in order. */
typedef struct tpp_copy_attr {
    int unused;
} tpp_copy_attr;

/* box_refine: b = sigmoid(delta + inverse_sigmoid(ref)); a 2-d ref adds to (cx, cy) only (2.8).
 *   delta [B, Q, 4], ref [B or 1, Q, 2 or 4]; y [B, Q, 4] (cx, cy, w, h). */
typedef struct tpp_box_refine_attr {
    int unused;
} tpp_box_refine_attr;

/* mask_head: dynamic 1x1 convolutions C+2 -> D -> D -> 1 per query (section 2.12).
 *   theta [B, Q, D*(C+2) + D*D + D + D + D + 1] (without rel_coord: D*C first),
 *   features [B, height*width, C], box [B, Q, 4]; y [B, Q, height*width] logits.
 * Coordinates are raw pixels of the network input: cx*image_width - (4x + 2), times coord_scale. */
typedef struct tpp_mask_head_attr {
    int height, width, image_height, image_width, channels; /* channels: D */
    int rel_coord;
    float coord_scale;
} tpp_mask_head_attr;

/* resize_axis: one pass of Pillow's 8-bit bilinear resize (appendix B.3), exact in integers.
 *   x U8 [outer, n, inner]; bounds int [m, 2] (first source index, count);
 *   weights int [m, taps], scaled by 2^22; y U8 [outer, m, inner]. */
typedef struct tpp_resize_axis_attr {
    int64_t outer, n, inner, m;
    int taps;
    tpp_shape out;
} tpp_resize_axis_attr;

/* normalize_image: y = (x / 255 - mean) / std, one grey channel repeated to three.
 *   x U8 [height*width, 1 or 3]; y [1, height*width, 3]. */
typedef struct tpp_normalize_attr {
    float mean[3], std[3];
} tpp_normalize_attr;

/* resize_mask: logits [B, height*width, 1], bilinear as `resample`, then logit > threshold.
 *   y U8 [B*out_height*out_width], 0 or 1. */
typedef struct tpp_resize_mask_attr {
    int height, width, out_height, out_width;
    float threshold;
} tpp_resize_mask_attr;

/* frame_record: what the host is told of B frames that share one best query.
 *   box [B, Q, 4], logit [B or 1, Q, K], best int [1], prompt int [B];
 *   y [B*8], for each = cx, cy, w, h of the best query, its largest logit, best, prompt, 0. */
typedef struct tpp_frame_record_attr {
    int unused;
} tpp_frame_record_attr;

/* Rows of y become their layer normalisation, if the call has gamma and beta at TPP_NORM_GAMMA. */
void tpp_ref_norm_result(const tpp_ref_call *c, double eps);

/* y = act(x), and dy/dx; used by references and tests. */
double tpp_ref_act(int act, double x);
double tpp_ref_act_slope(int act, double x);

/* clang-format off */
#define TPP_REF_MAP(X)                                                                             \
    X(gemm) X(conv2d) X(ffn) X(pack) X(frozen_bn) X(fold_bn) X(maxpool) X(activate)                \
    X(activate_backward) X(binary) X(layernorm) X(layernorm_backward) X(groupnorm) X(attention)    \
    X(attention_backward) X(deform_attention) X(deform_attention_backward) X(prompt_mix) X(argmax) \
    X(topk) X(gather_rows) X(scatter_rows) X(embedding) X(resample) X(slice) X(concat) X(copy)     \
    X(reduce_rows) X(box_refine) X(mask_head) X(resize_axis) X(normalize_image) X(resize_mask)     \
    X(frame_record)
/* clang-format on */

#define TPP_REF_DECLARE(name) void tpp_ref_##name(const tpp_ref_call *c);
TPP_REF_MAP(TPP_REF_DECLARE)
#undef TPP_REF_DECLARE

#endif
