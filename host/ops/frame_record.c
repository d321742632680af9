/* frame_record: what the host is told of a frame, or of those of a clip, in one small buffer.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

enum { RECORD = 8 }; /* floats of a record */

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_shape("frame_record", "box", &in[0], TPP_SHAPE(-1, -1, 4)));
    TPP_TRY(tpp_want_shape("frame_record", "logit", &in[1], TPP_SHAPE(-1, in[0].d[1], -1)));
    TPP_TRY(tpp_want_shape("frame_record", "best", &in[2], TPP_SHAPE(1)));
    TPP_TRY(tpp_want_shape("frame_record", "prompt", &in[3], TPP_SHAPE(in[0].d[0])));
    if (in[1].d[0] != 1 && in[1].d[0] != in[0].d[0])
        return TPP_FAIL(TPP_ESHAPE, "frame_record: logit %s, 1 or %lld batches are wanted",
                        tpp_shape_text(&in[1]), (long long)in[0].d[0]);
    out[0] = TPP_SHAPE(in[0].d[0] * RECORD);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_shape *box = &c->in[0].shape, *logit = &c->in[1].shape;
    const int queries = tpp_int(box->d[1]);
    return tpp_record_1d(
        s, "frame_record", "frame_record_plain", "", tpp_shape_count(&c->out[0].shape),
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                 TPP_ARG(c->in[2].mem), TPP_ARG(c->in[3].mem), TPP_ARG(tpp_int(box->d[0])),
                 TPP_ARG(queries), TPP_ARG(logit->d[0] == 1 ? 0 : queries),
                 TPP_ARG(tpp_int(logit->d[2]))));
}

/* For each frame one query's box and logits, two indices; comparisons of the logits. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    (void)out;
    const double classes = (double)in[1].d[2], frames = (double)in[0].d[0];
    return (tpp_cost){.flops = frames * classes,
                      .bytes = 4.0 * frames * (4 + classes + 2 + RECORD)};
}

static const tpp_frame_record_attr nothing = {0};
#define S    TPP_DIMS
#define FILL .fill = {TPP_FILL_UNIT, TPP_FILL_LARGE, TPP_FILL_INDEX, TPP_FILL_INDEX}

static const tpp_case cases[] = {
    {.name = "3_queries",
     .attr = &nothing,
     .in = {S(1, 3, 4), S(1, 3, 1), S(1), S(1)},
     FILL,
     .limit = 3},
    {.name = "1_query",
     .attr = &nothing,
     .in = {S(1, 1, 4), S(1, 1, 1), S(1), S(1)},
     FILL,
     .limit = 1},
    {.name = "7_classes",
     .attr = &nothing,
     .in = {S(1, 5, 4), S(1, 5, 7), S(1), S(1)},
     FILL,
     .limit = 5},
    {.name = "300_queries",
     .attr = &nothing,
     .in = {S(1, 300, 4), S(1, 300, 65), S(1), S(1)},
     FILL,
     .limit = 300},
    {.name = "3_frames",
     .attr = &nothing,
     .in = {S(3, 5, 4), S(3, 5, 2), S(1), S(3)},
     FILL,
     .limit = 5},
    {.name = "9_frames_one_score",
     .attr = &nothing,
     .in = {S(9, 5, 4), S(1, 5, 7), S(1), S(9)},
     FILL,
     .limit = 5},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    {.name = "plain", .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_frame_record = {
    .name = "frame_record",
    .attr_size = sizeof(tpp_frame_record_attr),
    .in_types = {[2] = TPP_I32, [3] = TPP_I32},
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_frame_record,
    .cost = cost,
    .cases = cases,
};
