/* Opens what the options of `plan` and `bench` describe.
 * SPDX-License-Identifier: MIT */
#include "cli/trial_options.h"

#include "cli/cli.h"
#include "infer/selftest.h"

#include <string.h>

void tpp_trial_options_init(tpp_trial_arguments *a, tpp_option rows[TPP_TRIAL_ROWS])
{
    *a = (tpp_trial_arguments){.size = {360, 640}, .tokens = 28, .ahead = 1, .frames = 12};
    const tpp_option table[TPP_TRIAL_ROWS] = {
        {'c', "config", TPP_OPTION_TEXT, &a->config, "FILE", "configuration; default: preset paper",
         0, 0},
        {'s', "set", TPP_OPTION_LIST, &a->sets, "KEY=VALUE", "change the configuration", 0, 0},
        {0, "size", TPP_OPTION_SIZE, &a->size, "HxW", "of the network's input [360x640]", 32,
         16384},
        {0, "prompts", TPP_OPTION_INT, &a->prompts, "N", "prompts; 0: text.num_prompts", 0, 16},
        {0, "tokens", TPP_OPTION_INT, &a->tokens, "N", "of each prompt", 2, 512},
        {'b', "ahead", TPP_OPTION_INT, &a->ahead, "B", "frames encoded together", 1, 16},
        {'d', "device", TPP_OPTION_TEXT, &a->device, "D", "index, part of a name, or auto", 0, 0},
        {'a', "algorithm", TPP_OPTION_TEXT, &a->algorithm, "A", "preferred for every node", 0, 0},
    };
    memcpy(rows, table, sizeof(table));
}

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
