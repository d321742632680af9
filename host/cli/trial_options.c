/* The rows that `plan` and `bench` share.
 * SPDX-License-Identifier: MIT */
#include "cli/trial_options.h"

#include "cli/words.h"

#define AT(member) offsetof(tpp_trial_arguments, member)
const tpp_option tpp_trial_rows[] = {
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change the configuration",
     .word = tpp_config_word},
    {0, "prompts", TPP_OPTION_INT, AT(prompts), "N", .help = "prompts; 0: text.num_prompts",
     .max = 16},
    {0, "tokens", TPP_OPTION_INT, AT(tokens), "N", .help = "of each prompt", .min = 2, .max = 512},
    {0},
};
