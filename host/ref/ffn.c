/* Reference of ffn: one hidden value at a time.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

enum { X, W1, B1, W2, B2 };

void tpp_ref_ffn(const tpp_ref_call *c)
{
    const tpp_ffn_attr *a = c->attr;
    const int64_t rows = tpp_shape_rows(&c->in_shape[X]), k = tpp_shape_cols(&c->in_shape[X]);
    const int64_t hidden = c->in_shape[W1].d[0];
    for (int64_t i = 0; i < rows; i++) {
        const double *x = c->in[X] + i * k;
        double *y = c->out[0] + i * k;
        for (int64_t j = 0; j < k; j++) y[j] = x[j] + c->in[B2][j];
        for (int64_t h = 0; h < hidden; h++) {
            double sum = c->in[B1][h];
            for (int64_t j = 0; j < k; j++) sum += x[j] * c->in[W1][h * k + j];
            const double value = tpp_ref_act(a->act, sum);
            for (int64_t j = 0; j < k; j++) y[j] += value * c->in[W2][j * hidden + h];
        }
    }
    tpp_ref_norm_result(c, a->eps);
}
