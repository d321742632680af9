/* Options of a trial with synthetic weights: what `bench` shares with all others, and one
 * configuration on one device, which `plan`, `tune` and the programs of bench/ are about.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_TRIAL_OPTIONS_H
#define TPP_CLI_TRIAL_OPTIONS_H

#include "cli/options.h"
#include "infer/trial.h"

enum { TPP_TRIAL_LEAST_SIDE = 32, TPP_TRIAL_MOST_SIDE = 16384, TPP_TRIAL_TOKENS = 28 };

/* The first member of every arguments struct here. */
typedef struct tpp_trial_arguments {
    tpp_list sets;
    int prompts, tokens;
    const char *tuning; /* no row of tpp_trial_rows: to `tune` it means something else */
} tpp_trial_arguments;

extern const tpp_option tpp_trial_rows[];

/* One trial. */
typedef struct tpp_single_arguments {
    tpp_trial_arguments common;
    const char *config, *device, *algorithm;
    tpp_size size;
    int ahead, frames;
} tpp_single_arguments;

/* Beside tpp_trial_rows. The first TPP_SINGLE_CHOICE_ROWS, --algorithm and --tuning, are of those
 * that run with choices, not of `tune`, which makes them. */
enum { TPP_SINGLE_CHOICE_ROWS = 2 };
extern const tpp_option tpp_single_rows[];

#define TPP_SINGLE_DEFAULTS                                                                  \
    {                                                                                        \
        .common = {.tokens = TPP_TRIAL_TOKENS}, .size = {360, 640}, .ahead = 1, .frames = 12 \
    }

tpp_trial_options tpp_single_trial(const tpp_single_arguments *a);

/* Reads the configuration, opens the device and the trial; the caller closes both, after a failure
 * as well. */
TPP_MUST_CHECK tpp_status tpp_single_start(tpp_trial *t, struct tpp_model_config *config,
                                           tpp_device **device, const tpp_single_arguments *a);

#endif
