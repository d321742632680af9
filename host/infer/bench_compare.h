/* Is a row faster than the same row of another run? Only if the medians differ by more than chance
 * and the machine explain.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_COMPARE_H
#define TPP_INFER_BENCH_COMPARE_H

#include "infer/bench_row.h"

/* Sets r->compare: verdict "faster", "slower", "same", "not comparable" or "no base", with the
 * reason of the last two; ratio of the medians, base over r (1.2: r is 1.2 times as fast), and the
 * margin: from 1 / (1 + margin) to 1 + margin they count as the same.
 *
 * 1 + margin is what chance explains times what the machine explains. Chance: twice the standard
 * error of the ratio of two medians of samples that vary as these do, at least a hundredth.
 * The machine: the FMA peaks of the two runs, the higher over the lower; one that is busier or
 * clocked lower is no slower program. */
TPP_MUST_CHECK tpp_status tpp_bench_compare(tpp_bench_row *r, const tpp_bench_rows *base);

#endif
