/* Reference of argmax and topk: the lower index wins a tie, a NaN counts as -infinity.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>
#include <stdbool.h>

static double order(double x)
{
    return isnan(x) ? -INFINITY : x;
}

void tpp_ref_argmax(const tpp_ref_call *c)
{
    const int64_t rows = tpp_shape_rows(&c->in_shape[0]), cols = tpp_shape_cols(&c->in_shape[0]);
    for (int64_t r = 0; r < rows; r++) {
        const double *x = c->in[0] + r * cols;
        int64_t best = 0;
        for (int64_t i = 1; i < cols; i++)
            if (order(x[i]) > order(x[best])) best = i;
        c->out[0][r] = (double)best;
    }
}

static bool is_taken(const double *taken, int64_t count, int64_t index)
{
    for (int64_t i = 0; i < count; i++)
        if ((int64_t)taken[i] == index) return true;
    return false;
}

/* Takes the largest that is left, k times. */
void tpp_ref_topk(const tpp_ref_call *c)
{
    const tpp_topk_attr *a = c->attr;
    const double *x = c->in[0];
    const int64_t n = tpp_shape_count(&c->in_shape[0]);
    for (int64_t k = 0; k < a->k; k++) {
        int64_t best = -1;
        for (int64_t i = 0; i < n; i++)
            if (!is_taken(c->out[0], k, i) && (best < 0 || order(x[i]) > order(x[best]))) best = i;
        c->out[0][k] = (double)best;
    }
}
