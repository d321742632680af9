/* tpp bench: speed, memory and transfers of configurations, beside the device's own peaks; each row
 * with a look at its masks.
 * SPDX-License-Identifier: MIT */
#include "cli/bench_cold.h"
#include "cli/bench_floors.h"
#include "cli/bench_grid.h"
#include "cli/cli.h"
#include "cli/words.h"
#include "core/mem.h"
#include "core/path.h"
#include "infer/bench_merge.h"
#include "infer/bench_plot.h"
#include "infer/device_model.h"

#include <string.h>

/* ---- the child of scenario cold ---- */

static tpp_status run_first_mask(const tpp_bench_arguments *a,
                                 const struct tpp_model_config *config)
{
    const tpp_bench_cell cell = tpp_bench_first_cell(a, config);
    tpp_device *device = NULL;
    tpp_trial trial = {0};
    tpp_status s = tpp_cli_device(&device, a->device.count > 0 ? a->device.item.text[0] : NULL,
                                  a->common.tuning);
    if (s == TPP_OK) s = tpp_bench_open(&trial, &cell, device);
    if (s == TPP_OK) s = tpp_trial_first_mask(&trial);
    if (s == TPP_OK && (fputs(TPP_FIRST_MASK_WORD, stdout) == EOF || fflush(stdout) != 0))
        s = TPP_FAIL(TPP_EIO, "standard output was not taken");
    tpp_trial_close(&trial);
    tpp_device_close(device);
    return s;
}

/* ---- where it goes ---- */

/* What `write` prints goes to --output, whole or not at all, else to standard output. */
typedef tpp_status output_writer(FILE *to, void *context);
static tpp_status write_output(const tpp_bench_arguments *a, output_writer *write, void *context)
{
    tpp_out_file file = {0};
    if (a->output != NULL) TPP_TRY(tpp_out_open(&file, a->output));
    tpp_status s = write(a->output != NULL ? file.stream : stdout, context);
    if (s == TPP_OK && a->output != NULL) s = tpp_out_commit(&file);
    if (s == TPP_OK && a->output == NULL && (fflush(stdout) != 0 || ferror(stdout) != 0))
        s = TPP_FAIL(TPP_EIO, "standard output was not taken");
    tpp_out_discard(&file);
    return s;
}

/* ---- rows ---- */

typedef struct grid_run {
    const tpp_bench_arguments *a;
    const struct tpp_model_config *config;
    const tpp_bench_rows *base;
    tpp_bench_outcome *outcome;
} grid_run;

static tpp_status write_grid(FILE *to, void *context)
{
    const grid_run *g = context;
    tpp_bench_table table = {
        .to = to, .format = g->a->format, .expected = tpp_bench_grid_count(g->a)};
    tpp_bench_table_begin(&table);
    TPP_TRY(tpp_bench_grid_run(g->a, g->config, g->base, &table, g->outcome));
    tpp_bench_table_end(&table);
    return TPP_OK;
}

/* Nothing ran: the code says why the last cell cannot. */
static int outcome_code(const tpp_bench_outcome *o)
{
    if (o->wrong > 0) return TPP_EXIT_FAILED;
    if (o->ok > 0) return TPP_EXIT_OK;
    return o->because != TPP_OK ? tpp_exit_code(o->because, true) : TPP_EXIT_USAGE;
}

static tpp_status run_rows(const tpp_bench_arguments *a, const struct tpp_model_config *config,
                           tpp_bench_outcome *outcome)
{
    tpp_bench_rows base = {0};
    if (a->compare != NULL) TPP_TRY(tpp_bench_rows_read(&base, a->compare));
    grid_run g = {a, config, a->compare != NULL ? &base : NULL, outcome};
    const tpp_status s = write_output(a, write_grid, &g);
    tpp_bench_rows_free(&base);
    return s;
}

/* ---- rows of several machines ---- */

typedef struct merged {
    const tpp_bench_rows *rows;
    const char *format;
} merged;

static tpp_status write_merged(FILE *to, void *context)
{
    const merged *m = context;
    tpp_bench_table table = {.to = to, .format = m->format, .expected = m->rows->count};
    tpp_bench_table_begin(&table);
    for (int i = 0; i < m->rows->count; i++) TPP_TRY(tpp_bench_table_row(&table, &m->rows->row[i]));
    tpp_bench_table_end(&table);
    return TPP_OK;
}

static tpp_status run_merge(const tpp_bench_arguments *a)
{
    tpp_bench_rows rows = {0};
    if (a->files.count == 0)
        return TPP_FAIL(TPP_EUSAGE, "--merge wants files that tpp bench wrote as json or jsonl");
    TPP_TRY(tpp_bench_merge(&rows, a->files.item, a->files.count));
    merged m = {.rows = &rows, .format = a->format};
    tpp_status s = a->plot != NULL ? tpp_bench_plot(a->plot, &rows) : TPP_OK;
    if (s == TPP_OK) s = write_output(a, write_merged, &m);
    tpp_bench_rows_free(&rows);
    return s;
}

