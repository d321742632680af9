/* Products of the same rows become one: its weight holds those of all, one after another, and each
 * result is some columns of the joined one.
 *
 *   gemm(x, w1), gemm(x, w2)     gemm(x, [w1; w2]), for the same addend and act, without residual
 *
 * Weights and biases are joined once, as constants of the plan; nothing changes by name. Who reads
 * a result must take rows that lie apart (tpp_algorithm.pitches), unless there is one row.
 * SPDX-License-Identifier: MIT */
#include "nn/plan_internal.h"
#include "ops/first_use.h"

#include <string.h>

enum { MOST = TPP_MAX_IN }; /* of a concat */

/* Products that read the same, in run order. */
typedef struct group {
    int node[MOST];
    int64_t start[MOST]; /* first column of each; the last entry of all is `columns` */
    int64_t columns;
    int count;
} group;

static bool is_constant(const tpp_plan *p, int v)
{
    return v >= 0 && p->value[tpp_plan_root(p, v)].constant;
}

/* A product that could be a part of a wider one. */
static bool is_candidate(const tpp_plan *p, const tpp_plan_node *n)
{
    if (n->dead || n->constant || n->info.op != &tpp_op_gemm) return false;
    const tpp_plan_value *y = &p->value[n->info.out[0]];
    tpp_gemm_attr attr;
    memcpy(&attr, n->info.attr, sizeof(attr));
    return attr.trans_x == 0 && attr.trans_w == 0 && n->info.in[TPP_GEMM_RESIDUAL] < 0 &&
           n->info.in[TPP_NORM_GAMMA] < 0 && !y->keep && y->info.alias < 0 &&
           is_constant(p, n->info.in[TPP_GEMM_W]) &&
           p->value[n->info.in[TPP_GEMM_W]].info.shape.rank == 2 &&
           (n->info.in[TPP_GEMM_BIAS] < 0 || is_constant(p, n->info.in[TPP_GEMM_BIAS]));
}

static bool read_alike(const tpp_plan_node *a, const tpp_plan_node *b)
{
    return a->info.in[TPP_GEMM_X] == b->info.in[TPP_GEMM_X] &&
           a->info.in[TPP_GEMM_ADDEND] == b->info.in[TPP_GEMM_ADDEND] &&
           (a->info.in[TPP_GEMM_BIAS] >= 0) == (b->info.in[TPP_GEMM_BIAS] >= 0) &&
           memcmp(a->info.attr, b->info.attr, sizeof(tpp_gemm_attr)) == 0;
}

/* Would the algorithm that reads `v` as input i now also take it with rows apart? */
static bool takes_apart(const tpp_plan *p, const tpp_plan_node *n, int i)
{
    tpp_call call = tpp_plan_call(p, n);
    const tpp_algorithm *a =
        tpp_op_choose_on(p->store->device, n->info.op, p->options.algorithm, &call).algorithm;
    call.in[i].pitch = tpp_shape_cols(&call.in[i].shape) + 1;
    return a != NULL && tpp_algorithm_takes(n->info.op, a, &call, p->caps);
}

/* Do all readers of `v` take it as columns of a wider matrix? */
static bool may_lie_apart(const tpp_plan *p, int v)
{
    if (tpp_shape_rows(&p->value[v].info.shape) == 1) return true;
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        for (int i = 0; i < TPP_MAX_IN && !n->dead; i++) {
            if (tpp_plan_root(p, n->info.in[i]) != v) continue;
            if (n->info.in[i] != v || !takes_apart(p, n, i)) return false;
        }
    }
    return true;
}

/* Adds a product, unless its columns would start where no sub-buffer can. */
static void add_part(const tpp_plan *p, group *g, int node)
{
    const int v = p->node[node].info.out[0];
    const tpp_value_info *info = &p->value[v].info;
    const size_t start = (size_t)g->columns * tpp_dtype_size(info->type);
    if (g->count == MOST || start % p->caps->base_align != 0 || !may_lie_apart(p, v)) return;
    g->node[g->count] = node;
    g->start[g->count++] = g->columns;
    g->columns += tpp_shape_cols(&info->shape);
}

/* Operand `i` of all parts, one below the other: a new constant of `shape`, made before `user`. */
static tpp_status join_operands(tpp_plan *p, const group *g, int i, tpp_shape shape, int user,
                                int *joined)
{
    tpp_concat_attr attr;
    memset(&attr, 0, sizeof(attr)); /* all of it is part of a key */
    attr.outer = 1;
    attr.inner = shape.rank > 1 ? shape.d[1] : 1;
    attr.out = shape;
    tpp_plan_node n = {.info = {.op = &tpp_op_concat}, .constant = true};
    memcpy(n.info.attr, &attr, sizeof(attr));
    for (int k = 0; k < TPP_MAX_IN; k++)
        n.info.in[k] = k < g->count ? p->node[g->node[k]].info.in[i] : -1;
    const tpp_value_info info = {
        .kind = TPP_VALUE_NODE, .shape = shape, .node = p->n_nodes, .alias = -1};
    *joined = tpp_plan_add_value(p, &info);
    if (*joined < 0) return TPP_ENOMEM;
    p->value[*joined].constant = true;
    for (int k = 0; k < TPP_MAX_OUT; k++) n.info.out[k] = k == 0 ? *joined : -1;
    return tpp_plan_insert_before(p, user, &n);
}

/* The first product becomes the joined one; all results become columns of its result. */
static tpp_status join(tpp_plan *p, const group *g)
{
    const int first = g->node[0], y = p->node[first].info.out[0];
    const int64_t k = tpp_shape_cols(&p->value[p->node[first].info.in[TPP_GEMM_W]].info.shape);
    int w = -1, b = -1;
    TPP_TRY(join_operands(p, g, TPP_GEMM_W, TPP_SHAPE(g->columns, k), first, &w));
    if (p->node[first].info.in[TPP_GEMM_BIAS] >= 0)
        TPP_TRY(join_operands(p, g, TPP_GEMM_BIAS, TPP_SHAPE(g->columns), first, &b));
    tpp_value_info info = p->value[y].info;
    info.shape.d[info.shape.rank - 1] = g->columns;
    const int all = tpp_plan_add_value(p, &info);
    if (all < 0) return TPP_ENOMEM;
    const bool one_row = tpp_shape_rows(&info.shape) == 1;
    for (int i = 0; i < g->count; i++) {
        tpp_plan_value *part = &p->value[p->node[g->node[i]].info.out[0]];
        part->info.alias = all;
        part->view_at = (size_t)g->start[i] * tpp_dtype_size(info.type);
        part->pitch = one_row ? 0 : g->columns;
        p->node[g->node[i]].dead = i > 0;
    }
    tpp_plan_node *n = &p->node[first];
    n->info.in[TPP_GEMM_W] = w;
    n->info.in[TPP_GEMM_BIAS] = b;
    n->info.out[0] = all;
    return TPP_OK;
}

tpp_status tpp_plan_join(tpp_plan *p)
{
    for (int at = 0; at < p->n_order; at++) {
        const int n = p->order[at];
        group g = {.count = 0};
        if (!is_candidate(p, &p->node[n])) continue;
        for (int other = at; other < p->n_order; other++) {
            const int m = p->order[other];
            if (is_candidate(p, &p->node[m]) && read_alike(&p->node[n], &p->node[m]))
                add_part(p, &g, m);
        }
        if (g.count < 2) continue;
        TPP_TRY(join(p, &g));
        for (; p->order[at] != g.node[0]; at++) {
        } /* joined weights came before it */
    }
    return TPP_OK;
}
