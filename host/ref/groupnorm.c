/* Reference of groupnorm: statistics over the tokens and the channels of a group, then act.
 * Source: Wu and He 2018, arXiv:1803.08494.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

void tpp_ref_groupnorm(const tpp_ref_call *c)
{
    const tpp_groupnorm_attr *a = c->attr;
    const int64_t batches = c->in_shape[0].d[0], tokens = c->in_shape[0].d[1];
    const int64_t channels = c->in_shape[0].d[2], wide = channels / a->groups;
    const double *gamma = c->in[1], *beta = c->in[2], count = (double)(tokens * wide);
    for (int64_t b = 0; b < batches; b++)
        for (int64_t g = 0; g < a->groups; g++) {
            const int64_t start = b * tokens * channels, from = g * wide, to = from + wide;
            double mean = 0.0, var = 0.0;
            for (int64_t t = 0; t < tokens; t++)
                for (int64_t i = from; i < to; i++)
                    mean += c->in[0][start + t * channels + i] / count;
            for (int64_t t = 0; t < tokens; t++)
                for (int64_t i = from; i < to; i++) {
                    const double d = c->in[0][start + t * channels + i] - mean;
                    var += d * d / count;
                }
            for (int64_t t = 0; t < tokens; t++)
                for (int64_t i = from; i < to; i++) {
                    const int64_t at = start + t * channels + i;
                    const double n = (c->in[0][at] - mean) / sqrt(var + a->eps);
                    c->out[0][at] = tpp_ref_act(a->act, n * gamma[i] + beta[i]);
                }
        }
}
