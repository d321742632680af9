/* Multi-scale deformable attention and its backward.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

enum { VALUE, OFFSETS, LOGITS, REF }; /* operands of deform_attention; backward: dy first */
enum { DVALUE, DOFFSETS, DLOGITS };

typedef struct sizes {
    int b, nq, s, c, heads, n; /* n: samples of a head */
    int ref_batches, ref_size;
} sizes;

static sizes sizes_of(const tpp_deform_attr *a, const tpp_operand *value)
{
    const tpp_shape *v = &value[VALUE].shape, *o = &value[OFFSETS].shape, *r = &value[REF].shape;
    return (sizes){.b = tpp_int(v->d[0]),
                   .nq = tpp_int(o->d[1]),
                   .s = tpp_int(v->d[1]),
                   .c = tpp_int(v->d[2]),
                   .heads = a->heads,
                   .n = a->levels * a->points,
                   .ref_batches = tpp_int(r->d[0]),
                   .ref_size = tpp_int(r->d[2])};
}

static tpp_status check_attr(const char *op, const tpp_deform_attr *a, const tpp_shape *value)
{
    if (a->levels < 1 || a->levels > TPP_MAX_LEVELS || a->points < 1 || a->heads < 1)
        return TPP_FAIL(TPP_ESHAPE, "%s: %d levels, %d points and %d heads, at most %d levels", op,
                        a->levels, a->points, a->heads, TPP_MAX_LEVELS);
    TPP_TRY(tpp_want_rank(op, "value", value, 3));
    int64_t tokens = 0;
    for (int i = 0; i < a->levels; i++) tokens += (int64_t)a->height[i] * a->width[i];
    if (tokens == value->d[1] && value->d[2] % a->heads == 0) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: value %s, %lld tokens in %d heads are wanted", op,
                    tpp_shape_text(value), (long long)tokens, a->heads);
}

static tpp_status check_inputs(const char *op, const tpp_deform_attr *a, const tpp_shape *in)
{
    TPP_TRY(check_attr(op, a, &in[VALUE]));
    const int64_t b = in[VALUE].d[0], n = (int64_t)a->heads * a->levels * a->points;
    TPP_TRY(tpp_want_shape(op, "offsets", &in[OFFSETS], TPP_SHAPE(b, -1, 2 * n)));
    const int64_t nq = in[OFFSETS].d[1];
    TPP_TRY(tpp_want_shape(op, "logits", &in[LOGITS], TPP_SHAPE(b, nq, n)));
    TPP_TRY(tpp_want_shape(op, "ref", &in[REF], TPP_SHAPE(-1, nq, -1)));
    const tpp_shape *ref = &in[REF];
    if ((ref->d[0] == 1 || ref->d[0] == b) && (ref->d[2] == 2 || ref->d[2] == 4)) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: ref %s, [1 or %lld,%lld,2 or 4] is wanted", op,
                    tpp_shape_text(ref), (long long)b, (long long)nq);
}

static tpp_status infer_forward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    TPP_TRY(check_inputs("deform_attention", attr, in));
    out[0] = TPP_SHAPE(in[VALUE].d[0], in[OFFSETS].d[1], in[VALUE].d[2]);
    return TPP_OK;
}

static tpp_status infer_backward(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_shape *from = in + 1;
    TPP_TRY(check_inputs("deform_attention_backward", attr, from));
    TPP_TRY(tpp_want_shape("deform_attention_backward", "dy", &in[0],
                           TPP_SHAPE(from[VALUE].d[0], from[OFFSETS].d[1], from[VALUE].d[2])));
    out[DVALUE] = from[VALUE];
    out[DOFFSETS] = from[OFFSETS];
    out[DLOGITS] = from[LOGITS];
    return TPP_OK;
}

/* What every kernel takes of the attributes, in its order. */
#define LEVEL_ARGS(a)                                                                         \
    TPP_ARG((a)->heads), TPP_ARG((a)->levels), TPP_ARG((a)->points), TPP_ARG((a)->height[0]), \
        TPP_ARG((a)->height[1]), TPP_ARG((a)->height[2]), TPP_ARG((a)->height[3]),            \
        TPP_ARG((a)->width[0]), TPP_ARG((a)->width[1]), TPP_ARG((a)->width[2]),               \
        TPP_ARG((a)->width[3])

static tpp_status record_forward(tpp_steps *s, const tpp_call *c)
{
    const tpp_deform_attr *a = c->attr;
    const sizes z = sizes_of(a, c->in);
    return tpp_record_2d(
        s, "deform_attention", "deform_attention_forward_plain", "",
        (const int64_t[2]){z.c, (int64_t)z.b * z.nq},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[VALUE].mem), TPP_ARG(c->in[OFFSETS].mem),
                 TPP_ARG(c->in[LOGITS].mem), TPP_ARG(c->in[REF].mem), LEVEL_ARGS(a), TPP_ARG(z.b),
                 TPP_ARG(z.nq), TPP_ARG(z.s), TPP_ARG(z.c), TPP_ARG(z.ref_batches),
                 TPP_ARG(z.ref_size), TPP_ARG(tpp_pitch(&c->in[VALUE])),
                 TPP_ARG(tpp_pitch(&c->in[OFFSETS])), TPP_ARG(tpp_pitch(&c->in[LOGITS]))));
}

