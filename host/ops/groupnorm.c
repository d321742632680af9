/* groupnorm: normalisation over the tokens and the channels of a group, then an activation.
 * SPDX-License-Identifier: MIT */
#include "ops/tile.h"
#include "ops/vector.h"

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_groupnorm_attr *a = attr;
    TPP_TRY(tpp_want_rank("groupnorm", "x", &in[0], 3));
    const int64_t channels = in[0].d[2];
    TPP_TRY(tpp_want_shape("groupnorm", "gamma", &in[1], TPP_SHAPE(channels)));
    TPP_TRY(tpp_want_shape("groupnorm", "beta", &in[2], TPP_SHAPE(channels)));
    if (a->groups < 1 || channels % a->groups != 0)
        return TPP_FAIL(TPP_ESHAPE, "groupnorm: %lld channels do not divide into %d groups",
                        (long long)channels, a->groups);
    if (a->act < 0 || a->act >= TPP_ACT_COUNT)
        return TPP_FAIL(TPP_EUNSUPPORTED, "groupnorm: no activation has number %d", a->act);
    out[0] = in[0];
    return TPP_OK;
}

/* Mean and 1 / deviation of each batch and group. */
static size_t scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const tpp_groupnorm_attr *a = c->attr;
    return (size_t)c->in[0].shape.d[0] * (size_t)a->groups * 2 * sizeof(float);
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_groupnorm_attr *a = c->attr;
    const int64_t *d = c->in[0].shape.d;
    const tpp_arg x = TPP_ARG(c->in[0].mem), statistics = TPP_ARG(c->scratch.mem);
    const tpp_arg batches = TPP_ARG(tpp_int(d[0])), groups = TPP_ARG(a->groups),
                  tokens = TPP_ARG(tpp_int(d[1])), channels = TPP_ARG(tpp_int(d[2]));
    TPP_TRY(
        tpp_record_1d(s, "groupnorm", "groupnorm_statistics_plain", "", d[0] * a->groups,
                      TPP_ARGS(statistics, x, TPP_ARG(a->eps), batches, groups, tokens, channels)));
    return tpp_record_2d(
        s, "groupnorm", "groupnorm_forward_plain", "", (const int64_t[2]){d[2], d[0] * d[1]},
        TPP_ARGS(TPP_ARG(c->out[0].mem), x, TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem),
                 statistics, TPP_ARG(a->act), batches, groups, tokens, channels));
}

/* As layernorm's; the activation is left out. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(8, in, out);
}

#define ATTR(g, a)                                      \
    .attr = &(const tpp_groupnorm_attr)                 \
    {                                                   \
        .eps = 1e-5f, .groups = (g), .act = TPP_ACT_##a \
    }
#define S TPP_DIMS
enum { LARGE = TPP_FILL_LARGE, POSITIVE = TPP_FILL_POSITIVE };

static const tpp_case cases[] = {
    {.name = "2_groups_1x3x4", ATTR(2, NONE), .in = {S(1, 3, 4), S(4), S(4)}},
    {.name = "one_token", ATTR(1, NONE), .in = {S(1, 1, 7), S(7), S(7)}},
    {.name = "one_channel_a_group", ATTR(5, RELU), .in = {S(2, 37, 5), S(5), S(5)}},
    {.name = "32_groups_2x65x64",
     ATTR(32, NONE),
     .in = {S(2, 65, 64), S(64), S(64)},
     .fill = {LARGE}},
    {.name = "8_groups_3x63x256", ATTR(8, RELU), .in = {S(3, 63, 256), S(256), S(256)}},
    {.name = "mean_far_from_0",
     ATTR(8, GELU),
     .in = {S(1, 1009, 32), S(32), S(32)},
     .fill = {POSITIVE, POSITIVE}},
    {.name = "blocks_of_many_tokens",
     ATTR(2, RELU),
     .in = {S(2, 4211, 16), S(16), S(16)},
     .fill = {LARGE}},
    {.name = "blocks_of_3_channels", ATTR(2, TANH), .in = {S(1, 11003, 6), S(6), S(6)}},
    {.name = NULL},
};

static const tpp_algorithm algorithms[] = {
    TPP_GROUPNORM_VECTOR_ROW,
    TPP_GROUPNORM_TILE_ROW,
    {.name = "plain", .scratch = scratch, .record = record},
    {.name = NULL},
};

const tpp_op tpp_op_groupnorm = {
    .name = "groupnorm",
    .attr_size = sizeof(tpp_groupnorm_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_groupnorm,
    .cost = cost,
    .cases = cases,
};
