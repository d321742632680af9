/* Attention by heads and its backward. `plain` writes the probabilities of a strip of queries to
 * scratch, so that the memory read's square of all tokens never exists whole.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

#include <math.h>

enum { Q, K, V, VALID, INDEX };                           /* operands of attention */
enum { BACK_DY, BACK_Q, BACK_K, BACK_V, DQ = 0, DK, DV }; /* of attention_backward */

/* b: batches of the output. */
typedef struct sizes {
    int b, heads, nq, bk, nk, c;
} sizes;

static sizes sizes_of(int heads, const tpp_shape *q, const tpp_shape *k, const tpp_shape *y)
{
    return (sizes){.b = tpp_int(y->d[0]),
                   .heads = heads,
                   .nq = tpp_int(q->d[1]),
                   .bk = tpp_int(k->d[0]),
                   .nk = tpp_int(k->d[1]),
                   .c = tpp_int(q->d[2])};
}

static tpp_status check_qkv(const char *op, int heads, const tpp_shape *q, const tpp_shape *k,
                            const tpp_shape *v)
{
    TPP_TRY(tpp_want_rank(op, "q", q, 3));
    TPP_TRY(tpp_want_shape(op, "k", k, TPP_SHAPE(-1, -1, q->d[2])));
    TPP_TRY(tpp_want_shape(op, "v", v, *k));
    if (heads > 0 && q->d[2] % heads == 0) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: %lld channels in %d heads", op, (long long)q->d[2], heads);
}

static tpp_status infer_forward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_attention_attr *a = attr;
    TPP_TRY(check_qkv("attention", a->heads, &in[Q], &in[K], &in[V]));
    const int64_t bq = in[Q].d[0], bk = in[K].d[0];
    if (in[VALID].rank > 0)
        TPP_TRY(tpp_want_shape("attention", "valid", &in[VALID], TPP_SHAPE(bk)));
    if (a->mode == TPP_ATTENTION_INDEX)
        TPP_TRY(tpp_want_shape("attention", "index", &in[INDEX], TPP_SHAPE(bq)));
    else if (in[INDEX].rank > 0)
        return TPP_FAIL(TPP_ESHAPE, "attention: index is given in mode %d", a->mode);
    if (a->mode == TPP_ATTENTION_SAME && bq != bk)
        return TPP_FAIL(TPP_ESHAPE, "attention: q %s and k %s differ in batches",
                        tpp_shape_text(&in[Q]), tpp_shape_text(&in[K]));
    out[0] = in[Q];
    if (a->mode == TPP_ATTENTION_EACH) out[0].d[0] = bq * bk;
    return TPP_OK;
}

static tpp_status infer_backward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_attention_attr *a = attr;
    const char *const op = "attention_backward";
    TPP_TRY(check_qkv(op, a->heads, &in[BACK_Q], &in[BACK_K], &in[BACK_V]));
    TPP_TRY(tpp_want_shape(op, "dy", &in[BACK_DY], in[BACK_Q]));
    TPP_TRY(tpp_want_shape(op, "k", &in[BACK_K], TPP_SHAPE(in[BACK_Q].d[0], -1, -1)));
    if (a->mode != TPP_ATTENTION_SAME)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: mode %d has no gradient", op, a->mode);
    out[DQ] = in[BACK_Q];
    out[DK] = in[BACK_K];
    out[DV] = in[BACK_V];
    return TPP_OK;
}

/* ---- plain ---- */

/* Queries of a strip: as many as keep the probabilities within STRIP_BYTES. */
enum { STRIP_BYTES = 16 << 20 };

static int strip_of(const sizes *z)
{
    const int64_t fit = STRIP_BYTES / (4 * (int64_t)z->b * z->heads * z->nk + 1);
    return fit < 1 ? 1 : fit > z->nq ? z->nq : (int)fit;
}

static size_t probability_bytes(const sizes *z, int queries)
{
    return sizeof(float) * (size_t)z->b * (size_t)z->heads * (size_t)queries * (size_t)z->nk;
}

static sizes forward_sizes(const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    return sizes_of(a->heads, &c->in[Q].shape, &c->in[K].shape, &c->out[0].shape);
}

static size_t scratch_forward(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const sizes z = forward_sizes(c);
    return probability_bytes(&z, strip_of(&z));
}

