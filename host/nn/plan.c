/* Planning: liveness, fusion, algorithms, packed weights, constants, memory.
 * SPDX-License-Identifier: MIT */
#include "nn/plan.h"

#include "core/mem.h"
#include "nn/plan_internal.h"
#include "ops/first_use.h"

#include <stdio.h>
#include <string.h>

int tpp_plan_root(const tpp_plan *p, int v)
{
    while (v >= 0 && p->value[v].info.alias >= 0) v = p->value[v].info.alias;
    return v;
}

size_t tpp_plan_view_at(const tpp_plan *p, int v)
{
    size_t at = 0;
    for (; p->value[v].info.alias >= 0; v = p->value[v].info.alias) at += p->value[v].view_at;
    return at;
}

tpp_call tpp_plan_call(const tpp_plan *p, const tpp_plan_node *n)
{
    tpp_call c = {.attr = n->info.attr, .params = n->params};
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (n->info.in[i] >= 0)
            c.in[i] = (tpp_operand){.shape = p->value[n->info.in[i]].info.shape,
                                    .type = p->value[n->info.in[i]].info.type,
                                    .pitch = p->value[n->info.in[i]].pitch};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (n->info.out[i] >= 0)
            c.out[i] = (tpp_operand){.shape = p->value[n->info.out[i]].info.shape,
                                     .type = p->value[n->info.out[i]].info.type};
    return c;
}

int tpp_plan_add_value(tpp_plan *p, const tpp_value_info *info)
{
    if (tpp_grow(&p->value, p->n_values, &p->value_capacity, sizeof(*p->value)) != TPP_OK)
        return -1;
    p->value[p->n_values] = (tpp_plan_value){.info = *info, .last_user = -1};
    return p->n_values++;
}

int tpp_plan_add_node(tpp_plan *p, const tpp_plan_node *n)
{
    if (tpp_grow(&p->node, p->n_nodes, &p->node_capacity, sizeof(*p->node)) != TPP_OK) return -1;
    p->node[p->n_nodes] = *n;
    return p->n_nodes++;
}

tpp_status tpp_plan_insert_before(tpp_plan *p, int user, const tpp_plan_node *n)
{
    const int index = tpp_plan_add_node(p, n);
    if (index < 0) return TPP_ENOMEM;
    TPP_TRY(tpp_grow(&p->order, p->n_order, &p->order_capacity, sizeof(*p->order)));
    int at = p->n_order++;
    for (; at > 0 && p->order[at - 1] != user; at--) p->order[at] = p->order[at - 1];
    p->order[at] = p->order[at - 1]; /* the user itself */
    p->order[at - 1] = index;
    return TPP_OK;
}

void tpp_plan_count_users(tpp_plan *p)
{
    for (int i = 0; i < p->n_values; i++) {
        p->value[i].users = 0;
        p->value[i].last_user = -1;
    }
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        if (n->dead) continue;
        for (int i = 0; i < TPP_MAX_IN; i++) {
            const int r = tpp_plan_root(p, n->info.in[i]);
            if (r < 0) continue;
            p->value[r].users++;
            p->value[r].last_user = p->order[at];
        }
    }
}

static tpp_status copy_named(tpp_plan *p, const tpp_graph *g)
{
    TPP_NEW(p->named, g->n_named);
    for (int i = 0; i < g->n_named; i++) {
        if (g->named[i].is_mark && !p->options.keep_marks) continue;
        for (int j = 0; j < i; j++)
            if (!g->named[i].is_mark && !g->named[j].is_mark &&
                strcmp(g->named[i].name, g->named[j].name) == 0)
                return TPP_FAIL(TPP_EINTERNAL, "plan %s: two outputs are called %s",
                                p->options.name, g->named[i].name);
        tpp_named_value *n = &p->named[p->n_named];
        *n = g->named[i];
        n->name = tpp_strdup(g->named[i].name);
        if (n->name == NULL) return TPP_ENOMEM;
        p->n_named++;
        p->value[tpp_plan_root(p, n->value)].keep = true;
    }
    return TPP_OK;
}

