/* Reference of binary: sum or product by element, the second operand repeated over rows.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_binary(const tpp_ref_call *c)
{
    const tpp_binary_attr *attr = c->attr;
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]), cols = tpp_shape_cols(&c->in_shape[0]);
    const int64_t rows_b = tpp_shape_rows(&c->in_shape[1]);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < cols; i++) {
            const double a = c->in[0][r * cols + i];
            const double b = attr->by_row ? c->in[1][r] : c->in[1][(r % rows_b) * cols + i];
            c->out[0][r * cols + i] = attr->op == TPP_BINARY_ADD ? a + b : a * b;
        }
}
