/* Sum or product by element: y = a op b.
 *   y, a [n], seen as rows of `cols`; b [n_b]: n_b = n, or whole rows that repeat (n_b a multiple
 *   of cols), or with by_row one element for each row of a.
 * One work-item per element.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

enum { BINARY_ADD, BINARY_MUL }; /* tpp_binary_op */

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void binary_plain(
    global float *restrict y, global const float *restrict a, global const float *restrict b,
    int op, int by_row, int n, int n_b, int cols)
{
    const uint i = (uint)get_global_id(0);
    if (i >= (uint)n) return;
    uint j = i;
    if (by_row)
        j = i / (uint)cols;
    else if (n_b < n)
        j = i % (uint)n_b;
    y[i] = op == BINARY_ADD ? a[i] + b[j] : a[i] * b[j];
}
