/* slice, concat: parts of one axis, taken out or joined.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

static tpp_status infer_slice(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_slice_attr *a = attr;
    TPP_TRY(tpp_want_present("slice", "x", &in[0]));
    if (a->outer < 1 || a->inner < 1 || a->n < 1 ||
        a->outer * a->n * a->inner != tpp_shape_count(&in[0]))
        return TPP_FAIL(TPP_ESHAPE, "slice: %s is not [%lld,%lld,%lld]", tpp_shape_text(&in[0]),
                        (long long)a->outer, (long long)a->n, (long long)a->inner);
    if (a->start < 0 || a->count < 1 || a->start > a->n - a->count)
        return TPP_FAIL(TPP_ESHAPE, "slice: %lld from %lld on, of an axis of %lld",
                        (long long)a->count, (long long)a->start, (long long)a->n);
    if (tpp_shape_count(&a->out) != a->outer * a->count * a->inner)
        return TPP_FAIL(TPP_ESHAPE, "slice: the result does not fit %s", tpp_shape_text(&a->out));
    out[0] = a->out;
    return TPP_OK;
}

static tpp_status infer_concat(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_concat_attr *a = attr;
    TPP_TRY(tpp_want_present("concat", "the first", &in[0]));
    if (a->outer < 1 || a->inner < 1)
        return TPP_FAIL(TPP_ESHAPE, "concat: outer %lld, inner %lld", (long long)a->outer,
                        (long long)a->inner);
    int64_t sum = 0;
    for (int i = 0; i < TPP_MAX_IN && in[i].rank > 0; i++) {
        const int64_t n = tpp_shape_count(&in[i]);
        if (n < 1 || n % (a->outer * a->inner) != 0)
            return TPP_FAIL(TPP_ESHAPE, "concat: operand %d, %s, is not [%lld,..,%lld]", i,
                            tpp_shape_text(&in[i]), (long long)a->outer, (long long)a->inner);
        sum += n;
    }
    if (tpp_shape_count(&a->out) != sum)
        return TPP_FAIL(TPP_ESHAPE, "concat: %lld elements do not fit %s", (long long)sum,
                        tpp_shape_text(&a->out));
    out[0] = a->out;
    return TPP_OK;
}

static tpp_status record_slice(tpp_steps *s, const tpp_call *c)
{
    const tpp_slice_attr *a = c->attr;
    const int width = tpp_int(a->count * a->inner);
    return tpp_record_2d(s, "slice", "slice_plain", "", (const int64_t[2]){width, a->outer},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(tpp_int(a->start * a->inner)),
                                  TPP_ARG(tpp_int(a->n * a->inner)), TPP_ARG(width),
                                  TPP_ARG(tpp_int(a->outer))));
}

/* One launch per operand: each writes its own part. */
static tpp_status record_concat(tpp_steps *s, const tpp_call *c)
{
    const tpp_concat_attr *a = c->attr;
    const int outer = tpp_int(a->outer);
    const int pitch = tpp_int(tpp_shape_count(&c->out[0].shape) / a->outer);
    int start = 0;
    for (int i = 0; i < TPP_MAX_IN && c->in[i].shape.rank > 0; i++) {
        const int width = tpp_int(tpp_shape_count(&c->in[i].shape) / a->outer);
        TPP_TRY(
            tpp_record_2d(s, "slice", "concat_plain", "", (const int64_t[2]){width, outer},
                          TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[i].mem), TPP_ARG(start),
                                   TPP_ARG(pitch), TPP_ARG(width), TPP_ARG(outer))));
        start += width;
    }
    return TPP_OK;
}

/* Every element of the result is read and written once. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    (void)in;
    return (tpp_cost){.flops = 0, .bytes = 8.0 * (double)tpp_shape_count(&out[0])};
}

#define S TPP_DIMS
#define SLICE(o, nn, i, from, c, ...)                                                            \
    .attr = &(const tpp_slice_attr)                                                              \
    {                                                                                            \
        .outer = (o), .n = (nn), .inner = (i), .start = (from), .count = (c), .out = __VA_ARGS__ \
    }
#define CONCAT(o, i, ...)                              \
    .attr = &(const tpp_concat_attr)                   \
    {                                                  \
        .outer = (o), .inner = (i), .out = __VA_ARGS__ \
    }

static const tpp_case slice_cases[] = {
    {.name = "middle_of_5", SLICE(1, 5, 1, 1, 3, S(3)), .in = {S(5)}},
    {.name = "all_of_1", SLICE(1, 1, 1, 0, 1, S(1)), .in = {S(1)}},
    {.name = "last_column", SLICE(67, 33, 1, 32, 1, S(67, 1)), .in = {S(67, 33)}},
    {.name = "columns", SLICE(2 * 31, 96, 1, 32, 64, S(2, 31, 64)), .in = {S(2, 31, 96)}},
    {.name = "rows_of_batches", SLICE(3, 65, 7, 1, 63, S(3, 63, 7)), .in = {S(3, 65, 7)}},
    {.name = "long_rows", SLICE(2, 9013, 1, 5, 8999, S(2, 8999)), .in = {S(2, 9013)}},
    {.name = "last_batch", SLICE(1, 4, 17 * 5, 3, 1, S(17, 5)), .in = {S(4, 17, 5)}},
    {.name = NULL},
};

static const tpp_case concat_cases[] = {
    {.name = "2_and_3", CONCAT(1, 1, S(5)), .in = {S(2), S(3)}},
    {.name = "one_operand", CONCAT(1, 1, S(1)), .in = {S(1)}},
    {.name = "columns", CONCAT(2 * 33, 1, S(2, 33, 65)), .in = {S(2, 33, 1), S(2, 33, 64)}},
    {.name = "rows_of_batches",
     CONCAT(2, 31, S(2, 50, 31)),
     .in = {S(2, 37, 31), S(2, 11, 31), S(2, 2, 31)}},
    {.name = "batches", CONCAT(1, 15, S(4, 5, 3)), .in = {S(1, 5, 3), S(3, 5, 3)}},
    {.name = "long_rows", CONCAT(2, 1, S(2, 8331)), .in = {S(2, 8231), S(2, 100)}},
    {.name = "8_operands",
     CONCAT(7, 3, S(7, 36, 3)),
     .in = {S(7, 1, 3), S(7, 2, 3), S(7, 3, 3), S(7, 4, 3), S(7, 5, 3), S(7, 6, 3), S(7, 7, 3),
            S(7, 8, 3)}},
    {.name = NULL},
};

static const tpp_algorithm slice_algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_slice_vector_record),
    {.name = "plain", .record = record_slice},
    {.name = NULL},
};
static const tpp_algorithm concat_algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_concat_vector_record),
    {.name = "plain", .record = record_concat},
    {.name = NULL},
};

const tpp_op tpp_op_slice = {
    .name = "slice",
    .attr_size = sizeof(tpp_slice_attr),
    .infer = infer_slice,
    .algorithms = slice_algorithms,
    .ref = tpp_ref_slice,
    .cost = cost,
    .cases = slice_cases,
};

const tpp_op tpp_op_concat = {
    .name = "concat",
    .attr_size = sizeof(tpp_concat_attr),
    .infer = infer_concat,
    .algorithms = concat_algorithms,
    .ref = tpp_ref_concat,
    .cost = cost,
    .cases = concat_cases,
};
