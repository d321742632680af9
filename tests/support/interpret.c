/* Running a recorded graph with the float64 references of its ops.
 * SPDX-License-Identifier: MIT */
#include "interpret.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

static double *zeroed(const tpp_shape *shape)
{
    double *p = calloc((size_t)tpp_shape_count(shape), sizeof(*p));
    assert_non_null(p);
    return p;
}

static void read_constant(const tpp_value_info *v, double *out)
{
    const int64_t n = tpp_shape_count(&v->shape);
    for (int64_t i = 0; i < n; i++)
        out[i] = v->type == TPP_I32 ? ((const int32_t *)v->data)[i]
                                    : (double)((const float *)v->data)[i];
}

static void run_node(const tpp_graph *g, const tpp_node_info *n, double **data)
{
    tpp_ref_call call = {.attr = n->attr};
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (n->in[i] < 0) continue;
        call.in_shape[i] = g->value[n->in[i]].shape;
        call.in[i] = interpret_get(g, data, n->in[i]);
        assert_non_null(call.in[i]);
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (n->out[i] < 0) continue;
        call.out_shape[i] = g->value[n->out[i]].shape;
        data[n->out[i]] = zeroed(&call.out_shape[i]);
        call.out[i] = data[n->out[i]];
    }
    n->op->ref(&call);
}

double **interpret(const tpp_graph *g, interpret_fill *fill, void *context)
{
    if (tpp_graph_status(g) != TPP_OK) fail_msg("%s", tpp_error());
    double **data = calloc((size_t)g->n_values + 1, sizeof(*data));
    assert_non_null(data);
    for (int v = 0; v < g->n_values; v++) {
        const tpp_value_info *info = &g->value[v];
        if (info->alias >= 0 || info->kind == TPP_VALUE_NODE) continue;
        data[v] = zeroed(&info->shape);
        if (info->kind == TPP_VALUE_CONSTANT)
            read_constant(info, data[v]);
        else
            fill(context, info, data[v]);
    }
    for (int i = 0; i < g->n_nodes; i++) run_node(g, &g->node[i], data);
    return data;
}

void interpret_free(const tpp_graph *g, double **data)
{
    for (int v = 0; v < g->n_values; v++) free(data[v]);
    free(data);
}

const double *interpret_get(const tpp_graph *g, double **data, tpp_value v)
{
    return data[tpp_value_root(g->value, v)];
}
