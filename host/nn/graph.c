/* Recording a graph: values, nodes, names.
 * SPDX-License-Identifier: MIT */
#include "nn/graph.h"

#include "core/mem.h"
#include "nn/graph_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 128 }; /* of outputs and marks, with its end */

tpp_status tpp_graph_open(tpp_graph **out)
{
    tpp_graph *g = NULL;
    TPP_NEW(g, 1);
    *out = g;
    return TPP_OK;
}

void tpp_graph_close(tpp_graph *g)
{
    if (g == NULL) return;
    for (int i = 0; i < g->n_values; i++) {
        tpp_free(g->value[i].name);
        tpp_free(g->value[i].data);
    }
    for (int i = 0; i < g->n_named; i++) tpp_free(g->named[i].name);
    tpp_free(g->value);
    tpp_free(g->node);
    tpp_free(g->named);
    tpp_table_free(&g->leaves);
    tpp_free(g);
}

tpp_status tpp_graph_status(const tpp_graph *g)
{
    return g->status;
}

tpp_value tpp_graph_fail(tpp_graph *g, tpp_status s, const char *format, ...)
{
    if (g->status != TPP_OK) return TPP_NONE;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    g->status = TPP_FAIL(s, "%s", text);
    return TPP_NONE;
}

tpp_value tpp_graph_add_value(tpp_graph *g, const tpp_value_info *info)
{
    if (g->status != TPP_OK) return TPP_NONE;
    for (int i = 0; i < info->shape.rank; i++)
        if (info->shape.d[i] < 1)
            return tpp_graph_fail(g, TPP_ESHAPE, "a tensor of shape %s: axes are at least 1 long",
                                  tpp_shape_text(&info->shape));
    if (tpp_shape_count(&info->shape) >= INT32_MAX)
        return tpp_graph_fail(g, TPP_ESHAPE, "a tensor of shape %s: kernels index up to 2^31",
                              tpp_shape_text(&info->shape));
    g->status = tpp_grow(&g->value, g->n_values, &g->value_capacity, sizeof(*g->value));
    if (g->status != TPP_OK) return TPP_NONE;
    g->value[g->n_values] = *info;
    return g->n_values++;
}

