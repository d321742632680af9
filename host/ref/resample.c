/* Reference of resample: nearest and bilinear, plus an addend.
 * Source: specification, section 2.11, the last lines.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

/* Nearest is defined in single precision, so that all implementations take the same pixel. */
static int64_t nearest(int64_t dst, int64_t in, int64_t out)
{
    const float ratio = (float)((double)in / (double)out);
    const int64_t src = (int64_t)floorf((float)dst * ratio);
    return src < in ? src : in - 1;
}

/* Two neighbours of a destination pixel, and the weight of the second. */
static void neighbours(int64_t dst, int64_t in, int64_t out, int64_t at[2], double *weight)
{
    const double s = fmax(((double)dst + 0.5) * (double)in / (double)out - 0.5, 0.0);
    at[0] = (int64_t)floor(s);
    at[1] = at[0] + 1 < in ? at[0] + 1 : in - 1;
    *weight = s - (double)at[0];
}

static double sample(const tpp_resample_attr *a, const double *map, int64_t channels, int64_t y,
                     int64_t x)
{
    if (a->mode == TPP_RESAMPLE_NEAREST)
        return map[(nearest(y, a->height, a->out_height) * a->width +
                    nearest(x, a->width, a->out_width)) *
                   channels];
    int64_t row[2], col[2];
    double v, u;
    neighbours(y, a->height, a->out_height, row, &v);
    neighbours(x, a->width, a->out_width, col, &u);
    double sum = 0.0;
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++)
            sum += map[(row[j] * a->width + col[i]) * channels] * (j ? v : 1.0 - v) *
                   (i ? u : 1.0 - u);
    return sum;
}

void tpp_ref_resample(const tpp_ref_call *c)
{
    const tpp_resample_attr *a = c->attr;
    const int64_t batches = c->in_shape[0].d[0], channels = c->in_shape[0].d[2];
    const int64_t tokens = (int64_t)a->height * a->width;
    for (int64_t b = 0; b < batches; b++)
        for (int64_t y = 0; y < a->out_height; y++)
            for (int64_t x = 0; x < a->out_width; x++)
                for (int64_t i = 0; i < channels; i++) {
                    const int64_t at = ((b * a->out_height + y) * a->out_width + x) * channels + i;
                    c->out[0][at] = sample(a, c->in[0] + b * tokens * channels + i, channels, y, x);
                    if (c->in[1] != NULL) c->out[0][at] += c->in[1][at];
                }
}
