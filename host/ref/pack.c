/* Reference of pack: a weight in panels of columns, tap-major, the last panel padded with zeros; or
 * its 3x3 filters interpolated for minimal filtering.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

enum { MOST = 6 }; /* rows of G */

static void interpolation(double g[MOST][3], int tile)
{
    static const double two[] = {0, 1, -1}, four[] = {0, 0.75, -0.75, 1.5, -1.5};
    const double *p = tile == 2 ? two : four;
    for (int i = 0; i < tile + 1; i++) {
        double scale = 1;
        for (int j = 0; j < tile + 1; j++)
            if (j != i) scale *= p[i] - p[j];
        for (int j = 0; j < 3; j++) g[i][j] = (j == 0 ? 1 : j == 1 ? p[i] : p[i] * p[i]) / scale;
    }
    for (int j = 0; j < 3; j++) g[tile + 1][j] = j == 2;
}

/* Element (a, b) of G w G^T. */
static double frequency(double (*g)[3], const double *w, int64_t a, int64_t b)
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) sum += g[a][i] * w[i * 3 + j] * g[b][j];
    return sum;
}

static void pack_winograd(const tpp_ref_call *c)
{
    const tpp_pack_attr *a = c->attr;
    const int64_t n = c->in_shape[0].d[0], cin = c->in_shape[0].d[1], side = a->winograd + 2;
    double g[MOST][3] = {{0}}, *y = c->out[0];
    interpolation(g, a->winograd);
    for (int64_t f = 0; f < side * side; f++)
        for (int64_t p = 0; p < c->out_shape[0].d[1]; p++)
            for (int64_t i = 0; i < cin; i++)
                for (int64_t row = p * a->panel; row < (p + 1) * a->panel; row++)
                    *y++ = row < n
                               ? frequency(g, c->in[0] + (row * cin + i) * 9, f / side, f % side)
                               : 0.0;
}

void tpp_ref_pack(const tpp_ref_call *c)
{
    const tpp_pack_attr *a = c->attr;
    if (a->winograd > 0) {
        pack_winograd(c);
        return;
    }
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
