/* Reference of prompt_mix: one token at a time.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

/* y of one token, and what it adds to the mean weights of its level. */
static void mix_token(const tpp_ref_call *c, int64_t batch, int64_t token, double *mean,
                      double tokens)
{
    const tpp_prompt_mix_attr *attr = c->attr;
    const double *x = c->in[0], *a = c->in[1], *u = c->in[2];
    const int64_t n = c->in_shape[0].d[1], channels = c->in_shape[0].d[2];
    const int64_t prompts = attr->prompts;
    double *y = c->out[0] + (batch * n + token) * channels, sum = 0.0;
    for (int64_t i = 0; i < channels; i++) y[i] = 0.0;
    for (int64_t p = 0; p < prompts; p++) sum += exp(u[(batch * prompts + p) * n + token]);
    for (int64_t p = 0; p < prompts; p++) {
        const int64_t row = (batch * prompts + p) * n + token;
        const double weight = exp(u[row]) / sum;
        mean[batch * prompts + p] += weight / tokens;
        for (int64_t i = 0; i < channels; i++)
            y[i] += attr->scale * x[(batch * n + token) * channels + i] * a[row * channels + i] *
                    weight;
    }
}

void tpp_ref_prompt_mix(const tpp_ref_call *c)
{
    const tpp_prompt_mix_attr *attr = c->attr;
    const int64_t b = c->in_shape[0].d[0], n = c->in_shape[0].d[1];
    int64_t token = 0;
    for (int l = 0; l < TPP_MAX_LEVELS; l++) {
        const int64_t tokens = tpp_prompt_mix_tokens(attr, l, n), end = token + tokens;
        for (int64_t i = 0; i < b * attr->prompts && tokens > 0; i++) c->out[1 + l][i] = 0.0;
        for (; token < end; token++)
            for (int64_t batch = 0; batch < b; batch++)
                mix_token(c, batch, token, c->out[1 + l], (double)tokens);
    }
}
