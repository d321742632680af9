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

/* gemm+bias+gelu+residual: what was merged into a node. */
static void print_name(tpp_str *to, const tpp_plan_node *n)
{
    static const char *const acts[] = {"",         "+relu",       "+gelu",  "+tanh",
                                       "+sigmoid", "+invsigmoid", "+binary"};
    tpp_str_format(to, "%s", n->info.op->name);
    if (!n->info.op->fusable) return;
    int act = 0;
    memcpy(&act, n->info.attr, sizeof(act));
    tpp_str_format(to, "%s%s%s%s", n->info.in[TPP_GEMM_ADDEND] >= 0 ? "+addend" : "",
                   n->info.in[TPP_GEMM_BIAS] >= 0 ? "+bias" : "",
                   n->info.in[TPP_GEMM_RESIDUAL] >= 0 ? "+residual" : "",
                   act > 0 && act < TPP_ACT_COUNT ? acts[act] : "");
}

static void print_place(tpp_str *to, const tpp_plan *p, const tpp_plan_node *n)
{
    const int v = n->info.out[0];
    switch (v < 0 ? TPP_PLACE_NONE : p->value[v].place) {
    case TPP_PLACE_ARENA:
        tpp_str_format(to, "%10.3f", (double)p->value[v].offset / 1e6);
        break;
    case TPP_PLACE_OWN:
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

static void print_node(const tpp_plan *p, int at, FILE *to, const double *node_ms, double peak)
{
    const tpp_plan_node *n = &p->node[p->order[at]];
    const tpp_call c = tpp_plan_call(p, n);
    const tpp_cost cost = n->cost;
    tpp_str name = {0}, place = {0};
    print_name(&name, n);
    print_place(&place, p, n);
    (void)fprintf(to, "%4d %-32s %-8s %-18s %-18s %-18s %9.3f %9.2f %s", at,
                  name.text != NULL ? name.text : "?", n->algorithm->name,
                  tpp_shape_text(&c.in[0].shape), tpp_shape_text(&c.in[1].shape),
                  tpp_shape_text(&c.out[0].shape), cost.flops * 1e-9, cost.bytes * 1e-6,
                  place.text != NULL ? place.text : "?");
    if (node_ms != NULL) {
        const double ms = node_ms[at] > 0 ? node_ms[at] : 1e-6;
        (void)fprintf(to, " %9.3f %8.1f %8.2f", node_ms[at], cost.flops * 1e-6 / ms,
                      cost.bytes * 1e-6 / ms);
        if (peak > 0) (void)fprintf(to, " %5.1f%%", cost.flops * 1e-6 / ms / peak * 100);
    }
    (void)fprintf(to, "\n");
    tpp_str_free(&name);
    tpp_str_free(&place);
}

void tpp_plan_print(const tpp_plan *p, FILE *to, const double *node_ms, double peak_gflops)
{
    (void)fprintf(
        to, "plan %s on %s: %d nodes, %d launches, %.2f GFLOP, arena %.2f MB, own %.2f MB\n",
        p->options.name, p->caps->name, p->n_order, tpp_plan_launches(p), tpp_plan_flops(p) * 1e-9,
        (double)p->arena_bytes / 1e6, (double)tpp_plan_own_bytes(p) / 1e6);
    (void)fprintf(to, "%4s %-32s %-8s %-18s %-18s %-18s %9s %9s %10s%s\n", "", "node", "algorithm",
                  "in", "in 2", "out", "GFLOP", "MB", "arena MB",
                  node_ms != NULL ? "        ms  GFLOP/s     GB/s  peak" : "");
    double ms = 0;
    for (int at = 0; at < p->n_order; at++) {
        if (p->node[p->order[at]].constant) continue;
        print_node(p, at, to, node_ms, peak_gflops);
        if (node_ms != NULL) ms += node_ms[at];
    }
    if (node_ms != NULL)
        (void)fprintf(to, "     total %.3f ms, %.1f GFLOP/s\n", ms, tpp_plan_flops(p) * 1e-6 / ms);
}
