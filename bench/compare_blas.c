/* The matrix products of a frame by three libraries, in turns: ours, OpenBLAS, CLBlast.
 *
 * Their threads share the cores, so each call is warmed by others of its own kind, after a pause
 * that is longer than OpenBLAS's threads spin: 2^28 ticks of the processor's clock, or the power
 * that OPENBLAS_THREAD_TIMEOUT gives (compare_blas.sh). SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/clock.h"
#include "core/mem.h"
#include "infer/samples.h"
#include "op_run.h"
#include "ops/clblast.h"
#include "ops/peak.h"
#include "ops/tuning.h"
#include "products.h"
#include "table.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNS = 99, WARM_MS = 10 };

/* Of the largest value: what sums of 2048 terms in different orders may differ by in float. */
static const double tolerance = 1e-5;

typedef struct blas_arguments {
    tpp_single_arguments trial; /* first: its rows count from here */
    const char *format;
    double min_share;
    int runs;
    bool no_clblast;
} blas_arguments;

typedef enum kind { KERNEL, WALL, BLAS_GIVEN, BLAS_TURNED, CLBLAST, KINDS } kind;

/* One product on all libraries. Zero-initialise; free in any state. */
typedef struct match {
    const bench_product *p;
    tpp_gemm_attr attr;
    tpp_case c;
    bench_inputs in;
    float *turned, *y, *got; /* w as [k, n]; OpenBLAS's result; another's */
    bench_run ours, clblast;
    double ms[KINDS][MAX_RUNS], median[KINDS];
    double error; /* largest difference from OpenBLAS by its largest value */
} match;

static void match_free(match *t)
{
    bench_run_close(&t->ours);
    bench_run_close(&t->clblast);
    bench_inputs_free(&t->in);
    tpp_free(t->turned);
    tpp_free(t->y);
    tpp_free(t->got);
    *t = (match){0};
}

static tpp_status open_algorithm(bench_run *r, const match *t, tpp_device *d, const char *name)
{
    tpp_call call;
    TPP_TRY(bench_call_of(&call, &tpp_op_gemm, &t->c));
    const tpp_choice choice =
        tpp_op_choose(&tpp_op_gemm, name, tpp_device_tuning(d), &call, tpp_device_caps(d));
    return bench_run_open(r, d, &tpp_op_gemm, &t->c, &t->in, choice.algorithm, &choice.params);
}

static tpp_status match_open(match *t, tpp_device *d, const bench_product *p,
                             const blas_arguments *a, bool clblast)
{
    t->p = p;
    t->c = (tpp_case){.name = "product",
                      .attr = &t->attr,
                      .in = {TPP_SHAPE(p->m, p->k), TPP_SHAPE(p->n, p->k), TPP_SHAPE(p->n)}};
    TPP_TRY(bench_inputs_make(&t->in, &tpp_op_gemm, &t->c, false));
    TPP_NEW(t->turned, (size_t)p->n * (size_t)p->k);
    TPP_NEW(t->y, (size_t)p->m * (size_t)p->n);
    TPP_NEW(t->got, (size_t)p->m * (size_t)p->n);
    const float *w = t->in.in[TPP_GEMM_W];
    for (size_t i = 0; i < (size_t)p->n; i++)
        for (size_t j = 0; j < (size_t)p->k; j++)
            t->turned[j * (size_t)p->n + i] = w[i * (size_t)p->k + j];
    TPP_TRY(open_algorithm(&t->ours, t, d, a->trial.algorithm));
    return clblast ? open_algorithm(&t->clblast, t, d, "clblast") : TPP_OK;
}

static void blas_product(const match *t, bool turned)
{
    const bench_product *p = t->p;
    const float *w = turned ? t->turned : t->in.in[TPP_GEMM_W];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, turned ? CblasNoTrans : CblasTrans, p->m, p->n, p->k,
                1.0f, t->in.in[TPP_GEMM_X], p->k, w, turned ? p->n : p->k, 0.0f, t->y, p->n);
}

/* `got` against y + bias; a NaN counts as infinite. */
static double difference(const match *t, const float *got)
{
    const float *bias = t->in.in[TPP_GEMM_BIAS];
    const size_t n = (size_t)t->p->n, count = (size_t)t->p->m * n;
    double worst = 0, scale = 0;
    for (size_t i = 0; i < count; i++) {
        const double want = (double)t->y[i] + (double)bias[i % n], e = fabs(got[i] - want);
        scale = fmax(scale, fabs(want));
        if (!(e <= worst)) worst = isfinite(e) ? e : INFINITY;
    }
    return scale > 0 ? worst / scale : INFINITY;
}

static tpp_status compare_run(match *t, bench_run *r)
{
    double ms = 0;
    const size_t bytes = (size_t)t->p->m * (size_t)t->p->n * sizeof(float);
    TPP_TRY(tpp_buffer_fill(r->out[0], 0x7fc00000)); /* NaN: nothing of an earlier run counts */
    TPP_TRY(bench_run_wall(r, &ms));
    TPP_TRY(tpp_buffer_read(r->out[0], 0, t->got, bytes));
    t->error = fmax(t->error, difference(t, t->got));
    return TPP_OK;
}

