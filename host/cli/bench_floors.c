/* Plans, computes, prints.
 * SPDX-License-Identifier: MIT */
#include "cli/bench_floors.h"

#include "cli/cli.h"
#include "core/path.h"
#include "infer/bench_floor.h"
#include "infer/json_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a row ---- */

/* Texts are borrowed; NaN and "" do not apply to the row's kind. */
typedef struct floor_row {
    const char *figures, *model, *source, *config, *algorithm, *kind, *graph, *op, *by;
    const char *in, *in_2, *out, *bound;
    double peak_gflops, memory_gbs, launch_us, height, width, ahead;
    double node, runs, launches, gflop, mb, floor_ms;
} floor_row;

enum { A_TEXT = -1 };
#define TEXT(name, title)                               \
    {                                                   \
#name, title, offsetof(floor_row, name), A_TEXT \
    }
#define NUMBER(name, title, digits)                     \
    {                                                   \
#name, title, offsetof(floor_row, name), digits \
    }
static const struct field {
    const char *name;
    const char *title; /* in Markdown; NULL: no column there, what stands above the table says it */
    size_t offset;
    int digits; /* in Markdown, after the point; A_TEXT: a const char *, else a double */
} fields[] = {
    TEXT(figures, NULL),
    TEXT(model, NULL),
    TEXT(source, NULL),
    NUMBER(peak_gflops, NULL, 0),
    NUMBER(memory_gbs, NULL, 0),
    NUMBER(launch_us, NULL, 1),
    TEXT(config, "config"),
    NUMBER(height, "height", 0),
    NUMBER(width, "width", 0),
    NUMBER(ahead, "ahead", 0),
    TEXT(algorithm, "algorithm"),
    TEXT(kind, "of"),
    TEXT(graph, "graph"),
    NUMBER(node, "node", 0),
    TEXT(op, "op"),
    TEXT(by, "by"),
    TEXT(in, "in"),
    TEXT(in_2, "in 2"),
    TEXT(out, "out"),
    NUMBER(runs, "in a frame", 3),
    NUMBER(launches, "launches", 0),
    NUMBER(gflop, "GFLOP", 4),
    NUMBER(mb, "MB", 3),
    NUMBER(floor_ms, "floor ms, computed", 4),
    TEXT(bound, "limit"),
};

static const char *text_of(const floor_row *r, const struct field *f)
{
    return *(const char *const *)(const void *)((const char *)r + f->offset);
}

static double number_of(const floor_row *r, const struct field *f)
{
    return *(const double *)(const void *)((const char *)r + f->offset);
}

/* ---- forms ---- */

typedef struct printer {
    FILE *to;
    const char *format;
    int printed;
} printer;

static bool is(const printer *p, const char *format)
{
    return strcmp(p->format, format) == 0;
}

static void print_csv(FILE *to, const floor_row *r)
{
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++) {
        if (f > fields) (void)fputc(',', to);
        if (f->digits == A_TEXT)
            tpp_bench_csv_text(to, text_of(r, f));
        else if (isfinite(number_of(r, f)))
            (void)fprintf(to, "%.9g", number_of(r, f));
    }
    (void)fputc('\n', to);
}

static void print_md(FILE *to, const floor_row *r)
{
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++) {
        char text[64] = "";
        if (f->title == NULL) continue;
        if (f->digits != A_TEXT && isfinite(number_of(r, f)))
            (void)snprintf(text, sizeof(text), "%.*f", f->digits, number_of(r, f));
        tpp_bench_md_text(to, f->digits == A_TEXT ? text_of(r, f) : text);
    }
    (void)fputs("|\n", to);
}

static tpp_status print_json(printer *p, const floor_row *r)
{
    const bool lines = is(p, "jsonl");
    json_t *j = json_object();
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++)
        tpp_json_set(&j, f->name,
                     f->digits == A_TEXT ? tpp_json_text(text_of(r, f))
                                         : tpp_json_real(number_of(r, f)));
    char *text = j != NULL ? json_dumps(j, JSON_REAL_PRECISION(9) | JSON_COMPACT) : NULL;
    json_decref(j);
    if (text == NULL) return TPP_FAIL(TPP_ENOMEM, "memory for the JSON output ran out");
    (void)fprintf(p->to, "%s%s%s", !lines && p->printed > 0 ? ",\n" : "", text, lines ? "\n" : "");
    free(text); /* jansson's */
    return TPP_OK;
}

static tpp_status print_row(printer *p, const floor_row *r)
{
    tpp_status s = TPP_OK;
    if (is(p, "csv"))
        print_csv(p->to, r);
    else if (is(p, "json") || is(p, "jsonl"))
        s = print_json(p, r);
    else
        print_md(p->to, r);
    p->printed++;
    return s;
}

static void print_md_head(FILE *to, const tpp_device_model *m)
{
    (void)fprintf(
        to,
        "Floors of %s, computed and never measured: %.0f GFLOP/s, %.0f GB/s (%s), %.1f us "
        "a launch (assumed).\n\n",
        m->title, m->gflops, m->memory_gbs, m->source, TPP_LAUNCH_US);
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++)
        if (f->title != NULL) (void)fprintf(to, "| %s ", f->title);
    (void)fputs("|\n", to);
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++)
        if (f->title != NULL) (void)fputs("|---", to);
    (void)fputs("|\n", to);
}

