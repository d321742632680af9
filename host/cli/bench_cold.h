/* From the start of a process to its first mask: the program starts itself.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_BENCH_COLD_H
#define TPP_CLI_BENCH_COLD_H

#include "cli/trial_options.h"
#include "infer/bench.h"

/* What a child says on its standard output once it has a mask. */
#define TPP_FIRST_MASK_WORD "first mask\n"

typedef struct tpp_bench_cold {
    const tpp_bench_cell *cell;
    const char *config; /* as the child's --config; NULL: none */
    const char *device; /* as the child's --device; NULL: none */
    const tpp_trial_arguments *common;
} tpp_bench_cold;

/* Starts cell->repeat children and sets the row's times. With a warm cache one more goes before
 * them; with cell->empty_cache each has empty folders in place of the caches of this program and of
 * the drivers (PoCL, Mesa, NVIDIA, Intel). A child that fails is the row's status and reason, and
 * returned. */
tpp_status tpp_bench_measure_cold(tpp_bench_row *r, const tpp_bench_cold *cold);

#endif
