/* Bounds and weights of Pillow's bilinear filter for one axis, in double like Pillow's own.
 * SPDX-License-Identifier: MIT */
#include "ops/resize_plan.h"

#include "core/mem.h"

#include <limits.h>
#include <math.h>

enum { PRECISION_BITS = 22 };

bool tpp_resize_rows_first(int64_t height, int64_t width, int64_t out_height, int64_t out_width)
{
    const int64_t rows = height - out_height, columns = width - out_width;
    return rows > 0 && rows > 2 * columns;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Weights of destination i: k [taps], returns how many there are, *first is their source index. */
static int weigh(double *k, int *first, int i, double scale, double filter_scale, int64_t n)
{
    const double center = ((double)i + 0.5) * scale, step = 1.0 / filter_scale;
    int from = (int)(center - filter_scale + 0.5), to = (int)(center + filter_scale + 0.5);
    if (from < 0) from = 0;
    if (to > n) to = (int)n;
    double sum = 0.0;
    for (int x = 0; x < to - from; x++) {
        k[x] = triangle((x + from - center + 0.5) * step);
        sum += k[x];
    }
    for (int x = 0; x < to - from; x++)
        if (sum != 0.0) k[x] /= sum;
    *first = from;
    return to - from;
}

tpp_status tpp_resize_plan_make(tpp_resize_plan *out, int64_t n, int64_t m)
{
    if (n < 1 || m < 1 || n > INT_MAX / 2 || m > INT_MAX / 2)
        return TPP_FAIL(TPP_ESHAPE, "resize: an axis of %lld cannot become %lld", (long long)n,
                        (long long)m);
    const double scale = (double)n / (double)m, filter_scale = scale < 1.0 ? 1.0 : scale;
    tpp_resize_plan p = {.n = n, .m = m, .taps = (int)ceil(filter_scale) * 2 + 1};
    tpp_status s = TPP_OK;
    double *k = NULL;
    TPP_NEW_OR(done, s, k, p.taps);
    TPP_NEW_OR(done, s, p.bounds, 2 * m);
    TPP_NEW_OR(done, s, p.weights, m * p.taps);
    for (int i = 0; i < m; i++) {
        const int count = weigh(k, p.bounds + 2 * (int64_t)i, i, scale, filter_scale, n);
        p.bounds[2 * i + 1] = count;
        for (int t = 0; t < count; t++)
            p.weights[(int64_t)i * p.taps + t] =
                (int32_t)(0.5 + k[t] * (double)(1 << PRECISION_BITS));
    }
    *out = p;
    p = (tpp_resize_plan){0};
done:
    tpp_resize_plan_free(&p);
    tpp_free(k);
    return s;
}

void tpp_resize_plan_free(tpp_resize_plan *p)
{
    tpp_free(p->bounds);
    tpp_free(p->weights);
    *p = (tpp_resize_plan){0};
}