/* ---- floors of a device that is not here ---- */

typedef struct floors {
    tpp_bench_arguments *a;
    const struct tpp_model_config *config;
} floors;

static tpp_status write_floors(FILE *to, void *context)
{
    const floors *f = context;
    return tpp_bench_floors_write(to, f->a, f->config);
}

/* A plan is the same in every scenario: that axis goes, and so do further devices to plan on. */
static tpp_status run_floors(tpp_bench_arguments *a, const struct tpp_model_config *config)
{
    floors f = {a, config};
    a->scenario.count = 1;
    (void)snprintf(a->scenario.item.text[0], sizeof(a->scenario.item.text[0]), "%s",
                   tpp_scenario_text(TPP_SCENARIO_OFFLINE));
    if (a->device.count > 1)
        return TPP_FAIL(TPP_EUSAGE, "--model-device: one --device to plan on, not %d",
                        a->device.count);
    return write_output(a, write_floors, &f);
}

static tpp_status check_modes(const tpp_bench_arguments *a)
{
    if (!a->merge && a->files.count > 0)
        return TPP_FAIL(TPP_EUSAGE, "\"%.100s\" is no option; files are taken with --merge alone",
                        a->files.item[0]);
    if (!a->merge && a->plot != NULL)
        return TPP_FAIL(TPP_EUSAGE, "--plot draws what --merge reads: give both");
    if (a->merge && (a->compare != NULL || a->first_mask || a->profile))
        return TPP_FAIL(TPP_EUSAGE, "--merge runs nothing: leave --%s out",
                        a->compare != NULL ? "compare"
                        : a->profile       ? "profile"
                                           : "first-mask");
    if (a->model_device != NULL && (a->merge || a->compare != NULL || a->first_mask || a->profile))
        return TPP_FAIL(TPP_EUSAGE, "--model-device runs nothing: leave --%s out",
                        a->merge             ? "merge"
                        : a->compare != NULL ? "compare"
                        : a->profile         ? "profile"
                                             : "first-mask");
    return TPP_OK;
}

static int run_bench(void *arguments)
{
    tpp_bench_arguments *a = arguments;
    struct tpp_model_config *config = NULL;
    tpp_bench_outcome outcome = {0};
    tpp_status s = check_modes(a);
    if (s == TPP_OK && a->merge) s = run_merge(a);
    if (s != TPP_OK || a->merge) return tpp_exit_with("bench", s, true);
    s = tpp_bench_read_configs(&config, a);
    if (a->model_device != NULL) {
        if (s == TPP_OK) s = run_floors(a, config);
        tpp_free(config);
        return tpp_exit_with("bench", s, true);
    }
    if (s == TPP_OK) s = a->first_mask ? run_first_mask(a, config) : run_rows(a, config, &outcome);
    tpp_free(config);
    return s == TPP_OK && !a->first_mask ? outcome_code(&outcome) : tpp_exit_with("bench", s, true);
}

/* ---- the table ---- */

static const char *scenario_word(int i)
{
    return tpp_scenario_text(i);
}

static const char *cache_word(int i)
{
    static const char *const words[] = {"warm", "cold"};
    return i < TPP_COUNT(words) ? words[i] : NULL;
}

