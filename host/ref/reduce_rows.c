/* Reference of copy and reduce_rows.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_copy(const tpp_ref_call *c)
{
    const int64_t n = tpp_shape_count(&c->in_shape[0]);
    for (int64_t i = 0; i < n; i++) c->out[0][i] = c->in[0][i];
}

void tpp_ref_reduce_rows(const tpp_ref_call *c)
{
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]), cols = tpp_shape_cols(&c->in_shape[0]);
    for (int64_t i = 0; i < cols; i++) {
        double sum = 0.0;
        for (int64_t r = 0; r < rows; r++) sum += c->in[0][r * cols + i];
        c->out[0][i] = sum;
    }
}
