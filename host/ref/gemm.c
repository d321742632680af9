/* Reference of gemm: one dot product per element.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_gemm(const tpp_ref_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const double *x = c->in[TPP_GEMM_X], *w = c->in[TPP_GEMM_W], *bias = c->in[TPP_GEMM_BIAS];
    const double *residual = c->in[TPP_GEMM_RESIDUAL], *addend = c->in[TPP_GEMM_ADDEND];
    const int64_t m = tpp_shape_rows(&c->out_shape[0]), n = tpp_shape_cols(&c->out_shape[0]);
    const tpp_shape *xs = &c->in_shape[TPP_GEMM_X];
    const int64_t k = a->trans_x ? tpp_shape_rows(xs) : tpp_shape_cols(xs);
    const int64_t residual_rows = tpp_shape_rows(&c->in_shape[TPP_GEMM_RESIDUAL]);
    const int64_t addend_rows = tpp_shape_rows(&c->in_shape[TPP_GEMM_ADDEND]);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t l = 0; l < k; l++) {
                double value = a->trans_x ? x[l * m + i] : x[i * k + l];
                if (addend) value += addend[i % addend_rows * k + l];
                sum += value * (a->trans_w ? w[l * n + j] : w[j * k + l]);
            }
            if (bias) sum += bias[j];
            if (residual) sum += residual[i % residual_rows * n + j];
            c->out[0][i * n + j] = tpp_ref_act(a->act, sum);
        }
    tpp_ref_norm_result(c, a->eps);
}
