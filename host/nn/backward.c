/* Gradients as more nodes of the same graph: for each node from the output back, what its inputs
 * owe to its outputs. Which op has which gradient is one table at the end.
 *
 * Only values between `wrt` and the output are looked at; a value that several nodes read gets the
 * sum of their shares. Gradients of rows that an op repeated are summed over the repeats.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "nn/graph_internal.h"

#include <stdio.h>
#include <string.h>

typedef struct sweep {
    tpp_graph *g;
    tpp_value *grad; /* by root value: what was gathered so far, or TPP_NONE */
    bool *wanted;    /* by root value: does it depend on one of `wrt`? */
    int n;           /* values when the sweep began */
} sweep;

/* Root of `v`, or TPP_NONE when no gradient may pass or none is wanted. */
static tpp_value target(const sweep *s, tpp_value v)
{
    while (v >= 0 && s->g->value[v].alias >= 0) {
        if (s->g->value[v].stop) return TPP_NONE;
        v = s->g->value[v].alias;
    }
    return v >= 0 && v < s->n && s->wanted[v] ? v : TPP_NONE;
}

static bool wants(const sweep *s, const tpp_node_info *n, int i)
{
    return target(s, n->in[i]) != TPP_NONE;
}

/* Adds `d` (as many elements as `v`) to the gradient of `v`. */
static void give(sweep *s, tpp_value v, tpp_value d)
{
    const tpp_value root = target(s, v);
    if (root == TPP_NONE || d == TPP_NONE) return;
    d = tpp_reshape(s->g, d, tpp_shape_of(s->g, root));
    s->grad[root] = s->grad[root] == TPP_NONE ? d : tpp_add(s->g, s->grad[root], d);
}

static tpp_value node1(tpp_graph *g, const char *op, const void *attr, int n_in,
                       const tpp_value *in)
{
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    return tpp_node(g, op, attr, n_in, in, out) == TPP_OK ? out[0] : TPP_NONE;
}

static tpp_value as_matrix(tpp_graph *g, tpp_value v)
{
    const tpp_shape s = tpp_shape_of(g, v);
    return tpp_reshape(g, v, TPP_SHAPE(tpp_shape_rows(&s), tpp_shape_cols(&s)));
}

static tpp_value sum_rows(tpp_graph *g, tpp_value v)
{
    const tpp_copy_attr attr = {0};
    return node1(g, "reduce_rows", &attr, 1, &v);
}

/* Gradient of an operand of `rows` rows that were repeated over the rows of `d`. */
static tpp_value sum_repeats(tpp_graph *g, tpp_value d, int64_t rows)
{
    const tpp_shape s = tpp_shape_of(g, d);
    if (tpp_graph_status(g) != TPP_OK || tpp_shape_rows(&s) == rows) return d;
    const int64_t cells = rows * tpp_shape_cols(&s);
    return sum_rows(g, tpp_reshape(g, d, TPP_SHAPE(tpp_shape_count(&s) / cells, cells)));
}

static int64_t rows_of(const tpp_graph *g, tpp_value v)
{
    const tpp_shape s = tpp_shape_of(g, v);
    return tpp_shape_rows(&s);
}

/* d w for w stored [N, K]; d x for x of y = x w^T. */
static tpp_value times_weight(tpp_graph *g, tpp_value dy, tpp_value w, bool trans)
{
    const tpp_gemm_attr attr = {.trans_w = !trans};
    return node1(g, "gemm", &attr, 2, (tpp_value[]){dy, w});
}

static tpp_value weight_gradient(tpp_graph *g, tpp_value dy, tpp_value x)
{
    const tpp_gemm_attr attr = {.trans_x = 1, .trans_w = 1};
    return node1(g, "gemm", &attr, 2, (tpp_value[]){as_matrix(g, dy), as_matrix(g, x)});
}