/* Pixel and weight of every sample. */
static size_t scratch_backward(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    return 3 * sizeof(float) * (size_t)tpp_shape_count(&c->in[1 + LOGITS].shape);
}

static tpp_status record_samples(tpp_steps *s, const tpp_call *c, const sizes *z)
{
    const tpp_deform_attr *a = c->attr;
    const tpp_operand *in = c->in + 1;
    return tpp_record_1d(s, "deform_attention", "deform_attention_samples", "",
                         (int64_t)z->b * z->nq * z->heads * z->n,
                         TPP_ARGS(TPP_ARG(c->scratch.mem), TPP_ARG(in[OFFSETS].mem),
                                  TPP_ARG(in[LOGITS].mem), TPP_ARG(in[REF].mem), LEVEL_ARGS(a),
                                  TPP_ARG(z->b), TPP_ARG(z->nq), TPP_ARG(z->ref_batches),
                                  TPP_ARG(z->ref_size)));
}

static tpp_status record_backward(tpp_steps *s, const tpp_call *c)
{
    const tpp_deform_attr *a = c->attr;
    const tpp_operand *in = c->in + 1;
    const sizes z = sizes_of(a, in);
    const int rows = z.b * z.nq * z.heads;
    cl_mem sample = c->scratch.mem, dy = c->in[0].mem, dlogits = c->out[DLOGITS].mem;
    TPP_TRY(record_samples(s, c, &z));
    TPP_TRY(tpp_record_1d(s, "deform_attention", "deform_attention_backward_sample", "",
                          (int64_t)rows * z.n,
                          TPP_ARGS(TPP_ARG(c->out[DOFFSETS].mem), TPP_ARG(dlogits), TPP_ARG(dy),
                                   TPP_ARG(in[VALUE].mem), TPP_ARG(in[REF].mem), TPP_ARG(sample),
                                   LEVEL_ARGS(a), TPP_ARG(z.b), TPP_ARG(z.nq), TPP_ARG(z.s),
                                   TPP_ARG(z.c), TPP_ARG(z.ref_batches), TPP_ARG(z.ref_size))));
    TPP_TRY(
        tpp_record_1d(s, "deform_attention", "deform_attention_backward_logits", "", rows,
                      TPP_ARGS(TPP_ARG(dlogits), TPP_ARG(sample), TPP_ARG(rows), TPP_ARG(z.n))));
    return tpp_record_2d(s, "deform_attention", "deform_attention_backward_value", "",
                         (const int64_t[2]){z.c, (int64_t)z.b * z.s},
                         TPP_ARGS(TPP_ARG(c->out[DVALUE].mem), TPP_ARG(dy), TPP_ARG(sample),
                                  LEVEL_ARGS(a), TPP_ARG(z.b), TPP_ARG(z.nq), TPP_ARG(z.s),
                                  TPP_ARG(z.c)));
}

static const tpp_algorithm forward_algorithms[] = {
    TPP_DEFORM_VECTOR_ROW,
    TPP_DEFORM_TILE_ROW,
    {.name = "plain", .pitches = TPP_DEFORM_PITCHES, .record = record_forward},
    {.name = NULL},
};
static const tpp_algorithm backward_algorithms[] = {
    {.name = "plain", .scratch = scratch_backward, .record = record_backward},
    {.name = NULL},
};

/* Bilinear sample and weighted sum: ten operations a channel of a sample; twenty for its place. */
static tpp_cost cost_forward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_deform_attr *a = attr;
    const double samples = (double)tpp_shape_count(&in[LOGITS]);
    const double d = (double)in[VALUE].d[2] / a->heads;
    return (tpp_cost){.flops = samples * (10.0 * d + 20.0), .bytes = tpp_bytes_moved(in, out)};
}

/* The samples again, with two slopes, and four corners of dvalue. */
static tpp_cost cost_backward(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_deform_attr *a = attr;
    const double samples = (double)tpp_shape_count(&in[1 + LOGITS]);
    const double d = (double)in[1 + VALUE].d[2] / a->heads;
    return (tpp_cost){.flops = samples * (32.0 * d + 30.0), .bytes = tpp_bytes_moved(in, out)};
}

#define S TPP_DIMS
static const tpp_deform_attr tiny = {1, 1, 1, {2}, {3}};
static const tpp_deform_attr one_level = {2, 1, 3, {5}, {1}};
static const tpp_deform_attr three = {4, 3, 2, {7, 4, 1}, {5, 3, 2}};
static const tpp_deform_attr four = {8, 4, 4, {12, 6, 3, 2}, {17, 9, 5, 3}};
static const tpp_deform_attr pixels = {2, 3, 4, {9, 5, 1}, {13, 8, 1}};
static const tpp_deform_attr twenty_samples = {2, 4, 5, {12, 6, 3, 2}, {17, 9, 5, 3}};
enum { ANY = TPP_FILL_UNIFORM, UNIT = TPP_FILL_UNIT, LARGE = TPP_FILL_LARGE };

