/* tpp selftest: this device against the references, op by op and model by model.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/words.h"
#include "core/path.h"
#include "infer/golden.h"
#include "infer/selftest.h"

#include <stdio.h>
#include <string.h>

enum { WORST_SHOWN = 8 };
#define IMAGE "image2d_t"

/* What came out so far, and the form in which it is told. */
typedef struct output {
    bool json, quiet; /* quiet: failures only */
    int passed, failed, unusable;
    json_t *ops, *op_failures, *models, *unusable_files; /* with json, else NULL */
} output;

static bool tells(const output *o)
{
    return !o->json && !o->quiet;
}

/* ---- ops ---- */

typedef struct op_worst {
    const char *op, *algorithm;
    char name[64];
    double share; /* error over tolerance */
    double error, tolerance;
} op_worst;

typedef struct op_run {
    output *o;
    op_worst worst[WORST_SHOWN]; /* falling */
} op_run;

static void keep_worst(op_run *run, const tpp_selftest_case *c)
{
    op_worst w = {.op = c->op,
                  .algorithm = c->algorithm,
                  .share = c->error / c->tolerance,
                  .error = c->error,
                  .tolerance = c->tolerance};
    (void)snprintf(w.name, sizeof(w.name), "%s", c->name);
    for (int i = 0; i < WORST_SHOWN; i++)
        if (w.share > run->worst[i].share) {
            const op_worst pushed_down = run->worst[i];
            run->worst[i] = w;
            w = pushed_down;
        }
}

static void tell_failed_case(output *o, const tpp_selftest_case *c)
{
    if (o->json)
        (void)json_array_append_new(
            o->op_failures,
            json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "op", c->op, "case", c->name, "algorithm",
                      c->algorithm, "why", tpp_json_text(c->why), "error", tpp_json_real(c->error),
                      "tolerance", tpp_json_real(c->tolerance)));
    else
        (void)printf("FAILED %s/%s/%s: %s (error %.3g, tolerance %.3g)\n", c->op, c->name,
                     c->algorithm, c->why, c->error, c->tolerance);
}

static void take_case(void *context, const tpp_selftest_case *c)
{
    op_run *run = context;
    run->o->passed += c->passed;
    run->o->failed += !c->passed;
    if (c->passed)
        keep_worst(run, c);
    else
        tell_failed_case(run->o, c);
}

/* What the run was able to show of the device, and what not. */
static void print_exercised(const tpp_device *d, const tpp_selftest_passed_over *over)
{
    const tpp_device_use use = tpp_device_used(d);
    (void)printf("exercised: work-groups up to %zu, local memory up to %zu bytes, half storage %s, "
                 "sub-groups %s, images %s\n",
                 use.group, use.local_bytes, over->halves > 0 ? "yes" : "no",
                 use.sub_groups ? "yes" : "no",
                 tpp_kernels_mention(IMAGE) ? "yes" : "no (no kernel has them)");
}

static json_t *exercised_json(const tpp_device *d, const tpp_selftest_passed_over *over)
{
    const tpp_device_use use = tpp_device_used(d);
    return json_pack("{s:I, s:I, s:b, s:b, s:b}", "work_group", (json_int_t)use.group,
                     "local_memory_bytes", (json_int_t)use.local_bytes, "half_storage",
                     over->halves > 0, "sub_groups", use.sub_groups, "images",
                     tpp_kernels_mention(IMAGE));
}

static void print_ops(const op_run *run, int unsupported)
{
    (void)printf("ops: %d passed, %d failed, %d combinations that this device does not take\n",
                 run->o->passed, run->o->failed, unsupported);
    (void)printf("  %-42s %9s %9s\n", "largest errors (op/case/algorithm)", "error", "limit");
    for (int i = 0; i < WORST_SHOWN && run->worst[i].op != NULL; i++) {
        char name[160];
        (void)snprintf(name, sizeof(name), "%s/%s/%s", run->worst[i].op, run->worst[i].name,
                       run->worst[i].algorithm);
        (void)printf("  %-42s %9.2e %9.0e\n", name, run->worst[i].error, run->worst[i].tolerance);
    }
}

