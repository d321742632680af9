/* Reference of embedding: word, position and type rows added up.
 * Source: specification, section 2.4.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_embedding(const tpp_ref_call *c)
{
    const double *id = c->in[0], *place = c->in[1], *word = c->in[2], *position = c->in[3],
                 *type = c->in[4];
    const int64_t n = tpp_shape_count(&c->in_shape[0]), width = tpp_shape_cols(&c->in_shape[2]);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < width; k++)
            c->out[0][i * width + k] = word[(int64_t)id[i] * width + k] +
                                       position[(int64_t)place[i] * width + k] + type[k];
}
