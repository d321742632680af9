/* Options that `plan` and `bench` share: a configuration and a size, with synthetic weights.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_TRIAL_OPTIONS_H
#define TPP_CLI_TRIAL_OPTIONS_H

#include "cli/options.h"
#include "infer/trial.h"

/* The arguments struct of both. */
typedef struct tpp_trial_arguments {
    const char *config, *device, *algorithm;
    tpp_list sets;
    tpp_size size;
    int prompts, tokens, ahead, frames;
    bool profile;
} tpp_trial_arguments;

extern const tpp_option tpp_trial_rows[];
extern const tpp_trial_arguments tpp_trial_defaults;

/* Reads the configuration, opens the device and the trial. */
TPP_MUST_CHECK tpp_status tpp_trial_start(tpp_trial *t, struct tpp_model_config *config,
                                          tpp_device **device, const tpp_trial_arguments *a);

#endif