static tpp_status test_ops(tpp_device *d, const char *algorithm, output *o)
{
    op_run run = {.o = o};
    tpp_selftest_passed_over over;
    const tpp_selftest_choice choice = {.algorithm = algorithm};
    if (o->json) o->op_failures = json_array();
    TPP_TRY(tpp_selftest_ops(d, &choice, take_case, &run, &over));
    if (tells(o)) {
        print_ops(&run, over.unsupported);
        print_exercised(d, &over);
    }
    if (o->json) {
        o->ops = json_pack("{s:i, s:i, s:i, s:o, s:o}", "passed", o->passed, "failed", o->failed,
                           "unsupported", over.unsupported, "exercised", exercised_json(d, &over),
                           "failures", o->op_failures);
        o->op_failures = NULL;
    }
    return TPP_OK;
}

/* ---- golden models ---- */

static json_t *report_json(const tpp_golden_report *r, const char *name)
{
    json_t *failures = json_array();
    for (int i = 0; i < r->failed; i++) /* they stand first */
        (void)json_array_append_new(
            failures,
            json_pack("{s:o, s:o, s:o, s:o}", "tensor", tpp_json_text(r->rows[i].name), "error",
                      tpp_json_real(r->rows[i].error), "tolerance",
                      tpp_json_real(r->rows[i].tolerance), "why", tpp_json_text(r->rows[i].why)));
    return json_pack("{s:o, s:i, s:i, s:o}", "name", tpp_json_text(name), "passed", r->passed,
                     "failed", r->failed, "failures", failures);
}

static void print_report(const tpp_golden_report *r, const char *name, bool quiet)
{
    const int n = r->passed + r->failed;
    if (quiet && r->failed == 0) return;
    (void)printf("%s: %d of %d tensors agree\n", name, r->passed, n);
    (void)printf("  %-32s %9s %9s\n", "largest errors", "error", "limit");
    for (int i = 0; i < n && (i < r->failed || (!quiet && i < r->failed + WORST_SHOWN)); i++) {
        const tpp_golden_row *row = &r->rows[i];
        (void)printf("  %-32s %9.2e %9.0e%s%s\n", row->name, row->error, row->tolerance,
                     row->passed ? "" : "  FAILED: ", row->passed ? "" : row->why);
    }
}

static tpp_status test_golden(tpp_device *d, const tpp_golden *g, const char *name,
                              const char *algorithm, output *o)
{
    tpp_golden_report report = {0};
    TPP_TRY(tpp_golden_report_init(&report, g));
    const tpp_status s = tpp_golden_run(g, d, algorithm, tpp_golden_sink, &report);
    if (s == TPP_OK) {
        tpp_golden_report_finish(&report);
        if (o->json)
            (void)json_array_append_new(o->models, report_json(&report, name));
        else
            print_report(&report, name, o->quiet);
        o->passed += report.passed;
        o->failed += report.failed;
    }
    tpp_golden_report_free(&report);
    return s;
}

static tpp_status test_builtin(tpp_device *d, const char *algorithm, output *o)
{
    tpp_golden g = {0};
    TPP_TRY(tpp_golden_builtin(&g));
    const tpp_status s = test_golden(d, &g, "built-in model", algorithm, o);
    tpp_golden_free(&g);
    return s;
}

/* A file that cannot be used does not keep the others from being tested. */
static tpp_status test_file(tpp_device *d, const char *path, const char *algorithm, output *o)
{
    tpp_golden g = {0};
    tpp_status s = tpp_golden_read(&g, path);
    if (s == TPP_ENOMEM) return s;
    if (s != TPP_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "tpp selftest: %s\n", tpp_error());
        if (o->json)
            (void)json_array_append_new(o->unusable_files,
                                        json_pack("{s:o, s:o}", "file", tpp_json_text(path),
                                                  "error", tpp_json_text(tpp_error())));
        o->unusable++;
        return TPP_OK;
    }
    s = test_golden(d, &g, tpp_path_base(path), algorithm, o);
    tpp_golden_free(&g);
    return s;
}

/* ---- the command ---- */

typedef struct selftest_arguments {
    const char *device, *algorithm, *tuning;
    bool golden, json, quiet;
    tpp_list files;
} selftest_arguments;
#define AT(member) offsetof(selftest_arguments, member)

