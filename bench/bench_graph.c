/* One part of the model by itself, timed as often as asked, for programs that take turns with it.
 *
 * Reads commands, one a line, and answers each with one line of JSON:
 *   run N             {"seconds": [N wall times, from the first enqueue to the end of a finish]}
 *   check IN OUT      floats of all inputs from the file IN, one run, floats of all outputs to OUT
 *   peak              {"gflops": FMA peak of the device}
 * The first line it prints describes the part. Without --serve it is one "run".
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/json.h"
#include "core/clock.h"
#include "core/mem.h"
#include "infer/weights.h"
#include "model/deform.h"
#include "nn/plan.h"
#include "ops/peak.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

typedef struct graph_arguments {
    tpp_single_arguments trial; /* first: its rows count from here */
    const char *part;
    int runs;
    bool serve;
} graph_arguments;

enum { MAX_TENSORS = TPP_MAX_LEVELS + 1, MAX_RUNS = 10000 };

/* A planned part. Zero-initialise; close in any state. */
typedef struct part {
    const graph_arguments *a;
    struct tpp_model_config config;
    tpp_model_dims dims;
    uint64_t seed;
    tpp_device *device;
    tpp_store *store;
    tpp_plan *plan;
    tpp_buffer *arena;
    const char *in[MAX_TENSORS], *out[MAX_TENSORS];
    int n_in, n_out;
} part;

static void part_close(part *p)
{
    tpp_plan_close(p->plan);
    tpp_buffer_close(p->arena);
    tpp_store_close(p->store);
    tpp_device_close(p->device);
    *p = (part){0};
}

/* ---- the parts ---- */

/* in: image [B, H*W, 3]; out: res2 .. res5. */
static tpp_status build_backbone(tpp_graph *g, part *p)
{
    static const char *const out[] = {"res2", "res3", "res4", "res5"};
    p->in[p->n_in++] = "image";
    for (int i = 0; i < TPP_STAGES; i++) p->out[p->n_out++] = out[i];
    return tpp_build_backbone(g, &p->dims, p->a->trial.ahead);
}

/* in: src0 .. src3 [B, tokens, C]; out: encoder [B, S, C]. */
static tpp_status build_encoder(tpp_graph *g, part *p)
{
    static const char *const in[] = {"src0", "src1", "src2", "src3",
                                     "src4", "src5", "src6", "src7"};
    const int64_t batch = p->a->trial.ahead, channels = p->config.model.hidden;
    tpp_value src[TPP_MAX_LEVELS];
    if (p->dims.levels > TPP_COUNT(in))
        return TPP_FAIL(TPP_EUSAGE, "%d levels, at most %d have names here", p->dims.levels,
                        TPP_COUNT(in));
    for (int l = 0; l < p->dims.levels; l++) {
        p->in[p->n_in++] = in[l];
        src[l] = tpp_input(g, in[l], TPP_F32,
                           TPP_SHAPE(batch, tpp_map_tokens(&p->dims.level[l]), channels));
    }
    p->out[p->n_out++] = "encoder";
    tpp_output(g, "encoder",
               tpp_deform_encoder(g, &p->dims, tpp_concat(g, 1, p->dims.levels, src)));
    return tpp_graph_status(g);
}

typedef struct part_row {
    const char *name;
    tpp_status (*build)(tpp_graph *g, part *p);
} part_row;
static const part_row rows[] = {{"backbone", build_backbone}, {"encoder", build_encoder}};

static const char *part_word(int i)
{
    return i >= 0 && i < TPP_COUNT(rows) ? rows[i].name : NULL;
}

