/* Reference of conv2d: one patch per output pixel.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

/* Sum over the patch whose top left corner is (top, left); outside the map x is 0. */
static double patch(const tpp_conv2d_attr *a, const double *x, const double *w, int64_t cin,
                    int64_t top, int64_t left)
{
    double sum = 0.0;
    for (int64_t i = 0; i < cin; i++)
        for (int64_t ky = 0; ky < a->kernel; ky++)
            for (int64_t kx = 0; kx < a->kernel; kx++) {
                const int64_t iy = top + ky, ix = left + kx;
                if (iy < 0 || iy >= a->height || ix < 0 || ix >= a->width) continue;
                sum += x[(iy * a->width + ix) * cin + i] * w[(i * a->kernel + ky) * a->kernel + kx];
            }
    return sum;
}

void tpp_ref_conv2d(const tpp_ref_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const double *bias = c->in[TPP_GEMM_BIAS], *residual = c->in[TPP_GEMM_RESIDUAL];
    const int64_t cin = c->in_shape[TPP_GEMM_X].d[2], n = c->out_shape[0].d[1];
    const int64_t cout = c->out_shape[0].d[2], taps = (int64_t)a->kernel * a->kernel;
    const int64_t out_width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    const int64_t residual_rows = tpp_shape_rows(&c->in_shape[TPP_GEMM_RESIDUAL]);
    for (int64_t row = 0; row < c->out_shape[0].d[0] * n; row++)
        for (int64_t o = 0; o < cout; o++) {
            const double *x = c->in[TPP_GEMM_X] + row / n * a->height * a->width * cin;
            double sum = patch(a, x, c->in[TPP_GEMM_W] + o * cin * taps, cin,
                               row % n / out_width * a->stride - a->pad,
                               row % n % out_width * a->stride - a->pad);
            if (bias) sum += bias[o];
            if (residual) sum += residual[row % residual_rows * cout + o];
            c->out[0][row * cout + o] = tpp_ref_act(a->act, sum);
        }
}
