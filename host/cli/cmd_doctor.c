/* tpp doctor: the first hour on a new device in one command, and a file for a bug report.
 *
 * Each section prints as it ends and leaves an object in the report. One that fails is noted, and
 * the others go on: what still works is what a report is for.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "cli/device_facts.h"
#include "cli/json.h"
#include "cli/trial_options.h"
#include "core/path.h"
#include "infer/bench.h"
#include "infer/doctor.h"
#include "infer/selftest.h"
#include "infer/tuning_use.h"
#include "ops/peak.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct doctor_arguments {
    tpp_trial_arguments common;
    const char *device, *config, *output;
    tpp_size size;
} doctor_arguments;
#define AT(member) offsetof(doctor_arguments, member)

/* What a run has in hand. */
typedef struct examination {
    const doctor_arguments *a;
    struct tpp_model_config config;
    tpp_device *device;
    tpp_peaks peaks;
    json_t *report; /* NULL: memory ran out */
    int findings;   /* sections that failed, cases that are wrong, families that were given up */
} examination;

static void set(examination *x, const char *key, json_t *take)
{
    tpp_json_set(&x->report, key, take);
}

/* ---- sections; each leaves its part of the report also where it prints little ---- */

static tpp_status tell_device(examination *x)
{
    const tpp_caps *c = tpp_device_caps(x->device);
    const char *limits = getenv("TPP_LIMITS"), *memory = getenv("TPP_DEVICE_MEMORY_MB");
    (void)printf("tpp %s %s\n%s\n", tpp_cli_version(), tpp_commit, c->name);
    tpp_print_caps(c);
    if (limits != NULL) (void)printf("   lowered by TPP_LIMITS=%s\n", limits);
    set(x, "program",
        json_pack("{s:o, s:o}", "version", tpp_json_text(tpp_cli_version()), "commit",
                  tpp_json_text(tpp_commit)));
    set(x, "device", tpp_caps_json(c));
    set(x, "lowered",
        json_pack("{s:o, s:o}", "TPP_LIMITS", tpp_json_text(limits), "TPP_DEVICE_MEMORY_MB",
                  tpp_json_text(memory)));
    return TPP_OK;
}

static tpp_status tell_peaks(examination *x)
{
    TPP_TRY(tpp_device_peaks(x->device, &x->peaks));
    (void)printf("peaks: FMA %.4g GFLOP/s, copy %.4g GB/s\n", x->peaks.gflops, x->peaks.copy_gbs);
    set(x, "peaks",
        json_pack("{s:o, s:o}", "gflops", tpp_json_real(x->peaks.gflops), "copy_gbs",
                  tpp_json_real(x->peaks.copy_gbs)));
    return TPP_OK;
}

static tpp_status tell_tuning(examination *x)
{
    const char *text = tpp_tuning_text(x->device), *source = tpp_bench_tuning(x->device);
    if (text != NULL)
        (void)printf("tuning: %s (%s)\n", source, text);
    else
        (void)printf("tuning: none; `tpp tune --device \"%s\"` makes a file\n",
                     tpp_device_caps(x->device)->name);
    set(x, "tuning",
        json_pack("{s:o, s:o}", "file",
                  text != NULL ? tpp_json_text(tpp_path_base(source)) : json_null(), "choices",
                  tpp_json_text(text)));
    return TPP_OK;
}

static void tell_programs(examination *x)
{
    json_t *list = json_array();
    tpp_program_build p;
    double built_ms = 0, slowest = 0;
    int n = 0, cached = 0;
    char name[64] = "";
    for (; tpp_program_at(x->device, n, &p); n++) {
        cached += p.cached;
        if (!p.cached) built_ms += p.ms;
        if (p.ms > slowest) {
            slowest = p.ms;
            (void)snprintf(name, sizeof(name), "%s", p.file);
        }
        tpp_json_append(&list, json_pack("{s:o, s:o, s:o, s:b}", "file", tpp_json_text(p.file),
                                         "options", tpp_json_text(p.options), "ms",
                                         tpp_json_real(p.ms), "cached", p.cached));
    }
    (void)printf("programs: %d, of them %d from the cache; the others were built in %.0f ms; the "
                 "longest, %s, took %.0f ms\n",
                 n, cached, built_ms, name, slowest);
    for (int i = 0; tpp_program_at(x->device, i, &p); i++)
        (void)printf("   %-24s %8.1f ms  %s\n", p.file, p.ms, p.cached ? "cached" : "built");
    set(x, "programs", list);
}

