/* The `vector` algorithms of layer and group normalisation.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

#include <stdio.h>

enum { LAYERNORM_ROWS = 32, GROUPNORM_TOKENS = 64, MAX_CHANNELS = 4096 };

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static bool whole_vectors(const tpp_call *c, const tpp_caps *caps)
{
    return tpp_shape_cols(&c->in[0].shape) % (tpp_panel_width(caps) / TPP_PANEL_VECTORS) == 0;
}

bool tpp_layernorm_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    return whole_vectors(c, caps);
}

static void options_of(const tpp_steps *s, int channels, char *text, size_t size)
{
    const int width = tpp_vector_width(tpp_device_caps(tpp_steps_device(s)));
    (void)snprintf(text, size, "-DVW=%d -DCHANNELS=%d", width, channels);
}

tpp_status tpp_layernorm_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_layernorm_attr *a = c->attr;
    const tpp_shape *x = &c->in[0].shape;
    const int rows = tpp_int(tpp_shape_rows(x)), cols = tpp_int(tpp_shape_cols(x));
    options_of(s, 1, options, sizeof(options));
    const tpp_grid grid = {.global = {(size_t)ceil_div(rows, LAYERNORM_ROWS)}};
    return tpp_record(s, "norm_vector", "layernorm_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                               TPP_ARG(c->in[2].mem), TPP_ARG(a->eps), TPP_ARG(rows), TPP_ARG(cols),
                               TPP_ARG((int)LAYERNORM_ROWS)));
}

bool tpp_groupnorm_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const int64_t channels = tpp_shape_cols(&c->in[0].shape);
    return whole_vectors(c, caps) && channels <= MAX_CHANNELS &&
           2 * sizeof(float) * (size_t)channels <= caps->local_mem; /* mean and square of each */
}

static size_t partial_floats(const tpp_shape *x)
{
    return (size_t)(x->d[0] * ceil_div(x->d[1], GROUPNORM_TOKENS) * 2 * x->d[2]);
}

/* Statistics of blocks, and after them those of groups. */
size_t tpp_groupnorm_vector_scratch(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_shape *x = &c->in[0].shape;
    const size_t partial = tpp_round_up(sizeof(float) * partial_floats(x), caps->base_align);
    return partial + sizeof(float) * (size_t)(x->d[0] * 2 * x->d[2]);
}

/* The part of the scratch behind the block statistics. */
static tpp_status group_statistics(tpp_steps *s, const tpp_call *c, tpp_operand *out)
{
    const size_t align = tpp_device_caps(tpp_steps_device(s))->base_align;
    const int64_t start =
        (int64_t)tpp_round_up(sizeof(float) * partial_floats(&c->in[0].shape), align);
    tpp_operand bytes = c->scratch;
    bytes.shape = TPP_SHAPE(tpp_shape_count(&c->scratch.shape), 1);
    return tpp_operand_rows(s, &bytes, start, bytes.shape.d[0] - start, out);
}

tpp_status tpp_groupnorm_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    tpp_operand stat = {0};
    const tpp_groupnorm_attr *a = c->attr;
    const tpp_shape *x = &c->in[0].shape;
    const int n = tpp_int(x->d[1]), cols = tpp_int(x->d[2]), each = GROUPNORM_TOKENS;
    const int blocks = (int)ceil_div(n, each);
    const cl_mem y = c->out[0].mem, from = c->in[0].mem, partial = c->scratch.mem;
    options_of(s, cols, options, sizeof(options));
    TPP_TRY(group_statistics(s, c, &stat));
    const tpp_grid by_block = {.global = {(size_t)blocks, (size_t)x->d[0]}};
    const tpp_grid by_group = {.global = {(size_t)a->groups, (size_t)x->d[0]}};
    TPP_TRY(tpp_record(
        s, "norm_vector", "groupnorm_blocks", options, by_block,
        TPP_ARGS(TPP_ARG(partial), TPP_ARG(from), TPP_ARG(n), TPP_ARG(cols), TPP_ARG(each))));
    TPP_TRY(tpp_record(s, "norm_vector", "groupnorm_merge", options, by_group,
                       TPP_ARGS(TPP_ARG(stat.mem), TPP_ARG(partial), TPP_ARG(c->in[1].mem),
                                TPP_ARG(a->eps), TPP_ARG(n), TPP_ARG(cols), TPP_ARG(each),
                                TPP_ARG(blocks))));
    return tpp_record(s, "norm_vector", "groupnorm_apply", options, by_block,
                      TPP_ARGS(TPP_ARG(y), TPP_ARG(from), TPP_ARG(stat.mem), TPP_ARG(c->in[2].mem),
                               TPP_ARG(a->act), TPP_ARG(n), TPP_ARG(cols), TPP_ARG(each)));
}
