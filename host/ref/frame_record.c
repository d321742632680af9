/* Reference of frame_record: what the host is told of a frame.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

void tpp_ref_frame_record(const tpp_ref_call *c)
{
    const double *box = c->in[0], *logit = c->in[1];
    const int64_t classes = tpp_shape_cols(&c->in_shape[1]), best = (int64_t)c->in[2][0];
    double largest = -INFINITY;
    for (int64_t k = 0; k < classes; k++) largest = fmax(largest, logit[best * classes + k]);
    for (int i = 0; i < 4; i++) c->out[0][i] = box[best * 4 + i];
    c->out[0][4] = largest;
    c->out[0][5] = (double)best;
    c->out[0][6] = c->in[3][0];
    c->out[0][7] = 0.0;
}
