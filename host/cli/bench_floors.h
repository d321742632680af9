/* Floors of a GPU that is not here, as Markdown, CSV and JSON.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_BENCH_FLOORS_H
#define TPP_CLI_BENCH_FLOORS_H

#include "cli/bench_grid.h"

/* Plans every cell on the first of a->device, which says that it is a->model_device, and prints a
 * row for each node, each graph and the frame (infer/bench_floor.h); text is md. */
TPP_MUST_CHECK tpp_status tpp_bench_floors_write(FILE *to, const tpp_bench_arguments *a,
                                                 const struct tpp_model_config *config);

#endif
