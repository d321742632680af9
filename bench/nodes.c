/* Nodes of a session's plans.
 * SPDX-License-Identifier: MIT */
#include "nodes.h"

#include "core/mem.h"
#include "infer/session_internal.h"
#include "nn/plan_choices.h"

#include <string.h>

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
    tpp_plan_choice n;
    for (int i = 0; p != NULL && tpp_plan_choice_at(p, i, &n); i++) {
        const bench_node node = {.plan = tpp_plan_name(p),
                                 .op = n.op,
                                 .call = n.call,
                                 .algorithm = n.algorithm,
                                 .params = n.call.params,
                                 .cost = n.cost,
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
