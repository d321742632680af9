/* copy, reduce_rows: the same values again, and the sum of all rows.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

/* Rows that one pass adds up: the rounding error of n rows grows with 64 log n / log 64. */
enum { ROWS_PER_PASS = 64 };

static int64_t rows_after_pass(int64_t rows)
{
    return (rows + ROWS_PER_PASS - 1) / ROWS_PER_PASS;
}

static tpp_status infer_copy(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("copy", "x", &in[0]));
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status infer_reduce(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("reduce_rows", "x", &in[0]));
    out[0] = TPP_SHAPE(tpp_shape_cols(&in[0]));
    return TPP_OK;
}

static tpp_status record_copy(tpp_steps *s, const tpp_call *c)
{
    const size_t bytes = (size_t)tpp_shape_count(&c->in[0].shape) * tpp_dtype_size(c->in[0].type);
    return tpp_record_copy(s, c->in[0].mem, c->out[0].mem, bytes);
}

/* The results of all passes but the last, end to end. */
static size_t scratch_reduce(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    int64_t kept = 0;
    int64_t rows = tpp_shape_rows(&c->in[0].shape);
    while (rows > ROWS_PER_PASS) {
        rows = rows_after_pass(rows);
        kept += rows;
    }
    return (size_t)kept * (size_t)tpp_shape_cols(&c->in[0].shape) * sizeof(float);
}

static tpp_status record_reduce(tpp_steps *s, const tpp_call *c)
{
    const int64_t cols = tpp_shape_cols(&c->in[0].shape);
    int64_t rows = tpp_shape_rows(&c->in[0].shape), from_start = 0, to_start = 0;
    cl_mem from = c->in[0].mem;
    bool last = false;
    while (!last) {
        const int64_t next = rows_after_pass(rows);
        last = next == 1;
        cl_mem to = last ? c->out[0].mem : c->scratch.mem;
        TPP_TRY(tpp_record_2d(
            s, "reduce_rows", "reduce_rows_plain", "", (const int64_t[2]){cols, next},
            TPP_ARGS(TPP_ARG(to), TPP_ARG(from), TPP_ARG(last ? 0 : tpp_int(to_start)),
                     TPP_ARG(tpp_int(from_start)), TPP_ARG(tpp_int(rows)), TPP_ARG(tpp_int(cols)),
                     TPP_ARG((int)ROWS_PER_PASS))));
        from = to;
        from_start = to_start;
        to_start += next * cols;
        rows = next;
    }
    return TPP_OK;
}

static tpp_cost cost_copy(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(0, in, out);
}

static tpp_cost cost_reduce(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise((double)tpp_shape_rows(&in[0]), in, out);
}

static const tpp_copy_attr nothing = {0};
#define S TPP_DIMS

static const tpp_case copy_cases[] = {
    {.name = "5", .attr = &nothing, .in = {S(5)}},
    {.name = "1", .attr = &nothing, .in = {S(1)}},
    {.name = "2x33x65", .attr = &nothing, .in = {S(2, 33, 65)}, .fill = {TPP_FILL_LARGE}},
    {.name = "7x3x31x2", .attr = &nothing, .in = {S(7, 3, 31, 2)}},
    {.name = NULL},
};

static const tpp_case reduce_cases[] = {
    {.name = "3x2", .attr = &nothing, .in = {S(3, 2)}},
    {.name = "one_row", .attr = &nothing, .in = {S(33)}},
    {.name = "63x31", .attr = &nothing, .in = {S(63, 31)}},
    {.name = "64x1", .attr = &nothing, .in = {S(64, 1)}},
    {.name = "65x65", .attr = &nothing, .in = {S(65, 65)}},
    {.name = "2x67x7", .attr = &nothing, .in = {S(2, 67, 7)}, .fill = {TPP_FILL_LARGE}},
    {.name = "three_passes", .attr = &nothing, .in = {S(4099, 33)}},
    {.name = "positive", .attr = &nothing, .in = {S(20011, 3)}, .fill = {TPP_FILL_POSITIVE}},
    {.name = NULL},
};

static const tpp_algorithm copy_algorithms[] = {
    {.name = "plain", .record = record_copy},
    {.name = NULL},
};
static const tpp_algorithm reduce_algorithms[] = {
    {.name = "plain", .scratch = scratch_reduce, .record = record_reduce},
    {.name = NULL},
};

const tpp_op tpp_op_copy = {
    .name = "copy",
    .attr_size = sizeof(tpp_copy_attr),
    .infer = infer_copy,
    .algorithms = copy_algorithms,
    .ref = tpp_ref_copy,
    .cost = cost_copy,
    .cases = copy_cases,
};

const tpp_op tpp_op_reduce_rows = {
    .name = "reduce_rows",
    .attr_size = sizeof(tpp_copy_attr),
    .infer = infer_reduce,
    .algorithms = reduce_algorithms,
    .ref = tpp_ref_reduce_rows,
    .cost = cost_reduce,
    .cases = reduce_cases,
};