static void gemm_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_gemm_attr attr;
    tpp_graph *g = s->g;
    memcpy(&attr, n->attr, sizeof(attr));
    if (attr.act != TPP_ACT_NONE || attr.trans_x || attr.trans_w) {
        (void)tpp_graph_fail(g, TPP_EUNSUPPORTED,
                             "gradient of a gemm that is transposed or has an activation");
        return;
    }
    tpp_value x = n->in[TPP_GEMM_X];
    const tpp_value addend = n->in[TPP_GEMM_ADDEND], residual = n->in[TPP_GEMM_RESIDUAL];
    if (wants(s, n, TPP_GEMM_W)) {
        if (addend != TPP_NONE) x = tpp_add(g, x, addend);
        give(s, n->in[TPP_GEMM_W], weight_gradient(g, dy[0], x));
    }
    if (n->in[TPP_GEMM_BIAS] != TPP_NONE && wants(s, n, TPP_GEMM_BIAS))
        give(s, n->in[TPP_GEMM_BIAS], sum_rows(g, dy[0]));
    if (residual != TPP_NONE && wants(s, n, TPP_GEMM_RESIDUAL))
        give(s, residual, sum_repeats(g, dy[0], rows_of(g, residual)));
    const bool wants_addend = addend != TPP_NONE && wants(s, n, TPP_GEMM_ADDEND);
    if (!wants(s, n, TPP_GEMM_X) && !wants_addend) return;
    const tpp_value dx = times_weight(g, dy[0], n->in[TPP_GEMM_W], false);
    give(s, n->in[TPP_GEMM_X], dx);
    if (wants_addend) give(s, addend, sum_repeats(g, dx, rows_of(g, addend)));
}

/* The hidden rows are computed again: keeping them would cost more memory than time. */
static void ffn_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    enum { X, W1, B1, W2, B2 };
    tpp_ffn_attr attr;
    tpp_graph *g = s->g;
    memcpy(&attr, n->attr, sizeof(attr));
    const tpp_value z = tpp_gemm(g, n->in[X], n->in[W1], n->in[B1]);
    const tpp_value h = tpp_activate(g, z, (tpp_act)attr.act);
    if (wants(s, n, W2)) give(s, n->in[W2], weight_gradient(g, dy[0], h));
    if (wants(s, n, B2)) give(s, n->in[B2], sum_rows(g, dy[0]));
    const tpp_activate_attr act = {.act = attr.act};
    const tpp_value dh = times_weight(g, dy[0], n->in[W2], false);
    const tpp_value dz = node1(g, "activate_backward", &act, 2, (tpp_value[]){dh, z});
    if (wants(s, n, W1)) give(s, n->in[W1], weight_gradient(g, dz, n->in[X]));
    if (wants(s, n, B1)) give(s, n->in[B1], sum_rows(g, dz));
    if (!wants(s, n, X)) return;
    give(s, n->in[X], times_weight(g, dz, n->in[W1], false));
    give(s, n->in[X], dy[0]);
}

/* Ops whose backward op takes dy and the first `inputs` inputs and gives gradients of the first
 * `outputs` of them. */
static void give_all(sweep *s, const tpp_node_info *n, const char *op, tpp_value dy,
                     const int counts[2])
{
    tpp_value in[TPP_MAX_IN] = {dy}, out[TPP_MAX_OUT];
    for (int i = 0; i < counts[0]; i++) in[1 + i] = n->in[i];
    for (int i = 0; i < TPP_MAX_OUT; i++) out[i] = TPP_NONE;
    if (tpp_node(s->g, op, n->attr, 1 + counts[0], in, out) != TPP_OK) return;
    for (int i = 0; i < counts[1]; i++) give(s, n->in[i], out[i]);
}

static void layernorm_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_value in[] = {dy[0], n->in[0], n->in[1]}, out[TPP_MAX_OUT];
    if (tpp_node(s->g, "layernorm_backward", n->attr, 3, in, out) != TPP_OK) return;
    for (int i = 0; i < 3; i++) give(s, n->in[i], out[i]);
}