#define AT(member) offsetof(tpp_bench_arguments, member)
static const tpp_option grid_options[] = {
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE,...",
     .help = "configurations; default: preset paper", .completes = TPP_COMPLETE_FILE,
     .several = true},
    {0, "size", TPP_OPTION_SIZE, AT(size), "HxW,...", .help = "of the network's input",
     .min = TPP_TRIAL_LEAST_SIDE, .max = TPP_TRIAL_MOST_SIDE, .several = true},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(algorithm), "A,...",
     .help = "preferred for every node; auto: the registry's choice", .word = tpp_algorithm_word,
     .several = true},
    {'b', "ahead", TPP_OPTION_INT, AT(ahead), "B,...",
     .help = "frames encoded together, with scenario offline", .min = 1, .max = 16,
     .several = true},
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D,...", .help = "index, part of a name, or auto",
     .several = true},
    {0, "scenario", TPP_OPTION_CHOICE, AT(scenario), "S,...",
     .help = "single: latency of a frame; offline: throughput; cold: from the start of a process "
             "to its first mask",
     .word = scenario_word, .several = true},
    {0, "kernel-cache", TPP_OPTION_CHOICE, AT(kernel_cache), "K,...",
     .help = "with scenario cold: compiled kernels are there, or nothing is", .word = cache_word,
     .several = true},
    TPP_TUNING_ROW(AT(common.tuning)),
    {0},
};
static const tpp_option options[] = {
    {'n', "frames", TPP_OPTION_INT, AT(frames), "N",
     .help = "to be timed in a sequence; with mode clip three clips at least", .min = 3,
     .max = 100000},
    {0, "warmup", TPP_OPTION_INT, AT(warmup), "N", .help = "frames before anything is timed",
     .max = 1000},
    {'r', "repeat", TPP_OPTION_INT, AT(repeat), "N", .help = "sequences, or processes", .min = 1,
     .max = 1000},
    {'g', "golden", TPP_OPTION_LIST, AT(goldens), "FILE",
     .help = "check rows of its backbone and mode against this golden file; else against plain",
     .completes = TPP_COMPLETE_FILE},
    {0, "no-gate", TPP_OPTION_FLAG, AT(no_gate), NULL, .help = "leave the masks unchecked"},
    {'f', "format", TPP_OPTION_CHOICE, AT(format), "F", .help = "of the rows",
     .word = tpp_bench_format},
    {'o', "output", TPP_OPTION_TEXT, AT(output), "FILE", .help = "write the rows there",
     .completes = TPP_COMPLETE_FILE},
    {0, "compare", TPP_OPTION_TEXT, AT(compare), "FILE",
     .help = "rows of an earlier run (json or jsonl): faster, slower or same",
     .completes = TPP_COMPLETE_FILE},
    {0, "merge", TPP_OPTION_FLAG, AT(merge), NULL,
     .help = "run nothing: one table of the FILEs that several machines wrote (json or jsonl)"},
    {0, "plot", TPP_OPTION_TEXT, AT(plot), "FILE",
     .help = "with --merge: draw the times as bars (SVG)", .completes = TPP_COMPLETE_FILE},
    {0, "model-device", TPP_OPTION_CHOICE, AT(model_device), "NAME",
     .help = "measure nothing: plan as for this GPU and compute the floor of every node from its "
             "data sheet",
     .word = tpp_device_model_name},
    {0, "profile", TPP_OPTION_FLAG, AT(profile), NULL,
     .help = "time of every node, its floor and its shares of the peaks"},
    {0, "first-mask", TPP_OPTION_FLAG, AT(first_mask), NULL,
     .help = "say when the first frame's mask is there, and end: what scenario cold starts"},
    {0},
};

static const tpp_bench_arguments defaults = {.common = {.tokens = TPP_TRIAL_TOKENS},
                                             .size = {.count = 1, .item.size = {{360, 640}}},
                                             .ahead = {.count = 1, .item.number = {1}},
                                             .scenario = {.count = 1, .item.text = {"offline"}},
                                             .kernel_cache = {.count = 1, .item.text = {"warm"}},
                                             .format = "text",
                                             .frames = 12,
                                             .warmup = 3,
                                             .repeat = 1};

const tpp_command tpp_command_bench = {
    .name = "bench",
    .help = "measure speed, memory and transfers, and check the masks",
    .synopsis = "[--config FILE,...] [--size HxW,...] [--scenario S,...] [--format F]",
    .about =
        "Runs sequences of synthetic pictures with synthetic weights, one row for each "
        "combination\n"
        "of what the options list. A row has the time of a frame with its spread, shares of the\n"
        "FMA and copy peaks measured in the same run, memory, what happens between two frames, "
        "and\n"
        "whether the masks are right: a row whose masks differ from those of the algorithms "
        "called\n"
        "plain (a small size, same configuration) is invalid. What cannot run is a row too.",
    .examples = "  tpp bench --config configs/r50.yaml --size 360x640 --frames 12\n"
                "  tpp bench --config configs/tiny.yaml --size 64x96 --ahead 4 --profile\n"
                "  tpp bench --config configs/tiny.yaml,configs/r50.yaml --size 360x640,640x640 "
                "\\\n"
                "      --scenario single,offline,cold --ahead 1,4 --format json -o base.json\n"
                "  tpp bench --config configs/r50.yaml --repeat 5 --compare base.json\n"
                "  tpp bench --config configs/r50.yaml --size 360x640 --model-device mi210 "
                "--format csv\n"
                "  tpp bench --merge a.json b.json --plot all.svg --format md\n",
    .notes = "Machines differ and are shared: compare shares of the peak, not milliseconds. Exit "
             "code 1\nwhen a row is invalid or failed. Fields: bench/README.md.\n",
    .options = {grid_options, options, tpp_trial_rows},
    .rest = "FILE",
    .rest_offset = AT(files),
    .rest_completes = TPP_COMPLETE_FILE,
    .defaults = &defaults,
    .size = sizeof(tpp_bench_arguments),
    .run = run_bench};
