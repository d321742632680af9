/* Reference of frame_record: what the host is told of frames that share one best query.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

static void record(double y[8], const double *box, const double *logit, int64_t classes)
{
    double largest = -INFINITY;
    for (int64_t k = 0; k < classes; k++) largest = fmax(largest, logit[k]);
    for (int i = 0; i < 4; i++) y[i] = box[i];
    y[4] = largest;
}

void tpp_ref_frame_record(const tpp_ref_call *c)
{
    const int64_t queries = c->in_shape[0].d[1], classes = tpp_shape_cols(&c->in_shape[1]);
    const int64_t best = (int64_t)c->in[2][0];
    for (int64_t b = 0; b < c->in_shape[0].d[0]; b++) {
        double *y = c->out[0] + 8 * b;
        const int64_t query = b * queries + best;
        const int64_t scored = b % c->in_shape[1].d[0] * queries + best;
        record(y, c->in[0] + query * 4, c->in[1] + scored * classes, classes);
        y[5] = (double)best;
        y[6] = c->in[3][b];
        y[7] = 0.0;
    }
}
