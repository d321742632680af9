/* The `vector` algorithms of ops on maps, resample and maxpool, and of what is computed by token:
 * prompt_mix and mask_head.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

#include <stdio.h>

enum { THETA, FEATURES, BOX }; /* operands of mask_head */
enum { X, A, U, Y = 0, MEAN }; /* of prompt_mix */
enum { MAX_PROMPTS = 8, TOKENS = 32, HEAD_PIXELS = 64, HEAD_CHANNELS = 8, MAX_FEATURES = 1024 };

static int width_of_steps(const tpp_steps *s)
{
    return tpp_vector_width(tpp_device_caps(tpp_steps_device(s)));
}

static bool whole_vectors(const tpp_shape *x, const tpp_caps *caps)
{
    return tpp_shape_cols(x) % tpp_vector_width(caps) == 0;
}

tpp_status tpp_resample_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[32];
    const tpp_resample_attr *a = c->attr;
    const tpp_shape *y = &c->out[0].shape;
    const int channels = tpp_int(y->d[2]);
    const float ratio_y = (float)((double)a->height / a->out_height);
    const float ratio_x = (float)((double)a->width / a->out_width);
    const tpp_grid grid = {.global = {(size_t)a->out_height, (size_t)y->d[0]}};
    (void)snprintf(options, sizeof(options), "-DVW=%d", width_of_steps(s));
    if (a->mode == TPP_RESAMPLE_NEAREST)
        return tpp_record(s, "map_vector", "resample_nearest_vector", options, grid,
                          TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem),
                                   TPP_ARG(c->in[1].mem), TPP_ARG(a->height), TPP_ARG(a->width),
                                   TPP_ARG(a->out_width), TPP_ARG(ratio_y), TPP_ARG(ratio_x),
                                   TPP_ARG(channels)));
    return tpp_record(s, "map_vector", "resample_bilinear_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                               TPP_ARG(a->height), TPP_ARG(a->width), TPP_ARG(a->out_width),
                               TPP_ARG(channels)));
}

tpp_status tpp_maxpool_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[32];
    const tpp_maxpool_attr *a = c->attr;
    const tpp_shape *y = &c->out[0].shape;
    const int out_height = (a->height + 2 * a->pad - a->kernel) / a->stride + 1;
    const int out_width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    const tpp_grid grid = {.global = {(size_t)out_height, (size_t)y->d[0]}};
    (void)snprintf(options, sizeof(options), "-DVW=%d", width_of_steps(s));
    return tpp_record(s, "map_vector", "maxpool_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->height),
                               TPP_ARG(a->width), TPP_ARG(a->kernel), TPP_ARG(a->stride),
                               TPP_ARG(a->pad), TPP_ARG(out_width), TPP_ARG(tpp_int(y->d[2]))));
}

bool tpp_prompt_mix_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_prompt_mix_attr *a = c->attr;
    const size_t weights = sizeof(float) * (size_t)a->prompts * TOKENS;
    return whole_vectors(&c->in[X].shape, caps) && a->prompts <= MAX_PROMPTS &&
           weights <= caps->local_mem;
}

/* Blocks of TOKENS tokens, those of one level apart from those of the next: the end of each. */
typedef struct level_blocks {
    int end[TPP_MAX_LEVELS];
} level_blocks;

static level_blocks blocks_of(const tpp_prompt_mix_attr *a, const tpp_shape *x)
{
    level_blocks b = {{0}};
    for (int l = 0, sum = 0; l < TPP_MAX_LEVELS; l++)
        b.end[l] = sum += tpp_int((tpp_prompt_mix_tokens(a, l, x->d[1]) + TOKENS - 1) / TOKENS);
    return b;
}

/* The sums of each block's weights. */
size_t tpp_prompt_mix_vector_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const tpp_prompt_mix_attr *a = c->attr;
    const tpp_shape *x = &c->in[X].shape;
    const int64_t blocks = blocks_of(a, x).end[TPP_MAX_LEVELS - 1];
    return sizeof(float) * (size_t)(x->d[0] * blocks * a->prompts);
}

