/* Reference of slice and concat: parts of the middle axis of [outer, n, inner].
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_slice(const tpp_ref_call *c)
{
    const tpp_slice_attr *a = c->attr;
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t j = 0; j < a->count; j++)
            for (int64_t i = 0; i < a->inner; i++)
                c->out[0][(o * a->count + j) * a->inner + i] =
                    c->in[0][(o * a->n + a->start + j) * a->inner + i];
}

void tpp_ref_concat(const tpp_ref_call *c)
{
    const tpp_concat_attr *a = c->attr;
    const int64_t total = tpp_shape_count(&c->out_shape[0]) / (a->outer * a->inner);
    int64_t start = 0;
    for (int k = 0; k < TPP_MAX_IN && c->in[k] != NULL; k++) {
        const int64_t n = tpp_shape_count(&c->in_shape[k]) / (a->outer * a->inner);
        for (int64_t o = 0; o < a->outer; o++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t i = 0; i < a->inner; i++)
                    c->out[0][(o * total + start + j) * a->inner + i] =
                        c->in[k][(o * n + j) * a->inner + i];
        start += n;
    }
}
