/* tpp segment: a volume or a folder of pictures, sentences, and a model in; masks out.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "cli/options.h"
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

enum { EXIT_SIGNAL = 128 };
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
    bool bar, open; /* open: a bar stands on the last line */
    tpp_warnings warnings;
} display;

static void end_bar(display *d)
{
    if (d->open) (void)fputc('\n', stderr);
    d->open = false;
}

/* Warnings are shown, and kept for the report. */
static void take_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    static const char *const starts[] = {"error: ", "warning: ", "", "debug: "};
    display *d = context;
    end_bar(d);
    (void)fprintf(stderr, "tpp: %s%s%s%s\n", starts[level], level == TPP_LOG_DEBUG ? module : "",
                  level == TPP_LOG_DEBUG ? ": " : "", text);
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
    enum { CELLS = 40 };
    display *d = context;
    if (d->bar) {
        const int full = (int)(done * CELLS / count);
        (void)fprintf(stderr, "\r[%.*s%*s] %" PRId64 "/%" PRId64, full,
                      "########################################", CELLS - full, "", done, count);
        d->open = true;
        if (done == count) end_bar(d);
    }
    return stop_signal == 0;
}

/* ---- the command ---- */

typedef struct arguments {
    tpp_segment_options job;
    tpp_list prompts, sets;
    double threshold;
    bool quiet, help;
} arguments;

static tpp_status parse(arguments *a, int argc, char **argv)
{
    tpp_segment_options *j = &a->job;
    const tpp_option options[] = {
        {'i', "input", TPP_OPTION_TEXT, &j->input, "PATH",
         "NIfTI volume, folder of PNG frames, or one PNG", 0, 0},
        {'o', "output", TPP_OPTION_TEXT, &j->output, "FOLDER", "where results go", 0, 0},
        {'m', "model", TPP_OPTION_TEXT, &j->model, "FOLDER",
         "model.yaml, weights.safetensors, vocab.json, merges.txt", 0, 0},
        {'p', "prompt", TPP_OPTION_LIST, &a->prompts, "TEXT",
         "a sentence about the object; repeat for more, all of the same object", 0, 0},
        {'d', "device", TPP_OPTION_TEXT, &j->device, "D", "index, part of a name, or auto", 0, 0},
        {'a', "algorithm", TPP_OPTION_TEXT, &j->algorithm, "A",
         "preferred for every node: plain, vector, clblast", 0, 0},
        {'b', "ahead", TPP_OPTION_INT, &j->ahead, "B", "frames encoded together", 1, 16},
        {'w', "window", TPP_OPTION_TEXT, &j->window, "W",
         "of a volume: LOW:HIGH, percentile, abdomen, lung, brain, bone, ...", 0, 0},
        {0, "frames", TPP_OPTION_TEXT, &j->frames, "A:B", "only frames A to B - 1, counted from 0",
         0, 0},
        {'t', "threshold", TPP_OPTION_REAL, &a->threshold, "T",
         "probability above which a pixel belongs to the object", 0, 1},
        {'s', "set", TPP_OPTION_LIST, &a->sets, "KEY=VALUE",
         "change the model's configuration; tpp config help", 0, 0},
        {0, "dump", TPP_OPTION_TEXT, &j->dump, "FILE", "write inner tensors as safetensors", 0, 0},
        {0, "overwrite", TPP_OPTION_FLAG, &j->overwrite, NULL, "replace results of another run", 0,
         0},
        {'q', "quiet", TPP_OPTION_FLAG, &a->quiet, NULL, "warnings and errors only", 0, 0},
    };
    const tpp_usage usage = {
        "tpp segment", "-i PATH -o FOLDER -m FOLDER -p \"sentence\" [-p ...]",
        "Finds the object that the sentences describe in every frame of a sequence. Leaves\n"
        "seg.nii.gz (in the volume's own geometry) or masks/NAME.png (0 and 255), preview.png,\n"
        "report.json and frames.csv. They appear together at the end, or not at all.",
        "  tpp segment -i ct.nii.gz -o out -m model -p \"the liver, a large organ under the right "
        "ribs\"\n"
        "  tpp segment -i frames/ -o out -m model -p \"a polyp\" -p \"a round pink bulge\" -t 0.4\n"
        "  tpp segment -i mr.nii.gz -o out -m model -p \"left atrium\" --window percentile -b 4\n",
        "A volume without --window: -150 to 250 if it looks like CT, else its 0.5 to 99.5\n"
        "percentile. Slices are axial, seen as radiologists do.\n\n" TPP_NOT_MEDICAL};
    return tpp_options_parse(&usage, options, TPP_COUNT(options), argc, argv, NULL, &a->help);
}

static tpp_status check(const arguments *a)
{
    if (a->job.input == NULL) return TPP_FAIL(TPP_EUSAGE, "--input is wanted: what to segment");
    if (a->job.output == NULL) return TPP_FAIL(TPP_EUSAGE, "--output is wanted: a folder");
    if (a->job.model == NULL)
        return TPP_FAIL(TPP_EUSAGE, "--model is wanted: a model folder (tpp weights synth makes "
                                    "one)");
    return tpp_algorithm_check(a->job.algorithm);
}

static int run(arguments *a)
{
    display d = {.bar = !a->quiet && isatty(STDERR_FILENO) != 0};
    char threshold[64];
    tpp_segment_result result = {0};
    bool on_input = true;
    if (a->threshold >= 0 && a->sets.count < TPP_MAX_REPEATS) {
        (void)snprintf(threshold, sizeof(threshold), "infer.threshold=%.17g", a->threshold);
        a->sets.item[a->sets.count++] = threshold;
    }
    a->job.prompts = a->prompts.item;
    a->job.n_prompts = a->prompts.count;
    a->job.overrides = a->sets.item;
    a->job.n_overrides = a->sets.count;
    a->job.version = tpp_cli_version();
    a->job.warnings = &d.warnings;
    a->job.progress = show_progress;
    a->job.context = &d;
    if (a->job.device == NULL) a->job.device = getenv("TPP_DEVICE");
    tpp_log_set(log_level(a->quiet), take_log, &d);
    watch_signals();
    const tpp_status s = tpp_segment(&result, &a->job, &on_input);
    end_bar(&d);
    int code = tpp_exit_with("segment", s, on_input);
    if (s != TPP_OK && stop_signal != 0) code = EXIT_SIGNAL + stop_signal;
    if (s == TPP_OK && !a->quiet)
        (void)printf("%s: the object was found in %" PRId64 " of %" PRId64 " frames%s\n",
                     a->job.output, result.found, result.frames,
                     result.is_synthetic ? " (synthetic weights: this means nothing)" : "");
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    tpp_warnings_free(&d.warnings);
    return code;
}

int tpp_cmd_segment(int argc, char **argv)
{
    arguments a = {.job = {.ahead = 1}, .threshold = -1};
    tpp_status s = parse(&a, argc, argv);
    if (s == TPP_OK && !a.help) s = check(&a);
    if (s != TPP_OK || a.help) return tpp_exit_with("segment", s, true);
    return run(&a);
}
