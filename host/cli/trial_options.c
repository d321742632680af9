/* Rows of a trial's options, and opening what they describe.
 * SPDX-License-Identifier: MIT */
#include "cli/trial_options.h"

#include "cli/cli.h"
#include "cli/words.h"
#include "infer/selftest.h"

#define AT(member) offsetof(tpp_trial_arguments, member)
const tpp_option tpp_trial_rows[] = {
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change the configuration",
     .word = tpp_config_word},
    {0, "prompts", TPP_OPTION_INT, AT(prompts), "N", .help = "prompts; 0: text.num_prompts",
     .max = 16},
    {0, "tokens", TPP_OPTION_INT, AT(tokens), "N", .help = "of each prompt", .min = 2, .max = 512},
    {0},
};
#undef AT

#define AT(member) offsetof(tpp_single_arguments, member)
const tpp_option tpp_single_rows[] = {
    {'a', "algorithm", TPP_OPTION_TEXT, AT(algorithm), "A", .help = "preferred for every node",
     .word = tpp_algorithm_word},
    TPP_TUNING_ROW(AT(common.tuning)),
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {0, "size", TPP_OPTION_SIZE, AT(size), "HxW", .help = "of the network's input",
     .min = TPP_TRIAL_LEAST_SIDE, .max = TPP_TRIAL_MOST_SIDE},
    {'b', "ahead", TPP_OPTION_INT, AT(ahead), "B", .help = "frames encoded together", .min = 1,
     .max = 16},
    {'n', "frames", TPP_OPTION_INT, AT(frames), "N", .help = "of the sequence, for mode clip",
     .min = 1, .max = 100000},
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D", .help = "index, part of a name, or auto"},
    {0},
};

tpp_trial_options tpp_single_trial(const tpp_single_arguments *a)
{
    return (tpp_trial_options){.height = a->size.height,
                               .width = a->size.width,
                               .prompts = a->common.prompts,
                               .tokens = a->common.tokens,
                               .ahead = a->ahead,
                               .frames = a->frames,
                               .algorithm = a->algorithm};
}

tpp_status tpp_single_start(tpp_trial *t, struct tpp_model_config *config, tpp_device **device,
                            const tpp_single_arguments *a)
{
    const tpp_trial_options options = tpp_single_trial(a);
    const tpp_list *sets = &a->common.sets;
    TPP_TRY(tpp_model_config_read(config, a->config, sets->item, (size_t)sets->count));
    TPP_TRY(tpp_algorithm_check(a->algorithm));
    TPP_TRY(tpp_cli_device(device, a->device, a->common.tuning));
    return tpp_trial_open(t, config, *device, &options);
}
