/* Convex hull by Andrew's monotone chain: rows are sorted already, so it takes O(height).
 * SPDX-License-Identifier: MIT */
#include "infer/caliper.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Twice the signed area of the triangle a, b, c. */
static int64_t turn(tpp_corner a, tpp_corner b, tpp_corner c)
{
    return (int64_t)(b.x - a.x) * (c.y - a.y) - (int64_t)(b.y - a.y) * (c.x - a.x);
}

/* Adds `next` to a chain of `n` corners that turns to one side only (`side` 1 or -1). */
static int add_corner(tpp_corner *chain, int n, tpp_corner next, int side)
{
    while (n >= 2 && turn(chain[n - 2], chain[n - 1], next) * side <= 0) n--;
    chain[n] = next;
    return n + 1;
}

/* The part of corner row y that pixels above and below it touch; false: none. */
static bool reach(const tpp_run *run, int height, int y, tpp_run *out)
{
    static const tpp_run none = {0, 0};
    const tpp_run above = y > 0 ? run[y - 1] : none, below = y < height ? run[y] : none;
    const bool has_above = above.from < above.to, has_below = below.from < below.to;
    if (!has_above && !has_below) return false;
    *out = has_above ? above : below;
    if (has_above && has_below) {
        if (below.from < out->from) out->from = below.from;
        if (below.to > out->to) out->to = below.to;
    }
    return true;
}

/* The two ends of every row are on the left chain and on the right chain of the hull, or inside. */
static int hull(const tpp_run *run, int height, tpp_corner *out)
{
    tpp_corner *left = out, *right = out + 2 * ((size_t)height + 1);
    int n_left = 0, n_right = 0;
    for (int y = 0; y <= height; y++) {
        tpp_run r;
        if (!reach(run, height, y, &r)) continue;
        n_left = add_corner(left, n_left, (tpp_corner){r.from, y}, -1);
        n_right = add_corner(right, n_right, (tpp_corner){r.to, y}, 1);
    }
    for (int i = 0; i < n_right; i++) out[n_left + i] = right[i];
    return n_left + n_right;
}

double tpp_caliper_diameter(const tpp_run *run, int height, double row_mm, double column_mm,
                            tpp_corner *scratch)
{
    double longest = 0;
    const int n = hull(run, height, scratch);
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) {
            const double x = (scratch[k].x - scratch[i].x) * column_mm;
            const double y = (scratch[k].y - scratch[i].y) * row_mm;
            if (x * x + y * y > longest) longest = x * x + y * y;
        }
    return sqrt(longest);
}