/* Probabilities of queries first .. first + count - 1 into scratch. */
typedef struct score_call {
    cl_mem p, q, k, valid, index;
    int mode, q_pitch, k_pitch;
    float scale;
} score_call;

static tpp_status record_probabilities(tpp_steps *s, const score_call *c, const sizes *z, int first,
                                       int count)
{
    const int rows = z->b * z->heads * count;
    TPP_TRY(tpp_record_2d(s, "attention", "attention_scores", "", (const int64_t[2]){z->nk, rows},
                          TPP_ARGS(TPP_ARG(c->p), TPP_ARG(c->q), TPP_ARG(c->k), TPP_ARG(c->valid),
                                   TPP_ARG(c->index), TPP_ARG(c->mode), TPP_ARG(z->heads),
                                   TPP_ARG(c->scale), TPP_ARG(first), TPP_ARG(count), TPP_ARG(z->b),
                                   TPP_ARG(z->nq), TPP_ARG(z->bk), TPP_ARG(z->nk), TPP_ARG(z->c),
                                   TPP_ARG(c->q_pitch), TPP_ARG(c->k_pitch))));
    return tpp_record_1d(s, "attention", "attention_softmax", "", rows,
                         TPP_ARGS(TPP_ARG(c->p), TPP_ARG(rows), TPP_ARG(z->nk)));
}

static tpp_status record_forward(tpp_steps *s, const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    const sizes z = forward_sizes(c);
    const score_call scores = {.p = c->scratch.mem,
                               .q = c->in[Q].mem,
                               .k = c->in[K].mem,
                               .valid = c->in[VALID].mem,
                               .index = c->in[INDEX].mem,
                               .mode = a->mode,
                               .q_pitch = tpp_pitch(&c->in[Q]),
                               .k_pitch = tpp_pitch(&c->in[K]),
                               .scale = a->scale};
    const int strip = strip_of(&z);
    for (int first = 0; first < z.nq; first += strip) {
        const int count = z.nq - first < strip ? z.nq - first : strip;
        TPP_TRY(record_probabilities(s, &scores, &z, first, count));
        TPP_TRY(tpp_record_2d(
            s, "attention", "attention_values", "", (const int64_t[2]){z.c, (int64_t)z.b * count},
            TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(scores.p), TPP_ARG(c->in[V].mem),
                     TPP_ARG(scores.index), TPP_ARG(a->mode), TPP_ARG(z.heads), TPP_ARG(first),
                     TPP_ARG(count), TPP_ARG(z.b), TPP_ARG(z.nq), TPP_ARG(z.bk), TPP_ARG(z.nk),
                     TPP_ARG(z.c), TPP_ARG(tpp_pitch(&c->in[V])))));
    }
    return TPP_OK;
}

static sizes backward_sizes(const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    return sizes_of(a->heads, &c->in[BACK_Q].shape, &c->in[BACK_K].shape, &c->out[DQ].shape);
}

static size_t scratch_backward(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const sizes z = backward_sizes(c);
    return 2 * probability_bytes(&z, z.nq);
}

