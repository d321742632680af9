/* tpp plan: what a configuration runs as on a device, without running it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/trial_options.h"
#include "cli/words.h"
#include "infer/selftest.h"
#include "infer/trial.h"

#include <stdio.h>

static void print_summary(const tpp_session_info *i, int clip)
{
    (void)printf("\nmemory: activations %.1f MB (one arena), kept between graphs %.1f MB, weights "
                 "%.1f MB, staging %.1f MB\n",
                 (double)i->arena_bytes / 1e6, (double)i->own_bytes / 1e6,
                 (double)i->store_bytes / 1e6, (double)i->ring_bytes / 1e6);
    if (clip > 0)
        (void)printf("a clip of %d frames: %.2f GFLOP in %d launches, network input %dx%d\n", clip,
                     i->frame_flops * clip / 1e9, i->launches, i->net_height, i->net_width);
    else
        (void)printf("a frame after the first: %.2f GFLOP in %d launches, network input %dx%d\n",
                     i->frame_flops / 1e9, i->launches, i->net_height, i->net_width);
}

typedef struct plan_arguments {
    tpp_trial_arguments common;
    const char *config, *device, *algorithm;
    tpp_size size;
    int ahead, frames;
} plan_arguments;
#define AT(member) offsetof(plan_arguments, member)

static tpp_status start(tpp_trial *t, struct tpp_model_config *config, tpp_device **device,
                        const plan_arguments *a)
{
    const tpp_trial_options options = {.height = a->size.height,
                                       .width = a->size.width,
                                       .prompts = a->common.prompts,
                                       .tokens = a->common.tokens,
                                       .ahead = a->ahead,
                                       .frames = a->frames,
                                       .algorithm = a->algorithm};
    const tpp_list *sets = &a->common.sets;
    TPP_TRY(tpp_model_config_read(config, a->config, sets->item, (size_t)sets->count));
    TPP_TRY(tpp_algorithm_check(a->algorithm));
    TPP_TRY(tpp_cli_device(device, a->device));
    return tpp_trial_open(t, config, *device, &options);
}

static int run_plan(void *arguments)
{
    const plan_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_trial trial = {0};
    tpp_device *device = NULL;
    tpp_status s = start(&trial, &config, &device, a);
    if (s == TPP_OK) s = tpp_session_print(trial.session, stdout, false, NULL);
    if (s == TPP_OK) {
        const tpp_session_info info = tpp_session_info_of(trial.session);
        print_summary(&info, tpp_model_config_clip(&config, a->frames));
    }
    tpp_trial_close(&trial);
    tpp_device_close(device);
    return tpp_exit_with("plan", s, true);
}

static const tpp_option options[] = {
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {0, "size", TPP_OPTION_SIZE, AT(size), "HxW", .help = "of the network's input",
     .min = TPP_TRIAL_LEAST_SIDE, .max = TPP_TRIAL_MOST_SIDE},
    {'b', "ahead", TPP_OPTION_INT, AT(ahead), "B", .help = "frames encoded together", .min = 1,
     .max = 16},
    {'n', "frames", TPP_OPTION_INT, AT(frames), "N", .help = "of the sequence, for mode clip",
     .min = 1, .max = 100000},
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D", .help = "index, part of a name, or auto"},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(algorithm), "A", .help = "preferred for every node",
     .word = tpp_algorithm_word},
    {0},
};

static const plan_arguments defaults = {
    .common = {.tokens = TPP_TRIAL_TOKENS}, .size = {360, 640}, .ahead = 1, .frames = 12};

const tpp_command tpp_command_plan = {
    .name = "plan",
    .help = "print what will run: nodes, algorithms, memory",
    .synopsis = "[--config FILE] [--size HxW]",
    .about =
        "Prints the graphs of a configuration as they would run: node, shapes, algorithm, FLOPs,\n"
        "bytes, place in the arena; then the memory that the device has to give. Weights are\n"
        "synthetic.",
    .examples = "  tpp plan --config configs/r50.yaml --size 360x640\n"
                "  tpp plan --config configs/referformer.yaml --size 360x640 --frames 5\n",
    .options = {options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(plan_arguments),
    .run = run_plan};
