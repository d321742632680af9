/* Recording a plan's launches and running them.
 * SPDX-License-Identifier: MIT */
#include "nn/plan_internal.h"

#include <stdlib.h>
#include <string.h>

enum { POISON = 0x7fc00000 }; /* a quiet NaN */

static size_t bytes_of(const tpp_value_info *info)
{
    return (size_t)tpp_shape_count(&info->shape) * tpp_dtype_size(info->type);
}

/* From the first byte of a value to its last. */
static size_t span_of(const tpp_plan_value *v)
{
    const tpp_shape *s = &v->info.shape;
    if (v->pitch == 0) return bytes_of(&v->info);
    return (size_t)((tpp_shape_rows(s) - 1) * v->pitch + tpp_shape_cols(s)) *
           tpp_dtype_size(v->info.type);
}

/* The buffer that a root value lies in. */
static tpp_status buffer_of(tpp_plan *p, tpp_plan_value *v, tpp_buffer **b)
{
    *b = v->place == TPP_PLACE_STORE   ? v->entry->buffer
         : v->place == TPP_PLACE_ARENA ? p->arena
                                       : v->buffer;
    if (*b != NULL) return TPP_OK;
    if (v->place != TPP_PLACE_OWN)
        return TPP_FAIL(TPP_EINTERNAL, "plan %s: a tensor %s has no memory", p->options.name,
                        tpp_shape_text(&v->info.shape));
    TPP_TRY(tpp_buffer_open_for(&v->buffer, p->store->device, bytes_of(&v->info),
                                "plan %s: tensor %s", p->options.name,
                                tpp_shape_text(&v->info.shape)));
    *b = v->buffer;
    return TPP_OK;
}

/* Where value `v` lies: all of its root's buffer, or a part of it. */
static tpp_status resolve_value(tpp_plan *p, int v, tpp_operand *x)
{
    if (v < 0) return TPP_OK;
    const int r = tpp_plan_root(p, v);
    const size_t at = tpp_plan_view_at(p, v);
    const bool in_arena = p->value[r].place == TPP_PLACE_ARENA;
    tpp_buffer *b = NULL;
    TPP_TRY(buffer_of(p, &p->value[r], &b));
    x->shape = p->value[v].info.shape;
    x->type = p->value[v].info.type;
    x->pitch = p->value[v].pitch;
    x->root = b;
    x->mem = b->mem;
    x->offset = (in_arena ? p->value[r].offset : 0) + at;
    if (!in_arena && at == 0) return TPP_OK;
    return tpp_sub_buffer(&x->mem, b, x->offset, span_of(&p->value[at > 0 ? v : r]));
}

tpp_status tpp_plan_resolve(tpp_plan *p, const tpp_plan_node *n, tpp_call *call)
{
    *call = (tpp_call){.attr = n->info.attr, .params = n->params};
    for (int i = 0; i < TPP_MAX_IN; i++) TPP_TRY(resolve_value(p, n->info.in[i], &call->in[i]));
    for (int i = 0; i < TPP_MAX_OUT; i++) TPP_TRY(resolve_value(p, n->info.out[i], &call->out[i]));
    return TPP_OK;
}

static tpp_status record_node(tpp_plan *p, int at)
{
    const tpp_plan_node *n = &p->node[p->order[at]];
    tpp_call call;
    TPP_TRY(tpp_plan_resolve(p, n, &call));
    if (n->scratch > 0) {
        call.scratch = (tpp_operand){.shape = TPP_SHAPE((int64_t)n->scratch),
                                     .type = TPP_U8,
                                     .root = p->arena,
                                     .offset = n->scratch_offset};
        TPP_TRY(tpp_sub_buffer(&call.scratch.mem, p->arena, n->scratch_offset, n->scratch));
    }
    tpp_steps_set_node(p->steps, at);
    return n->algorithm->record(p->steps, &call);
}

