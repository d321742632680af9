/* Indices of the largest elements. Of equal elements the one with the lower index is the larger;
 * a NaN counts as -infinity, so that even a broken input gives indices within bounds.
 *   argmax: y [rows], the place of the largest element of each row of x [rows, cols]
 *   topk:   y [k], the places of the k largest of x [n], largest first
 * argmax: one work-item per row. topk: one work-item per element of x, which counts the elements
 * larger than its own: that is its place in y.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

static float order(float x)
{
    return isnan(x) ? -INFINITY : x;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void argmax_plain(
    global int *restrict y, global const float *restrict x, int rows, int cols)
{
    const size_t row = get_global_id(0);
    if (row >= (size_t)rows) return;
    x += row * cols;
    int best = 0;
    for (int i = 1; i < cols; i++)
        if (order(x[i]) > order(x[best])) best = i;
    y[row] = best;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void topk_plain(
    global int *restrict y, global const float *restrict x, int k, int n)
{
    const size_t id = get_global_id(0);
    if (id >= (size_t)n) return;
    const int own = (int)id;
    const float value = order(x[own]);
    int larger = 0;
    for (int i = 0; i < n; i++) larger += order(x[i]) > value || (order(x[i]) == value && i < own);
    if (larger < k) y[larger] = own;
}
