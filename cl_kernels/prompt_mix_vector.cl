/* Prompt-weighted fusion on CPU devices: the softmax once for a token, channels in native vectors.
 *   Formula and operands: prompt_mix.cl; c is a multiple of VW.
 *
 * prompt_mix_vector: one work-item (a group of its own) takes `each` tokens, at most TOKENS, with
 *   all channels, and leaves the sums of its weights in part [b, blocks, PROMPTS].
 *   Grid: (blocks, b).
 * prompt_mix_merge: mean of one batch from the sums of its blocks, in order. Grid: (b).
 * SPDX-License-Identifier: MIT */
#ifndef PROMPTS
#define PROMPTS 3
#endif
#ifndef TOKENS
#define TOKENS 32 /* a multiple of VW */
#endif
#include "tile.clh"

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
    int each)
{
    local float w[PROMPTS * TOKENS];
    const int block = (int)get_group_id(0), batch = (int)get_group_id(1);
    const int first = block * each, count = min(each, n - first);
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
    global float *restrict mean, global const float *restrict part, int blocks, int n)
{
    const int batch = (int)get_group_id(0);
    for (int p = 0; p < PROMPTS; p++) {
        float sum = 0.0f;
        for (int b = 0; b < blocks; b++) sum += part[((size_t)batch * blocks + b) * PROMPTS + p];
        mean[batch * PROMPTS + p] = sum / (float)n;
    }
}
