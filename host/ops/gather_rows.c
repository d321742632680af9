/* gather_rows, scatter_rows: rows picked by index, and the backward of that.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

static int batches_of(const tpp_gather_attr *a)
{
    return a->batches > 1 ? a->batches : 1;
}

static tpp_status infer_gather(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_gather_attr *a = attr;
    TPP_TRY(tpp_want_present("gather_rows", "x", &in[0]));
    TPP_TRY(tpp_want_rank("gather_rows", "index", &in[1], 1));
    const int batches = batches_of(a);
    if (a->repeat < 1)
        return TPP_FAIL(TPP_EUNSUPPORTED, "gather_rows: each row %d times", a->repeat);
    if (tpp_shape_rows(&in[0]) % batches != 0)
        return TPP_FAIL(TPP_ESHAPE, "gather_rows: %s in %d batches", tpp_shape_text(&in[0]),
                        batches);
    out[0] = TPP_SHAPE(batches, in[1].d[0] * a->repeat, tpp_shape_cols(&in[0]));
    return TPP_OK;
}

static tpp_status infer_scatter(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_gather_attr *a = attr;
    TPP_TRY(tpp_want_rank("scatter_rows", "index", &in[1], 1));
    if (a->repeat < 1 || a->rows < 1)
        return TPP_FAIL(TPP_EUNSUPPORTED, "scatter_rows: each row %d times, into %d rows",
                        a->repeat, a->rows);
    const int batches = batches_of(a);
    TPP_TRY(tpp_want_shape("scatter_rows", "dy", &in[0],
                           TPP_SHAPE(batches, in[1].d[0] * a->repeat, -1)));
    out[0] = TPP_SHAPE(batches, a->rows, in[0].d[2]);
    return TPP_OK;
}

static tpp_status record_gather(tpp_steps *s, const tpp_call *c)
{
    const tpp_gather_attr *a = c->attr;
    const int batches = batches_of(a), cols = tpp_int(c->out[0].shape.d[2]);
    const int n = tpp_int(c->in[1].shape.d[0]);
    const int rows = tpp_int(tpp_shape_rows(&c->in[0].shape) / batches);
    return tpp_record_2d(s, "gather_rows", "gather_rows_plain", "",
                         (const int64_t[2]){cols, tpp_shape_rows(&c->out[0].shape)},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(a->repeat), TPP_ARG(batches),
                                  TPP_ARG(n), TPP_ARG(rows), TPP_ARG(cols)));
}

static tpp_status record_scatter(tpp_steps *s, const tpp_call *c)
{
    const tpp_gather_attr *a = c->attr;
    const int cols = tpp_int(c->out[0].shape.d[2]), n = tpp_int(c->in[1].shape.d[0]);
    return tpp_record_2d(s, "gather_rows", "scatter_rows_plain", "",
                         (const int64_t[2]){cols, tpp_shape_rows(&c->out[0].shape)},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(a->repeat), TPP_ARG(batches_of(a)),
                                  TPP_ARG(n), TPP_ARG(a->rows), TPP_ARG(cols)));
}

/* The rows that are picked, not all of x. */
static tpp_cost cost_gather(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return (tpp_cost){.flops = 0,
                      .bytes = 8.0 * (double)tpp_shape_count(&out[0]) +
                               4.0 * (double)tpp_shape_count(&in[1])};
}

/* One addition for each element of dy. */
static tpp_cost cost_scatter(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return (tpp_cost){.flops = (double)tpp_shape_count(&in[0]), .bytes = tpp_bytes_moved(in, out)};
}

#define ATTR(r, n)                   \
    .attr = &(const tpp_gather_attr) \
    {                                \
        .repeat = (r), .rows = (n)   \
    }
#define BATCHES(r, n, b)                           \
    .attr = &(const tpp_gather_attr)               \
    {                                              \
        .repeat = (r), .rows = (n), .batches = (b) \
    }
#define S    TPP_DIMS
#define FILL .fill = {[1] = TPP_FILL_INDEX}

static const tpp_case gather_cases[] = {
    {.name = "2_of_3", ATTR(1, 0), .in = {S(3, 2), S(2)}, FILL, .limit = 3},
    {.name = "1_of_1", ATTR(1, 0), .in = {S(1, 1), S(1)}, FILL, .limit = 1},
    {.name = "1_of_50_4_times", ATTR(4, 0), .in = {S(1, 50, 33), S(1)}, FILL, .limit = 50},
    {.name = "31_of_2x17", ATTR(1, 0), .in = {S(2, 17, 65), S(31)}, FILL, .limit = 34},
    {.name = "1_of_each_7x5", BATCHES(1, 0, 7), .in = {S(7, 5, 65), S(1)}, FILL, .limit = 5},
    {.name = "2_of_each_3x31_twice",
     BATCHES(2, 0, 3),
     .in = {S(3, 31, 33), S(2)},
     FILL,
     .limit = 31},
    {.name = "5_of_300_3_times", ATTR(3, 0), .in = {S(1, 300, 64), S(5)}, FILL, .limit = 300},
    {.name = NULL},
};

static const tpp_case scatter_cases[] = {
    {.name = "2_into_3", ATTR(1, 3), .in = {S(1, 2, 2), S(2)}, FILL, .limit = 3},
    {.name = "1_into_1", ATTR(1, 1), .in = {S(1, 1, 1), S(1)}, FILL, .limit = 1},
    {.name = "1_into_50_4_times", ATTR(4, 50), .in = {S(1, 4, 33), S(1)}, FILL, .limit = 50},
    {.name = "31_into_7", ATTR(1, 7), .in = {S(1, 31, 65), S(31)}, FILL, .limit = 7},
    {.name = "1_into_each_7x5", BATCHES(1, 5, 7), .in = {S(7, 1, 65), S(1)}, FILL, .limit = 5},
    {.name = "2_into_each_3x31_twice",
     BATCHES(2, 31, 3),
     .in = {S(3, 4, 33), S(2)},
     FILL,
     .limit = 31},
    {.name = "5_into_33_3_times", ATTR(3, 33), .in = {S(1, 15, 64), S(5)}, FILL, .limit = 33},
    {.name = NULL},
};

static const tpp_algorithm gather_algorithms[] = {
    {.name = "plain", .record = record_gather},
    {.name = NULL},
};
static const tpp_algorithm scatter_algorithms[] = {
    {.name = "plain", .record = record_scatter},
    {.name = NULL},
};

const tpp_op tpp_op_gather_rows = {
    .name = "gather_rows",
    .attr_size = sizeof(tpp_gather_attr),
    .in_types = {[1] = TPP_I32},
    .infer = infer_gather,
    .algorithms = gather_algorithms,
    .ref = tpp_ref_gather_rows,
    .cost = cost_gather,
    .cases = gather_cases,
};

const tpp_op tpp_op_scatter_rows = {
    .name = "scatter_rows",
    .attr_size = sizeof(tpp_gather_attr),
    .in_types = {[1] = TPP_I32},
    .infer = infer_scatter,
    .algorithms = scatter_algorithms,
    .ref = tpp_ref_scatter_rows,
    .cost = cost_scatter,
    .cases = scatter_cases,
};
