/* Reference of resize_mask.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

/* Source pixels i0, i1 and the weight of i1 for place `dst` of an axis. */
typedef struct pair {
    int64_t i0, i1;
    double part;
} pair;

static pair axis(int64_t dst, int in, int out)
{
    const double s = fmax(((double)dst + 0.5) * in / out - 0.5, 0.0);
    pair p = {.i0 = (int64_t)floor(s)};
    p.i1 = p.i0 + 1 < in ? p.i0 + 1 : in - 1;
    p.part = s - floor(s);
    return p;
}

static void resize(double *y, const double *x, const tpp_resize_mask_attr *a)
{
    for (int64_t i = 0; i < a->out_height; i++)
        for (int64_t j = 0; j < a->out_width; j++) {
            const pair v = axis(i, a->height, a->out_height), h = axis(j, a->width, a->out_width);
            const double *upper = x + v.i0 * a->width, *lower = x + v.i1 * a->width;
            const double first = upper[h.i0] * (1 - v.part) + lower[h.i0] * v.part;
            const double second = upper[h.i1] * (1 - v.part) + lower[h.i1] * v.part;
            const double logit = first * (1 - h.part) + second * h.part;
            y[i * a->out_width + j] = logit > (double)a->threshold;
        }
}

void tpp_ref_resize_mask(const tpp_ref_call *c)
{
    const tpp_resize_mask_attr *a = c->attr;
    const int64_t from = (int64_t)a->height * a->width, to = (int64_t)a->out_height * a->out_width;
    for (int64_t b = 0; b < c->in_shape[0].d[0]; b++)
        resize(c->out[0] + b * to, c->in[0] + b * from, a);
}
