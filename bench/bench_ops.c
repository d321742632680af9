/* Every op of the registry by itself: each algorithm with each of its parameters, on the shapes of
 * a frame, or on the registry's own cases.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/samples.h"
#include "infer/selftest.h"
#include "op_run.h"
#include "ops/peak.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

enum { MAX_RUNS = 99 };

typedef struct ops_arguments {
    tpp_single_arguments trial; /* first: its rows count from here */
    const char *op, *format;
    double min_share, patience;
    int runs;
    bool cases;
} ops_arguments;

typedef struct context {
    const ops_arguments *a;
    tpp_device *device;
    bool csv;
    double peak, bandwidth; /* GFLOP/s, GB/s */
    double frame_ms;        /* sum of a frame's ops, each by itself; with --cases 0 */
    int failed;
} context;

/* One op with one input, and who else has it. */
typedef struct subject {
    const tpp_op *op;
    const char *where;
    const tpp_case *c;
    const bench_inputs *in;
    tpp_call call;
    tpp_cost cost;
    int count; /* in a frame; 0: of a case */
} subject;

typedef struct timing {
    double median, least; /* ms */
    int runs;
} timing;

/* The first run compiles and is not counted. One that takes longer than the user's patience is not
 * repeated. */
static tpp_status time_runs(timing *out, bench_run *r, const ops_arguments *a)
{
    double ms[MAX_RUNS], first = 0;
    TPP_TRY(bench_run_event(r, &first));
    TPP_TRY(bench_run_event(r, &first));
    *out = (timing){first, first, 1};
    if (first > a->patience * 1e3) return TPP_OK;
    for (int i = 0; i < a->runs; i++) TPP_TRY(bench_run_event(r, &ms[i]));
    *out = (timing){.median = tpp_samples_median(ms, a->runs), .least = ms[0], .runs = a->runs};
    return TPP_OK;
}

static tpp_status time_algorithm(timing *out, const context *x, const subject *s,
                                 const tpp_algorithm *a, const tpp_params *params)
{
    bench_run r = {0};
    TPP_TRY(bench_run_open(&r, x->device, s->op, s->c, s->in, a, params));
    const tpp_status status = time_runs(out, &r, x->a);
    bench_run_close(&r);
    return status;
}

/* ---- rows ---- */

static void print_head(const context *x)
{
    static const char *const names[] = {
        "op",   "where", "in",       "in 2",    "out",    "count", "algorithm", "parameters",
        "runs", "ms",    "least ms", "GFLOP/s", "peak %", "GB/s",  "floor ms",  "frame %"};
    bench_print_head(names, TPP_COUNT(names), x->csv);
}

static void params_text(char *out, size_t size, const tpp_algorithm *a, const tpp_params *p)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < TPP_MAX_PARAMS && a->variant != NULL && a->param[i] != NULL; i++) {
        const int n =
            snprintf(out + used, size - used, "%s%s=%d", i > 0 ? " " : "", a->param[i], p->n[i]);
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
    }
}

/* gemm+bias+relu: what was merged into a product or convolution. */
static void op_text(char *out, size_t size, const tpp_op *op, const tpp_case *c)
{
    static const char *const acts[] = {"",         "+relu",       "+gelu",  "+tanh",
                                       "+sigmoid", "+invsigmoid", "+binary"};
    const int act = op->fusable ? *(const int *)c->attr : 0;
    const bool is_fusable = op->fusable;
    (void)snprintf(out, size, "%s%s%s%s%s", op->name,
                   is_fusable && c->in[TPP_GEMM_ADDEND].rank > 0 ? "+addend" : "",
                   is_fusable && c->in[TPP_GEMM_BIAS].rank > 0 ? "+bias" : "",
                   is_fusable && c->in[TPP_GEMM_RESIDUAL].rank > 0 ? "+residual" : "",
                   act > 0 && act < TPP_COUNT(acts) ? acts[act] : "");
}

static const char *shape_or_none(const tpp_shape *s)
{
    return s->rank > 0 ? tpp_shape_text(s) : "";
}

