/* What a plan holds, as a table; and its cost.
 * SPDX-License-Identifier: MIT */
#include "core/str.h"
#include "nn/plan_internal.h"

#include <string.h>

double tpp_plan_flops(const tpp_plan *p)
{
    double flops = 0;
    for (int at = 0; at < p->n_order; at++)
        if (!p->node[p->order[at]].constant) flops += p->node[p->order[at]].cost.flops;
    return flops;
}

const char *tpp_plan_name(const tpp_plan *p)
{
    return p->options.name;
}

int tpp_plan_count(const tpp_plan *p, const char *algorithm)
{
    int count = 0;
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        count += !n->constant && strcmp(n->algorithm->name, algorithm) == 0;
    }
    return count;
}

/* gemm+bias+gelu+residual: what was merged into a node. */
static void print_name(tpp_str *to, const tpp_plan_node *n)
{
    static const char *const acts[] = {"",         "+relu",       "+gelu",  "+tanh",
                                       "+sigmoid", "+invsigmoid", "+binary"};
    tpp_str_format(to, "%s", n->info.op->name);
    const char *norm = n->info.op->normable && n->info.in[TPP_NORM_GAMMA] >= 0 ? "+layernorm" : "";
    if (!n->info.op->fusable) {
        tpp_str_format(to, "%s", norm);
        return;
    }
    int act = 0;
    memcpy(&act, n->info.attr, sizeof(act));
    tpp_str_format(to, "%s%s%s%s", n->info.in[TPP_GEMM_ADDEND] >= 0 ? "+addend" : "",
                   n->info.in[TPP_GEMM_BIAS] >= 0 ? "+bias" : "",
                   n->info.in[TPP_GEMM_RESIDUAL] >= 0 ? "+residual" : "",
                   act > 0 && act < TPP_ACT_COUNT ? acts[act] : "");
    tpp_str_format(to, "%s", norm);
}

/* vector 8,8,256: the algorithm and its parameters. */
static void print_algorithm(tpp_str *to, const tpp_plan_node *n)
{
    tpp_str_format(to, "%s", n->algorithm->name);
    for (int i = 0; i < TPP_MAX_PARAMS && n->algorithm->param[i] != NULL; i++)
        tpp_str_format(to, "%c%d", i == 0 ? ' ' : ',', n->params.n[i]);
}

static void print_place(tpp_str *to, const tpp_plan *p, const tpp_plan_node *n)
{
    const int v = n->info.out[0], r = tpp_plan_root(p, v);
    switch (r < 0 ? TPP_PLACE_NONE : p->value[r].place) {
    case TPP_PLACE_ARENA:
        tpp_str_format(to, "%10.3f", (double)(p->value[r].offset + tpp_plan_view_at(p, v)) / 1e6);
        break;
    case TPP_PLACE_OWN:
    case TPP_PLACE_BOUND:
        tpp_str_format(to, "%10s", "output");
        break;
    case TPP_PLACE_STORE:
        tpp_str_format(to, "%10s", "constant");
        break;
    default:
        tpp_str_format(to, "%10s", "-");
        break;
    }
}

/* ---- shares of what the device can do ---- */

typedef struct floor_of {
    double ms;
    const char *bound; /* "fma" or "copy" */
} floor_of;

/* The time that neither peak lets anybody beat, if every operand moves once. */
static floor_of find_floor(const tpp_cost *cost, const tpp_peaks *peaks)
{
    const double fma = cost->flops * 1e-6 / peaks->gflops,
                 copy = cost->bytes * 1e-6 / peaks->copy_gbs;
    return fma > copy ? (floor_of){fma, "fma"} : (floor_of){copy, "copy"};
}

static bool are_known(const tpp_peaks *peaks)
{
    return peaks != NULL && peaks->gflops > 0 && peaks->copy_gbs > 0;
}

