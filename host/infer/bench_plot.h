/* Rows as a picture: milliseconds per frame of every device, one below the other (SVG).
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_PLOT_H
#define TPP_INFER_BENCH_PLOT_H

#include "infer/bench_row.h"

enum { TPP_PLOT_MOST_BARS = 500 };

/* Draws `rows`, in the order of tpp_bench_merge: a group of bars for each configuration, size and
 * scenario, on a scale of its own. A row that is not ok has its bar without colour, or none, and
 * says so. The file appears whole or not at all. TPP_EUSAGE: more than TPP_PLOT_MOST_BARS rows. */
TPP_MUST_CHECK tpp_status tpp_bench_plot(const char *path, const tpp_bench_rows *rows);

#endif
