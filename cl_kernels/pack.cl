/* A weight as panels of `panel` columns, which vector GEMMs and convolutions read in order:
 *   y[p][t cin + c][j] = w[p panel + j][c][t], zero where p panel + j >= n
 *   w [n, cin, taps], or with trans [cin, n] (taps = 1); y [ceil(n / panel), taps cin, panel].
 * One work-item per element of y.
 *
 * For convolutions by minimal filtering, of 3x3 filters g = w[out][c]:
 *   y[f][p][c][j] = element f of G g G^T, out = p panel + j; y [(tile + 2)^2, panels, cin, panel]
 * (Lavin and Gray 2015, arXiv:1509.09308; G in host/ref/ref.h). One work-item per filter.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void pack_plain(
    global float *restrict y, global const float *restrict w, int panel, int trans, int n, int cin,
    int taps, int count)
{
    const uint i = (uint)get_global_id(0);
    if (i >= (uint)count) return;
    const uint row = i / (uint)panel; /* of all panels: (p taps + t) cin + c */
    const uint tap = row / (uint)cin; /* of all panels: p taps + t */
    const uint p = tap / (uint)taps;
    const uint c = row - tap * (uint)cin, t = tap - p * (uint)taps;
    const uint out = p * (uint)panel + (i - row * (uint)panel);
    float value = 0.0f;
    if (out < (uint)n)
        value = trans ? w[(size_t)c * n + out] : w[((size_t)out * cin + c) * taps + t];
    y[i] = value;
}

/* Scales of the rows of G and their points, but for the last, at infinity. Products of two scales
 * are exact. */
constant float points_2[3] = {0.0f, 1.0f, -1.0f}, scales_2[4] = {-1.0f, 2.0f, 2.0f, 1.0f};
constant float points_4[5] = {0.0f, 0.75f, -0.75f, 1.5f, -1.5f},
               scales_4[6] = {1.265625f, -1.8984375f, -1.8984375f, 7.59375f, 7.59375f, 1.0f};

/* Row `i` of `side` of G, times its scale, times three values. */
static float interpolate(constant const float *points, int i, int side, float g0, float g1,
                         float g2)
{
    if (i == side - 1) return g2;
    const float p = points[i];
    return fma(p * p, g2, fma(p, g1, g0));
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void pack_winograd(
    global float *restrict y, global const float *restrict w, int panel, int tile, int n, int cin,
    int count)
{
    const uint i = (uint)get_global_id(0);
    if (i >= (uint)count) return;
    constant const float *points = tile == 2 ? points_2 : points_4;
    constant const float *scales = tile == 2 ? scales_2 : scales_4;
    const uint row = i / (uint)panel, p = row / (uint)cin; /* row: p cin + c */
    const uint out = p * (uint)panel + (i - row * (uint)panel);
    const int side = tile + 2;
    float g[9];
    for (int t = 0; t < 9; t++)
        g[t] = out < (uint)n ? w[((size_t)out * cin + (row - p * (uint)cin)) * 9 + t] : 0.0f;
    for (int a = 0; a < side; a++) {
        float line[3];
        for (int t = 0; t < 3; t++)
            line[t] = interpolate(points, a, side, g[t], g[3 + t], g[6 + t]);
        for (int b = 0; b < side; b++)
            y[(size_t)(a * side + b) * count + i] =
                interpolate(points, b, side, line[0], line[1], line[2]) / (scales[a] * scales[b]);
    }
}
