/* Reference of maxpool: the largest value under a window, places outside the map left out.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

static double window_max(const tpp_maxpool_attr *a, const double *x, int64_t channels, int64_t top,
                         int64_t left)
{
    double best = -INFINITY;
    for (int64_t y = top; y < top + a->kernel; y++)
        for (int64_t z = left; z < left + a->kernel; z++)
            if (y >= 0 && y < a->height && z >= 0 && z < a->width)
                best = fmax(best, x[(y * a->width + z) * channels]);
    return best;
}

void tpp_ref_maxpool(const tpp_ref_call *c)
{
    const tpp_maxpool_attr *a = c->attr;
    const int64_t batches = c->in_shape[0].d[0], channels = c->in_shape[0].d[2];
    const int64_t tokens = (int64_t)a->height * a->width;
    const int64_t height = (a->height + 2 * a->pad - a->kernel) / a->stride + 1;
    const int64_t width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    for (int64_t b = 0; b < batches; b++)
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++)
                for (int64_t i = 0; i < channels; i++)
                    c->out[0][((b * height + y) * width + x) * channels + i] =
                        window_max(a, c->in[0] + b * tokens * channels + i, channels,
                                   y * a->stride - a->pad, x * a->stride - a->pad);
}
