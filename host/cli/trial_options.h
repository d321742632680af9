/* Options that `plan` and `bench` share: a configuration and a size, with synthetic weights.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_TRIAL_OPTIONS_H
#define TPP_CLI_TRIAL_OPTIONS_H

#include "cli/options.h"
#include "infer/trial.h"

typedef struct tpp_trial_arguments {
    const char *config, *device, *algorithm;
    tpp_list sets;
    tpp_size size;
    int prompts, tokens, ahead, frames;
    bool profile, help;
} tpp_trial_arguments;

enum { TPP_TRIAL_ROWS = 8 };

/* Sets the defaults of `a`, and fills rows of an option table that point into it. */
void tpp_trial_options_init(tpp_trial_arguments *a, tpp_option rows[TPP_TRIAL_ROWS]);

/* Reads the configuration, opens the device and the trial. */
TPP_MUST_CHECK tpp_status tpp_trial_start(tpp_trial *t, struct tpp_model_config *config,
                                          tpp_device **device, const tpp_trial_arguments *a);

#endif