tpp_status tpp_prompt_mix_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_prompt_mix_attr *a = c->attr;
    const tpp_shape *x = &c->in[X].shape;
    const int n = tpp_int(x->d[1]), levels = a->levels > 0 ? a->levels : 1;
    const level_blocks b = blocks_of(a, x);
    const int blocks = b.end[TPP_MAX_LEVELS - 1];
    const cl_mem part = c->scratch.mem;
    int end[TPP_MAX_LEVELS];
    for (int l = 0, sum = 0; l < TPP_MAX_LEVELS; l++)
        end[l] = sum += tpp_int(tpp_prompt_mix_tokens(a, l, n));
    (void)snprintf(options, sizeof(options), "-DVW=%d -DPROMPTS=%d -DTOKENS=%d", width_of_steps(s),
                   a->prompts, TOKENS);
    const tpp_grid grid = {.global = {(size_t)blocks, (size_t)x->d[0]}};
    TPP_TRY(tpp_record(s, "prompt_mix_vector", "prompt_mix_vector", options, grid,
                       TPP_ARGS(TPP_ARG(c->out[Y].mem), TPP_ARG(part), TPP_ARG(c->in[X].mem),
                                TPP_ARG(c->in[A].mem), TPP_ARG(c->in[U].mem), TPP_ARG(a->scale),
                                TPP_ARG(n), TPP_ARG(tpp_int(x->d[2])), TPP_ARG(end[0]),
                                TPP_ARG(end[1]), TPP_ARG(end[2]), TPP_ARG(end[3]))));
    const tpp_grid by_level = {.global = {(size_t)levels, (size_t)x->d[0]}};
    return tpp_record(s, "prompt_mix_vector", "prompt_mix_merge", options, by_level,
                      TPP_ARGS(TPP_ARG(c->out[MEAN].mem), TPP_ARG(c->out[MEAN + 1].mem),
                               TPP_ARG(c->out[MEAN + 2].mem), TPP_ARG(c->out[MEAN + 3].mem),
                               TPP_ARG(part), TPP_ARG(blocks), TPP_ARG(end[0]), TPP_ARG(end[1]),
                               TPP_ARG(end[2]), TPP_ARG(end[3])));
}

bool tpp_mask_head_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_mask_head_attr *a = c->attr;
    const tpp_shape *features = &c->in[FEATURES].shape;
    const size_t first_layer = sizeof(float) * HEAD_CHANNELS * (size_t)features->d[2];
    return a->channels == HEAD_CHANNELS && whole_vectors(features, caps) &&
           features->d[2] <= MAX_FEATURES && first_layer <= caps->local_mem;
}

tpp_status tpp_mask_head_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[64];
    const tpp_mask_head_attr *a = c->attr;
    const int queries = tpp_int(c->in[THETA].shape.d[1]), thetas = tpp_int(c->in[THETA].shape.d[2]);
    const int64_t pixels = (int64_t)a->height * a->width;
    (void)snprintf(options, sizeof(options), "-DVW=%d -DCHANNELS=%d", width_of_steps(s),
                   tpp_int(c->in[FEATURES].shape.d[2]));
    const tpp_grid grid = {.global = {(size_t)((pixels + HEAD_PIXELS - 1) / HEAD_PIXELS),
                                      (size_t)c->in[THETA].shape.d[0]}};
    return tpp_record(s, "mask_head_vector", "mask_head_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[THETA].mem),
                               TPP_ARG(c->in[FEATURES].mem), TPP_ARG(c->in[BOX].mem),
                               TPP_ARG(a->height), TPP_ARG(a->width), TPP_ARG(a->image_height),
                               TPP_ARG(a->image_width), TPP_ARG(a->rel_coord),
                               TPP_ARG(a->coord_scale), TPP_ARG(queries), TPP_ARG(thetas),
                               TPP_ARG((int)HEAD_PIXELS)));
}