tpp_status tpp_plan_record(tpp_plan *p, tpp_buffer *arena)
{
    if (p->steps != NULL) return TPP_FAIL(TPP_EINTERNAL, "plan %s is recorded", p->options.name);
    if (p->arena_bytes > 0 && (arena == NULL || tpp_buffer_bytes(arena) < p->arena_bytes))
        return TPP_FAIL(TPP_EINTERNAL, "plan %s: the arena is too small", p->options.name);
    p->arena = arena;
    TPP_TRY(tpp_steps_open(&p->steps, p->store->device));
    for (int v = 0; v < p->n_values; v++) { /* inputs and outputs have memory from now on */
        tpp_buffer *b = NULL;
        if (p->value[v].place == TPP_PLACE_OWN) TPP_TRY(buffer_of(p, &p->value[v], &b));
    }
    for (int at = 0; at < p->n_order; at++)
        if (!p->node[p->order[at]].constant) TPP_TRY(record_node(p, at));
    tpp_steps_set_node(p->steps, -1);
    return TPP_OK;
}

static int find_value(const tpp_plan *p, const char *name)
{
    for (int i = 0; i < p->n_named; i++)
        if (strcmp(p->named[i].name, name) == 0) return p->named[i].value;
    for (int v = 0; v < p->n_values; v++)
        if (p->value[v].info.kind == TPP_VALUE_INPUT && strcmp(p->value[v].info.name, name) == 0)
            return v;
    return -1;
}

tpp_status tpp_plan_bind(tpp_plan *p, const char *name, tpp_buffer *b)
{
    const int v = find_value(p, name);
    if (v < 0 || p->value[v].info.kind != TPP_VALUE_INPUT)
        return TPP_FAIL(TPP_EINTERNAL, "plan %s has no input %s", p->options.name, name);
    if (p->steps != NULL || tpp_buffer_bytes(b) < bytes_of(&p->value[v].info))
        return TPP_FAIL(TPP_EINTERNAL, "plan %s: input %s wants %zu bytes before it is recorded",
                        p->options.name, name, bytes_of(&p->value[v].info));
    p->value[v].place = TPP_PLACE_BOUND;
    p->value[v].buffer = b;
    return TPP_OK;
}

/* Position in the run order of the first node that writes value `r`, of the last that reads `b`. */
static int first_write(const tpp_plan *p, int r)
{
    for (int at = 0; at < p->n_order; at++)
        for (int i = 0; i < TPP_MAX_OUT; i++)
            if (tpp_plan_root(p, p->node[p->order[at]].info.out[i]) == r) return at;
    return -1;
}

static int last_read(const tpp_plan *p, const tpp_buffer *b)
{
    for (int at = p->n_order - 1; at >= 0; at--)
        for (int i = 0; i < TPP_MAX_IN; i++) {
            const int r = tpp_plan_root(p, p->node[p->order[at]].info.in[i]);
            if (r >= 0 && p->value[r].place == TPP_PLACE_BOUND && p->value[r].buffer == b)
                return at;
        }
    return -1;
}

tpp_status tpp_plan_bind_output(tpp_plan *p, const char *name, tpp_buffer *b)
{
    const int r = tpp_plan_root(p, find_value(p, name));
    if (r < 0 || p->steps != NULL || tpp_buffer_bytes(b) < bytes_of(&p->value[r].info))
        return TPP_FAIL(TPP_EINTERNAL, "plan %s: output %s is not there, recorded or too large",
                        p->options.name, name);
    const int write = first_write(p, r), read = last_read(p, b);
    if (p->value[r].place != TPP_PLACE_OWN || write < 0 || write < read) return TPP_OK;
    const tpp_plan_node *n = &p->node[p->order[write]];
    if (write == read && n->info.op != &tpp_op_copy) return TPP_OK;
    p->value[r].place = TPP_PLACE_BOUND;
    p->value[r].buffer = b;
    if (write > read) return TPP_OK;
    for (int at = write; at + 1 < p->n_order; at++) p->order[at] = p->order[at + 1];
    p->n_order--;
    return TPP_OK;
}

