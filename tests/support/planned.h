/* Planning a recorded graph, giving it numbers, running it, looking at what comes out.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_PLANNED_H
#define TPP_TESTS_PLANNED_H

#include "core/synth.h"
#include "nn/plan_internal.h"
#include "unit.h"

#include <math.h>

/* A tpp_param_source; the context is a numbers. */
typedef struct numbers {
    uint64_t seed;
    int asked; /* how often */
} numbers;

static inline tpp_status give_numbers(void *context, const char *name, const tpp_shape *shape,
                                      float *out)
{
    numbers *n = context;
    const uint64_t key = tpp_synth_key(name, n->seed);
    const double fan_in =
        shape->rank > 1 ? (double)tpp_shape_count(shape) / (double)shape->d[0] : 1;
    const bool is_variance = strstr(name, "running_var") != NULL;
    for (int64_t i = 0; i < tpp_shape_count(shape); i++) {
        const double u = tpp_synth_value(key, (uint64_t)i);
        out[i] = (float)(is_variance ? 1.0 + 0.5 * u : u * sqrt(3.0 / fan_in));
    }
    n->asked++;
    return TPP_OK;
}

typedef struct planned {
    tpp_plan *plan;
    tpp_buffer *arena;
} planned;

/* Floats from the input's name, integers and bytes all one. */
static inline void fill_input(tpp_plan *p, const tpp_value_info *info)
{
    tpp_buffer *b = tpp_plan_buffer(p, info->name, NULL, NULL);
    const int64_t n = tpp_shape_count(&info->shape);
    const uint64_t key = tpp_synth_key(info->name, 5);
    float *f = tpp_calloc((size_t)n, sizeof(*f));
    assert_non_null(f);
    for (int64_t i = 0; i < n; i++) {
        const int32_t one = 1;
        if (info->type == TPP_F32)
            f[i] = (float)tpp_synth_value(key, (uint64_t)i);
        else if (info->type == TPP_I32)
            memcpy(&f[i], &one, sizeof(one));
        else
            ((uint8_t *)f)[i] = 1;
    }
    UNIT_OK(tpp_buffer_write(b, 0, f, (size_t)n * tpp_dtype_size(info->type)));
    tpp_free(f);
}

/* Plans and records with an arena of its own, and fills the inputs; closes the graph. */
static inline planned plan_graph(tpp_graph *g, tpp_store *store, const tpp_plan_options *options)
{
    planned p = {0};
    UNIT_OK(tpp_graph_status(g));
    UNIT_OK(tpp_plan_open(&p.plan, g, store, options));
    tpp_graph_close(g);
    if (tpp_plan_arena_bytes(p.plan) > 0)
        UNIT_OK(tpp_buffer_open(&p.arena, tpp_store_device(store), tpp_plan_arena_bytes(p.plan)));
    UNIT_OK(tpp_plan_record(p.plan, p.arena));
    for (int v = 0; v < p.plan->n_values; v++)
        if (p.plan->value[v].info.kind == TPP_VALUE_INPUT && p.plan->value[v].info.alias < 0)
            fill_input(p.plan, &p.plan->value[v].info);
    return p;
}

static inline void planned_close(planned *p)
{
    tpp_plan_close(p->plan);
    tpp_buffer_close(p->arena);
    *p = (planned){0};
}

/* The bytes of a result, in new memory of the caller. */
static inline void *read_bytes(const tpp_plan *p, const char *name, size_t *bytes)
{
    tpp_shape shape;
    tpp_dtype type = TPP_F32;
    tpp_buffer *b = tpp_plan_buffer(p, name, &shape, &type);
    if (b == NULL) fail_msg("there is no output %s", name);
    *bytes = (size_t)tpp_shape_count(&shape) * tpp_dtype_size(type);
    void *out = tpp_calloc(*bytes, 1);
    assert_non_null(out);
    UNIT_OK(tpp_buffer_read(b, 0, out, *bytes));
    return out;
}

/* Runs, and gives the floats of one output, in new memory of the caller. */
static inline float *run_for(tpp_plan *p, const char *name, size_t *count)
{
    size_t bytes = 0;
    UNIT_OK(tpp_plan_run(p));
    float *out = read_bytes(p, name, &bytes);
    *count = bytes / sizeof(float);
    return out;
}

/* The largest difference over the largest magnitude of `want`; fails when there is a NaN. */
static inline double difference(const float *got, const float *want, size_t n)
{
    double worst = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)want[i]), m = fabs((double)want[i]);
        if (!(d <= INFINITY))
            fail_msg("element %zu is %g, wanted %g", i, (double)got[i], (double)want[i]);
        worst = d > worst ? d : worst;
        most = m > most ? m : most;
    }
    assert_true(n > 0 && most > 0);
    return worst / most;
}

/* Nodes that run with every frame: all, or those of one op. */
static inline int count_nodes(const tpp_plan *p, const char *op)
{
    int n = 0;
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *node = &p->node[p->order[at]];
        n += !node->constant && (op == NULL || strcmp(node->info.op->name, op) == 0);
    }
    return n;
}

/* The only such node of an op. */
static inline const tpp_plan_node *only_node(const tpp_plan *p, const char *op)
{
    const tpp_plan_node *found = NULL;
    if (count_nodes(p, op) != 1) fail_msg("%d nodes %s, wanted one", count_nodes(p, op), op);
    for (int at = 0; at < p->n_order; at++)
        if (!p->node[p->order[at]].constant && strcmp(p->node[p->order[at]].info.op->name, op) == 0)
            found = &p->node[p->order[at]];
    return found;
}

#endif
