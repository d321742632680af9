/* Rows of several machines in one table: for a comparison across vendors.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_MERGE_H
#define TPP_INFER_BENCH_MERGE_H

#include "infer/bench_row.h"

enum { TPP_MERGE_MOST_ROWS = 20000, TPP_MERGE_MOST_SAMPLES = 10000000 };

/* Reads files that bench wrote as json or jsonl, into one list by configuration, size, scenario,
 * then ms_median: rows that are ok first, the others after them, those without a time last. None is
 * left out. Free with tpp_bench_rows_free. TPP_EIO; TPP_EFORMAT: a file that is no such result, or
 * one row too many, with the file and the place in it. */
TPP_MUST_CHECK tpp_status tpp_bench_merge(tpp_bench_rows *out, const char *const *paths, int count);

/* Do both rows tell of the same work, so that their times may stand in one group? */
bool tpp_bench_same_group(const tpp_bench_row *a, const tpp_bench_row *b);

#endif