static void print_timing(const context *x, const subject *s, const tpp_algorithm *a,
                         const tpp_params *params, const timing *t, bool chosen)
{
    char text[BENCH_CELL], name[BENCH_CELL];
    bench_row r = {0};
    const double gflops = s->cost.flops / t->median * 1e-6, gbps = s->cost.bytes / t->median * 1e-6;
    const double compute = s->cost.flops / x->peak * 1e-6,
                 memory = s->cost.bytes / x->bandwidth * 1e-6;
    params_text(text, sizeof(text), a, params);
    op_text(name, sizeof(name), s->op, s->c);
    bench_cell(&r, "%s", name);
    bench_cell(&r, "%s", s->where);
    bench_cell(&r, "%s", shape_or_none(&s->c->in[0]));
    bench_cell(&r, "%s", shape_or_none(&s->c->in[1]));
    bench_cell(&r, "%s", shape_or_none(&s->call.out[0].shape));
    bench_cell(&r, "%d", s->count);
    bench_cell(&r, "%s%s", a->name, chosen ? " *" : "");
    bench_cell(&r, "%s", text);
    bench_cell(&r, "%d", t->runs);
    bench_cell(&r, "%.4f", t->median);
    bench_cell(&r, "%.4f", t->least);
    bench_cell(&r, "%.1f", gflops);
    bench_cell(&r, "%.1f", 100 * gflops / x->peak);
    bench_cell(&r, "%.2f", gbps);
    bench_cell(&r, "%.4f", compute > memory ? compute : memory);
    if (x->frame_ms > 0)
        bench_cell(&r, "%.2f", 100 * t->median * s->count / x->frame_ms);
    else
        bench_cell(&r, "%s", "");
    bench_print_row(&r, x->csv);
}

/* Every algorithm that takes the subject, with each of its parameters; not `done` (may be NULL)
 * with `done_params` again. */
static void bench_subject(context *x, const subject *s, const tpp_algorithm *done,
                          const tpp_params *done_params)
{
    const tpp_caps *caps = tpp_device_caps(x->device);
    for (const tpp_algorithm *a = s->op->algorithms; a->name != NULL; a++) {
        if (x->a->trial.algorithm != NULL && strcmp(a->name, x->a->trial.algorithm) != 0) continue;
        if (!tpp_algorithm_takes(s->op, a, &s->call, caps)) continue;
        tpp_params params = {{0}};
        for (int v = 0; a->variant != NULL ? a->variant(&s->call, caps, v, &params) : v == 0; v++) {
            timing t = {0};
            if (a == done && memcmp(&params, done_params, sizeof(params)) == 0) continue;
            if (time_algorithm(&t, x, s, a, &params) == TPP_OK) {
                print_timing(x, s, a, &params, &t, false);
                continue;
            }
            (void)fprintf(stderr, "%s, %s: %s\n", s->op->name, a->name, tpp_error());
            x->failed++;
        }
    }
}

static bool wanted(const ops_arguments *a, const tpp_op *op)
{
    return a->op == NULL || strcmp(a->op, op->name) == 0;
}

/* ---- the registry's cases ---- */

static tpp_status bench_case(context *x, const tpp_op *op, const tpp_case *c)
{
    subject s = {.op = op, .where = c->name, .c = c};
    tpp_shape out[TPP_MAX_OUT];
    bench_inputs in = {{0}};
    TPP_TRY(bench_call_of(&s.call, op, c));
    for (int i = 0; i < TPP_MAX_OUT; i++) out[i] = s.call.out[i].shape;
    s.cost = op->cost(c->attr, c->in, out);
    TPP_TRY(bench_inputs_make(&in, op, c, false));
    s.in = &in;
    bench_subject(x, &s, NULL, NULL);
    bench_inputs_free(&in);
    return TPP_OK;
}

static tpp_status bench_cases(context *x)
{
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_case *c = (*op)->cases; c->name != NULL; c++)
            if (wanted(x->a, *op)) TPP_TRY(bench_case(x, *op, c));
    return TPP_OK;
}

/* ---- the ops of a frame ---- */

/* `t` NULL: only times what the plan chose, into *chosen. */
static tpp_status visit_node(context *x, const bench_node *n, timing *chosen, bool print)
{
    const tpp_case c = bench_case_of(n);
    bench_inputs in = {{0}};
    subject s = {.op = n->op,
                 .where = n->plan,
                 .c = &c,
                 .call = n->call,
                 .cost = n->cost,
                 .count = n->count};
    TPP_TRY(bench_inputs_make(&in, n->op, &c, true));
    s.in = &in;
    tpp_status status = TPP_OK;
    if (print) {
        print_timing(x, &s, n->algorithm, &n->params, chosen, true);
        bench_subject(x, &s, n->algorithm, &n->params);
    } else {
        status = time_algorithm(chosen, x, &s, n->algorithm, &n->params);
    }
    bench_inputs_free(&in);
    return status;
}