/* " 12.345    200.1    17.20   0.123 copy  39.4%  51.2%" */
static void print_speed(FILE *to, const tpp_cost *cost, double ms, const tpp_peaks *peaks)
{
    const double shown = ms > 0 ? ms : 1e-6, gflops = cost->flops * 1e-6 / shown,
                 gbs = cost->bytes * 1e-6 / shown;
    (void)fprintf(to, " %9.3f %8.1f %8.2f", ms, gflops, gbs);
    if (!are_known(peaks)) return;
    const floor_of f = find_floor(cost, peaks);
    (void)fprintf(to, " %8.3f %-5s %5.1f%% %5.1f%%", f.ms, f.bound, gflops / peaks->gflops * 100,
                  gbs / peaks->copy_gbs * 100);
}

static void print_node(const tpp_plan *p, int at, FILE *to, const double *node_ms,
                       const tpp_peaks *peaks)
{
    const tpp_plan_node *n = &p->node[p->order[at]];
    const tpp_call c = tpp_plan_call(p, n);
    tpp_str name = {0}, place = {0}, algorithm = {0};
    print_name(&name, n);
    print_algorithm(&algorithm, n);
    print_place(&place, p, n);
    (void)fprintf(to, "%4d %-32s %-18s %-18s %-18s %-18s %9.3f %9.2f %s", at,
                  name.text != NULL ? name.text : "?",
                  algorithm.text != NULL ? algorithm.text : "?", tpp_shape_text(&c.in[0].shape),
                  tpp_shape_text(&c.in[1].shape), tpp_shape_text(&c.out[0].shape),
                  n->cost.flops * 1e-9, n->cost.bytes * 1e-6,
                  place.text != NULL ? place.text : "?");
    if (node_ms != NULL) print_speed(to, &n->cost, node_ms[at], peaks);
    (void)fprintf(to, "\n");
    tpp_str_free(&name);
    tpp_str_free(&place);
    tpp_str_free(&algorithm);
}

/* The whole plan; its floor is the sum of the nodes' floors. */
typedef struct sum {
    tpp_cost cost;
    double ms, floor_ms;
} sum;

static void add_node(sum *all, const tpp_cost *cost, double ms, const tpp_peaks *peaks)
{
    all->cost.flops += cost->flops;
    all->cost.bytes += cost->bytes;
    all->ms += ms;
    if (are_known(peaks)) all->floor_ms += find_floor(cost, peaks).ms;
}

static void print_total(FILE *to, const sum *all, const tpp_peaks *peaks)
{
    const double ms = all->ms > 0 ? all->ms : 1e-6, gflops = all->cost.flops * 1e-6 / ms,
                 gbs = all->cost.bytes * 1e-6 / ms;
    (void)fprintf(to, "     total %.3f ms, %.1f GFLOP/s", all->ms, gflops);
    if (are_known(peaks))
        (void)fprintf(to,
                      " (%.1f %% of the FMA peak), %.1f GB/s (%.1f %% of the copy peak), floor "
                      "%.3f ms (%.1f %%)",
                      gflops / peaks->gflops * 100, gbs, gbs / peaks->copy_gbs * 100, all->floor_ms,
                      all->floor_ms / ms * 100);
    (void)fprintf(to, "\n");
}

void tpp_plan_print(const tpp_plan *p, FILE *to, const double *node_ms, const tpp_peaks *peaks)
{
    sum all = {0};
    (void)fprintf(
        to, "plan %s on %s: %d nodes, %d launches, %.2f GFLOP, arena %.2f MB, own %.2f MB\n",
        p->options.name, p->caps->name, p->n_order, tpp_plan_launches(p), tpp_plan_flops(p) * 1e-9,
        (double)p->arena_bytes / 1e6, (double)tpp_plan_own_bytes(p) / 1e6);
    (void)fprintf(to, "%4s %-32s %-18s %-18s %-18s %-18s %9s %9s %10s%s%s\n", "", "node",
                  "algorithm", "in", "in 2", "out", "GFLOP", "MB", "arena MB",
                  node_ms != NULL ? "        ms  GFLOP/s     GB/s" : "",
                  node_ms != NULL && are_known(peaks) ? " floor ms bound    fma   copy" : "");
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        if (n->constant) continue;
        print_node(p, at, to, node_ms, peaks);
        if (node_ms != NULL) add_node(&all, &n->cost, node_ms[at], peaks);
    }
    if (node_ms != NULL) print_total(to, &all, peaks);
}
