/* tpp selftest: this device against the references, op by op and model by model.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/options.h"
#include "core/path.h"
#include "infer/golden.h"
#include "infer/selftest.h"

#include <stdio.h>
#include <string.h>

enum { WORST_SHOWN = 8 };

typedef struct tally {
    int passed, failed, unusable;
} tally;

/* ---- ops ---- */

typedef struct op_worst {
    const char *op, *algorithm;
    char name[64];
    double share; /* error over tolerance */
    double error, tolerance;
} op_worst;

typedef struct op_run {
    tally *t;
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

static void take_case(void *context, const tpp_selftest_case *c)
{
    op_run *run = context;
    run->t->passed += c->passed;
    run->t->failed += !c->passed;
    if (c->passed)
        keep_worst(run, c);
    else
        (void)printf("FAILED %s/%s/%s: %s (error %.3g, tolerance %.3g)\n", c->op, c->name,
                     c->algorithm, c->why, c->error, c->tolerance);
}

static tpp_status test_ops(tpp_device *d, const char *algorithm, tally *t)
{
    op_run run = {.t = t};
    int unsupported = 0;
    TPP_TRY(tpp_selftest_ops(d, algorithm, take_case, &run, &unsupported));
    (void)printf("ops: %d passed, %d failed, %d combinations that this device does not take\n",
                 t->passed, t->failed, unsupported);
    (void)printf("  %-42s %9s %9s\n", "largest errors (op/case/algorithm)", "error", "limit");
    for (int i = 0; i < WORST_SHOWN && run.worst[i].op != NULL; i++) {
        char name[160];
        (void)snprintf(name, sizeof(name), "%s/%s/%s", run.worst[i].op, run.worst[i].name,
                       run.worst[i].algorithm);
        (void)printf("  %-42s %9.2e %9.0e\n", name, run.worst[i].error, run.worst[i].tolerance);
    }
    return TPP_OK;
}

/* ---- golden models ---- */

static void print_report(const tpp_golden_report *r, const char *name)
{
    const int n = r->passed + r->failed;
    (void)printf("%s: %d of %d tensors agree\n", name, r->passed, n);
    (void)printf("  %-32s %9s %9s\n", "largest errors", "error", "limit");
    for (int i = 0; i < n && (i < r->failed || i < r->failed + WORST_SHOWN); i++) {
        const tpp_golden_row *row = &r->rows[i];
        (void)printf("  %-32s %9.2e %9.0e%s%s\n", row->name, row->error, row->tolerance,
                     row->passed ? "" : "  FAILED: ", row->passed ? "" : row->why);
    }
}

static tpp_status test_golden(tpp_device *d, const tpp_golden *g, const char *name,
                              const char *algorithm, tally *t)
{
    tpp_golden_report report = {0};
    TPP_TRY(tpp_golden_report_init(&report, g));
    const tpp_status s = tpp_golden_run(g, d, algorithm, tpp_golden_sink, &report);
    if (s == TPP_OK) {
        tpp_golden_report_finish(&report);
        print_report(&report, name);
        t->passed += report.passed;
        t->failed += report.failed;
    }
    tpp_golden_report_free(&report);
    return s;
}

static tpp_status test_builtin(tpp_device *d, const char *algorithm, tally *t)
{
    tpp_golden g = {0};
    TPP_TRY(tpp_golden_builtin(&g));
    const tpp_status s = test_golden(d, &g, "built-in model", algorithm, t);
    tpp_golden_free(&g);
    return s;
}

/* A file that cannot be used does not keep the others from being tested. */
static tpp_status test_file(tpp_device *d, const char *path, const char *algorithm, tally *t)
{
    tpp_golden g = {0};
    tpp_status s = tpp_golden_read(&g, path);
    if (s == TPP_ENOMEM) return s;
    if (s != TPP_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "tpp selftest: %s\n", tpp_error());
        t->unusable++;
        return TPP_OK;
    }
    s = test_golden(d, &g, tpp_path_base(path), algorithm, t);
    tpp_golden_free(&g);
    return s;
}

static tpp_status run_tests(tpp_device *d, const tpp_list *files, const char *algorithm, tally *t)
{
    const tpp_caps *caps = tpp_device_caps(d);
    (void)printf("device: %s (%s), %s\n", caps->name, caps->platform,
                 algorithm == NULL ? "all algorithms" : algorithm);
    if (files->count == 0) {
        TPP_TRY(test_ops(d, algorithm, t));
        return test_builtin(d, algorithm, t);
    }
    for (int i = 0; i < files->count; i++) TPP_TRY(test_file(d, files->item[i], algorithm, t));
    return TPP_OK;
}

static int finish(tpp_status s, const tally *t)
{
    if (s != TPP_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "tpp selftest: %s\n", tpp_error());
        return tpp_exit_code(s, false);
    }
    (void)printf("%d passed, %d failed", t->passed, t->failed);
    if (t->unusable > 0) (void)printf(", %d files could not be used", t->unusable);
    (void)putchar('\n');
    if (t->failed > 0) return TPP_EXIT_FAILED;
    return t->unusable > 0 ? TPP_EXIT_USAGE : TPP_EXIT_OK;
}

int tpp_cmd_selftest(int argc, char **argv)
{
    const char *device = NULL, *algorithm = NULL;
    bool golden = false, help = false;
    tpp_list files = {0};
    const tpp_option options[] = {
        {'d', "device", TPP_OPTION_TEXT, &device, "D", "index, part of a name, or auto", 0, 0},
        {'a', "algorithm", TPP_OPTION_TEXT, &algorithm, "A",
         "only this one (ops), or this one first (models)", 0, 0},
        {'g', "golden", TPP_OPTION_FLAG, &golden, NULL,
         "the files that follow are golden files of the reference program", 0, 0},
    };
    const tpp_usage usage = {
        "tpp selftest", "[--device D] [--algorithm A] [--golden FILE...]",
        "Without files: every op in every algorithm that the device takes against its float64\n"
        "reference, and one small model inside the program. With files: runs each file's model\n"
        "with synthetic weights and compares every tensor that the file holds.",
        "  tpp selftest\n"
        "  tpp selftest --device pocl --algorithm plain\n"
        "  tpp selftest --golden ../shared/reference/golden/forward_tiny.safetensors\n",
        "Exit code 1 when anything failed, else 2 when a file could not be used.\n"};
    tally t = {0};
    tpp_device *d = NULL;
    tpp_status s =
        tpp_options_parse(&usage, options, TPP_COUNT(options), argc, argv, &files, &help);
    if (s != TPP_OK || help) return tpp_exit_with("selftest", s, true);
    if (golden != (files.count > 0))
        s = TPP_FAIL(TPP_EUSAGE,
                     golden ? "--golden wants at least one file" : "files go after --golden");
    if (s == TPP_OK) s = tpp_algorithm_check(algorithm);
    if (s == TPP_OK) s = tpp_cli_device(&d, device);
    if (s != TPP_OK) return tpp_exit_with("selftest", s, true);
    s = run_tests(d, &files, algorithm, &t);
    tpp_device_close(d);
    return finish(s, &t);
}
