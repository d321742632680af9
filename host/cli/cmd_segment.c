/* tpp segment: sequences, sentences and a model in; masks, numbers and reports out.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "cli/cohort.h"
#include "cli/progress.h"
#include "cli/segment_arguments.h"
#include "cli/words.h"
#include "core/log.h"
#include "core/mem.h"
#include "infer/selftest.h"

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
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL); /* a limit on files is a failed write like any other */
}

/* ---- what is shown while it runs ---- */

typedef struct display {
    tpp_progress progress;
    tpp_warnings warnings; /* of the case in hand */
    tpp_warnings shown;    /* of the run */
} display;

/* A warning that every case has, such as that of synthetic weights, is shown once. */
static bool was_shown(display *d, const char *text)
{
    for (size_t i = 0; i < d->shown.count; i++)
        if (strcmp(d->shown.text[i], text) == 0) return true;
    tpp_warnings_add(&d->shown, text);
    return false;
}

/* Warnings are shown, and kept for the report. */
static void take_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    display *d = context;
    if (level == TPP_LOG_WARN) tpp_warnings_add(&d->warnings, text);
    if (level == TPP_LOG_WARN && was_shown(d, text)) return;
    tpp_progress_message(&d->progress, level, module, text);
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

/* A new option: a member of segment_arguments, a row here, and its use in segment_arguments.c. */
#define AT(member) offsetof(segment_arguments, member)
static const tpp_option options[] = {
    {'i', "input", TPP_OPTION_LIST, AT(inputs), "PATH",
     .help = "volume, DICOM series, folder of pictures, picture, video; a folder of these, a "
             "pattern, or a .csv list (see below); repeat for more cases",
     .completes = TPP_COMPLETE_FILE},
    {'o', "output", TPP_OPTION_TEXT, AT(output), "FOLDER",
     .help = "where results go; of several cases each into a folder below it",
     .completes = TPP_COMPLETE_FOLDER},
    {'m', "model", TPP_OPTION_TEXT, AT(job.model), "FOLDER",
     .help = "model.yaml, weights.safetensors, vocab.json, merges.txt",
     .completes = TPP_COMPLETE_FOLDER},
    {'p', "prompt", TPP_OPTION_LIST, AT(prompts), "TEXT",
     .help = "a sentence about the object; repeat for more, all of the same object"},
    {'P', "prompts", TPP_OPTION_LIST, AT(prompt_files), "FILE",
     .help = "sentences, one a line; or YAML: several objects (see below)",
     .completes = TPP_COMPLETE_FILE},
    {0, "structure", TPP_OPTION_LIST, AT(structures), "NAME",
     .help = "an object of the prompt library (tpp info); repeat for more",
     .completes = TPP_COMPLETE_STRUCTURE},
    {0, "modality", TPP_OPTION_CHOICE, AT(modality), "KIND",
     .help = "what the pictures are: chooses the library's sentences and the window",
     .word = tpp_modality_word},
    {0, "multilabel", TPP_OPTION_FLAG, AT(job.multilabel), NULL,
     .help = "one label file for all objects; where they overlap the surer one has the pixel"},
    {0, "probabilities", TPP_OPTION_FLAG, AT(job.probabilities), NULL,
     .help = "write probability maps too"},
    {0, "start", TPP_OPTION_TEXT, AT(start), "FRAME",
     .help = "begin at this frame (from 0) and go to both ends; auto: where the answer is surest"},
    {0, "axis", TPP_OPTION_CHOICE, AT(axis), "AXIS",
     .help = "of a volume: what its slices are cut across; auto: the thickest spacing, else axial",
     .word = tpp_axis_word},
    {0, "time", TPP_OPTION_INT, AT(time), "T",
     .help = "of a volume with several time points: which one, from 0", .min = 0, .max = 1000000},
    {0, "frames", TPP_OPTION_TEXT, AT(job.frames.range), "FIRST:END",
     .help = "only frames FIRST to END - 1, counted from 0"},
    {'w', "window", TPP_OPTION_TEXT, AT(job.frames.window), "W",
     .help = "of a volume or 16-bit pictures: LOW:HIGH, LOW%:HIGH%, percentile, stored, dicom, "
             "abdomen, lung, brain, bone, ...",
     .word = tpp_window_word},
    {0, "percentile", TPP_OPTION_TEXT, AT(percentile), "LOW:HIGH",
     .help = "window from one percentile of the voxels that are not zero to another"},
    {'t', "threshold", TPP_OPTION_REAL, AT(threshold), "T",
     .help = "probability above which a pixel belongs to the object", .max = 1},
    {0, "presence", TPP_OPTION_REAL, AT(presence), "T",
     .help = "score below which a frame's mask stays empty", .max = 1},
    {'d', "device", TPP_OPTION_TEXT, AT(job.device), "D",
     .help = "index, part of a name, or auto; several (0,1) or all share the cases"},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(job.algorithm), "A",
     .help = "preferred for every node: plain, vector, winograd, tile, clblast",
     .word = tpp_algorithm_word},
    TPP_TUNING_ROW(AT(job.tuning)),
    {'b', "ahead", TPP_OPTION_INT, AT(job.ahead), "B", .help = "frames encoded together", .min = 1,
     .max = 16},
    {'c', "continue", TPP_OPTION_FLAG, AT(resume), NULL,
     .help = "run the cases whose results are missing, damaged, or would be others now"},
    {0, "overwrite", TPP_OPTION_FLAG, AT(job.overwrite), NULL,
     .help = "replace results of another run"},
    {0, "rank", TPP_OPTION_INT, AT(rank), "R",
     .help = "share the cases with other processes: this is number R (Slurm's by itself)",
     .max = 999999},
    {0, "size", TPP_OPTION_INT, AT(size), "N", .help = "of so many", .min = 1, .max = 1000000},
    {0, "times", TPP_OPTION_FLAG, AT(job.times), NULL,
     .help = "milliseconds into frames.csv and report.json, which then differ from run to run"},
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE",
     .help = "change the model's configuration; tpp config help", .word = tpp_config_word},
    {0, "dump", TPP_OPTION_TEXT, AT(job.dump), "FILE", .help = "write inner tensors as safetensors",
     .completes = TPP_COMPLETE_FILE},
    {0, "progress", TPP_OPTION_CHOICE, AT(progress), "KIND",
     .help = "on standard error; auto is a bar on a terminal and nothing elsewhere",
     .word = tpp_progress_word},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "warnings and errors only"},
    {0},
};