tpp_buffer *tpp_plan_buffer(const tpp_plan *p, const char *name, tpp_shape *shape, tpp_dtype *type)
{
    const int v = find_value(p, name);
    if (v < 0) return NULL;
    if (shape != NULL) *shape = p->value[v].info.shape;
    if (type != NULL) *type = p->value[v].info.type;
    const tpp_plan_value *r = &p->value[tpp_plan_root(p, v)];
    return r->place == TPP_PLACE_STORE ? r->entry->buffer : r->buffer;
}

bool tpp_plan_has_input(const tpp_plan *p, const char *name)
{
    const int v = find_value(p, name);
    return v >= 0 && p->value[v].info.kind == TPP_VALUE_INPUT;
}

bool tpp_plan_shape(const tpp_plan *p, const char *name, tpp_shape *shape, tpp_dtype *type)
{
    const int v = find_value(p, name);
    if (v < 0) return false;
    *shape = p->value[v].info.shape;
    *type = p->value[v].info.type;
    return true;
}

bool tpp_plan_result_at(const tpp_plan *p, int i, tpp_plan_result *out)
{
    if (i >= p->n_named) return false;
    const tpp_named_value *n = &p->named[i];
    *out = (tpp_plan_result){
        .name = n->name, .height = n->height, .width = n->width, .is_mark = n->is_mark};
    out->buffer = tpp_plan_buffer(p, n->name, &out->shape, &out->type);
    return true;
}

tpp_status tpp_plan_copy_out(tpp_plan *p, const char *name, tpp_buffer *to)
{
    tpp_shape shape;
    tpp_dtype type;
    const tpp_buffer *from = tpp_plan_buffer(p, name, &shape, &type);
    if (from == NULL || p->steps == NULL)
        return TPP_FAIL(TPP_EINTERNAL, "plan %s has no recorded output %s", p->options.name, name);
    const size_t bytes = (size_t)tpp_shape_count(&shape) * tpp_dtype_size(type);
    if (tpp_buffer_bytes(to) < bytes)
        return TPP_FAIL(TPP_EINTERNAL, "plan %s: output %s does not fit", p->options.name, name);
    return from == to ? TPP_OK : tpp_record_copy(p->steps, from->mem, to->mem, bytes);
}

static tpp_status want_recorded(const tpp_plan *p)
{
    return p->steps != NULL ? TPP_OK
                            : TPP_FAIL(TPP_EINTERNAL, "plan %s is not recorded", p->options.name);
}

tpp_status tpp_plan_run(tpp_plan *p)
{
    TPP_TRY(want_recorded(p));
    if (p->arena != NULL && getenv("TPP_POISON") != NULL)
        TPP_TRY(tpp_buffer_fill(p->arena, POISON));
    return tpp_steps_run(p->steps);
}

tpp_status tpp_plan_profile(tpp_plan *p, double *node_ms)
{
    TPP_TRY(want_recorded(p));
    return tpp_steps_profile(p->steps, node_ms, p->n_order);
}

tpp_status tpp_plan_refresh(tpp_plan *p)
{
    return tpp_plan_derive(p, false);
}

size_t tpp_plan_arena_bytes(const tpp_plan *p)
{
    return p->arena_bytes;
}

size_t tpp_plan_own_bytes(const tpp_plan *p)
{
    size_t bytes = 0;
    for (int v = 0; v < p->n_values; v++)
        if (p->value[v].place == TPP_PLACE_OWN) bytes += bytes_of(&p->value[v].info);
    return bytes;
}

int tpp_plan_nodes(const tpp_plan *p)
{
    return p->n_order;
}

int tpp_plan_launches(const tpp_plan *p)
{
    return p->steps != NULL ? tpp_steps_count(p->steps) : 0;
}
