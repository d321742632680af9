/* tpp plan: what a configuration runs as on a device, without running it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/trial_options.h"

#include <stdio.h>

/* launches: text 77, image 1, backbone 54, ... */
static void print_launches(const tpp_session *s)
{
    const tpp_plan *p = NULL;
    for (int i = 0; (p = tpp_session_plan_at(s, i, NULL)) != NULL; i++)
        (void)printf("%s %s %d", i == 0 ? "\nlaunches:" : ",", tpp_plan_name(p),
                     tpp_plan_launches(p));
    (void)printf("\n");
}

static void print_summary(const tpp_session_info *i, int clip)
{
    (void)printf("memory: activations %.1f MB (one arena), kept between graphs %.1f MB, weights "
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

static int run_plan(void *arguments)
{
    const tpp_single_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_trial trial = {0};
    tpp_device *device = NULL;
    tpp_status s = tpp_single_start(&trial, &config, &device, a);
    if (s == TPP_OK) s = tpp_session_print(trial.session, stdout, false, NULL);
    if (s == TPP_OK) {
        print_launches(trial.session);
        const tpp_session_info info = tpp_session_info_of(trial.session);
        print_summary(&info, tpp_model_config_clip(&config, a->frames));
    }
    tpp_trial_close(&trial);
    tpp_device_close(device);
    return tpp_exit_with("plan", s, true);
}

static const tpp_single_arguments defaults = TPP_SINGLE_DEFAULTS;

const tpp_command tpp_command_plan = {
    .name = "plan",
    .help = "print what will run: nodes, algorithms, memory",
    .synopsis = "[--config FILE] [--size HxW]",
    .about =
        "Prints the graphs of a configuration as they would run: node, shapes, algorithm, FLOPs,\n"
        "bytes, place in the arena; then the launches of each graph and of a frame, and the "
        "memory\n"
        "that the device has to give. Weights are synthetic.",
    .examples = "  tpp plan --config configs/r50.yaml --size 360x640\n"
                "  tpp plan --config configs/referformer.yaml --size 360x640 --frames 5\n",
    .options = {tpp_single_rows, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(tpp_single_arguments),
    .run = run_plan};
