/* Walks the grid.
 * SPDX-License-Identifier: MIT */
#include "cli/bench_grid.h"

#include "cli/bench_cold.h"
#include "cli/cli.h"
#include "core/mem.h"

#include <string.h>

/* ---- cells ---- */

/* Indices into the axes. */
typedef struct place {
    int device, config, algorithm, size, scenario, ahead, cache;
} place;

/* One, even where nothing was given: that is the default. */
static int length(const tpp_several *axis)
{
    return axis->count > 0 ? axis->count : 1;
}

static const char *text_at(const tpp_several *axis, int i)
{
    return i < axis->count ? axis->item.text[i] : NULL;
}

static tpp_scenario scenario_at(const tpp_bench_arguments *a, int i)
{
    int s = 0;
    while (s + 1 < TPP_SCENARIO_COUNT &&
           strcmp(tpp_scenario_text(s), a->scenario.item.text[i]) != 0)
        s++;
    return (tpp_scenario)s;
}

/* Steps from cell to cell, devices slowest; false past the last. */
static bool step(place *p, const tpp_bench_arguments *a)
{
    const tpp_scenario s = scenario_at(a, p->scenario);
    const struct {
        int *index, length;
    } axes[] = {{&p->cache, s == TPP_SCENARIO_COLD ? length(&a->kernel_cache) : 1},
                {&p->ahead, s == TPP_SCENARIO_OFFLINE ? length(&a->ahead) : 1},
                {&p->scenario, length(&a->scenario)},
                {&p->size, length(&a->size)},
                {&p->algorithm, length(&a->algorithm)},
                {&p->config, length(&a->config)},
                {&p->device, length(&a->device)}};
    for (int i = 0; i < TPP_COUNT(axes); i++) {
        if (++*axes[i].index < axes[i].length) return true;
        *axes[i].index = 0;
    }
    return false;
}

int tpp_bench_grid_count(const tpp_bench_arguments *a)
{
    place p = {0};
    int n = 1;
    while (step(&p, a)) n++;
    return n;
}

static tpp_bench_cell cell_at(const tpp_bench_arguments *a, const struct tpp_model_config *config,
                              const place *p)
{
    const char *name = text_at(&a->config, p->config),
               *algorithm = text_at(&a->algorithm, p->algorithm);
    const tpp_scenario s = scenario_at(a, p->scenario);
    const bool is_auto = algorithm != NULL && strcmp(algorithm, "auto") == 0;
    return (tpp_bench_cell){.config_name = name != NULL ? name : "preset paper",
                            .config = &config[p->config],
                            .height = a->size.item.size[p->size].height,
                            .width = a->size.item.size[p->size].width,
                            .frames = a->frames,
                            .prompts = a->common.prompts,
                            .tokens = a->common.tokens,
                            .ahead = s == TPP_SCENARIO_OFFLINE ? a->ahead.item.number[p->ahead] : 1,
                            .warmup = a->warmup,
                            .repeat = a->repeat,
                            .scenario = s,
                            .algorithm = is_auto ? NULL : algorithm,
                            .empty_cache =
                                s == TPP_SCENARIO_COLD &&
                                strcmp(a->kernel_cache.item.text[p->cache], "cold") == 0};
}

tpp_bench_cell tpp_bench_first_cell(const tpp_bench_arguments *a,
                                    const struct tpp_model_config *config)
{
    const place first = {0};
    return cell_at(a, config, &first);
}

tpp_status tpp_bench_grid_walk(const tpp_bench_arguments *a, const struct tpp_model_config *config,
                               tpp_bench_visit *visit, void *context)
{
    place p = {0};
    tpp_status s = TPP_OK;
    do {
        const tpp_bench_cell cell = cell_at(a, config, &p);
        s = visit(context, &cell);
    } while (s == TPP_OK && step(&p, a));
    return s;
}

tpp_status tpp_bench_read_configs(struct tpp_model_config **out, const tpp_bench_arguments *a)
{
    const tpp_list *sets = &a->common.sets;
    const int n = length(&a->config);
    struct tpp_model_config *config = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW(config, n);
    for (int i = 0; s == TPP_OK && i < n; i++)
        s = tpp_model_config_read(&config[i], text_at(&a->config, i), sets->item,
                                  (size_t)sets->count);
    if (s == TPP_OK)
        *out = config;
    else
        tpp_free(config);
    return s;
}

/* ---- the run ---- */

typedef struct grid {
    const tpp_bench_arguments *a;
    const struct tpp_model_config *config;
    const tpp_bench_rows *base;
    tpp_bench_table *table;
    tpp_bench_outcome *outcome;
    /* the device in hand, which the cells that follow share */
    int at; /* its place; -1: none yet */
    tpp_device *device;
    tpp_gates *gates;
    tpp_status opened;
    char why[512];
} grid;

