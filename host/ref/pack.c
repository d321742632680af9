/* Reference of pack: a weight in panels of columns, tap-major, the last panel padded with zeros.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

void tpp_ref_pack(const tpp_ref_call *c)
{
    const tpp_pack_attr *a = c->attr;
    const tpp_shape *s = &c->in_shape[0];
    const int64_t n = s->d[a->trans ? 1 : 0], cin = s->d[a->trans ? 0 : 1];
    const int64_t taps = s->rank == 4 ? s->d[2] * s->d[3] : 1;
    const int64_t panels = (n + a->panel - 1) / a->panel;
    for (int64_t p = 0; p < panels; p++)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t i = 0; i < cin; i++)
                for (int64_t j = 0; j < a->panel; j++) {
                    const int64_t row = p * a->panel + j;
                    const int64_t at = a->trans ? i * n + row : (row * cin + i) * taps + t;
                    c->out[0][((p * taps + t) * cin + i) * a->panel + j] =
                        row < n ? c->in[0][at] : 0.0;
                }
}