static tpp_status copy_graph(tpp_plan *p, const tpp_graph *g)
{
    for (int i = 0; i < g->n_values; i++) {
        const int v = tpp_plan_add_value(p, &g->value[i]);
        if (v < 0) return TPP_ENOMEM;
        tpp_value_info *info = &p->value[v].info;
        info->name = NULL;
        if (g->value[i].name != NULL && (info->name = tpp_strdup(g->value[i].name)) == NULL)
            return TPP_ENOMEM;
        p->value[v].constant = info->kind == TPP_VALUE_PARAM || info->kind == TPP_VALUE_CONSTANT;
    }
    TPP_NEW(p->order, g->n_nodes);
    p->order_capacity = g->n_nodes;
    for (int i = 0; i < g->n_nodes; i++) {
        if (tpp_plan_add_node(p, &(tpp_plan_node){.info = g->node[i]}) < 0) return TPP_ENOMEM;
        p->order[p->n_order++] = i;
    }
    return copy_named(p, g);
}

/* A node lives when something kept depends on it. */
static void drop_dead(tpp_plan *p)
{
    tpp_plan_count_users(p);
    int kept = p->n_order;
    for (int at = p->n_order - 1; at >= 0; at--) {
        tpp_plan_node *n = &p->node[p->order[at]];
        bool live = false;
        for (int i = 0; i < TPP_MAX_OUT && !n->dead; i++) {
            const int r = tpp_plan_root(p, n->info.out[i]);
            if (r >= 0) live = live || p->value[r].keep || p->value[r].users > 0;
        }
        if (live) {
            p->order[--kept] = p->order[at];
            continue;
        }
        for (int i = 0; i < TPP_MAX_IN && !n->dead; i++) {
            const int r = tpp_plan_root(p, n->info.in[i]);
            if (r >= 0) p->value[r].users--;
        }
        n->dead = true;
    }
    p->n_order -= kept;
    memmove(p->order, p->order + kept, (size_t)p->n_order * sizeof(*p->order));
}

static void mark_constants(tpp_plan *p)
{
    for (int at = 0; at < p->n_order; at++) {
        tpp_plan_node *n = &p->node[p->order[at]];
        n->constant = true;
        for (int i = 0; i < TPP_MAX_IN; i++) {
            const int r = tpp_plan_root(p, n->info.in[i]);
            if (r >= 0 && !p->value[r].constant) n->constant = false;
        }
        for (int i = 0; i < TPP_MAX_OUT; i++)
            if (n->info.out[i] >= 0) p->value[n->info.out[i]].constant = n->constant;
    }
}

static tpp_status choose_algorithm(const tpp_plan *p, tpp_plan_node *n)
{
    tpp_call call = tpp_plan_call(p, n);
    const tpp_choice choice =
        tpp_op_choose_on(p->store->device, n->info.op, p->options.algorithm, &call);
    n->algorithm = choice.algorithm;
    call.params = n->params = choice.params;
    if (n->algorithm == NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: no algorithm takes %s %s on %s", n->info.op->name,
                        tpp_shape_text(&call.in[0].shape), tpp_shape_text(&call.in[1].shape),
                        p->caps->name);
    n->scratch = n->algorithm->scratch != NULL ? n->algorithm->scratch(&call, p->caps) : 0;
    tpp_shape in[TPP_MAX_IN], out[TPP_MAX_OUT];
    for (int i = 0; i < TPP_MAX_IN; i++) in[i] = call.in[i].shape;
    for (int i = 0; i < TPP_MAX_OUT; i++) out[i] = call.out[i].shape;
    n->cost = n->info.op->cost(n->info.attr, in, out);
    return TPP_OK;
}

/* A node `pack` of value `v` that is in `order` already, or -1. */
static int find_pack(const tpp_plan *p, int v, const tpp_pack_attr *attr, const int *order,
                     int n_order)
{
    for (int at = 0; at < n_order; at++) {
        const tpp_plan_node *n = &p->node[order[at]];
        if (n->info.op == &tpp_op_pack && n->info.in[0] == v &&
            memcmp(n->info.attr, attr, sizeof(*attr)) == 0)
            return order[at];
    }
    return -1;
}

