/* A weight as panels of `panel` columns, which vector GEMMs and convolutions read in order:
 *   y[p][t cin + c][j] = w[p panel + j][c][t], zero where p panel + j >= n
 *   w [n, cin, taps], or with trans [cin, n] (taps = 1); y [ceil(n / panel), taps cin, panel].
 * One work-item per element of y.
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