static tpp_status open_plan(part *p)
{
    const tpp_plan_options options = {.name = p->a->part, .algorithm = p->a->trial.algorithm};
    tpp_graph *g = NULL;
    int row = 0;
    while (strcmp(rows[row].name, p->a->part) != 0) row++;
    TPP_TRY(tpp_graph_open(&g));
    tpp_status s = rows[row].build(g, p);
    if (s == TPP_OK) s = tpp_plan_open(&p->plan, g, p->store, &options);
    tpp_graph_close(g);
    if (s == TPP_OK && tpp_plan_arena_bytes(p->plan) > 0)
        s = tpp_buffer_open(&p->arena, p->device, tpp_plan_arena_bytes(p->plan));
    if (s == TPP_OK) s = tpp_plan_record(p->plan, p->arena);
    return s;
}

static tpp_status part_open(part *p, const graph_arguments *a)
{
    const tpp_single_arguments *t = &a->trial;
    p->a = a;
    p->seed = 1;
    TPP_TRY(tpp_model_config_read(&p->config, t->config, t->common.sets.item,
                                  (size_t)t->common.sets.count));
    TPP_TRY(tpp_model_dims_set(&p->dims, &p->config, t->size.height, t->size.width, 1,
                               t->common.tokens));
    TPP_TRY(tpp_cli_device(&p->device, t->device, t->common.tuning));
    TPP_TRY(tpp_store_open(&p->store, p->device, tpp_synth_source, &p->seed));
    return open_plan(p);
}

/* ---- commands ---- */

static tpp_status print_line(json_t *j)
{
    if (j == NULL) return TPP_FAIL(TPP_ENOMEM, "memory ran out for an answer");
    const int failed = json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(j);
    if (failed != 0 || printf("\n") < 0 || fflush(stdout) != 0)
        return TPP_FAIL(TPP_EIO, "stdout does not take an answer");
    return TPP_OK;
}

static json_t *tensors_json(const part *p, const char *const *names, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        tpp_shape shape = {0};
        tpp_dtype type = TPP_F32;
        json_t *dims = json_array();
        if (!tpp_plan_shape(p->plan, names[i], &shape, &type)) continue;
        for (int d = 0; d < shape.rank; d++) json_array_append_new(dims, json_integer(shape.d[d]));
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", names[i], "shape", dims));
    }
    return list;
}

static tpp_status describe(const part *p)
{
    const tpp_caps *c = tpp_device_caps(p->device);
    const tpp_size *size = &p->a->trial.size;
    return print_line(json_pack(
        "{s:s, s:s, s:[i, i], s:s, s:s, s:s, s:i, s:i, s:f, s:i, s:o, s:o}", "version",
        tpp_cli_version(), "part", p->a->part, "size", size->height, size->width, "device", c->name,
        "platform", c->platform, "driver", c->driver, "units", c->compute_units, "vector",
        c->vector_width, "flops", tpp_plan_flops(p->plan), "launches", tpp_plan_launches(p->plan),
        "in", tensors_json(p, p->in, p->n_in), "out", tensors_json(p, p->out, p->n_out)));
}

static tpp_status time_runs(part *p, int runs)
{
    json_t *seconds = json_array();
    for (int i = 0; i < runs; i++) {
        const double start = tpp_clock_seconds();
        tpp_status s = tpp_plan_run(p->plan);
        if (s == TPP_OK) s = tpp_device_finish(p->device);
        if (s != TPP_OK) {
            json_decref(seconds);
            return s;
        }
        json_array_append_new(seconds, json_real(tpp_clock_seconds() - start));
    }
    return print_line(json_pack("{s:o}", "seconds", seconds));
}

/* Floats of the named tensors between the device and a file, one after another. */
static tpp_status move_tensors(part *p, const char *const *names, int n, FILE *f, const char *path,
                               bool in)
{
    for (int i = 0; i < n; i++) {
        tpp_shape shape;
        tpp_dtype type;
        float *v = NULL;
        tpp_buffer *b = tpp_plan_buffer(p->plan, names[i], &shape, &type);
        const size_t count = (size_t)tpp_shape_count(&shape);
        TPP_NEW(v, count);
        tpp_status s = in ? TPP_OK : tpp_buffer_read(b, 0, v, count * sizeof(*v));
        if (s == TPP_OK &&
            (in ? fread(v, sizeof(*v), count, f) : fwrite(v, sizeof(*v), count, f)) != count)
            s = TPP_FAIL(TPP_EIO, "%s: %s wants %zu floats there", path, names[i], count);
        if (s == TPP_OK && in) s = tpp_buffer_write(b, 0, v, count * sizeof(*v));
        tpp_free(v);
        TPP_TRY(s);
    }
    return TPP_OK;
}

