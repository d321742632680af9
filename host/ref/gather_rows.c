/* Reference of gather_rows and scatter_rows, its backward.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_gather_rows(const tpp_ref_call *c)
{
    const tpp_gather_attr *a = c->attr;
    const int64_t n = tpp_shape_count(&c->in_shape[1]), cols = tpp_shape_cols(&c->in_shape[0]);
    const int64_t batches = a->batches > 1 ? a->batches : 1;
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]) / batches;
    for (int64_t i = 0; i < batches * n; i++)
        for (int64_t j = 0; j < a->repeat; j++)
            for (int64_t k = 0; k < cols; k++)
                c->out[0][(i * a->repeat + j) * cols + k] =
                    c->in[0][(i / n * rows + (int64_t)c->in[1][i % n]) * cols + k];
}

void tpp_ref_scatter_rows(const tpp_ref_call *c)
{
    const tpp_gather_attr *a = c->attr;
    const int64_t n = tpp_shape_count(&c->in_shape[1]), cols = tpp_shape_cols(&c->in_shape[0]);
    const int64_t batches = a->batches > 1 ? a->batches : 1;
    for (int64_t i = 0; i < batches * a->rows * cols; i++) c->out[0][i] = 0.0;
    for (int64_t i = 0; i < batches * n; i++)
        for (int64_t j = 0; j < a->repeat; j++)
            for (int64_t k = 0; k < cols; k++)
                c->out[0][(i / n * a->rows + (int64_t)c->in[1][i % n]) * cols + k] +=
                    c->in[0][(i * a->repeat + j) * cols + k];
}
