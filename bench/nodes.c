/* Nodes of a session's plans.
 * SPDX-License-Identifier: MIT */
#include "nodes.h"

#include "core/mem.h"
#include "infer/session_internal.h"
#include "nn/plan_internal.h"

#include <string.h>

/* The call with every packed weight in the shape that it has before packing. */
static tpp_call unpacked_call(const tpp_plan *p, const tpp_plan_node *n)
{
    tpp_call c = tpp_plan_call(p, n);
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (((n->algorithm->packs >> i) & 1u) == 0 || n->info.in[i] < 0) continue;
        const int from = p->value[n->info.in[i]].info.node;
        if (from >= 0 && p->node[from].info.op == &tpp_op_pack)
            c.in[i].shape = p->value[p->node[from].info.in[0]].info.shape;
    }
    return c;
}

static bool is_same(const bench_node *a, const bench_node *b)
{
    if (a->op != b->op || a->algorithm != b->algorithm) return false;
    if (memcmp(a->call.attr, b->call.attr, a->op->attr_size) != 0) return false;
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (!tpp_shape_equal(&a->call.in[i].shape, &b->call.in[i].shape)) return false;
    return true;
}

typedef struct node_list {
    bench_node *node;
    int count, capacity;
} node_list;

static tpp_status add_plan(node_list *list, const tpp_plan *p)
{
    for (int at = 0; p != NULL && at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        if (n->constant) continue;
        const bench_node node = {.plan = p->options.name,
                                 .op = n->info.op,
                                 .call = unpacked_call(p, n),
                                 .algorithm = n->algorithm,
                                 .params = n->params,
                                 .cost = n->cost,
                                 .count = 1};
        int known = 0;
        while (known < list->count && !is_same(&list->node[known], &node)) known++;
        if (known < list->count) {
            list->node[known].count++;
            continue;
        }
        TPP_TRY(tpp_grow(&list->node, list->count, &list->capacity, sizeof(node)));
        list->node[list->count++] = node;
    }
    return TPP_OK;
}

tpp_status bench_nodes_of(bench_node **out, int *count, const tpp_session *s)
{
    const tpp_plan *plans[] = {s->image, tpp_session_backbone(s), s->encode,
                               s->frame[s->n_frames - 1].plan};
    node_list list = {0};
    for (int i = 0; i < 4; i++) {
        const tpp_status status = add_plan(&list, plans[i]);
        if (status == TPP_OK) continue;
        tpp_free(list.node);
        return status;
    }
    *out = list.node;
    *count = list.count;
    return TPP_OK;
}