/* The row of bench with what the peak promises beside it. */
static void tell_frame_row(examination *x, tpp_bench_row *r)
{
    const double expected = 1e3 * r->gflop_frame / r->peak_gflops;
    (void)printf("frame: %s at %dx%d: %.4g ms, %.4g GFLOP; at the FMA peak it would take %.4g ms "
                 "(%.0f %% of the peak)\n",
                 r->config, (int)r->height, (int)r->width, r->ms_median, r->gflop_frame, expected,
                 1e2 * r->peak_share);
    (void)printf("   the first one took %.4g ms: some drivers compile when a kernel first runs\n",
                 r->first_ms);
    TPP_BENCH_SET(r->tuning, tpp_path_base(r->tuning));
    TPP_BENCH_SET(r->config, tpp_path_base(r->config));
    json_t *row = tpp_bench_row_json(r);
    tpp_json_set(&row, "expected_ms", tpp_json_real(expected));
    set(x, "frame", row);
}

static tpp_status tell_frame(examination *x)
{
    const tpp_bench_cell cell = {.config_name =
                                     x->a->config != NULL ? x->a->config : "preset paper",
                                 .config = &x->config,
                                 .height = x->a->size.height,
                                 .width = x->a->size.width,
                                 .frames = 8,
                                 .prompts = x->a->common.prompts,
                                 .tokens = x->a->common.tokens,
                                 .ahead = 1,
                                 .warmup = 2,
                                 .repeat = 1,
                                 .scenario = TPP_SCENARIO_OFFLINE};
    tpp_bench_row r;
    tpp_bench_row_init(&r);
    tpp_status s = tpp_bench_describe(&r, &cell, tpp_device_caps(x->device));
    if (s == TPP_OK) s = tpp_bench_measure(&r, &cell, x->device, NULL);
    if (s == TPP_OK) tell_frame_row(x, &r);
    tell_programs(x); /* those of a plan that could not be run, too */
    tpp_bench_row_free(&r);
    return s;
}

static tpp_status tell_first_uses(examination *x)
{
    TPP_TRY(tpp_doctor_first_uses(x->device));
    const char *given_up = tpp_device_given_up(x->device);
    json_t *list = json_array();
    for (const char *p = given_up; *p != '\0';) {
        const int n = (int)strcspn(p, "\n");
        char line[256];
        (void)snprintf(line, sizeof(line), "%.*s", n, p);
        (void)printf("switched off: %s\n", line);
        tpp_json_append(&list, tpp_json_text(line));
        x->findings++;
        p += n + (p[n] == '\n');
    }
    if (given_up[0] == '\0') (void)printf("switched off at first use: nothing\n");
    set(x, "switched_off", list);
    return TPP_OK;
}

/* ---- selftest of each family, on a device where nothing was switched off ---- */

typedef struct family {
    int passed, failed;
    double worst; /* error over tolerance */
    json_t *failures;
} family;

static void take_case(void *context, const tpp_selftest_case *c)
{
    family *f = context;
    f->passed += c->passed;
    f->failed += !c->passed;
    if (c->passed) {
        const double share = c->error / c->tolerance;
        if (share > f->worst) f->worst = share;
        return;
    }
    (void)printf("   FAILED %s/%s/%s: %s (error %.3g, tolerance %.3g)\n", c->op, c->name,
                 c->algorithm, c->why, c->error, c->tolerance);
    tpp_json_append(&f->failures,
                    json_pack("{s:o, s:o, s:o, s:o, s:o}", "op", tpp_json_text(c->op), "case",
                              tpp_json_text(c->name), "why", tpp_json_text(c->why), "error",
                              tpp_json_real(c->error), "tolerance", tpp_json_real(c->tolerance)));
}

static tpp_status test_family(examination *x, tpp_device *d, const char *name, json_t **list)
{
    enum { MOST_CASES = 3 }; /* of an op, the smallest first */
    const tpp_selftest_choice choice = {.algorithm = name, .most = MOST_CASES, .limit_s = 20};
    tpp_selftest_passed_over over;
    family f = {.failures = json_array()};
    TPP_TRY(tpp_selftest_ops(d, &choice, take_case, &f, &over));
    (void)printf("selftest %s: ", name);
    if (f.passed + f.failed == 0)
        (void)printf("this device does not take it\n");
    else
        (void)printf("%d passed, %d failed%s, errors up to %.0f %% of what is allowed\n", f.passed,
                     f.failed, over.left_out > 0 ? ", some left out for time" : "", 1e2 * f.worst);
    x->findings += f.failed > 0;
    tpp_json_append(list, json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:o}", "name",
                                    tpp_json_text(name), "passed", f.passed, "failed", f.failed,
                                    "unsupported", over.unsupported, "left_out", over.left_out,
                                    "half_storage", over.halves, "failures", f.failures));
    return TPP_OK;
}

