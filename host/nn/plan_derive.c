/* Constants of a plan: their keys in the store, loading masters, running constant nodes.
 *
 * The key of a derived value spells out how it was made, so that plans of one store share it:
 *   param NAME | constant KEY | OP:ATTRIBUTES(KEY,KEY,..)PORT
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/str.h"
#include "nn/plan_internal.h"

#include <string.h>

static tpp_status leaf_key(tpp_plan *p, int v)
{
    tpp_plan_value *value = &p->value[v];
    if (value->key != NULL) return TPP_OK;
    tpp_str key = {0};
    tpp_str_format(&key, "%s %s", value->info.kind == TPP_VALUE_PARAM ? "param" : "constant",
                   value->info.name);
    if (key.status != TPP_OK) return key.status;
    value->key = key.text;
    return TPP_OK;
}

/* Keys grow with depth; beyond a length they are replaced by their own hash and size. */
static tpp_status node_key(tpp_plan *p, const tpp_plan_node *n, int port)
{
    tpp_str key = {0};
    tpp_str_format(&key, "%s:", n->info.op->name);
    for (size_t i = 0; i < n->info.op->attr_size; i++)
        tpp_str_format(&key, "%02x", n->info.attr[i]);
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const int r = tpp_plan_root(p, n->info.in[i]);
        tpp_str_format(&key, "%c%s", i == 0 ? '(' : ',', r >= 0 ? p->value[r].key : "");
        if (r >= 0) tpp_str_format(&key, "%s", tpp_shape_text(&p->value[n->info.in[i]].info.shape));
    }
    tpp_str_format(&key, ")%d", port);
    if (key.status != TPP_OK) {
        const tpp_status s = key.status;
        tpp_str_free(&key);
        return s;
    }
    p->value[n->info.out[port]].key = key.text;
    return TPP_OK;
}

static tpp_status make_keys(tpp_plan *p)
{
    for (int v = 0; v < p->n_values; v++) {
        tpp_plan_value *value = &p->value[v];
        if (value->info.alias >= 0 ||
            (value->info.kind != TPP_VALUE_PARAM && value->info.kind != TPP_VALUE_CONSTANT))
            continue;
        TPP_TRY(leaf_key(p, v));
        value->place = TPP_PLACE_STORE;
    }
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        for (int i = 0; n->constant && i < TPP_MAX_OUT; i++) {
            if (n->info.out[i] < 0) continue;
            TPP_TRY(node_key(p, n, i));
            p->value[n->info.out[i]].place = TPP_PLACE_STORE;
        }
    }
    for (int v = 0; v < p->n_values; v++) {
        if (p->value[v].key == NULL) continue;
        p->value[v].entry = tpp_store_get(p->store, p->value[v].key);
        if (p->value[v].entry == NULL) return TPP_ENOMEM;
    }
    return TPP_OK;
}

static size_t bytes_of(const tpp_value_info *info)
{
    return (size_t)tpp_shape_count(&info->shape) * tpp_dtype_size(info->type);
}

/* A master on the device; one that cannot be read from the graph any more must be there. */
static tpp_status load_leaf(tpp_plan *p, tpp_plan_value *v)
{
    if (v->info.kind == TPP_VALUE_PARAM) {
        if (tpp_store_is_current(p->store, v->entry)) return TPP_OK;
        return tpp_store_load_param(p->store, v->entry, v->info.name, &v->info.shape);
    }
    if (v->entry->buffer != NULL) {
        v->entry->version = p->store->version; /* constants do not age */
        return TPP_OK;
    }
    if (v->info.data == NULL)
        return TPP_FAIL(TPP_EINTERNAL, "the constant %s is gone from the store", v->info.name);
    return tpp_store_load_bytes(p->store, v->entry, v->info.data, bytes_of(&v->info));
}

static tpp_status run_node(tpp_plan *p, const tpp_plan_node *n)
{
    tpp_device *d = p->store->device;
    tpp_steps *steps = NULL;
    tpp_buffer *scratch = NULL;
    tpp_call call = {0};
    TPP_TRY(tpp_steps_open(&steps, d));
    tpp_status s = tpp_plan_resolve(p, n, &call);
    if (s == TPP_OK && n->scratch > 0) {
        s = tpp_buffer_open_for(&scratch, d, n->scratch, "plan %s: scratch of %s by %s",
                                p->options.name, n->info.op->name, n->algorithm->name);
        if (s == TPP_OK)
            call.scratch = (tpp_operand){.shape = TPP_SHAPE((int64_t)n->scratch),
                                         .type = TPP_U8,
                                         .mem = scratch->mem,
                                         .root = scratch};
    }
    if (s == TPP_OK) s = n->algorithm->record(steps, &call);
    if (s == TPP_OK) s = tpp_steps_run(steps);
    if (s == TPP_OK) s = tpp_device_finish(d);
    tpp_buffer_close(scratch);
    tpp_steps_close(steps);
    return s;
}

/* Makes value `v` and, before it, all it is made from. */
static tpp_status need(tpp_plan *p, int v)
{
    tpp_plan_value *value = &p->value[v];
    if (value->info.kind != TPP_VALUE_NODE) return load_leaf(p, value);
    if (tpp_store_is_current(p->store, value->entry)) return TPP_OK;
    const tpp_plan_node *n = &p->node[value->info.node];
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const int r = tpp_plan_root(p, n->info.in[i]);
        if (r >= 0) TPP_TRY(need(p, r));
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (n->info.out[i] < 0) continue;
        tpp_plan_value *out = &p->value[n->info.out[i]];
        if (out->entry->buffer == NULL)
            TPP_TRY(tpp_buffer_open_for(&out->entry->buffer, p->store->device, bytes_of(&out->info),
                                        "plan %s: weights %s made by %s", p->options.name,
                                        tpp_shape_text(&out->info.shape), n->info.op->name));
    }
    TPP_TRY(run_node(p, n));
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (n->info.out[i] >= 0) p->value[n->info.out[i]].entry->version = p->store->version;
    return TPP_OK;
}

/* Must the value stay: is it read while the plan runs, asked for by name, or a constant whose data
 * cannot be had again? */
static bool must_stay(const tpp_plan *p, int v)
{
    if (p->value[v].keep) return true;
    if (p->value[v].info.kind == TPP_VALUE_CONSTANT) return p->value[v].users > 0;
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        for (int i = 0; !n->constant && i < TPP_MAX_IN; i++)
            if (tpp_plan_root(p, n->info.in[i]) == v) return true;
    }
    return false;
}

tpp_status tpp_plan_derive(tpp_plan *p, bool first)
{
    if (first) TPP_TRY(make_keys(p));
    for (int v = 0; v < p->n_values; v++) {
        tpp_plan_value *value = &p->value[v];
        if (value->place != TPP_PLACE_STORE || !must_stay(p, v)) continue;
        TPP_TRY(need(p, v));
        if (!first) continue;
        value->stays = true;
        value->entry->run_uses++;
    }
    /* Intermediates go at once: a model's masters would not fit beside its packed weights. */
    tpp_store_trim(p->store);
    return TPP_OK;
}
