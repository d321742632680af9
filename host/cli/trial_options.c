/* Opens what the options of `plan` and `bench` describe.
 * SPDX-License-Identifier: MIT */
#include "cli/trial_options.h"

#include "cli/cli.h"
#include "cli/words.h"
#include "infer/selftest.h"

const tpp_trial_arguments tpp_trial_defaults = {
    .size = {360, 640}, .tokens = 28, .ahead = 1, .frames = 12};

#define AT(member) offsetof(tpp_trial_arguments, member)
const tpp_option tpp_trial_rows[] = {
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change the configuration",
     .word = tpp_config_word},
    {0, "size", TPP_OPTION_SIZE, AT(size), "HxW", .help = "of the network's input", .min = 32,
     .max = 16384},
    {0, "prompts", TPP_OPTION_INT, AT(prompts), "N", .help = "prompts; 0: text.num_prompts",
     .max = 16},
    {0, "tokens", TPP_OPTION_INT, AT(tokens), "N", .help = "of each prompt", .min = 2, .max = 512},
    {'b', "ahead", TPP_OPTION_INT, AT(ahead), "B", .help = "frames encoded together", .min = 1,
     .max = 16},
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D", .help = "index, part of a name, or auto"},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(algorithm), "A", .help = "preferred for every node",
     .word = tpp_algorithm_word},
    {0},
};

tpp_status tpp_trial_start(tpp_trial *t, struct tpp_model_config *config, tpp_device **device,
                           const tpp_trial_arguments *a)
{
    const tpp_trial_options options = {.height = a->size.height,
                                       .width = a->size.width,
                                       .prompts = a->prompts,
                                       .tokens = a->tokens,
                                       .ahead = a->ahead,
                                       .frames = a->frames,
                                       .algorithm = a->algorithm};
    tpp_device *d = NULL;
    TPP_TRY(tpp_model_config_read(config, a->config, a->sets.item, (size_t)a->sets.count));
    TPP_TRY(tpp_algorithm_check(a->algorithm));
    TPP_TRY(tpp_cli_device(&d, a->device));
    const tpp_status s = tpp_trial_open(t, config, d, &options);
    if (s != TPP_OK) {
        tpp_device_close(d);
        return s;
    }
    *device = d;
    return TPP_OK;
}