static const tpp_case forward_cases[] = {
    {.name = "tiny",
     .attr = &tiny,
     .in = {S(1, 6, 4), S(1, 2, 2), S(1, 2, 1), S(1, 2, 2)},
     .fill = {ANY, ANY, ANY, UNIT}},
    {.name = "one_column",
     .attr = &one_level,
     .in = {S(1, 5, 2), S(1, 7, 12), S(1, 7, 6), S(1, 7, 4)},
     .fill = {ANY, LARGE, LARGE, UNIT}},
    {.name = "shared_points",
     .attr = &three,
     .in = {S(2, 49, 44), S(2, 31, 48), S(2, 31, 24), S(1, 31, 2)},
     .fill = {ANY, LARGE, LARGE, UNIT}},
    {.name = "points_by_batch",
     .attr = &three,
     .in = {S(3, 49, 12), S(3, 33, 48), S(3, 33, 24), S(3, 33, 2)},
     .fill = {ANY, ANY, ANY, UNIT}},
    {.name = "six_samples_of_16_channels",
     .attr = &three,
     .in = {S(2, 49, 64), S(2, 33, 48), S(2, 33, 24), S(2, 33, 4)},
     .fill = {ANY, LARGE, LARGE, UNIT}},
    {.name = "twenty_samples",
     .attr = &twenty_samples,
     .in = {S(2, 279, 32), S(2, 17, 80), S(2, 17, 40), S(1, 17, 2)},
     .fill = {ANY, LARGE, LARGE, ANY}},
    {.name = "boxes",
     .attr = &four,
     .in = {S(1, 279, 256), S(1, 5, 256), S(1, 5, 128), S(1, 5, 4)},
     .fill = {ANY, LARGE, ANY, UNIT}},
    {.name = "encoder",
     .attr = &four,
     .in = {S(1, 279, 256), S(1, 279, 256), S(1, 279, 128), S(1, 279, 2)},
     .fill = {ANY, LARGE, LARGE, UNIT}},
    {.name = "down_to_one_pixel",
     .attr = &pixels,
     .in = {S(2, 158, 16), S(2, 158, 48), S(2, 158, 24), S(2, 158, 4)},
     .fill = {ANY, LARGE, LARGE, ANY}},
    {.name = "one_query",
     .attr = &four,
     .in = {S(1, 279, 256), S(1, 1, 256), S(1, 1, 128), S(1, 1, 4)},
     .fill = {ANY, LARGE, ANY, UNIT}},
    {.name = NULL},
};

static const tpp_case backward_cases[] = {
    {.name = "tiny",
     .attr = &tiny,
     .in = {S(1, 2, 4), S(1, 6, 4), S(1, 2, 2), S(1, 2, 1), S(1, 2, 2)},
     .fill = {ANY, ANY, ANY, ANY, UNIT}},
    {.name = "one_column",
     .attr = &one_level,
     .in = {S(1, 7, 2), S(1, 5, 2), S(1, 7, 12), S(1, 7, 6), S(1, 7, 4)},
     .fill = {ANY, ANY, LARGE, ANY, UNIT}},
    {.name = "shared_points",
     .attr = &three,
     .in = {S(2, 31, 44), S(2, 49, 44), S(2, 31, 48), S(2, 31, 24), S(1, 31, 2)},
     .fill = {ANY, ANY, LARGE, LARGE, UNIT}},
    {.name = "boxes",
     .attr = &three,
     .in = {S(2, 5, 64), S(2, 49, 64), S(2, 5, 48), S(2, 5, 24), S(2, 5, 4)},
     .fill = {ANY, ANY, LARGE, ANY, UNIT}},
    {.name = "encoder",
     .attr = &four,
     .in = {S(1, 279, 64), S(1, 279, 64), S(1, 279, 256), S(1, 279, 128), S(1, 279, 2)},
     .fill = {ANY, ANY, LARGE, ANY, UNIT}},
    {.name = NULL},
};

const tpp_op tpp_op_deform_attention = {
    .name = "deform_attention",
    .attr_size = sizeof(tpp_deform_attr),
    .infer = infer_forward,
    .algorithms = forward_algorithms,
    .ref = tpp_ref_deform_attention,
    .cost = cost_forward,
    .cases = forward_cases,
};

const tpp_op tpp_op_deform_attention_backward = {
    .name = "deform_attention_backward",
    .attr_size = sizeof(tpp_deform_attr),
    .infer = infer_backward,
    .algorithms = backward_algorithms,
    .ref = tpp_ref_deform_attention_backward,
    .cost = cost_backward,
    .cases = backward_cases,
};