/* The leaf of this class and name, or a new one. `is_new` tells which. */
static tpp_value find_leaf(tpp_graph *g, const char *class, const char *name,
                           const tpp_value_info *info, bool *is_new)
{
    char key[512];
    *is_new = false;
    if (g->status != TPP_OK) return TPP_NONE;
    const int n = snprintf(key, sizeof(key), "%s %s", class, name);
    if (n < 0 || (size_t)n >= sizeof(key))
        return tpp_graph_fail(g, TPP_EINTERNAL, "the name %.80s... is too long", name);
    tpp_table_entry *e = tpp_table_put(&g->leaves, key, is_new);
    if (e == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", name);
    if (!*is_new) {
        const tpp_value v = (tpp_value)e->value.number;
        if (g->value[v].type != info->type)
            return tpp_graph_fail(g, TPP_ESHAPE, "%s is used as %s and as %s", name,
                                  tpp_dtype_text(g->value[v].type), tpp_dtype_text(info->type));
        if (!tpp_shape_equal(&g->value[v].shape, &info->shape))
            return tpp_graph_fail(g, TPP_ESHAPE, "%s is used with shapes %s and %s", name,
                                  tpp_shape_text(&g->value[v].shape), tpp_shape_text(&info->shape));
        return v;
    }
    tpp_value_info leaf = *info;
    leaf.node = leaf.alias = -1;
    leaf.name = tpp_strdup(name);
    if (leaf.name == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", name);
    const tpp_value v = tpp_graph_add_value(g, &leaf);
    if (v == TPP_NONE)
        tpp_free(leaf.name);
    else
        e->value.number = v;
    return v;
}

tpp_value tpp_input(tpp_graph *g, const char *name, tpp_dtype type, tpp_shape shape)
{
    bool is_new = false;
    const tpp_value_info info = {.kind = TPP_VALUE_INPUT, .type = type, .shape = shape};
    return find_leaf(g, "input", name, &info, &is_new);
}

tpp_value tpp_param(tpp_graph *g, const char *name, tpp_shape shape)
{
    bool is_new = false;
    const tpp_value_info info = {.kind = TPP_VALUE_PARAM, .type = TPP_F32, .shape = shape};
    return find_leaf(g, "param", name, &info, &is_new);
}

tpp_value tpp_constant(tpp_graph *g, const char *key, tpp_dtype type, tpp_shape shape,
                       const void *data)
{
    bool is_new = false;
    const tpp_value_info info = {.kind = TPP_VALUE_CONSTANT, .type = type, .shape = shape};
    const tpp_value v = find_leaf(g, "constant", key, &info, &is_new);
    if (v == TPP_NONE || !is_new) return v;
    const size_t bytes = (size_t)tpp_shape_count(&shape) * tpp_dtype_size(type);
    g->value[v].data = tpp_calloc(bytes, 1);
    if (g->value[v].data == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", key);
    memcpy(g->value[v].data, data, bytes);
    return v;
}

bool tpp_constant_known(const tpp_graph *g, const char *key, tpp_value *out)
{
    char full[512];
    (void)snprintf(full, sizeof(full), "constant %s", key);
    const tpp_table_entry *e = tpp_table_find(&g->leaves, full);
    if (e != NULL) *out = (tpp_value)e->value.number;
    return e != NULL;
}

static void add_name(tpp_graph *g, const tpp_named_value *named)
{
    if (g->status != TPP_OK || named->value == TPP_NONE) return;
    g->status = tpp_grow(&g->named, g->n_named, &g->named_capacity, sizeof(*g->named));
    if (g->status != TPP_OK) return;
    tpp_named_value *n = &g->named[g->n_named];
    *n = *named;
    n->name = tpp_strdup(named->name);
    if (n->name == NULL)
        g->status = TPP_ENOMEM;
    else
        g->n_named++;
}

/* Did a name of length `n` fit its buffer? */
static bool fits(tpp_graph *g, int n, const char *name)
{
    if (n >= 0 && n < NAME) return true;
    (void)tpp_graph_fail(g, TPP_EINTERNAL, "the name %.80s... is too long", name);
    return false;
}

void tpp_output(tpp_graph *g, const char *name, tpp_value v)
{
    char copy[NAME];
    if (fits(g, snprintf(copy, sizeof(copy), "%s", name), copy))
        add_name(g, &(tpp_named_value){.name = copy, .value = v});
}

void tpp_mark(tpp_graph *g, int height, int width, tpp_value v, const char *format, ...)
{
    char name[NAME];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    if (!fits(g, n, name)) return;
    add_name(g, &(tpp_named_value){
                    .name = name, .value = v, .height = height, .width = width, .is_mark = true});
}

static tpp_status check_operands(tpp_graph *g, const tpp_op *op, int n_in, const tpp_value *in,
                                 tpp_shape shapes[TPP_MAX_IN])
{
    if (n_in > TPP_MAX_IN)
        return TPP_FAIL(TPP_EINTERNAL, "%s: %d operands, at most %d", op->name, n_in, TPP_MAX_IN);
    for (int i = 0; i < n_in; i++) {
        if (in[i] == TPP_NONE) continue;
        if (in[i] < 0 || in[i] >= g->n_values)
            return TPP_FAIL(TPP_EINTERNAL, "%s: operand %d is no value", op->name, i);
        const tpp_value_info *v = &g->value[in[i]];
        shapes[i] = v->shape;
        if ((unsigned)v->type != op->in_types[i])
            return TPP_FAIL(TPP_ESHAPE, "%s: operand %d is %s, %s is wanted", op->name, i,
                            tpp_dtype_text(v->type), tpp_dtype_text((tpp_dtype)op->in_types[i]));
    }
    return TPP_OK;
}

static tpp_status add_node(tpp_graph *g, const tpp_op *op, const void *attr, int n_in,
                           const tpp_value *in, tpp_value *out)
{
    tpp_shape in_shape[TPP_MAX_IN] = {0}, out_shape[TPP_MAX_OUT] = {0};
    TPP_TRY(check_operands(g, op, n_in, in, in_shape));
    TPP_TRY(op->infer(attr, in_shape, out_shape));
    TPP_TRY(tpp_grow(&g->node, g->n_nodes, &g->node_capacity, sizeof(*g->node)));
    tpp_node_info *n = &g->node[g->n_nodes];
    *n = (tpp_node_info){.op = op};
    memcpy(n->attr, attr, op->attr_size);
    for (int i = 0; i < TPP_MAX_IN; i++) n->in[i] = i < n_in ? in[i] : TPP_NONE;
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        n->out[i] = TPP_NONE;
        if (out_shape[i].rank == 0) continue;
        const tpp_value_info info = {.kind = TPP_VALUE_NODE,
                                     .type = (tpp_dtype)op->out_types[i],
                                     .shape = out_shape[i],
                                     .node = g->n_nodes,
                                     .port = i,
                                     .alias = -1};
        n->out[i] = tpp_graph_add_value(g, &info);
        TPP_TRY(g->status);
        out[i] = n->out[i];
    }
    g->n_nodes++;
    return TPP_OK;
}

tpp_status tpp_node(tpp_graph *g, const char *op_name, const void *attr, int n_in,
                    const tpp_value *in, tpp_value *out)
{
    if (g->status != TPP_OK) return g->status;
    const tpp_op *op = tpp_op_find(op_name);
    if (op == NULL)
        g->status = TPP_FAIL(TPP_EINTERNAL, "no op is called %s", op_name);
    else
        g->status = add_node(g, op, attr, n_in, in, out);
    return g->status;
}

static tpp_value alias(tpp_graph *g, tpp_value x, const tpp_shape *shape, bool stop)
{
    if (g->status != TPP_OK || x == TPP_NONE) return TPP_NONE;
    tpp_value_info info = g->value[x];
    if (tpp_shape_count(shape) != tpp_shape_count(&info.shape))
        return tpp_graph_fail(g, TPP_ESHAPE, "reshape: %s does not fit into %s",
                              tpp_shape_text(&info.shape), tpp_shape_text(shape));
    info.shape = *shape;
    info.kind = TPP_VALUE_NODE;
    info.name = NULL;
    info.data = NULL;
    info.node = -1;
    info.alias = x;
    info.stop = stop;
    return tpp_graph_add_value(g, &info);
}

tpp_value tpp_reshape(tpp_graph *g, tpp_value x, tpp_shape shape)
{
    return alias(g, x, &shape, false);
}

tpp_value tpp_stop_gradient(tpp_graph *g, tpp_value x)
{
    const tpp_shape shape = tpp_shape_of(g, x);
    return alias(g, x, &shape, true);
}

tpp_value tpp_graph_named(tpp_graph *g, const char *name)
{
    for (int i = 0; i < g->n_named; i++)
        if (!g->named[i].is_mark && strcmp(g->named[i].name, name) == 0) return g->named[i].value;
    return tpp_graph_fail(g, TPP_EINTERNAL, "no output is called %s", name);
}

tpp_shape tpp_shape_of(const tpp_graph *g, tpp_value v)
{
    return v == TPP_NONE || g->status != TPP_OK ? (tpp_shape){0} : g->value[v].shape;
}

int tpp_graph_param_count(const tpp_graph *g)
{
    int count = 0;
    for (int v = 0; v < g->n_values; v++) count += g->value[v].kind == TPP_VALUE_PARAM;
    return count;
}

const char *tpp_graph_param_at(const tpp_graph *g, int i, tpp_shape *shape)
{
    for (int v = 0; v < g->n_values; v++) {
        if (g->value[v].kind != TPP_VALUE_PARAM || i-- > 0) continue;
        *shape = g->value[v].shape;
        return g->value[v].name;
    }
    return NULL;
}
