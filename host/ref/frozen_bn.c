/* Reference of frozen_bn and fold_bn: batch normalisation with constant statistics.
 * Source: specification, section 2.2.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

void tpp_ref_frozen_bn(const tpp_ref_call *c)
{
    const tpp_bn_attr *attr = c->attr;
    const double *x = c->in[0], *gamma = c->in[1], *beta = c->in[2], *mean = c->in[3],
                 *var = c->in[4];
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]), cols = tpp_shape_cols(&c->in_shape[0]);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < cols; i++) {
            const double a = gamma[i] / sqrt(var[i] + attr->eps), b = beta[i] - mean[i] * a;
            c->out[0][r * cols + i] = x[r * cols + i] * a + b;
        }
}

void tpp_ref_fold_bn(const tpp_ref_call *c)
{
    const tpp_bn_attr *attr = c->attr;
    const double *w = c->in[0], *gamma = c->in[1], *beta = c->in[2], *mean = c->in[3],
                 *var = c->in[4];
    const int64_t cout = c->in_shape[0].d[0], each = tpp_shape_count(&c->in_shape[0]) / cout;
    for (int64_t o = 0; o < cout; o++) {
        const double a = gamma[o] / sqrt(var[o] + attr->eps);
        for (int64_t i = 0; i < each; i++) c->out[0][o * each + i] = w[o * each + i] * a;
        c->out[1][o] = beta[o] - mean[o] * a;
    }
}