static void attention_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    if (n->in[3] != TPP_NONE || n->in[4] != TPP_NONE) {
        (void)tpp_graph_fail(s->g, TPP_EUNSUPPORTED, "gradient of attention with padded keys");
        return;
    }
    give_all(s, n, "attention_backward", dy[0], (const int[2]){3, 3});
}

static void deform_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    give_all(s, n, "deform_attention_backward", dy[0], (const int[2]){4, 3});
}

static void activate_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    give(s, n->in[0], node1(s->g, "activate_backward", n->attr, 2, (tpp_value[]){dy[0], n->in[0]}));
}

static void binary_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_binary_attr attr;
    tpp_graph *g = s->g;
    memcpy(&attr, n->attr, sizeof(attr));
    const tpp_value a = n->in[0], b = n->in[1];
    if (attr.by_row) {
        (void)tpp_graph_fail(g, TPP_EUNSUPPORTED, "gradient of a binary op by rows");
        return;
    }
    const bool mul = attr.op == TPP_BINARY_MUL;
    if (wants(s, n, 0)) give(s, a, mul ? tpp_mul(g, dy[0], b) : dy[0]);
    if (!wants(s, n, 1)) return;
    const tpp_value db = mul ? tpp_mul(g, dy[0], a) : dy[0];
    give(s, b, sum_repeats(g, db, rows_of(g, b)));
}

/* Zeros [outer, count, inner], by a constant. */
static tpp_value zeros(tpp_graph *g, int64_t outer, int64_t count, int64_t inner)
{
    char key[96];
    tpp_value v = TPP_NONE;
    (void)snprintf(key, sizeof(key), "zeros %lldx%lldx%lld", (long long)outer, (long long)count,
                   (long long)inner);
    if (tpp_constant_known(g, key, &v)) return v;
    float *data = tpp_calloc((size_t)(outer * count * inner), sizeof(*data));
    if (data == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for zeros");
    v = tpp_constant(g, key, TPP_F32, TPP_SHAPE(outer, count, inner), data);
    tpp_free(data);
    return v;
}

static void slice_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_slice_attr a;
    tpp_graph *g = s->g;
    memcpy(&a, n->attr, sizeof(a));
    const int64_t behind = a.n - a.start - a.count;
    tpp_value part[3];
    int parts = 0;
    if (a.start > 0) part[parts++] = zeros(g, a.outer, a.start, a.inner);
    part[parts++] = tpp_reshape(g, dy[0], TPP_SHAPE(a.outer, a.count, a.inner));
    if (behind > 0) part[parts++] = zeros(g, a.outer, behind, a.inner);
    give(s, n->in[0], parts == 1 ? part[0] : tpp_concat(g, 1, parts, part));
}

static void concat_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_concat_attr a;
    tpp_graph *g = s->g;
    memcpy(&a, n->attr, sizeof(a));
    const int64_t all = tpp_shape_count(&a.out) / (a.outer * a.inner);
    const tpp_value whole = tpp_reshape(g, dy[0], TPP_SHAPE(a.outer, all, a.inner));
    int64_t at = 0;
    for (int i = 0; i < TPP_MAX_IN && n->in[i] != TPP_NONE; i++) {
        const tpp_shape shape = tpp_shape_of(g, n->in[i]);
        const int64_t count = tpp_shape_count(&shape) / (a.outer * a.inner);
        if (wants(s, n, i)) give(s, n->in[i], tpp_slice(g, whole, 1, at, count));
        at += count;
    }
}

static void gather_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    tpp_gather_attr a;
    memcpy(&a, n->attr, sizeof(a));
    a.rows = (int)(rows_of(s->g, n->in[0]) / (a.batches > 1 ? a.batches : 1));
    give(s, n->in[0], node1(s->g, "scatter_rows", &a, 2, (tpp_value[]){dy[0], n->in[1]}));
}

