/* Views: copies that a plan need not make, because the copy can lie where the original does.
 *
 *   slice of whole rows        shows a part of what it slices
 *   concat of whole tensors    its operands are written where they belong in it
 *
 * A view starts where a device lets a sub-buffer start. Outputs and kept marks have memory of their
 * own and are no views; what is made once, of constants alone, stays as it is.
 * SPDX-License-Identifier: MIT */
#include "nn/plan_internal.h"

#include <string.h>

static size_t bytes_of(const tpp_plan *p, int v)
{
    const tpp_value_info *info = &p->value[v].info;
    return (size_t)tpp_shape_count(&info->shape) * tpp_dtype_size(info->type);
}

static bool may_start_at(const tpp_plan *p, size_t bytes)
{
    return bytes % p->caps->base_align == 0;
}

static void show(tpp_plan *p, int v, int of, size_t at)
{
    p->value[v].info.alias = of;
    p->value[v].view_at = at;
}

static void view_slice(tpp_plan *p, tpp_plan_node *n)
{
    tpp_slice_attr attr;
    memcpy(&attr, n->info.attr, sizeof(attr));
    const int v = n->info.out[0];
    const size_t at = (size_t)(attr.start * attr.inner) * tpp_dtype_size(p->value[v].info.type);
    if (attr.outer != 1 || p->value[v].keep || p->value[v].info.alias >= 0 || !may_start_at(p, at))
        return;
    show(p, v, n->info.in[0], at);
    n->dead = true;
}

/* The tensor that a node of the plan makes for operand `v` of a concat, if it can be made
 * elsewhere; else -1. */
static int movable(const tpp_plan *p, int v)
{
    const int r = tpp_plan_root(p, v);
    const tpp_plan_value *value = &p->value[r];
    return value->info.kind == TPP_VALUE_NODE && !value->constant && !value->keep &&
                   tpp_plan_view_at(p, v) == 0 && bytes_of(p, r) == bytes_of(p, v)
               ? r
               : -1;
}

static void view_concat(tpp_plan *p, tpp_plan_node *n)
{
    int root[TPP_MAX_IN];
    size_t start[TPP_MAX_IN], at = 0;
    tpp_concat_attr attr;
    memcpy(&attr, n->info.attr, sizeof(attr));
    if (attr.outer != 1) return;
    for (int i = 0; i < TPP_MAX_IN && n->info.in[i] >= 0; i++) {
        root[i] = movable(p, n->info.in[i]);
        start[i] = at;
        if (root[i] < 0 || !may_start_at(p, at)) return;
        for (int j = 0; j < i; j++)
            if (root[j] == root[i]) return;
        at += bytes_of(p, root[i]);
    }
    for (int i = 0; i < TPP_MAX_IN && n->info.in[i] >= 0; i++)
        show(p, root[i], n->info.out[0], start[i]);
    n->dead = true;
}

/* Concats first: a slice that is one's operand is copied to its place. */
void tpp_plan_view(tpp_plan *p)
{
    for (int at = 0; at < p->n_order; at++) {
        tpp_plan_node *n = &p->node[p->order[at]];
        if (!n->dead && !n->constant && n->info.op == &tpp_op_concat) view_concat(p, n);
    }
    for (int at = 0; at < p->n_order; at++) {
        tpp_plan_node *n = &p->node[p->order[at]];
        if (!n->dead && !n->constant && n->info.op == &tpp_op_slice) view_slice(p, n);
    }
}