static tpp_status record_backward(tpp_steps *s, const tpp_call *c)
{
    const tpp_attention_attr *a = c->attr;
    const sizes z = backward_sizes(c);
    const int rows = z.b * z.heads * z.nq;
    cl_mem p = c->scratch.mem, dy = c->in[BACK_DY].mem;
    const score_call scores = {.p = p,
                               .q = c->in[BACK_Q].mem,
                               .k = c->in[BACK_K].mem,
                               .q_pitch = z.c,
                               .k_pitch = z.c,
                               .scale = a->scale};
    TPP_TRY(record_probabilities(s, &scores, &z, 0, z.nq));
    TPP_TRY(tpp_record_2d(
        s, "attention", "attention_backward_scores", "", (const int64_t[2]){z.nk, rows},
        TPP_ARGS(TPP_ARG(p), TPP_ARG(dy), TPP_ARG(c->in[BACK_V].mem), TPP_ARG(z.heads),
                 TPP_ARG(z.b), TPP_ARG(z.nq), TPP_ARG(z.nk), TPP_ARG(z.c))));
    TPP_TRY(tpp_record_1d(s, "attention", "attention_backward_softmax", "", rows,
                          TPP_ARGS(TPP_ARG(p), TPP_ARG(rows), TPP_ARG(z.nk))));
    TPP_TRY(tpp_record_2d(s, "attention", "attention_backward_query", "",
                          (const int64_t[2]){z.c, (int64_t)z.b * z.nq},
                          TPP_ARGS(TPP_ARG(c->out[DQ].mem), TPP_ARG(p), TPP_ARG(scores.k),
                                   TPP_ARG(z.heads), TPP_ARG(a->scale), TPP_ARG(z.b), TPP_ARG(z.nq),
                                   TPP_ARG(z.nk), TPP_ARG(z.c))));
    return tpp_record_2d(
        s, "attention", "attention_backward_key", "", (const int64_t[2]){z.c, (int64_t)z.b * z.nk},
        TPP_ARGS(TPP_ARG(c->out[DK].mem), TPP_ARG(c->out[DV].mem), TPP_ARG(p), TPP_ARG(dy),
                 TPP_ARG(scores.q), TPP_ARG(z.heads), TPP_ARG(a->scale), TPP_ARG(z.b),
                 TPP_ARG(z.nq), TPP_ARG(z.nk), TPP_ARG(z.c)));
}

static const tpp_algorithm forward_algorithms[] = {
    TPP_ATTENTION_VECTOR_ROW,
    TPP_ATTENTION_TILE_ROW,
    {.name = "plain",
     .pitches = TPP_ATTENTION_PITCHES,
     .scratch = scratch_forward,
     .record = record_forward},
    {.name = NULL},
};
static const tpp_algorithm backward_algorithms[] = {
    {.name = "plain", .scratch = scratch_backward, .record = record_backward},
    {.name = NULL},
};

/* Two products of c and about ten operations a score for the softmax. */
static tpp_cost cost_forward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_attention_attr *a = attr;
    const double pairs = (double)out[0].d[0] * (double)in[Q].d[1] * (double)in[K].d[1];
    return (tpp_cost){.flops = pairs * (4.0 * (double)in[Q].d[2] + 10.0 * a->heads),
                      .bytes = tpp_bytes_moved(in, out)};
}

/* Five products: scores, dy v^T, dq, dk, dv. */
static tpp_cost cost_backward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_attention_attr *a = attr;
    const tpp_shape *q = &in[BACK_Q];
    const double pairs = (double)q->d[0] * (double)q->d[1] * (double)in[BACK_K].d[1];
    return (tpp_cost){.flops = pairs * (10.0 * (double)q->d[2] + 14.0 * a->heads),
                      .bytes = tpp_bytes_moved(in, out)};
}

#define S TPP_DIMS
static const tpp_attention_attr one_head = {.heads = 1, .scale = 0.5f};
static const tpp_attention_attr eight = {.heads = 8, .scale = 0.17677669f};
static const tpp_attention_attr four_each = {
    .heads = 4, .mode = TPP_ATTENTION_EACH, .scale = 0.35355339f};
static const tpp_attention_attr four_index = {
    .heads = 4, .mode = TPP_ATTENTION_INDEX, .scale = 0.35355339f};
static const tpp_attention_attr two_each = {
    .heads = 2, .mode = TPP_ATTENTION_EACH, .scale = 0.17677669f};
static const tpp_attention_attr two_index = {
    .heads = 2, .mode = TPP_ATTENTION_INDEX, .scale = 0.17677669f};
static const tpp_attention_attr memory = {.heads = 1, .scale = 0.0625f};
enum { ANY = TPP_FILL_UNIFORM, AT = TPP_FILL_INDEX, LARGE = TPP_FILL_LARGE };