static tpp_status compare_all(match *t, bool clblast)
{
    const float *bias = t->in.in[TPP_GEMM_BIAS];
    const size_t n = (size_t)t->p->n, count = (size_t)t->p->m * n;
    blas_product(t, true);
    for (size_t i = 0; i < count; i++) t->got[i] = t->y[i] + bias[i % n];
    memset(t->y, 0, count * sizeof(float));
    blas_product(t, false);
    t->error = difference(t, t->got);
    TPP_TRY(compare_run(t, &t->ours));
    return clblast ? compare_run(t, &t->clblast) : TPP_OK;
}

/* ---- time ---- */

/* 1 GHz is slower than any clock; and a millisecond more. */
static void rest(void)
{
    const char *text = getenv("OPENBLAS_THREAD_TIMEOUT");
    const long power = text != NULL ? strtol(text, NULL, 10) : 0;
    const long ns = (1L << (power >= 4 && power <= 29 ? power : 28)) + 1000000L;
    (void)nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* One product; its milliseconds. */
static tpp_status once(match *t, kind k, double *ms)
{
    if (k == KERNEL) return bench_run_event(&t->ours, ms);
    if (k == WALL) return bench_run_wall(&t->ours, ms);
    if (k == CLBLAST) return bench_run_wall(&t->clblast, ms);
    const double start = tpp_clock_seconds();
    blas_product(t, k == BLAS_TURNED);
    *ms = (tpp_clock_seconds() - start) * 1e3;
    return TPP_OK;
}

/* The warm runs last long enough for threads that woke on one core to be moved apart. */
static tpp_status time_kind(match *t, kind k, double *ms)
{
    rest();
    const double start = tpp_clock_seconds();
    do {
        TPP_TRY(once(t, k, ms));
    } while (tpp_clock_seconds() - start < WARM_MS * 1e-3);
    return once(t, k, ms);
}

static tpp_status time_match(match *t, int runs, bool clblast)
{
    for (int i = 0; i < runs; i++)
        for (int k = KERNEL; k < KINDS; k++)
            if (k != CLBLAST || clblast) TPP_TRY(time_kind(t, (kind)k, &t->ms[k][i]));
    for (int k = 0; k < KINDS; k++) t->median[k] = tpp_samples_median(t->ms[k], runs);
    return TPP_OK;
}

/* ---- rows ---- */

typedef struct sums {
    double ms[KINDS], blas_ms, flops;
    int rows, large, large_won, wrong;
} sums;

static void print_head(bool csv)
{
    static const char *const names[] = {
        "m",          "n",         "k",        "count",        "frame FLOP %",
        "algorithm",  "kernel ms", "wall ms",  "OpenBLAS ms",  "turned ms",
        "CLBlast ms", "GFLOP/s",   "OpenBLAS", "kernel ratio", "wall ratio",
        "difference"};
    bench_print_head(names, TPP_COUNT(names), csv);
}

static void print_times(bench_row *r, const double *ms, double best, double flops)
{
    bench_cell(r, "%.4f", ms[KERNEL]);
    bench_cell(r, "%.4f", ms[WALL]);
    bench_cell(r, "%.4f", ms[BLAS_GIVEN]);
    bench_cell(r, "%.4f", ms[BLAS_TURNED]);
    if (ms[CLBLAST] > 0)
        bench_cell(r, "%.3f", ms[CLBLAST]);
    else
        bench_cell(r, "%s", "");
    bench_cell(r, "%.1f", flops / ms[KERNEL] * 1e-6);
    bench_cell(r, "%.1f", flops / best * 1e-6);
    bench_cell(r, "%.3f", best / ms[KERNEL]);
    bench_cell(r, "%.3f", best / ms[WALL]);
}

static void print_match(const match *t, sums *total, double share, bool csv)
{
    const bench_product *p = t->p;
    const double best = fmin(t->median[BLAS_GIVEN], t->median[BLAS_TURNED]);
    const bool right = t->error <= tolerance;
    bench_row r = {0};
    bench_cell(&r, "%d", p->m);
    bench_cell(&r, "%d", p->n);
    bench_cell(&r, "%d", p->k);
    bench_cell(&r, "%d", p->count);
    bench_cell(&r, "%.2f%s", share, share >= 1 ? " *" : "");
    bench_cell(&r, "%s", t->ours.algorithm->name);
    if (right)
        print_times(&r, t->median, best, p->flops / p->count);
    else
        for (int i = 0; i < 9; i++) bench_cell(&r, "%s", "void");
    bench_cell(&r, "%.1e", t->error);
    bench_print_row(&r, csv);
    total->wrong += !right;
    if (!right) return;
    for (int k = 0; k < KINDS; k++) total->ms[k] += t->median[k] * p->count;
    total->blas_ms += best * p->count;
    total->flops += p->flops;
    total->rows++;
    total->large += share >= 1;
    total->large_won += share >= 1 && t->median[KERNEL] <= best;
}

static void print_sums(const sums *t, double frame_flops, bool csv)
{
    bench_row r = {0};
    bench_cell(&r, "%s", "all, by count");
    for (int i = 0; i < 3; i++) bench_cell(&r, "%s", "");
    bench_cell(&r, "%.2f", 100 * t->flops / frame_flops);
    bench_cell(&r, "%s", "");
    print_times(&r, t->ms, t->blas_ms, t->flops);
    bench_cell(&r, "%s", "");
    bench_print_row(&r, csv);
    bench_print_note(csv, "%d rows, %d void; ours is no slower in %d of %d that are marked (*)",
                     t->rows + t->wrong, t->wrong, t->large_won, t->large);
}

static tpp_status compare_product(const bench_product *p, tpp_device *d, const blas_arguments *a,
                                  bool clblast, double share, sums *total)
{
    match *t = NULL; /* too large for the stack */
    TPP_NEW(t, 1);
    tpp_status s = match_open(t, d, p, a, clblast);
    if (s == TPP_OK) s = compare_all(t, clblast);
    if (s == TPP_OK) s = time_match(t, a->runs, clblast);
    if (s == TPP_OK) print_match(t, total, share, bench_is_csv(a->format));
    match_free(t);
    tpp_free(t);
    return s;
}

static tpp_status compare_products(const bench_product *p, int n, tpp_device *d,
                                   const blas_arguments *a, double frame_flops, sums *total)
{
    const bool csv = bench_is_csv(a->format);
    const bool clblast = !a->no_clblast && tpp_clblast_usable(d);
    double peak = 0;
    TPP_TRY(tpp_device_peak(d, &peak));
    openblas_set_num_threads(tpp_device_caps(d)->compute_units);
    bench_print_device(csv, d, &a->trial);
    bench_print_note(csv, "%s, %s, %d threads; %d runs, medians; FMA peak %.1f GFLOP/s",
                     openblas_get_config(), openblas_get_corename(), openblas_get_num_threads(),
                     a->runs, peak);
    print_head(csv);
    for (int i = 0; i < n; i++) {
        const double share = 100 * p[i].flops / frame_flops;
        if (share < a->min_share) continue;
        TPP_TRY(compare_product(&p[i], d, a, clblast, share, total));
    }
    print_sums(total, frame_flops, csv);
    return TPP_OK;
}

static tpp_status compare(tpp_trial *trial, tpp_device *d, const blas_arguments *a, sums *total)
{
    bench_node *node = NULL;
    bench_product *product = NULL;
    int n_nodes = 0, n = 0;
    const double frame_flops = tpp_session_info_of(trial->session).frame_flops;
    tpp_status s = bench_nodes_of(&node, &n_nodes, trial->session);
    if (s == TPP_OK) s = bench_products_of(&product, &n, node, n_nodes);
    if (s == TPP_OK) s = compare_products(product, n, d, a, frame_flops * trial->batch, total);
    tpp_free(product);
    tpp_free(node);
    return s;
}

static int run_blas(void *arguments)
{
    const blas_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_trial trial = {0};
    tpp_device *device = NULL;
    sums total = {.rows = 0};
    tpp_status s = tpp_single_start(&trial, &config, &device, &a->trial);
    if (s == TPP_OK) s = compare(&trial, device, a, &total);
    tpp_trial_close(&trial);
    tpp_device_close(device);
    const int code = tpp_exit_with("compare_blas", s, true);
    return code == TPP_EXIT_OK && (total.wrong > 0 || total.rows == 0) ? TPP_EXIT_FAILED : code;
}

#define AT(member) offsetof(blas_arguments, member)
static const tpp_option options[] = {
    {0, "no-clblast", TPP_OPTION_FLAG, AT(no_clblast), NULL,
     .help = "leave CLBlast out, which is slow on a CPU"},
    {0, "min-share", TPP_OPTION_REAL, AT(min_share), "PERCENT",
     .help = "only products with so many of a frame's operations", .max = 100},
    {0, "runs", TPP_OPTION_INT, AT(runs), "N", .help = "the median of so many", .min = 1,
     .max = MAX_RUNS},
    {'f', "format", TPP_OPTION_CHOICE, AT(format), "FORMAT", .help = "of the table",
     .word = bench_format_word},
    {0},
};

static const blas_arguments defaults = {.trial = TPP_SINGLE_DEFAULTS, .format = "md", .runs = 9};

const tpp_command tpp_command_root = {
    .name = "compare_blas",
    .help = "the matrix products of a frame beside OpenBLAS and CLBlast",
    .synopsis = "[--config FILE] [--size HxW] [--no-clblast]",
    .about =
        "Times every product of a frame (linear layers, 1x1 convolutions, both halves of a\n"
        "feed-forward block), with its bias, beside OpenBLAS without it, on as many threads as "
        "the\n"
        "device has units. OpenBLAS gets the weight as the model has it, and turned; the faster\n"
        "counts. A ratio above 1 says that ours is faster, * marks a hundredth of a frame's\n"
        "operations or more. A row whose products differ is void, and the exit code is 1.",
    .options = {tpp_single_rows, options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(blas_arguments),
    .run = run_blas};