static int run(segment_arguments *a, segment_plan *p)
{
    display d = {.warnings = {0}};
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    tpp_progress_start(&d.progress, tpp_progress_choose(a->progress, a->quiet, is_terminal), stderr,
                       (int64_t)p->cases.count, NULL);
    tpp_log_set(log_level(a->quiet), take_log, &d);
    watch_signals();
    a->job.warnings = &d.warnings;
    a->job.progress = show_progress;
    a->job.context = &d;
    const tpp_cohort cohort = {.options = &a->job,
                               .cases = &p->cases,
                               .output = a->output,
                               .rank = a->rank,
                               .size = a->size,
                               .resume = a->resume,
                               .quiet = a->quiet,
                               .progress = &d.progress,
                               .warnings = &d.warnings,
                               .stop = &stop_signal};
    const int code = tpp_cohort_run(&cohort, p->device, p->n_devices);
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    tpp_warnings_free(&d.warnings);
    tpp_warnings_free(&d.shown);
    return code;
}

static int run_segment(void *arguments)
{
    segment_plan plan = {0};
    /* In a log file, what is told of a case stands where it was told. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const tpp_status s = segment_plan_make(&plan, arguments);
    const int code = s != TPP_OK ? tpp_exit_with("segment", s, true) : run(arguments, &plan);
    segment_plan_free(&plan);
    return code;
}

static const segment_arguments defaults = {.job = {.ahead = 1},
                                           .threshold = -1,
                                           .presence = -1,
                                           .time = -1,
                                           .rank = -1,
                                           .axis = "auto",
                                           .progress = "auto"};
const tpp_command tpp_command_segment = {
    .name = "segment",
    .help = "segment volumes, pictures and videos by sentences",
    .synopsis = "-i PATH -o FOLDER -m FOLDER (-p \"sentence\" ... | --structure NAME | -P FILE)",
    .about =
        "Finds what the sentences describe in every frame of a sequence. Leaves seg.nii.gz (or as\n"
        "the input is, in its own geometry; of several objects NAME.nii.gz each; of DICOM seg.dcm\n"
        "too) or masks/NAME.png (0 and 255), its labels for programs, ITK-SNAP and 3D Slicer\n"
        "(labels.json, .txt, .ctbl), statistics.json, frames.csv, preview.png, report.html and\n"
        "report.json. A case's results appear together, or not at all.",
    .examples =
        "  tpp segment -i ct.nii.gz -o out -m model -p \"the liver, a large organ under the "
        "right ribs\"\n"
        "  tpp segment -i series/ -o out -m model --structure liver --structure spleen "
        "--modality ct \\\n"
        "      --multilabel\n"
        "  tpp segment -i video.mp4 -o out -m model -p \"a polyp\" -p \"a round pink "
        "bulge\" -t 0.4\n"
        "  tpp segment -i 'cases/*.nii.gz' -o out -m model -P sentences.txt --start auto "
        "--continue\n"
        "  tpp segment -i mr.nrrd -o out -m model -p \"left atrium\" --window percentile "
        "--axis sagittal\n",
    .notes =
        "A volume without --window: -150 to 250 if it is CT or looks like it, as stored if it\n"
        "is ultrasound, a clip or of a camera with values from 0 to 255, else the 0.5 to 99.5\n"
        "percentile of what is not 0. Slices are seen as radiologists do.\n"
        "The sentences of -p describe one object, called \"object\" in the results. A YAML file\n"
        "for -P names its objects, a line each: `left_kidney: [\"the left kidney\", \"a bean\"]`.\n"
        "A .csv list has a column \"input\" and maybe one \"case\", the folder's name below -o.\n"
        "A case that fails does not stop the others.\n\n" TPP_NOT_MEDICAL,
    .options = {options},
    .defaults = &defaults,
    .size = sizeof(segment_arguments),
    .run = run_segment};