static tpp_status run_tests(tpp_device *d, const selftest_arguments *a, output *o)
{
    const tpp_caps *caps = tpp_device_caps(d);
    if (tells(o))
        (void)printf("device: %s (%s), %s\n", caps->name, caps->platform,
                     a->algorithm == NULL ? "all algorithms" : a->algorithm);
    if (a->files.count == 0) {
        TPP_TRY(test_ops(d, a->algorithm, o));
        return test_builtin(d, a->algorithm, o);
    }
    for (int i = 0; i < a->files.count; i++)
        TPP_TRY(test_file(d, a->files.item[i], a->algorithm, o));
    return TPP_OK;
}

/* Takes what `o` has gathered. */
static tpp_status print_json(output *o, tpp_device *d, const char *algorithm)
{
    const tpp_caps *caps = tpp_device_caps(d);
    json_t *all =
        json_pack("{s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:i, s:i}", "device", "name",
                  tpp_json_text(caps->name), "platform", tpp_json_text(caps->platform), "driver",
                  tpp_json_text(caps->driver), "algorithm", tpp_json_text(algorithm), "ops",
                  o->ops != NULL ? o->ops : json_null(), "models", o->models, "unusable",
                  o->unusable_files, "passed", o->passed, "failed", o->failed);
    o->ops = o->models = o->unusable_files = NULL;
    return tpp_json_print(all);
}

static int finish(tpp_status s, const output *o)
{
    if (s != TPP_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "tpp selftest: %s\n", tpp_error());
        return tpp_exit_code(s, false);
    }
    if (tells(o)) {
        (void)printf("%d passed, %d failed", o->passed, o->failed);
        if (o->unusable > 0) (void)printf(", %d files could not be used", o->unusable);
        (void)putchar('\n');
    }
    if (o->failed > 0) return TPP_EXIT_FAILED;
    return o->unusable > 0 ? TPP_EXIT_USAGE : TPP_EXIT_OK;
}

static int run_selftest(void *arguments)
{
    const selftest_arguments *a = arguments;
    output o = {.json = a->json, .quiet = a->quiet};
    tpp_device *d = NULL;
    tpp_status s = tpp_algorithm_check(a->algorithm);
    if (a->golden != (a->files.count > 0))
        s = TPP_FAIL(TPP_EUSAGE,
                     a->golden ? "--golden wants at least one file" : "files go after --golden");
    if (s == TPP_OK) s = tpp_cli_device(&d, a->device, a->tuning);
    if (s != TPP_OK) return tpp_exit_with("selftest", s, true);
    if (o.json) {
        o.models = json_array();
        o.unusable_files = json_array();
    }
    s = run_tests(d, a, &o);
    if (s == TPP_OK && o.json) s = print_json(&o, d, a->algorithm);
    json_decref(o.ops);
    json_decref(o.op_failures);
    json_decref(o.models);
    json_decref(o.unusable_files);
    tpp_device_close(d);
    return finish(s, &o);
}

static const tpp_option options[] = {
    {'d', "device", TPP_OPTION_TEXT, AT(device), "D", .help = "index, part of a name, or auto"},
    {'a', "algorithm", TPP_OPTION_TEXT, AT(algorithm), "A",
     .help = "only this one (ops), or this one first (models)", .word = tpp_algorithm_word},
    TPP_TUNING_ROW(AT(tuning)),
    {'g', "golden", TPP_OPTION_FLAG, AT(golden), NULL,
     .help = "the files that follow are golden files of the reference program"},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "failures only"},
    {0},
};

const tpp_command tpp_command_selftest = {
    .name = "selftest",
    .help = "check this device against the references",
    .synopsis = "[--device D] [--algorithm A] [--golden FILE...]",
    .about =
        "Without files: every op in every algorithm that the device takes against its float64\n"
        "reference, and one small model inside the program. With files: runs each file's model\n"
        "with synthetic weights and compares every tensor that the file holds.",
    .examples = "  tpp selftest\n"
                "  tpp selftest --device pocl --algorithm plain\n"
                "  tpp selftest --golden ../shared/reference/golden/forward_tiny.safetensors\n",
    .notes = "Exit code 1 when anything failed, else 2 when a file could not be used.\n",
    .options = {options},
    .rest = "FILE",
    .rest_offset = AT(files),
    .rest_completes = TPP_COMPLETE_FILE,
    .size = sizeof(selftest_arguments),
    .run = run_selftest};