static const tpp_case forward_cases[] = {
    {.name = "tiny", .attr = &one_head, .in = {S(1, 2, 4), S(1, 3, 4), S(1, 3, 4)}},
    {.name = "one", .attr = &one_head, .in = {S(1, 1, 1), S(1, 1, 1), S(1, 1, 1)}},
    {.name = "self", .attr = &eight, .in = {S(1, 65, 256), S(1, 65, 256), S(1, 65, 256)}},
    {.name = "batches_valid",
     .attr = &eight,
     .in = {S(3, 31, 64), S(3, 33, 64), S(3, 33, 64), S(3)},
     .fill = {LARGE, LARGE, ANY, AT},
     .limit = 34},
    {.name = "each",
     .attr = &four_each,
     .in = {S(2, 37, 32), S(3, 9, 32), S(3, 9, 32), S(3)},
     .fill = {ANY, ANY, ANY, AT},
     .limit = 10},
    {.name = "each_all_keys", .attr = &four_each, .in = {S(1, 63, 32), S(3, 7, 32), S(3, 7, 32)}},
    {.name = "index",
     .attr = &four_index,
     .in = {S(5, 17, 32), S(3, 11, 32), S(3, 11, 32), {0}, S(5)},
     .fill = {LARGE, LARGE, ANY, ANY, AT},
     .limit = 3},
    {.name = "index_valid",
     .attr = &four_index,
     .in = {S(2, 19, 32), S(4, 5, 32), S(4, 5, 32), S(4), S(2)},
     .fill = {ANY, ANY, ANY, AT, AT},
     .limit = 4},
    {.name = "no_key_takes_part",
     .attr = &one_head,
     .in = {S(2, 3, 4), S(2, 5, 4), S(2, 5, 4), S(2)},
     .fill = {ANY, ANY, ANY, AT},
     .limit = 1},
    {.name = "each_of_32_channels",
     .attr = &two_each,
     .in = {S(2, 61, 64), S(3, 28, 64), S(3, 28, 64), S(3)},
     .fill = {LARGE, ANY, ANY, AT},
     .limit = 29},
    {.name = "index_of_32_channels",
     .attr = &two_index,
     .in = {S(2, 15, 64), S(4, 33, 64), S(4, 33, 64), S(4), S(2)},
     .fill = {LARGE, LARGE, ANY, AT, AT},
     .limit = 4},
    {.name = "three_blocks_of_keys",
     .attr = &two_index,
     .in = {S(1, 29, 64), S(2, 531, 64), S(2, 531, 64), {0}, S(1)},
     .fill = {LARGE, LARGE, ANY, ANY, AT},
     .limit = 2},
    {.name = "memory_read",
     .attr = &memory,
     .in = {S(1, 127, 256), S(1, 127, 256), S(1, 127, 256)},
     .fill = {LARGE, ANY, ANY}},
    {.name = "strips", .attr = &one_head, .in = {S(1, 61, 1), S(1, 70001, 1), S(1, 70001, 1)}},
    {.name = NULL},
};

static const tpp_case backward_cases[] = {
    {.name = "tiny", .attr = &one_head, .in = {S(1, 2, 4), S(1, 2, 4), S(1, 3, 4), S(1, 3, 4)}},
    {.name = "one_key", .attr = &one_head, .in = {S(1, 5, 3), S(1, 5, 3), S(1, 1, 3), S(1, 1, 3)}},
    {.name = "self",
     .attr = &eight,
     .in = {S(1, 33, 256), S(1, 33, 256), S(1, 33, 256), S(1, 33, 256)}},
    {.name = "cross",
     .attr = &eight,
     .in = {S(3, 65, 64), S(3, 65, 64), S(3, 31, 64), S(3, 31, 64)},
     .fill = {ANY, LARGE, LARGE, ANY}},
    {.name = "memory_read",
     .attr = &memory,
     .in = {S(1, 97, 256), S(1, 97, 256), S(1, 97, 256), S(1, 97, 256)},
     .fill = {ANY, LARGE, ANY, ANY}},
    {.name = NULL},
};

const tpp_op tpp_op_attention = {
    .name = "attention",
    .attr_size = sizeof(tpp_attention_attr),
    .in_types = {[VALID] = TPP_I32, [INDEX] = TPP_I32},
    .infer = infer_forward,
    .algorithms = forward_algorithms,
    .ref = tpp_ref_attention,
    .cost = cost_forward,
    .cases = forward_cases,
};

const tpp_op tpp_op_attention_backward = {
    .name = "attention_backward",
    .attr_size = sizeof(tpp_attention_attr),
    .infer = infer_backward,
    .algorithms = backward_algorithms,
    .ref = tpp_ref_attention_backward,
    .cost = cost_backward,
    .cases = backward_cases,
};
