/* Options that `plan` and `bench` share: what a trial with synthetic weights is made of.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_TRIAL_OPTIONS_H
#define TPP_CLI_TRIAL_OPTIONS_H

#include "cli/options.h"

/* The first member of the arguments struct of both. */
typedef struct tpp_trial_arguments {
    tpp_list sets;
    int prompts, tokens;
} tpp_trial_arguments;

extern const tpp_option tpp_trial_rows[];

enum { TPP_TRIAL_LEAST_SIDE = 32, TPP_TRIAL_MOST_SIDE = 16384, TPP_TRIAL_TOKENS = 28 };

#endif
