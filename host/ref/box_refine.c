/* Reference of box_refine: a step from a reference box or point, in logit space.
 * Source: specification, section 2.8.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_box_refine(const tpp_ref_call *c)
{
    const int64_t queries = tpp_shape_rows(&c->in_shape[0]);
    const int64_t known = tpp_shape_cols(&c->in_shape[1]), refs = tpp_shape_rows(&c->in_shape[1]);
    for (int64_t q = 0; q < queries; q++)
        for (int64_t i = 0; i < 4; i++) {
            double logit = c->in[0][q * 4 + i];
            if (i < known)
                logit += tpp_ref_act(TPP_ACT_INVERSE_SIGMOID, c->in[1][q % refs * known + i]);
            c->out[0][q * 4 + i] = tpp_ref_act(TPP_ACT_SIGMOID, logit);
        }
}
