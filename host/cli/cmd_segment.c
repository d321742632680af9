/* tpp segment: a volume or a folder of pictures, sentences, and a model in; masks out.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/words.h"
#include "core/log.h"
#include "infer/segment.h"
#include "infer/selftest.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- interruption: the run stops between two frames and cleans up ---- */

static volatile sig_atomic_t stop_signal;

static void on_signal(int signal_number)
{
    stop_signal = signal_number;
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- what is shown while it runs ---- */

typedef struct display {
    tpp_progress progress;
    tpp_warnings warnings;
} display;

/* Warnings are shown, and kept for the report. */
static void take_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    display *d = context;
    tpp_progress_message(&d->progress, level, module, text);
    if (level == TPP_LOG_WARN) tpp_warnings_add(&d->warnings, text);
}

/* TPP_LOG can only ask for more here: warnings belong into the report. */
static tpp_log_level log_level(bool quiet)
{
    const char *wanted = getenv("TPP_LOG");
    if (wanted != NULL && strcmp(wanted, "debug") == 0) return TPP_LOG_DEBUG;
    return quiet ? TPP_LOG_WARN : TPP_LOG_INFO;
}

static bool show_progress(void *context, int64_t done, int64_t count)
{
    display *d = context;
    tpp_progress_frame(&d->progress, done, count);
    return stop_signal == 0;
}

/* ---- the command ---- */

typedef struct segment_arguments {
    tpp_segment_options job;
    tpp_list prompts, sets;
    double threshold; /* negative: the model's own */
    const char *progress;
    bool quiet;
} segment_arguments;

/* A new option: a member above, a row here, and its use in fill_job. */
#define AT(member) offsetof(segment_arguments, member)
static const tpp_option options[] = {
    {'i', "input", TPP_OPTION_TEXT, AT(job.input), "PATH",
     .help = "NIfTI volume, folder of PNG frames, or one PNG", .completes = TPP_COMPLETE_FILE},
    {'o', "output", TPP_OPTION_TEXT, AT(job.output), "FOLDER", .help = "where results go",
     .completes = TPP_COMPLETE_FOLDER},
    {'m', "model", TPP_OPTION_TEXT, AT(job.model), "FOLDER",
     .help = "model.yaml, weights.safetensors, vocab.json, merges.txt",
     .completes = TPP_COMPLETE_FOLDER},
    {'p', "prompt", TPP_OPTION_LIST, AT(prompts), "TEXT",
     .help = "a sentence about the object; repeat for more, all of the same object"},
    {'d', "device", TPP_OPTION_TEXT, AT(job.device), "D", .help = "index, part of a name, or auto"},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(job.algorithm), "A",
     .help = "preferred for every node: plain, vector, clblast", .word = tpp_algorithm_word},
    {'b', "ahead", TPP_OPTION_INT, AT(job.ahead), "B", .help = "frames encoded together", .min = 1,
     .max = 16},
    {'w', "window", TPP_OPTION_TEXT, AT(job.window), "W",
     .help = "of a volume: LOW:HIGH, percentile, abdomen, lung, brain, bone, ...",
     .word = tpp_window_word},
    {0, "frames", TPP_OPTION_TEXT, AT(job.frames), "A:B",
     .help = "only frames A to B - 1, counted from 0"},
    {'t', "threshold", TPP_OPTION_REAL, AT(threshold), "T",
     .help = "probability above which a pixel belongs to the object", .max = 1},
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE",
     .help = "change the model's configuration; tpp config help", .word = tpp_config_word},
    {0, "dump", TPP_OPTION_TEXT, AT(job.dump), "FILE", .help = "write inner tensors as safetensors",
     .completes = TPP_COMPLETE_FILE},
    {0, "overwrite", TPP_OPTION_FLAG, AT(job.overwrite), NULL,
     .help = "replace results of another run"},
    {0, "progress", TPP_OPTION_CHOICE, AT(progress), "KIND",
     .help = "on standard error; auto: a bar, on a terminal alone", .word = tpp_progress_word},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "warnings and errors only"},
    {0},
};

