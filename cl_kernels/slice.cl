/* Parts of the middle axis of a tensor [outer, n, inner], where an outer step of the part is
 * `width` contiguous elements:
 *   slice_plain:  y[o][i] = x[o][start + i], x with `pitch` elements an outer step, y with `width`
 *   concat_plain: y[o][start + i] = x[o][i], y with `pitch`, x with `width`; one launch per input
 * One work-item per element moved, grid (width, outer).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the width */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void slice_plain(
    global float *restrict y, global const float *restrict x, int start, int pitch, int width,
    int outer)
{
    const int i = (int)get_global_id(0), o = (int)get_global_id(1);
    if (i >= width || o >= outer) return;
    y[(size_t)o * width + i] = x[(size_t)o * pitch + start + i];
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void concat_plain(
    global float *restrict y, global const float *restrict x, int start, int pitch, int width,
    int outer)
{
    const int i = (int)get_global_id(0), o = (int)get_global_id(1);
    if (i >= width || o >= outer) return;
    y[(size_t)o * pitch + start + i] = x[(size_t)o * width + i];
}