/* b = sigmoid(delta + constant): the slope is that of the sigmoid at sigmoid^-1(b). */
static void box_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    const tpp_activate_attr sigmoid = {.act = TPP_ACT_SIGMOID};
    const tpp_value z = tpp_activate(s->g, n->out[0], TPP_ACT_INVERSE_SIGMOID);
    give(s, n->in[0], node1(s->g, "activate_backward", &sigmoid, 2, (tpp_value[]){dy[0], z}));
    if (wants(s, n, 1))
        (void)tpp_graph_fail(s->g, TPP_EUNSUPPORTED,
                             "gradient of a reference box: it is stopped by the model");
}

static void copy_backward(sweep *s, const tpp_node_info *n, const tpp_value *dy)
{
    give(s, n->in[0], dy[0]);
}

typedef void backward_rule(sweep *s, const tpp_node_info *n, const tpp_value *dy);
static const struct {
    const char *op;
    backward_rule *rule;
} rules[] = {
    {"gemm", gemm_backward},
    {"ffn", ffn_backward},
    {"layernorm", layernorm_backward},
    {"attention", attention_backward},
    {"deform_attention", deform_backward},
    {"activate", activate_backward},
    {"binary", binary_backward},
    {"slice", slice_backward},
    {"concat", concat_backward},
    {"gather_rows", gather_backward},
    {"box_refine", box_backward},
    {"copy", copy_backward},
};

static void node_backward(sweep *s, const tpp_node_info *n)
{
    tpp_value dy[TPP_MAX_OUT];
    bool any = false, useful = false;
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        dy[i] = n->out[i] >= 0 ? s->grad[n->out[i]] : TPP_NONE;
        any = any || dy[i] != TPP_NONE;
    }
    for (int i = 0; i < TPP_MAX_IN; i++) useful = useful || (n->in[i] >= 0 && wants(s, n, i));
    if (!any || !useful) return;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(rules[i].op, n->op->name) == 0) {
            const tpp_node_info copy = *n; /* the array may move while nodes are added */
            rules[i].rule(s, &copy, dy);
            return;
        }
    (void)tpp_graph_fail(s->g, TPP_EUNSUPPORTED, "%s has no gradient yet", n->op->name);
}

/* Which values depend on `wrt`: those themselves and, in order, outputs of nodes that read one. */
static void mark_wanted(sweep *s, int n, const tpp_value *wrt)
{
    const tpp_graph *g = s->g;
    for (int i = 0; i < n; i++) s->wanted[tpp_value_root(g->value, wrt[i])] = true;
    for (int i = 0; i < g->n_nodes; i++) {
        bool reads = false;
        for (int j = 0; j < TPP_MAX_IN; j++) reads = reads || target(s, g->node[i].in[j]) >= 0;
        for (int j = 0; reads && j < TPP_MAX_OUT; j++)
            if (g->node[i].out[j] >= 0 && g->value[g->node[i].out[j]].type == TPP_F32)
                s->wanted[g->node[i].out[j]] = true;
    }
}

tpp_status tpp_backward(tpp_graph *g, tpp_value output, tpp_value seed, int n, const tpp_value *wrt,
                        tpp_value *grads)
{
    TPP_TRY(tpp_graph_status(g));
    tpp_status status = TPP_OK;
    sweep s = {.g = g, .n = g->n_values};
    const int last = g->n_nodes;
    TPP_NEW_OR(done, status, s.grad, s.n);
    TPP_NEW_OR(done, status, s.wanted, s.n);
    for (int i = 0; i < s.n; i++) s.grad[i] = TPP_NONE;
    mark_wanted(&s, n, wrt);
    give(&s, output, seed);
    for (int i = last - 1; i >= 0; i--) node_backward(&s, &g->node[i]);
    status = tpp_graph_status(g);
    for (int i = 0; status == TPP_OK && i < n; i++)
        grads[i] = s.grad[tpp_value_root(g->value, wrt[i])];
done:
    tpp_free(s.grad);
    tpp_free(s.wanted);
    return status;
}