static tpp_status bench_nodes(context *x, const bench_node *node, int n)
{
    timing *chosen = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW(chosen, n);
    for (int i = 0; i < n && s == TPP_OK; i++) {
        s = visit_node(x, &node[i], &chosen[i], false);
        x->frame_ms += chosen[i].median * node[i].count;
    }
    if (s == TPP_OK) {
        bench_print_note(x->csv,
                         "the ops of a frame, each by itself: %.1f ms; * is what the plan "
                         "chose",
                         x->frame_ms);
        print_head(x);
    }
    for (int i = 0; i < n && s == TPP_OK; i++)
        if (wanted(x->a, node[i].op) &&
            100 * chosen[i].median * node[i].count >= x->a->min_share * x->frame_ms)
            s = visit_node(x, &node[i], &chosen[i], true);
    tpp_free(chosen);
    return s;
}

static tpp_status measure_device(context *x)
{
    TPP_TRY(tpp_device_peak(x->device, &x->peak));
    TPP_TRY(tpp_device_copy_peak(x->device, &x->bandwidth));
    bench_print_device(x->csv, x->device, &x->a->trial);
    bench_print_note(x->csv, "FMA peak %.1f GFLOP/s, a copy moves %.1f GB/s", x->peak,
                     x->bandwidth);
    return TPP_OK;
}

static tpp_status run_cases(context *x)
{
    TPP_TRY(tpp_cli_device(&x->device, x->a->trial.device, x->a->trial.common.tuning));
    TPP_TRY(measure_device(x));
    print_head(x);
    return bench_cases(x);
}

static tpp_status run_frame(context *x, tpp_trial *trial, struct tpp_model_config *config)
{
    bench_node *node = NULL;
    int n = 0;
    TPP_TRY(tpp_single_start(trial, config, &x->device, &x->a->trial));
    TPP_TRY(measure_device(x));
    TPP_TRY(bench_nodes_of(&node, &n, trial->session));
    const tpp_status s = bench_nodes(x, node, n);
    tpp_free(node);
    return s;
}

static int run_ops(void *arguments)
{
    const ops_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_trial trial = {0};
    context x = {.a = a, .csv = bench_is_csv(a->format)};
    tpp_status s = tpp_algorithm_check(a->trial.algorithm);
    if (s == TPP_OK && a->op != NULL && tpp_op_find(a->op) == NULL)
        s = TPP_FAIL(TPP_EUSAGE, "there is no op called %.60s", a->op);
    if (s == TPP_OK) s = a->cases ? run_cases(&x) : run_frame(&x, &trial, &config);
    tpp_trial_close(&trial);
    tpp_device_close(x.device);
    const int code = tpp_exit_with("bench_ops", s, true);
    return code == TPP_EXIT_OK && x.failed > 0 ? TPP_EXIT_FAILED : code;
}

static const char *op_word(int i)
{
    int n = 0;
    while (tpp_ops[n] != NULL) n++;
    return i >= 0 && i < n ? tpp_ops[i]->name : NULL;
}

#define AT(member) offsetof(ops_arguments, member)
static const tpp_option options[] = {
    {'o', "op", TPP_OPTION_TEXT, AT(op), "OP", .help = "this op alone", .word = op_word},
    {0, "cases", TPP_OPTION_FLAG, AT(cases), NULL,
     .help = "the registry's test cases, not the ops of a frame"},
    {0, "min-share", TPP_OPTION_REAL, AT(min_share), "PERCENT",
     .help = "only ops that take so much of a frame", .max = 100},
    {0, "runs", TPP_OPTION_INT, AT(runs), "N", .help = "the median of so many", .min = 1,
     .max = MAX_RUNS},
    {0, "patience", TPP_OPTION_REAL, AT(patience), "SECONDS", .help = "what takes longer runs once",
     .max = 1e4},
    {'f', "format", TPP_OPTION_CHOICE, AT(format), "FORMAT", .help = "of the table",
     .word = bench_format_word},
    {0},
};

static const ops_arguments defaults = {
    .trial = TPP_SINGLE_DEFAULTS, .format = "md", .min_share = 0, .patience = 2, .runs = 9};

const tpp_command tpp_command_root = {
    .name = "bench_ops",
    .help = "time every op by itself",
    .synopsis = "[--config FILE] [--size HxW] [--op OP] [--cases]",
    .about =
        "Times every op of a frame, or of the registry's cases, by every algorithm that takes\n"
        "it with each of its parameters, by the device's clock. The floor is what its\n"
        "arithmetic takes at the FMA peak or its bytes at the speed of a copy, both measured\n"
        "in the same run.",
    .options = {tpp_single_rows, options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(ops_arguments),
    .run = run_ops};
