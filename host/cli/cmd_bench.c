/* tpp bench: speed, memory and transfers of a configuration, beside the device's own peak.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/trial_options.h"
#include "infer/trial.h"
#include "ops/peak.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct measured {
    double peak; /* GFLOP/s */
    tpp_trial_result run;
    tpp_session_info info;
} measured;

/* The peak is taken before and after, and the better one counts: machines are shared. */
static tpp_status measure(measured *m, tpp_trial *t, tpp_device *d, const tpp_trial_arguments *a)
{
    double again = 0;
    TPP_TRY(tpp_device_peak(d, &m->peak));
    TPP_TRY(tpp_trial_run(t, a->frames, &m->run));
    TPP_TRY(tpp_device_peak(d, &again));
    if (again > m->peak) m->peak = again;
    m->info = tpp_session_info_of(t->session);
    return TPP_OK;
}

static void print_device(const tpp_device *d, const tpp_trial_arguments *a, int clip)
{
    char together[32];
    (void)snprintf(together, sizeof(together), clip > 0 ? "clips of %d" : "%d ahead",
                   clip > 0 ? clip : a->ahead);
    const tpp_caps *c = tpp_device_caps(d);
    (void)printf("device          %s, %s, driver %s\n", c->name, c->platform, c->driver);
    (void)printf("                %d compute units, vectors of %d floats\n", c->compute_units,
                 c->vector_width);
    (void)printf("configuration   %s, %dx%d, %s, algorithm %s\n",
                 a->config != NULL ? a->config : "preset paper", a->size.height, a->size.width,
                 together, a->algorithm != NULL ? a->algorithm : "by the registry");
}

static void print_speed(const measured *m, int clip)
{
    const tpp_trial_result *r = &m->run;
    const double gflops = m->info.frame_flops / 1e6 / r->ms_median;
    (void)printf("frames          %d, text cached\n", r->frames);
    (void)printf("first result    %.1f ms\n", r->first_ms);
    (void)printf("%-15s %.1f ms median (%.1f to %.1f), %.2f frames/s\n",
                 clip > 0 ? "frame of a clip" : "frame, t >= 2", r->ms_median, r->ms_least,
                 r->ms_most, 1e3 / r->ms_median);
    (void)printf("work            %.2f GFLOP a frame, %.1f GFLOP/s\n", m->info.frame_flops / 1e9,
                 gflops);
    (void)printf("FMA peak        %.1f GFLOP/s, measured in this run\n", m->peak);
    (void)printf("share of peak   %.1f %%\n", 100 * gflops / m->peak);
}

static void print_counts(const measured *m)
{
    const tpp_trial_result *r = &m->run;
    const tpp_session_info *i = &m->info;
    (void)printf("arena           %.1f MB; kept %.1f MB, weights %.1f MB, staging %.1f MB\n",
                 (double)i->arena_bytes / 1e6, (double)i->own_bytes / 1e6,
                 (double)i->store_bytes / 1e6, (double)i->ring_bytes / 1e6);
    (void)printf("between two frames, at most:\n");
    (void)printf("  launches          %" PRIu64 "\n", r->launches);
    (void)printf("  buffers made      %" PRIu64 "\n", r->buffers);
    (void)printf("  host allocations  %" PRIu64 "\n", r->allocations);
    (void)printf("  clFinish          %" PRIu64 "\n", r->finishes);
    (void)printf("  waits             %" PRIu64 "\n", r->waits);
    (void)printf("  bytes up          %" PRIu64 "\n", r->bytes_up);
    (void)printf("  bytes down        %" PRIu64 "\n", r->bytes_down);
}

static int run_bench(void *arguments)
{
    const tpp_trial_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_trial trial = {0};
    tpp_device *device = NULL;
    measured m = {0};
    tpp_status s = tpp_trial_start(&trial, &config, &device, a);
    if (s == TPP_OK) s = measure(&m, &trial, device, a);
    if (s == TPP_OK) {
        const int clip = tpp_model_config_clip(&config, a->frames);
        print_device(device, a, clip);
        print_speed(&m, clip);
        print_counts(&m);
        if (a->profile) s = tpp_session_print(trial.session, stdout, true, m.peak);
    }
    tpp_trial_close(&trial);
    tpp_device_close(device);
    return tpp_exit_with("bench", s, true);
}

#define AT(member) offsetof(tpp_trial_arguments, member)
static const tpp_option options[] = {
    {'n', "frames", TPP_OPTION_INT, AT(frames), "N",
     .help = "frames to run; with mode clip three clips at least", .min = 3, .max = 100000},
    {0, "profile", TPP_OPTION_FLAG, AT(profile), NULL, .help = "time of every node, afterwards"},
    {0},
};

const tpp_command tpp_command_bench = {
    .name = "bench",
    .help = "measure speed, memory and transfers",
    .synopsis = "[--config FILE] [--size HxW] [--frames N]",
    .about =
        "Runs a sequence of synthetic pictures with synthetic weights and prints the time of a\n"
        "frame, its share of the FMA peak measured in the same run, memory, and what happens\n"
        "between two frames.",
    .examples = "  tpp bench --config configs/r50.yaml --size 360x640 --frames 12\n"
                "  tpp bench --config configs/tiny.yaml --size 64x96 --ahead 4 --profile\n",
    .notes = "Machines differ and are shared: compare shares of the peak, not milliseconds.\n",
    .options = {tpp_trial_rows, options},
    .defaults = &tpp_trial_defaults,
    .size = sizeof(tpp_trial_arguments),
    .run = run_bench};
