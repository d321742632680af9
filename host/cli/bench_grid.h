/* The cells of tpp bench: every combination of what the options list.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_BENCH_GRID_H
#define TPP_CLI_BENCH_GRID_H

#include "cli/bench_table.h"
#include "cli/trial_options.h"
#include "infer/bench.h"
#include "infer/bench_compare.h"

/* The arguments struct of tpp bench. */
typedef struct tpp_bench_arguments {
    tpp_trial_arguments common;
    tpp_several config, size, algorithm, ahead, device, scenario, kernel_cache;
    tpp_list goldens, files;
    const char *format, *output, *compare, *plot, *model_device;
    int frames, warmup, repeat;
    bool profile, no_gate, first_mask, merge;
} tpp_bench_arguments;

/* How many rows there will be. Ahead is an axis of offline alone, the kernel cache one of cold. */
int tpp_bench_grid_count(const tpp_bench_arguments *a);

/* What came out of all cells. */
typedef struct tpp_bench_outcome {
    int ok, wrong;      /* wrong: invalid or failed; the others are unsupported */
    tpp_status because; /* the reason of the last cell that cannot run */
} tpp_bench_outcome;

/* Measures cell by cell and hands every row to `table`. `base` may be NULL. `config` has one
 * element for each of a->config, or one. Fails only for what no row can tell. */
TPP_MUST_CHECK tpp_status tpp_bench_grid_run(const tpp_bench_arguments *a,
                                             const struct tpp_model_config *config,
                                             const tpp_bench_rows *base, tpp_bench_table *table,
                                             tpp_bench_outcome *out);

/* Calls `visit` for every cell, until one fails. */
typedef tpp_status tpp_bench_visit(void *context, const tpp_bench_cell *cell);
TPP_MUST_CHECK tpp_status tpp_bench_grid_walk(const tpp_bench_arguments *a,
                                              const struct tpp_model_config *config,
                                              tpp_bench_visit *visit, void *context);

/* Reads the configurations of a->config; the caller frees. */
TPP_MUST_CHECK tpp_status tpp_bench_read_configs(struct tpp_model_config **out,
                                                 const tpp_bench_arguments *a);

/* The first cell, for --first-mask. */
tpp_bench_cell tpp_bench_first_cell(const tpp_bench_arguments *a,
                                    const struct tpp_model_config *config);

#endif