static tpp_status tell_families(examination *x)
{
    tpp_device *d = NULL;
    const char *name = NULL;
    json_t *list = json_array();
    tpp_status s = tpp_cli_device(&d, x->a->device, "none");
    for (int i = 0; s == TPP_OK && (name = tpp_algorithm_name(i)) != NULL; i++)
        s = test_family(x, d, name, &list);
    tpp_device_close(d);
    set(x, "families", list);
    return s;
}

/* ---- the command ---- */

typedef tpp_status section(examination *x);

static void examine(examination *x)
{
    static const struct {
        const char *name;
        section *run;
    } sections[] = {{"device", tell_device},         {"tuning", tell_tuning},
                    {"peaks", tell_peaks},           {"frame", tell_frame},
                    {"first uses", tell_first_uses}, {"selftest", tell_families}};
    json_t *failed = json_array();
    for (int i = 0; i < TPP_COUNT(sections); i++) {
        if (sections[i].run(x) != TPP_OK) {
            (void)printf("%s: FAILED: %s\n", sections[i].name, tpp_error());
            tpp_json_append(&failed, json_pack("{s:s, s:o}", "section", sections[i].name, "why",
                                               tpp_json_text(tpp_error())));
            x->findings++;
        }
        (void)fflush(stdout);
    }
    set(x, "failed", failed);
    set(x, "findings", json_integer(x->findings));
}

static tpp_status write_report(const examination *x)
{
    if (x->a->output == NULL) return TPP_OK;
    const struct passwd *user = getpwuid(getuid());
    const char *home = getenv("HOME"), *name = getenv("USER");
    TPP_TRY(tpp_doctor_scrub(x->report, home, name));
    if (user != NULL) TPP_TRY(tpp_doctor_scrub(x->report, user->pw_dir, user->pw_name));
    TPP_TRY(tpp_json_write_file(x->a->output, x->report));
    (void)printf("%s: for a bug report; names of users and paths of their home are left out\n",
                 x->a->output);
    return TPP_OK;
}

static int run_doctor(void *arguments)
{
    const doctor_arguments *a = arguments;
    const tpp_list *sets = &a->common.sets;
    examination x = {.a = a, .report = json_object()};
    tpp_status s = tpp_model_config_read(&x.config, a->config, sets->item, (size_t)sets->count);
    if (s == TPP_OK) s = tpp_cli_device(&x.device, a->device, a->common.tuning);
    if (s != TPP_OK) {
        json_decref(x.report);
        return tpp_exit_with("doctor", s, true);
    }
    examine(&x);
    s = write_report(&x);
    tpp_device_close(x.device);
    json_decref(x.report);
    if (s != TPP_OK) return tpp_exit_with("doctor", s, false);
    (void)printf(x.findings == 0 ? "nothing found\n" : "%d findings\n", x.findings);
    return x.findings == 0 ? TPP_EXIT_OK : TPP_EXIT_FAILED;
}

static const tpp_option options[] = {
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D", .help = "index, part of a name, or auto"},
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {0, "size", TPP_OPTION_SIZE, AT(size), "HxW", .help = "of the network's input",
     .min = TPP_TRIAL_LEAST_SIDE, .max = TPP_TRIAL_MOST_SIDE},
    TPP_TUNING_ROW(AT(common.tuning)),
    {'o', "output", TPP_OPTION_TEXT, AT(output), "FILE",
     .help = "write everything there as JSON too", .completes = TPP_COMPLETE_FILE},
    {0},
};

static const doctor_arguments defaults = {.common = {.tokens = TPP_TRIAL_TOKENS},
                                          .size = {96, 160}};

const tpp_command tpp_command_doctor = {
    .name = "doctor",
    .help = "look at a new device, and write a file for a bug report",
    .synopsis = "[--device D] [--size HxW] [-o FILE]",
    .about =
        "Tells what a device is and can do, how long its programs take to build, its measured\n"
        "peaks, a small frame's time beside what the peak promises, what was switched off at "
        "first\n"
        "use, and whether a few cases of every op are right in every algorithm family; a minute "
        "or\n"
        "two on a CPU. What fails is told, and the rest goes on.",
    .examples = "  tpp doctor\n  tpp doctor --device nvidia -o doctor.json\n",
    .notes = "Exit code 1 when anything was found. The file holds no names of users and no paths "
             "of their\nhome.\n",
    .options = {options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(doctor_arguments),
    .run = run_doctor};