static tpp_status move_file(part *p, const char *path, bool in)
{
    FILE *f = fopen(path, in ? "rb" : "wb");
    if (f == NULL) return TPP_FAIL(TPP_EIO, "%s cannot be opened", path);
    tpp_status s = move_tensors(p, in ? p->in : p->out, in ? p->n_in : p->n_out, f, path, in);
    if (fclose(f) != 0 && s == TPP_OK) s = TPP_FAIL(TPP_EIO, "%s cannot be written", path);
    return s;
}

static tpp_status check(part *p, const char *from, const char *to)
{
    TPP_TRY(move_file(p, from, true));
    TPP_TRY(tpp_plan_run(p->plan));
    TPP_TRY(tpp_device_finish(p->device));
    TPP_TRY(move_file(p, to, false));
    return print_line(json_pack("{s:s}", "wrote", to));
}

static tpp_status obey(part *p, char *line)
{
    char *rest = NULL, *end = NULL;
    const char *word = strtok_r(line, " \n", &rest), *first = strtok_r(NULL, " \n", &rest),
               *second = strtok_r(NULL, " \n", &rest);
    if (word == NULL) return TPP_OK;
    if (strcmp(word, "peak") == 0) {
        double gflops = 0;
        TPP_TRY(tpp_device_peak(p->device, &gflops));
        return print_line(json_pack("{s:f}", "gflops", gflops));
    }
    if (strcmp(word, "check") == 0 && second != NULL) return check(p, first, second);
    if (strcmp(word, "run") == 0 && first != NULL) {
        const long n = strtol(first, &end, 10);
        if (*end == '\0' && n >= 1 && n <= MAX_RUNS) return time_runs(p, (int)n);
    }
    return TPP_FAIL(TPP_EUSAGE, "\"%.40s\" is none of run N (to %d), check IN OUT, peak", word,
                    (int)MAX_RUNS);
}

static tpp_status serve(part *p)
{
    char line[2 * 4096];
    while (fgets(line, sizeof(line), stdin) != NULL) TPP_TRY(obey(p, line));
    return TPP_OK;
}

static int run_graph(void *arguments)
{
    const graph_arguments *a = arguments;
    part p = {0};
    tpp_status s = part_open(&p, a);
    if (s == TPP_OK) s = describe(&p);
    if (s == TPP_OK) s = a->serve ? serve(&p) : time_runs(&p, a->runs);
    const int code = tpp_exit_with("bench_graph", s, true);
    part_close(&p);
    return code;
}

#define AT(member) offsetof(graph_arguments, member)
static const tpp_option options[] = {
    {'p', "part", TPP_OPTION_CHOICE, AT(part), "PART", .help = "of the model", .word = part_word},
    {0, "runs", TPP_OPTION_INT, AT(runs), "N", .help = "without --serve", .min = 1,
     .max = MAX_RUNS},
    {0, "serve", TPP_OPTION_FLAG, AT(serve), NULL,
     .help = "commands from stdin: run N, check IN OUT, peak"},
    {0},
};

static const graph_arguments defaults = {
    .trial = TPP_SINGLE_DEFAULTS, .part = "backbone", .runs = 7};

const tpp_command tpp_command_root = {
    .name = "bench_graph",
    .help = "time one part of the model by itself",
    .synopsis = "[--config FILE] [--size HxW] [--part PART] [--serve]",
    .about = "Runs one part of the model with synthetic weights (seed 1) and tells wall times as\n"
             "JSON, a line for each command.",
    .options = {tpp_single_rows, options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(graph_arguments),
    .run = run_graph};
