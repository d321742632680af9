/* Prompt-weighted fusion of the tokens of all levels with what each prompt said about them.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

enum { X, A, U, Y = 0, MEAN };

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_prompt_mix_attr *a = attr;
    TPP_TRY(tpp_want_rank("prompt_mix", "x", &in[X], 3));
    if (a->prompts < 1) return TPP_FAIL(TPP_ESHAPE, "prompt_mix: %d prompts", a->prompts);
    const int64_t rows = in[X].d[0] * a->prompts, n = in[X].d[1];
    TPP_TRY(tpp_want_shape("prompt_mix", "a", &in[A], TPP_SHAPE(rows, n, in[X].d[2])));
    TPP_TRY(tpp_want_shape("prompt_mix", "u", &in[U], TPP_SHAPE(rows, n, 1)));
    if (a->levels < 0 || a->levels > TPP_MAX_LEVELS)
        return TPP_FAIL(TPP_ESHAPE, "prompt_mix: %d levels, at most %d", a->levels, TPP_MAX_LEVELS);
    int64_t sum = 0;
    for (int l = 0; l < TPP_MAX_LEVELS; l++) {
        const int64_t tokens = tpp_prompt_mix_tokens(a, l, n);
        if (l < a->levels && tokens < 1)
            return TPP_FAIL(TPP_ESHAPE, "prompt_mix: level %d has %lld tokens", l,
                            (long long)tokens);
        sum += tokens;
    }
    if (sum != n)
        return TPP_FAIL(TPP_ESHAPE, "prompt_mix: levels of %lld tokens, x %s", (long long)sum,
                        tpp_shape_text(&in[X]));
    out[Y] = in[X];
    for (int l = 0; l == 0 || l < a->levels; l++) out[MEAN + l] = TPP_SHAPE(in[X].d[0], a->prompts);
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c)
{
    const tpp_prompt_mix_attr *a = c->attr;
    const tpp_shape *x = &c->in[X].shape;
    const int b = tpp_int(x->d[0]), n = tpp_int(x->d[1]), channels = tpp_int(x->d[2]);
    TPP_TRY(
        tpp_record_2d(s, "prompt_mix", "prompt_mix_forward_plain", "",
                      (const int64_t[2]){channels, (int64_t)b * n},
                      TPP_ARGS(TPP_ARG(c->out[Y].mem), TPP_ARG(c->in[X].mem), TPP_ARG(c->in[A].mem),
                               TPP_ARG(c->in[U].mem), TPP_ARG(a->prompts), TPP_ARG(a->scale),
                               TPP_ARG(b), TPP_ARG(n), TPP_ARG(channels))));
    const int levels = a->levels > 0 ? a->levels : 1, rows = b * a->prompts;
    int end[TPP_MAX_LEVELS] = {0};
    for (int l = 0, sum = 0; l < TPP_MAX_LEVELS; l++)
        end[l] = sum += tpp_int(tpp_prompt_mix_tokens(a, l, n));
    /* A range of 1 is rounded up to one work-group. */
    return tpp_record_2d(
        s, "prompt_mix", "prompt_mix_mean", "", (const int64_t[2]){1, (int64_t)levels * rows},
        TPP_ARGS(TPP_ARG(c->out[MEAN].mem), TPP_ARG(c->out[MEAN + 1].mem),
                 TPP_ARG(c->out[MEAN + 2].mem), TPP_ARG(c->out[MEAN + 3].mem),
                 TPP_ARG(c->in[U].mem), TPP_ARG(a->prompts), TPP_ARG(rows), TPP_ARG(n),
                 TPP_ARG(end[0]), TPP_ARG(end[1]), TPP_ARG(end[2]), TPP_ARG(end[3])));
}

static const tpp_algorithm algorithms[] = {
    TPP_PROMPT_MIX_VECTOR_ROW,
    {.name = "plain", .record = record},
    {.name = NULL},
};

/* Three operations per prompt and channel; the softmax is shared by all channels in principle. */
static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_prompt_mix_attr *a = attr;
    tpp_cost c = tpp_cost_pointwise(2.0 * a->prompts + 2.0, in, out);
    c.flops += 12.0 * (double)tpp_shape_count(&in[U]);
    return c;
}

#define ATTR(p, s, ...)                           \
    &(const tpp_prompt_mix_attr)                  \
    {                                             \
        .prompts = (p), .scale = (s), __VA_ARGS__ \
    }
#define S TPP_DIMS
enum { ANY = TPP_FILL_UNIFORM, LARGE = TPP_FILL_LARGE };

static const tpp_case cases[] = {
    {.name = "tiny",
     .attr = ATTR(2, 1.0f, .levels = 0),
     .in = {S(1, 3, 4), S(2, 3, 4), S(2, 3, 1)}},
    {.name = "one_prompt",
     .attr = ATTR(1, 1.0f, .levels = 0),
     .in = {S(1, 1, 5), S(1, 1, 5), S(1, 1, 1)}},
    {.name = "thirds",
     .attr = ATTR(3, 0.33333333f, .levels = 0),
     .in = {S(2, 65, 31), S(6, 65, 31), S(6, 65, 1)},
     .fill = {ANY, ANY, LARGE}},
    {.name = "level",
     .attr = ATTR(3, 1.0f, .levels = 0),
     .in = {S(1, 240, 256), S(3, 240, 256), S(3, 240, 1)},
     .fill = {ANY, ANY, LARGE}},
    {.name = "one_token",
     .attr = ATTR(4, 1.0f, .levels = 0),
     .in = {S(1, 1, 16), S(4, 1, 16), S(4, 1, 1)}},
    {.name = "part_of_a_block",
     .attr = ATTR(3, 0.33333333f, .levels = 0),
     .in = {S(2, 101, 48), S(6, 101, 48), S(6, 101, 1)},
     .fill = {ANY, ANY, LARGE}},
    {.name = "nine_prompts",
     .attr = ATTR(9, 1.0f, .levels = 0),
     .in = {S(1, 33, 24), S(9, 33, 24), S(9, 33, 1)}},
    {.name = "levels",
     .attr = ATTR(3, 0.33333333f, .levels = 4, .tokens = {70, 31, 9, 1}),
     .in = {S(2, 111, 48), S(6, 111, 48), S(6, 111, 1)},
     .fill = {ANY, ANY, LARGE}},
    {.name = "three_levels",
     .attr = ATTR(2, 1.0f, .levels = 3, .tokens = {96, 32, 5}),
     .in = {S(1, 133, 31), S(2, 133, 31), S(2, 133, 1)},
     .fill = {ANY, ANY, LARGE}},
    {.name = "many_tokens",
     .attr = ATTR(5, 1.0f, .levels = 0),
     .in = {S(3, 1009, 7), S(15, 1009, 7), S(15, 1009, 1)}},
    {.name = NULL},
};

const tpp_op tpp_op_prompt_mix = {
    .name = "prompt_mix",
    .attr_size = sizeof(tpp_prompt_mix_attr),
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_prompt_mix,
    .cost = cost,
    .cases = cases,
};