/* Replaces *v by its panels; a new pack node goes to the end of `order`. */
static tpp_status pack_value(tpp_plan *p, int *v, tpp_pack_attr attr, int *order, int *n_order)
{
    const int known = find_pack(p, *v, &attr, order, *n_order);
    if (known >= 0) {
        *v = p->node[known].info.out[0];
        return TPP_OK;
    }
    tpp_plan_node n = {.info = {.op = &tpp_op_pack}};
    memcpy(n.info.attr, &attr, sizeof(attr));
    for (int i = 0; i < TPP_MAX_IN; i++) n.info.in[i] = i == 0 ? *v : -1;
    for (int i = 0; i < TPP_MAX_OUT; i++) n.info.out[i] = -1;
    tpp_shape out[TPP_MAX_OUT] = {0};
    TPP_TRY(tpp_op_pack.infer(&attr, &p->value[*v].info.shape, out));
    const tpp_value_info info = {
        .kind = TPP_VALUE_NODE, .type = TPP_F32, .shape = out[0], .node = p->n_nodes, .alias = -1};
    n.info.out[0] = tpp_plan_add_value(p, &info);
    if (n.info.out[0] < 0) return TPP_ENOMEM;
    TPP_TRY(choose_algorithm(p, &n));
    const int index = tpp_plan_add_node(p, &n);
    if (index < 0) return TPP_ENOMEM;
    order[(*n_order)++] = index;
    *v = n.info.out[0];
    return TPP_OK;
}

/* Chooses algorithms; weights that one wants in panels get a pack node before their first use. */
static tpp_status choose_algorithms(tpp_plan *p)
{
    int *order = NULL, n_order = 0;
    TPP_NEW(order, p->n_order * 3);
    tpp_status s = TPP_OK;
    for (int at = 0; at < p->n_order && s == TPP_OK; at++) {
        const int index = p->order[at];
        s = choose_algorithm(p, &p->node[index]);
        for (int i = 0; i < TPP_MAX_IN && s == TPP_OK; i++) {
            const tpp_plan_node *n = &p->node[index];
            if (((n->algorithm->packs >> i) & 1u) == 0 || n->info.in[i] < 0) continue;
            int panels = n->info.in[i];
            const tpp_call call = tpp_plan_call(p, n);
            s = pack_value(p, &panels, tpp_packing_of(n->info.op, n->algorithm, &call, p->caps),
                           order, &n_order);
            p->node[index].info.in[i] = panels;
        }
        order[n_order++] = index;
    }
    tpp_free(p->order);
    p->order = order;
    p->n_order = n_order;
    return s;
}

static tpp_status plan(tpp_plan *p, const tpp_graph *g)
{
    TPP_TRY(copy_graph(p, g));
    drop_dead(p);
    mark_constants(p);
    if (!p->options.no_fusion) {
        TPP_TRY(tpp_plan_fuse(p));
        drop_dead(p);
        tpp_plan_view(p);
        drop_dead(p);
        TPP_TRY(tpp_plan_join(p));
        drop_dead(p);
    }
    TPP_TRY(choose_algorithms(p));
    mark_constants(p);
    tpp_plan_count_users(p);
    /* Constant data lives in the graph, which may go: it moves to the store now. */
    TPP_TRY(tpp_plan_derive(p, true));
    for (int i = 0; i < p->n_values; i++) p->value[i].info.data = NULL;
    return tpp_plan_place(p);
}

tpp_status tpp_plan_open(tpp_plan **out, const tpp_graph *g, tpp_store *store,
                         const tpp_plan_options *options)
{
    TPP_TRY(tpp_graph_status(g));
    tpp_plan *p = NULL;
    TPP_NEW(p, 1);
    p->options = *options;
    p->store = store;
    p->caps = tpp_device_caps(store->device);
    const tpp_status s = plan(p, g);
    if (s != TPP_OK) {
        tpp_plan_close(p);
        return s;
    }
    *out = p;
    return TPP_OK;
}

void tpp_plan_close(tpp_plan *p)
{
    if (p == NULL) return;
    tpp_steps_close(p->steps);
    for (int i = 0; i < p->n_values; i++) {
        tpp_plan_value *v = &p->value[i];
        if (v->place == TPP_PLACE_OWN) tpp_buffer_close(v->buffer);
        if (v->stays) v->entry->run_uses--;
        tpp_free(v->key);
        tpp_free(v->info.name);
    }
    for (int i = 0; i < p->n_named; i++) tpp_free(p->named[i].name);
    tpp_free(p->named);
    tpp_free(p->value);
    tpp_free(p->node);
    tpp_free(p->order);
    tpp_free(p);
}
