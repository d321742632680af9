/* embedding: word, position and type rows added up.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_rank("embedding", "id", &in[0], 2));
    TPP_TRY(tpp_want_shape("embedding", "place", &in[1], in[0]));
    TPP_TRY(tpp_want_rank("embedding", "word", &in[2], 2));
    TPP_TRY(tpp_want_shape("embedding", "position", &in[3], TPP_SHAPE(-1, in[2].d[1])));
    TPP_TRY(tpp_want_shape("embedding", "type", &in[4], TPP_SHAPE(1, in[2].d[1])));
    out[0] = TPP_SHAPE(in[0].d[0], in[0].d[1], in[2].d[1]);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const int tokens = tpp_int(tpp_shape_count(&c->in[0].shape));
    const int cols = tpp_int(c->in[2].shape.d[1]);
    return tpp_record_2d(s, "embedding", "embedding_plain", "", (const int64_t[2]){cols, tokens},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                  TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem),
                                  TPP_ARG(c->in[3].mem), TPP_ARG(c->in[4].mem), TPP_ARG(tokens),
                                  TPP_ARG(cols)));
}

/* Two rows read and one written for each token, and the indices; the type row stays in a cache. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    const double n = (double)tpp_shape_count(&out[0]), tokens = (double)tpp_shape_count(&in[0]);
    return (tpp_cost){.flops = 2.0 * n, .bytes = 12.0 * n + 8.0 * tokens};
}

static const tpp_embedding_attr nothing = {0};
#define S    TPP_DIMS
#define FILL .fill = {TPP_FILL_INDEX, TPP_FILL_INDEX}

static const tpp_case cases[] = {
    {.name = "1x3_of_4",
     .attr = &nothing,
     .in = {S(1, 3), S(1, 3), S(4, 2), S(4, 2), S(1, 2)},
     FILL,
     .limit = 4},
    {.name = "1x1_of_1",
     .attr = &nothing,
     .in = {S(1, 1), S(1, 1), S(1, 1), S(1, 1), S(1, 1)},
     FILL,
     .limit = 1},
    {.name = "3x17_of_31",
     .attr = &nothing,
     .in = {S(3, 17), S(3, 17), S(97, 33), S(31, 33), S(1, 33)},
     FILL,
     .limit = 31},
    {.name = "2x63_of_64",
     .attr = &nothing,
     .in = {S(2, 63), S(2, 63), S(64, 65), S(65, 65), S(1, 65)},
     FILL,
     .limit = 64},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    TPP_ANY_VECTOR_ROW(tpp_embedding_vector_record),
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_embedding = {
    .name = "embedding",
    .attr_size = sizeof(tpp_embedding_attr),
    .in_types = {TPP_I32, TPP_I32},
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_embedding,
    .cost = cost,
    .cases = cases,
};
