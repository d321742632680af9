/* Reference of mask_head: one pixel of one query at a time.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

/* Sum of the n inputs of one output channel, and its bias. */
static double channel(const double *w, const double *in, int64_t n, double bias)
{
    for (int64_t i = 0; i < n; i++) bias += w[i] * in[i];
    return bias;
}

static double pixel(const double *theta, const double *features, int64_t c, const double *offset,
                    const tpp_mask_head_attr *a)
{
    const int64_t d = a->channels, extra = a->rel_coord ? 2 : 0, n = c + extra;
    const double *w1 = theta + d * n, *w2 = w1 + d * d, *b0 = w2 + d, *b1 = b0 + d;
    double logit = b1[d];
    for (int64_t o = 0; o < d; o++) {
        double second = b1[o];
        for (int64_t i = 0; i < d; i++) {
            const double bias = channel(theta + i * n + c, offset, extra, b0[i]);
            const double first = channel(theta + i * n, features, c, bias);
            second += w1[o * d + i] * tpp_ref_act(TPP_ACT_RELU, first);
        }
        logit += w2[o] * tpp_ref_act(TPP_ACT_RELU, second);
    }
    return logit;
}

void tpp_ref_mask_head(const tpp_ref_call *c)
{
    const tpp_mask_head_attr *a = c->attr;
    const int64_t each = c->in_shape[0].d[1], thetas = c->in_shape[0].d[2];
    const int64_t queries = c->in_shape[0].d[0] * each; /* of all batches */
    const int64_t n = (int64_t)a->height * a->width, channels = c->in_shape[1].d[2];
    for (int64_t q = 0; q < queries; q++)
        for (int64_t i = 0; i < n; i++) {
            const double *box = c->in[2] + 4 * q;
            const int64_t x = 4 * (i % a->width) + 2, y = 4 * (i / a->width) + 2;
            const double offset[2] = {a->coord_scale * (box[0] * a->image_width - (double)x),
                                      a->coord_scale * (box[1] * a->image_height - (double)y)};
            c->out[0][q * n + i] =
                pixel(c->in[0] + q * thetas, c->in[1] + (q / each * n + i) * channels, channels,
                      offset, a);
        }
}