static void print_head(const printer *p, const tpp_device_model *m)
{
    if (is(p, "json")) (void)fputs("[\n", p->to);
    if (is(p, "text") || is(p, "md")) print_md_head(p->to, m);
    if (!is(p, "csv")) return;
    for (const struct field *f = fields; f < fields + TPP_COUNT(fields); f++)
        (void)fprintf(p->to, "%s%s", f > fields ? "," : "", f->name);
    (void)fputc('\n', p->to);
}

/* ---- cells ---- */

typedef struct floors_run {
    const tpp_bench_arguments *a;
    const tpp_device_model *model;
    printer printer;
} floors_run;

static floor_row empty_row(const tpp_device_model *m, const tpp_bench_cell *cell)
{
    const double none = (double)NAN;
    return (floor_row){.figures = "computed",
                       .model = m->name,
                       .source = m->source,
                       .config = tpp_path_base(cell->config_name),
                       .algorithm = cell->algorithm != NULL ? cell->algorithm : "auto",
                       .graph = "",
                       .op = "",
                       .by = "",
                       .in = "",
                       .in_2 = "",
                       .out = "",
                       .bound = "",
                       .peak_gflops = m->gflops,
                       .memory_gbs = m->memory_gbs,
                       .launch_us = TPP_LAUNCH_US,
                       .height = cell->height,
                       .width = cell->width,
                       .ahead = cell->ahead,
                       .node = none,
                       .runs = none};
}

static tpp_status print_sum(printer *p, floor_row r, const char *kind, const tpp_graph_floor *g)
{
    r.kind = kind;
    r.graph = g->name;
    r.runs = g->runs;
    r.launches = g->launches;
    r.gflop = g->cost.flops / 1e9;
    r.mb = g->cost.bytes / 1e6;
    r.floor_ms = g->ms;
    return print_row(p, &r);
}

static tpp_status print_nodes(printer *p, floor_row r, const tpp_plan *plan,
                              const tpp_device_model *m)
{
    tpp_plan_choice c;
    r.kind = "node";
    r.graph = tpp_plan_name(plan);
    for (int i = 0; tpp_plan_choice_at(plan, i, &c); i++) {
        const tpp_floor floor = tpp_floor_of(m, &c.cost, c.launches);
        r.node = c.node;
        r.op = c.op->name;
        r.by = c.algorithm->name;
        r.in = tpp_shape_text(&c.call.in[0].shape);
        r.in_2 = tpp_shape_text(&c.call.in[1].shape);
        r.out = tpp_shape_text(&c.call.out[0].shape);
        r.launches = c.launches;
        r.gflop = c.cost.flops / 1e9;
        r.mb = c.cost.bytes / 1e6;
        r.floor_ms = floor.ms;
        r.bound = tpp_floor_bound_text(floor.bound);
        TPP_TRY(print_row(p, &r));
    }
    return TPP_OK;
}

static tpp_status print_session(floors_run *run, const tpp_bench_cell *cell, const tpp_session *s)
{
    const tpp_device_model *m = run->model;
    const floor_row row = empty_row(m, cell);
    tpp_graph_floor g;
    for (int i = 0; tpp_graph_floor_at(s, m, i, &g); i++) {
        TPP_TRY(print_nodes(&run->printer, row, tpp_session_plan_at(s, i, NULL), m));
        TPP_TRY(print_sum(&run->printer, row, "graph", &g));
    }
    g = tpp_frame_floor(s, m);
    return print_sum(&run->printer, row, "frame", &g);
}

static tpp_status write_cell(void *context, const tpp_bench_cell *cell)
{
    floors_run *run = context;
    const tpp_device_model *m = run->model;
    const tpp_pose pose = {m->title,         m->max_group, m->local_mem,
                           m->compute_units, m->shared_by, m->least_lanes};
    const tpp_several *device = &run->a->device;
    tpp_device *d = NULL;
    tpp_trial trial = {0};
    /* what was tuned here was tuned for what is here */
    tpp_status s = tpp_cli_device(&d, device->count > 0 ? device->item.text[0] : NULL, "none");
    if (s == TPP_OK) s = tpp_device_pose(d, &pose);
    if (s == TPP_OK) s = tpp_bench_open(&trial, cell, d);
    if (s == TPP_OK) s = print_session(run, cell, trial.session);
    tpp_trial_close(&trial);
    tpp_device_close(d);
    return s;
}

tpp_status tpp_bench_floors_write(FILE *to, const tpp_bench_arguments *a,
                                  const struct tpp_model_config *config)
{
    floors_run run = {.a = a,
                      .model = tpp_device_model_find(a->model_device),
                      .printer = {.to = to, .format = a->format}};
    if (run.model == NULL)
        return TPP_FAIL(TPP_EUSAGE, "no device model is called %.60s", a->model_device);
    print_head(&run.printer, run.model);
    TPP_TRY(tpp_bench_grid_walk(a, config, write_cell, &run));
    if (is(&run.printer, "json")) (void)fputs("\n]\n", to);
    return TPP_OK;
}
