/* Reference of normalize_image.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_normalize_image(const tpp_ref_call *c)
{
    const tpp_normalize_attr *a = c->attr;
    const int64_t pixels = c->in_shape[0].d[0], channels = c->in_shape[0].d[1];
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < 3; j++) {
            const double x = c->in[0][channels == 3 ? 3 * i + j : i];
            c->out[0][3 * i + j] = (x / 255.0 - a->mean[j]) / a->std[j];
        }
}
