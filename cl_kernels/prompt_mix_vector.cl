/* Prompt-weighted fusion on CPU devices: the softmax once for a token, channels in native vectors.
 *   Formula and operands: prompt_mix.cl; c is a multiple of VW.
 *
 * prompt_mix_vector: one work-item (a group of its own) takes TOKENS tokens of one level or what is
 *   left of it, with all channels, and leaves the sums of its weights in part [b, blocks, PROMPTS].
 *   Grid: (blocks, b).
 * prompt_mix_merge: mean of one level and batch from the sums of its blocks, in order.
 *   Grid: (levels, b).
 * SPDX-License-Identifier: MIT */
#ifndef PROMPTS
#define PROMPTS 3
#endif
#ifndef TOKENS
#define TOKENS 32 /* a multiple of VW */
#endif
#include "tile.clh"

/* Blocks of a level of `tokens` tokens. */
static inline int blocks_of(int tokens)
{
    return (tokens + TOKENS - 1) / TOKENS;
}

/* w[p][i] = softmax over prompts of u[p n + i], i < count; further lanes up to a whole vector are
 * those of logits 0. */
INLINE void softmax_tokens(local float *w, global const float *u, int n, int count)
{
    for (int i = 0; i < count; i += VW) {
        vec most = load_part(u + i, count - i), sum = (vec)(0.0f), e[PROMPTS];
        for (int p = 1; p < PROMPTS; p++)
            most = fmax(most, load_part(u + (size_t)p * n + i, count - i));
        for (int p = 0; p < PROMPTS; p++) {
            e[p] = exp(load_part(u + (size_t)p * n + i, count - i) - most);
            sum += e[p];
        }
        for (int p = 0; p < PROMPTS; p++) STORE_VEC(e[p] / sum, 0, w + p * TOKENS + i);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void prompt_mix_vector(
    global float *restrict y, global float *restrict part, global const float *restrict x,
    global const float *restrict a, global const float *restrict u, float scale, int n, int c,
    int end0, int end1, int end2, int end3)
{
    local float w[PROMPTS * TOKENS];
    const int bound[5] = {0, end0, end1, end2, end3};
    const int block = (int)get_group_id(0), batch = (int)get_group_id(1);
    int level = 0, in_level = block; /* this block's number in its level */
    for (; level < 3 && in_level >= blocks_of(bound[level + 1] - bound[level]); level++)
        in_level -= blocks_of(bound[level + 1] - bound[level]);
    const int first = bound[level] + in_level * TOKENS,
              count = min(TOKENS, bound[level + 1] - first);
    softmax_tokens(w, u + (size_t)batch * PROMPTS * n + first, n, count);
    for (int p = 0; p < PROMPTS; p++) {
        float sum = 0.0f;
        for (int i = 0; i < count; i++) sum += w[p * TOKENS + i];
        part[((size_t)batch * get_num_groups(0) + block) * PROMPTS + p] = sum;
    }
    for (int token = 0; token < count; token++) {
        const size_t row = ((size_t)batch * n + first + token) * c;
        global const float *said = a + ((size_t)batch * PROMPTS * n + first + token) * c;
        for (int i = 0; i < c; i += VW) {
            vec sum = (vec)(0.0f);
            for (int p = 0; p < PROMPTS; p++)
                sum = fma(LOAD_VEC(0, said + (size_t)p * n * c + i), (vec)(w[p * TOKENS + token]),
                          sum);
            STORE_VEC((vec)(scale)*LOAD_VEC(0, x + row + i) * sum, 0, y + row + i);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void prompt_mix_merge(
    global float *restrict mean0, global float *restrict mean1, global float *restrict mean2,
    global float *restrict mean3, global const float *restrict part, int blocks, int end0, int end1,
    int end2, int end3)
{
    global float *const mean[4] = {mean0, mean1, mean2, mean3};
    const int bound[5] = {0, end0, end1, end2, end3};
    const int level = (int)get_group_id(0), batch = (int)get_group_id(1);
    const int tokens = bound[level + 1] - bound[level];
    int first = 0;
    for (int l = 0; l < level; l++) first += blocks_of(bound[l + 1] - bound[l]);
    for (int p = 0; p < PROMPTS; p++) {
        float sum = 0.0f;
        for (int b = first; b < first + blocks_of(tokens); b++)
            sum += part[((size_t)batch * blocks + b) * PROMPTS + p];
        mean[level][batch * PROMPTS + p] = sum / (float)tokens;
    }
}
