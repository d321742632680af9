/* binary: sum or product by element, the second operand repeated over rows or columns.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_binary_attr *a = attr;
    TPP_TRY(tpp_want_present("binary", "a", &in[0]));
    TPP_TRY(tpp_want_present("binary", "b", &in[1]));
    if (a->op != TPP_BINARY_ADD && a->op != TPP_BINARY_MUL)
        return TPP_FAIL(TPP_EUNSUPPORTED, "binary: no operation has number %d", a->op);
    const int64_t rows = tpp_shape_rows(&in[0]), cols = tpp_shape_cols(&in[0]);
    const int64_t rows_b = tpp_shape_rows(&in[1]), cols_b = tpp_shape_cols(&in[1]);
    if (a->by_row && (rows_b != rows || cols_b != 1))
        return TPP_FAIL(TPP_ESHAPE,
                        "binary: b has shape %s, one element for each row of %s is wanted",
                        tpp_shape_text(&in[1]), tpp_shape_text(&in[0]));
    if (!a->by_row && (cols_b != cols || rows_b < 1 || rows % rows_b != 0))
        return TPP_FAIL(TPP_ESHAPE, "binary: rows of b, shape %s, do not repeat to fill %s",
                        tpp_shape_text(&in[1]), tpp_shape_text(&in[0]));
    out[0] = in[0];
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_binary_attr *a = c->attr;
    const int n = tpp_int(tpp_shape_count(&c->in[0].shape));
    const int n_b = tpp_int(tpp_shape_count(&c->in[1].shape));
    return tpp_record_1d(s, "binary", "binary_plain", "", n,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(a->op), TPP_ARG(a->by_row),
                                  TPP_ARG(n), TPP_ARG(n_b),
                                  TPP_ARG(tpp_int(tpp_shape_cols(&c->in[0].shape)))));
}

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(1, in, out);
}

static const tpp_binary_attr add = {.op = TPP_BINARY_ADD}, mul = {.op = TPP_BINARY_MUL},
                             add_rows = {.op = TPP_BINARY_ADD, .by_row = 1},
                             mul_rows = {.op = TPP_BINARY_MUL, .by_row = 1};
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "add_2x3", .attr = &add, .in = {S(2, 3), S(2, 3)}},
    {.name = "mul_1", .attr = &mul, .in = {S(1), S(1)}},
    {.name = "mul_2x33x65", .attr = &mul, .in = {S(2, 33, 65), S(2, 33, 65)}},
    {.name = "add_batches_of_31x32", .attr = &add, .in = {S(3, 31, 32), S(1, 31, 32)}},
    {.name = "mul_7_rows_repeat", .attr = &mul, .in = {S(2, 7, 5, 63), S(7, 5, 63)}},
    {.name = "add_one_row", .attr = &add, .in = {S(2, 11, 64), S(64)}},
    {.name = "add_33x521", .attr = &add, .in = {S(33, 521), S(33, 521)}},
    {.name = "mul_2_maps_of_33x521", .attr = &mul, .in = {S(2, 33, 521), S(33, 521)}},
    {.name = "mul_by_row", .attr = &mul_rows, .in = {S(2, 31, 33), S(2, 31, 1)}},
    {.name = "add_by_row", .attr = &add_rows, .in = {S(67, 3), S(67, 1)}},
    {.name = "add_one_column", .attr = &add, .in = {S(2, 127, 1), S(127, 1)}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_binary_vector_record),
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_binary = {
    .name = "binary",
    .attr_size = sizeof(tpp_binary_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_binary,
    .cost = cost,
    .cases = cases,
};
