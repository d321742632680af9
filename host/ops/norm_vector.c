/* The `vector` algorithms of layer and group normalisation.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

#include <stdio.h>

/* Blocks of statistics are few, because every work-item of the second kernel reads all of them. */
enum { LAYERNORM_ROWS = 32, GROUPNORM_TOKENS = 64, GROUPNORM_BLOCKS = 32 };

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

/* Three rows in local memory. */
bool tpp_groupnorm_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const size_t row = (size_t)tpp_shape_cols(&c->in[0].shape) * sizeof(float);
    return whole_vectors(c, caps) && 3 * row <= caps->local_mem;
}

/* Tokens of a block of statistics: as the map, not as the device, so that results do not depend on
 * it. */
static int64_t block_tokens(const tpp_shape *x)
{
    const int64_t each = ceil_div(x->d[1], GROUPNORM_BLOCKS);
    return each > GROUPNORM_TOKENS ? each : GROUPNORM_TOKENS;
}

size_t tpp_groupnorm_vector_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const tpp_shape *x = &c->in[0].shape;
    return sizeof(float) * (size_t)(x->d[0] * ceil_div(x->d[1], block_tokens(x)) * 2 * x->d[2]);
}

tpp_status tpp_groupnorm_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_groupnorm_attr *a = c->attr;
    const tpp_shape *x = &c->in[0].shape;
    const int n = tpp_int(x->d[1]), cols = tpp_int(x->d[2]), each = tpp_int(block_tokens(x));
    const cl_mem from = c->in[0].mem, partial = c->scratch.mem;
    options_of(s, cols, options, sizeof(options));
    const tpp_grid blocks = {.global = {(size_t)ceil_div(n, each), (size_t)x->d[0]}};
    const tpp_grid pieces = {.global = {(size_t)ceil_div(n, GROUPNORM_TOKENS), (size_t)x->d[0]}};
    TPP_TRY(tpp_record(
        s, "norm_vector", "groupnorm_blocks", options, blocks,
        TPP_ARGS(TPP_ARG(partial), TPP_ARG(from), TPP_ARG(n), TPP_ARG(cols), TPP_ARG(each))));
    return tpp_record(s, "norm_vector", "groupnorm_apply", options, pieces,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(from), TPP_ARG(partial),
                               TPP_ARG(c->in[1].mem), TPP_ARG(c->in[2].mem), TPP_ARG(a->eps),
                               TPP_ARG(a->act), TPP_ARG(a->groups), TPP_ARG(n), TPP_ARG(cols),
                               TPP_ARG(each), TPP_ARG((int)GROUPNORM_TOKENS)));
}
