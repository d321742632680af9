/* Reference of layernorm and its backward.
 * Source: Ba et al. 2016, arXiv:1607.06450; the gradient follows from the chain rule through the
 * mean and the variance of the row.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

/* Mean of a row, and 1 / sqrt(variance + eps). */
static void row_statistics(const double *x, int64_t cols, double eps, double *mean, double *rstd)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < cols; i++) sum += x[i];
    *mean = sum / (double)cols;
    for (int64_t i = 0; i < cols; i++) squares += (x[i] - *mean) * (x[i] - *mean);
    *rstd = 1.0 / sqrt(squares / (double)cols + eps);
}

static void norm_row(double *y, const double *x, int64_t cols, double eps, const double *gamma,
                     const double *beta)
{
    double mean, rstd;
    row_statistics(x, cols, eps, &mean, &rstd);
    for (int64_t i = 0; i < cols; i++) y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];
}

void tpp_ref_layernorm(const tpp_ref_call *c)
{
    const tpp_layernorm_attr *a = c->attr;
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]), cols = tpp_shape_cols(&c->in_shape[0]);
    for (int64_t r = 0; r < rows; r++)
        norm_row(c->out[0] + r * cols, c->in[0] + r * cols, cols, a->eps, c->in[1], c->in[2]);
}

void tpp_ref_norm_result(const tpp_ref_call *c, double eps)
{
    const int64_t rows = tpp_shape_rows(&c->out_shape[0]), cols = tpp_shape_cols(&c->out_shape[0]);
    for (int64_t r = 0; r < rows && c->in[TPP_NORM_GAMMA] != NULL; r++) {
        double *y = c->out[0] + r * cols;
        norm_row(y, y, cols, eps, c->in[TPP_NORM_GAMMA], c->in[TPP_NORM_BETA]);
    }
}

/* dx = rstd (g - E[g] - n E[g n]) with g = dy gamma and n the normalised row. */
static void row_backward(double *dx, const double *dy, const double *x, const double *gamma,
                         int64_t cols, double eps)
{
    double mean, rstd, sum_g = 0.0, sum_gn = 0.0;
    row_statistics(x, cols, eps, &mean, &rstd);
    for (int64_t i = 0; i < cols; i++) {
        sum_g += dy[i] * gamma[i];
        sum_gn += dy[i] * gamma[i] * (x[i] - mean) * rstd;
    }
    for (int64_t i = 0; i < cols; i++)
        dx[i] = rstd * (dy[i] * gamma[i] - sum_g / (double)cols -
                        (x[i] - mean) * rstd * sum_gn / (double)cols);
}

void tpp_ref_layernorm_backward(const tpp_ref_call *c)
{
    const tpp_layernorm_attr *a = c->attr;
    const double *dy = c->in[0], *x = c->in[1], *gamma = c->in[2];
    double *dx = c->out[0], *dgamma = c->out[1], *dbeta = c->out[2];
    const int64_t rows = tpp_shape_rows(&c->in_shape[1]), cols = tpp_shape_cols(&c->in_shape[1]);
    for (int64_t i = 0; i < cols; i++) dgamma[i] = dbeta[i] = 0.0;
    for (int64_t r = 0; r < rows; r++) {
        double mean, rstd;
        row_statistics(x + r * cols, cols, a->eps, &mean, &rstd);
        for (int64_t i = 0; i < cols; i++) {
            dgamma[i] += dy[r * cols + i] * (x[r * cols + i] - mean) * rstd;
            dbeta[i] += dy[r * cols + i];
        }
        row_backward(dx + r * cols, dy + r * cols, x + r * cols, gamma, cols, a->eps);
    }
}
