/* Reference of resize_axis: whole numbers, so doubles hold every step exactly.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

void tpp_ref_resize_axis(const tpp_ref_call *c)
{
    const tpp_resize_axis_attr *a = c->attr;
    const double *x = c->in[0], *bounds = c->in[1], *weights = c->in[2];
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t i = 0; i < a->m; i++)
            for (int64_t j = 0; j < a->inner; j++) {
                const int64_t first = (int64_t)bounds[2 * i], count = (int64_t)bounds[2 * i + 1];
                double sum = 2097152.0; /* 2^21: half of what the shift takes away */
                for (int64_t t = 0; t < count; t++)
                    sum += weights[i * a->taps + t] * x[(o * a->n + first + t) * a->inner + j];
                const double value = floor(sum / 4194304.0);
                c->out[0][(o * a->m + i) * a->inner + j] = fmin(fmax(value, 0.0), 255.0);
            }
}