static void close_device(grid *g)
{
    tpp_gates_close(g->gates);
    tpp_device_close(g->device);
    g->gates = NULL;
    g->device = NULL;
}

/* A device that is not there is told by its rows; golden files are the user's to mend. */
static tpp_status take_device(grid *g, int at)
{
    if (g->at == at) return TPP_OK;
    close_device(g);
    g->at = at;
    g->opened = tpp_cli_device(&g->device, text_at(&g->a->device, at), g->a->common.tuning);
    (void)snprintf(g->why, sizeof(g->why), "%s", g->opened == TPP_OK ? "" : tpp_error());
    if (g->opened != TPP_OK) return TPP_OK;
    return tpp_gates_open(&g->gates, g->device, g->a->goldens.item, g->a->goldens.count);
}

static void judge(grid *g, tpp_bench_row *r, const tpp_bench_cell *cell)
{
    const tpp_gate_subject subject = {.config = cell->config,
                                      .prompts = (int)r->prompts,
                                      .tokens = cell->tokens,
                                      .ahead = cell->ahead,
                                      .algorithm = cell->algorithm};
    tpp_gate gate = {0};
    if (g->a->no_gate || tpp_bench_status_of(r) != TPP_BENCH_OK) {
        TPP_BENCH_SET(r->gate.against, "not run");
        return;
    }
    if (tpp_gates_judge(g->gates, &subject, &gate) == TPP_OK)
        tpp_bench_set_gate(r, &gate);
    else
        tpp_bench_give_up(r, TPP_EINTERNAL, true);
}

static void measure(grid *g, tpp_bench_row *r, const place *p, const tpp_bench_cell *cell)
{
    FILE *profile = !g->a->profile ? NULL : strcmp(g->table->format, "text") == 0 ? stdout : stderr;
    const tpp_bench_cold cold = {.cell = cell,
                                 .config = text_at(&g->a->config, p->config),
                                 .device = text_at(&g->a->device, p->device),
                                 .common = &g->a->common};
    tpp_status s = g->opened;
    if (s != TPP_OK) {
        tpp_bench_set_status(r, TPP_BENCH_UNSUPPORTED, g->why);
    } else if (cell->scenario == TPP_SCENARIO_COLD) {
        s = tpp_bench_measure_cold(r, &cold);
    } else {
        s = tpp_bench_measure(r, cell, g->device, profile);
    }
    if (s != TPP_OK) g->outcome->because = s;
    judge(g, r, cell);
}

static void count(const grid *g, const tpp_bench_row *r)
{
    const tpp_bench_status s = tpp_bench_status_of(r);
    g->outcome->ok += s == TPP_BENCH_OK;
    g->outcome->wrong += s == TPP_BENCH_INVALID || s == TPP_BENCH_FAILED;
    if (s != TPP_BENCH_OK)
        (void)fprintf(stderr, "tpp bench: %s %.0fx%.0f %s %s: %s: %s\n", r->config, r->height,
                      r->width, r->scenario, r->algorithm, r->status, r->reason);
}

static tpp_status run_cell(grid *g, const place *p)
{
    const tpp_bench_cell cell = cell_at(g->a, g->config, p);
    tpp_bench_row r;
    char build[64];
    TPP_TRY(take_device(g, p->device));
    tpp_bench_row_init(&r);
    (void)snprintf(build, sizeof(build), "%s%s%s", tpp_cli_version(),
                   tpp_commit[0] != '\0' ? "-" : "", tpp_commit);
    TPP_BENCH_SET(r.build, build);
    tpp_status s =
        tpp_bench_describe(&r, &cell, g->device != NULL ? tpp_device_caps(g->device) : NULL);
    if (s == TPP_OK) {
        if (g->device == NULL) TPP_BENCH_SET(r.device, text_at(&g->a->device, p->device));
        if (g->device != NULL) TPP_BENCH_SET(r.tuning, tpp_bench_tuning(g->device));
        measure(g, &r, p, &cell);
        if (g->base != NULL) s = tpp_bench_compare(&r, g->base);
    }
    if (s == TPP_OK) s = tpp_bench_table_row(g->table, &r);
    if (s == TPP_OK) count(g, &r);
    tpp_bench_row_free(&r);
    return s;
}

tpp_status tpp_bench_grid_run(const tpp_bench_arguments *a, const struct tpp_model_config *config,
                              const tpp_bench_rows *base, tpp_bench_table *table,
                              tpp_bench_outcome *out)
{
    grid g = {.a = a, .config = config, .base = base, .table = table, .outcome = out, .at = -1};
    place p = {0};
    tpp_status s = TPP_OK;
    do s = run_cell(&g, &p);
    while (s == TPP_OK && step(&p, a));
    close_device(&g);
    return s;
}