static tpp_status check(const segment_arguments *a)
{
    if (a->job.input == NULL) return TPP_FAIL(TPP_EUSAGE, "--input is wanted: what to segment");
    if (a->job.output == NULL) return TPP_FAIL(TPP_EUSAGE, "--output is wanted: a folder");
    if (a->job.model == NULL)
        return TPP_FAIL(TPP_EUSAGE, "--model is wanted: a model folder (tpp weights synth makes "
                                    "one)");
    return tpp_algorithm_check(a->job.algorithm);
}

/* `threshold` holds the setting that --threshold stands for. */
static void fill_job(segment_arguments *a, display *d, char threshold[64])
{
    tpp_segment_options *j = &a->job;
    if (a->threshold >= 0 && a->sets.count < TPP_MAX_REPEATS) {
        (void)snprintf(threshold, 64, "infer.threshold=%.17g", a->threshold);
        a->sets.item[a->sets.count++] = threshold;
    }
    j->prompts = a->prompts.item;
    j->n_prompts = a->prompts.count;
    j->overrides = a->sets.item;
    j->n_overrides = a->sets.count;
    j->version = tpp_cli_version();
    j->warnings = &d->warnings;
    j->progress = show_progress;
    j->context = d;
    if (j->device == NULL) j->device = getenv("TPP_DEVICE");
}

static int run(segment_arguments *a)
{
    display d = {.warnings = {0}};
    char threshold[64];
    tpp_segment_result result = {0};
    bool on_input = true;
    fill_job(a, &d, threshold);
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    tpp_progress_start(&d.progress, tpp_progress_choose(a->progress, a->quiet, is_terminal), stderr,
                       1, NULL);
    tpp_log_set(log_level(a->quiet), take_log, &d);
    watch_signals();
    tpp_progress_case(&d.progress, a->job.input);
    const tpp_status s = tpp_segment(&result, &a->job, &on_input);
    tpp_progress_case_end(&d.progress, s == TPP_OK ? NULL : tpp_error());
    int code = tpp_exit_with("segment", s, on_input);
    if (s != TPP_OK && stop_signal != 0) code = TPP_EXIT_SIGNAL + stop_signal;
    if (s == TPP_OK && !a->quiet)
        (void)printf("%s: the object was found in %" PRId64 " of %" PRId64 " frames%s\n",
                     a->job.output, result.found, result.frames,
                     result.is_synthetic ? " (synthetic weights: this means nothing)" : "");
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    tpp_warnings_free(&d.warnings);
    return code;
}

static int run_segment(void *arguments)
{
    const tpp_status s = check(arguments);
    return s != TPP_OK ? tpp_exit_with("segment", s, true) : run(arguments);
}

static const segment_arguments defaults = {
    .job = {.ahead = 1}, .threshold = -1, .progress = "auto"};
const tpp_command tpp_command_segment = {
    .name = "segment",
    .help = "segment a volume or a folder of pictures by sentences",
    .synopsis = "-i PATH -o FOLDER -m FOLDER -p \"sentence\" [-p ...]",
    .about =
        "Finds the object that the sentences describe in every frame of a sequence. Leaves\n"
        "seg.nii.gz (in the volume's own geometry) or masks/NAME.png (0 and 255), preview.png,\n"
        "report.json and frames.csv. They appear together at the end, or not at all.",
    .examples =
        "  tpp segment -i ct.nii.gz -o out -m model -p \"the liver, a large organ under the "
        "right ribs\"\n"
        "  tpp segment -i frames/ -o out -m model -p \"a polyp\" -p \"a round pink bulge\" "
        "-t 0.4\n"
        "  tpp segment -i mr.nii.gz -o out -m model -p \"left atrium\" --window percentile "
        "-b 4\n",
    .notes = "A volume without --window: -150 to 250 if it looks like CT, else its 0.5 to 99.5\n"
             "percentile. Slices are axial, seen as radiologists do.\n\n" TPP_NOT_MEDICAL,
    .options = {options},
    .defaults = &defaults,
    .size = sizeof(segment_arguments),
    .run = run_segment};
