/* What a plan chose.
 * SPDX-License-Identifier: MIT */
#include "nn/plan_choices.h"

#include "nn/plan_internal.h"

/* The value whose panels `v` holds; else `v`. */
static int unpacked(const tpp_plan *p, int v)
{
    const tpp_value_info *info = &p->value[v].info;
    if (info->kind != TPP_VALUE_NODE || info->alias >= 0) return v;
    const tpp_plan_node *made_by = &p->node[info->node];
    return made_by->info.op == &tpp_op_pack ? made_by->info.in[0] : v;
}

bool tpp_plan_choice_at(const tpp_plan *p, int i, tpp_plan_choice *out)
{
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        if (n->constant || i-- > 0) continue;
        *out =
            (tpp_plan_choice){.op = n->info.op,
                              .call = tpp_plan_call(p, n),
                              .algorithm = n->algorithm,
                              .cost = n->cost,
                              .node = at,
                              .launches = p->steps != NULL ? tpp_steps_count_of(p->steps, at) : 0};
        for (int k = 0; k < TPP_MAX_IN; k++)
            if (((n->algorithm->packs >> k) & 1u) != 0 && n->info.in[k] >= 0)
                out->call.in[k].shape = p->value[unpacked(p, n->info.in[k])].info.shape;
        return true;
    }
    return false;
}
