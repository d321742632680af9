/* Fusion: what follows a gemm or a convolution moves into it, where the algorithm that would run
 * it can take that.
 *
 *   conv -> frozen_bn            weights and bias folded (fold_bn, a constant)
 *   gemm|conv -> activate        act
 *   gemm|conv -> binary add      residual; the sum may be of another branch
 *   gemm|ffn -> layernorm        gamma and beta
 *   binary add -> all its gemms  addend: the sum is never stored
 *
 * A merged node stands at the place of the node it swallowed, so that all it reads is there.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "nn/plan_internal.h"
#include "ops/first_use.h"

#include <string.h>

/* Would the algorithm that runs `n` now also run `fused`, and do its shapes agree? */
static bool accepts(const tpp_plan *p, const tpp_plan_node *n, const tpp_plan_node *fused)
{
    const tpp_call before = tpp_plan_call(p, n), after = tpp_plan_call(p, fused);
    const tpp_algorithm *a =
        tpp_op_choose_on(p->store->device, n->info.op, p->options.algorithm, &before).algorithm;
    if (a == NULL || !tpp_algorithm_takes(fused->info.op, a, &after, p->caps)) return false;
    tpp_shape in[TPP_MAX_IN], out[TPP_MAX_OUT] = {0};
    for (int i = 0; i < TPP_MAX_IN; i++) in[i] = after.in[i].shape;
    return fused->info.op->infer(fused->info.attr, in, out) == TPP_OK &&
           tpp_shape_equal(&out[0], &after.out[0].shape);
}

static int act_of(const tpp_plan_node *n)
{
    int act = 0; /* the first member of the attributes of fusable ops */
    memcpy(&act, n->info.attr, sizeof(act));
    return act;
}

/* `n` becomes part of `user`: the merged node replaces the user. */
static void merge(tpp_plan *p, int n, int user, const tpp_plan_node *fused)
{
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const int r = tpp_plan_root(p, p->node[n].info.in[i]);
        if (r >= 0 && p->value[r].last_user == n) p->value[r].last_user = user;
    }
    p->value[p->node[n].info.out[0]].users = 0;
    p->node[n].dead = true;
    p->node[user] = *fused;
}

static bool fuse_activate(tpp_plan *p, int n, int user, tpp_plan_node *fused)
{
    const tpp_plan_node *u = &p->node[user];
    tpp_activate_attr attr;
    memcpy(&attr, u->info.attr, sizeof(attr));
    if (act_of(fused) != TPP_ACT_NONE) return false;
    memcpy(fused->info.attr, &attr.act, sizeof(attr.act));
    return accepts(p, &p->node[n], fused);
}

static bool fuse_residual(tpp_plan *p, int n, int user, tpp_plan_node *fused)
{
    const tpp_plan_node *u = &p->node[user];
    const int v = p->node[n].info.out[0];
    tpp_binary_attr attr;
    memcpy(&attr, u->info.attr, sizeof(attr));
    if (attr.op != TPP_BINARY_ADD || attr.by_row || act_of(fused) != TPP_ACT_NONE ||
        fused->info.in[TPP_GEMM_RESIDUAL] >= 0)
        return false;
    const int other = u->info.in[0] == v ? u->info.in[1] : u->info.in[0];
    if (tpp_plan_root(p, other) == v) return false;
    fused->info.in[TPP_GEMM_RESIDUAL] = other;
    return accepts(p, &p->node[n], fused);
}

/* Whatever was merged before, the norm comes last. */
static bool fuse_norm(tpp_plan *p, int n, int user, tpp_plan_node *fused)
{
    enum { GAMMA = 1, BETA }; /* operands of layernorm */
    const tpp_plan_node *u = &p->node[user];
    tpp_layernorm_attr norm;
    if (u->info.in[0] != p->node[n].info.out[0]) return false;
    memcpy(&norm, u->info.attr, sizeof(norm));
    if (fused->info.op == &tpp_op_ffn) {
        tpp_ffn_attr attr;
        memcpy(&attr, fused->info.attr, sizeof(attr));
        attr.eps = norm.eps;
        memcpy(fused->info.attr, &attr, sizeof(attr));
    } else {
        tpp_gemm_attr attr;
        memcpy(&attr, fused->info.attr, sizeof(attr));
        attr.eps = norm.eps;
        memcpy(fused->info.attr, &attr, sizeof(attr));
    }
    fused->info.in[TPP_NORM_GAMMA] = u->info.in[GAMMA];
    fused->info.in[TPP_NORM_BETA] = u->info.in[BETA];
    return accepts(p, &p->node[n], fused);
}

/* The weights and bias of the merged convolution come from a new node, fold_bn. */
static tpp_status fuse_bn(tpp_plan *p, int n, int user, tpp_plan_node *fused, bool *done)
{
    *done = false;
    if (p->node[n].info.op != &tpp_op_conv2d || fused->info.in[TPP_GEMM_BIAS] >= 0 ||
        fused->info.in[TPP_GEMM_RESIDUAL] >= 0 || act_of(fused) != TPP_ACT_NONE)
        return TPP_OK;
    const int w = fused->info.in[TPP_GEMM_W];
    if (!p->value[tpp_plan_root(p, w)].constant) return TPP_OK;
    tpp_plan_node fold = {.info = {.op = &tpp_op_fold_bn}, .constant = true};
    memcpy(fold.info.attr, p->node[user].info.attr, sizeof(fold.info.attr));
    for (int i = 0; i < TPP_MAX_IN; i++)
        fold.info.in[i] = i == 0 ? w : i < 5 ? p->node[user].info.in[i] : -1;
    const tpp_shape shapes[2] = {p->value[w].info.shape, TPP_SHAPE(p->value[w].info.shape.d[0])};
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        fold.info.out[i] = -1;
        if (i > 1) continue;
        const tpp_value_info info = {
            .kind = TPP_VALUE_NODE, .shape = shapes[i], .node = p->n_nodes, .port = i, .alias = -1};
        fold.info.out[i] = tpp_plan_add_value(p, &info);
        if (fold.info.out[i] < 0) return TPP_ENOMEM;
        p->value[fold.info.out[i]].constant = true;
    }
    TPP_TRY(tpp_plan_insert_before(p, user, &fold));
    fused->info.in[TPP_GEMM_W] = fold.info.out[0];
    fused->info.in[TPP_GEMM_BIAS] = fold.info.out[1];
    *done = accepts(p, &p->node[n], fused);
    return TPP_OK;
}

static bool is_normed(const tpp_plan_node *n)
{
    return n->info.op->normable && n->info.in[TPP_NORM_GAMMA] >= 0;
}

/* Merges node `n` into the only reader of its result, if that is possible. */
static tpp_status fuse_forward(tpp_plan *p, int n, bool *merged)
{
    const int v = p->node[n].info.out[0];
    const int user = p->value[v].last_user;
    *merged = false;
    if (p->value[v].users != 1 || p->value[v].keep || user < 0) return TPP_OK;
    const tpp_plan_node *u = &p->node[user];
    if (u->info.in[0] != v && u->info.in[1] != v) return TPP_OK; /* read through a reshape */
    tpp_plan_node fused = p->node[n];
    memcpy(fused.info.out, u->info.out, sizeof(fused.info.out));
    if (is_normed(&p->node[n])) return TPP_OK;
    if (u->info.op == &tpp_op_layernorm && fused.info.op->normable)
        *merged = fuse_norm(p, n, user, &fused);
    else if (!fused.info.op->fusable)
        return TPP_OK;
    else if (u->info.op == &tpp_op_activate)
        *merged = fuse_activate(p, n, user, &fused);
    else if (u->info.op == &tpp_op_binary)
        *merged = fuse_residual(p, n, user, &fused);
    else if (u->info.op == &tpp_op_frozen_bn)
        TPP_TRY(fuse_bn(p, n, user, &fused, merged));
    if (*merged) merge(p, n, user, &fused);
    return TPP_OK;
}

/* Can gemm `n` read `sum` = a + b as x and addend? */
static bool takes_addend(const tpp_plan *p, const tpp_plan_node *n, int sum, int a, int b,
                         tpp_plan_node *fused)
{
    if (n->info.op != &tpp_op_gemm || n->info.in[TPP_GEMM_X] != sum ||
        n->info.in[TPP_GEMM_ADDEND] >= 0)
        return false;
    for (int i = 1; i < TPP_MAX_IN; i++)
        if (tpp_plan_root(p, n->info.in[i]) == sum) return false;
    *fused = *n;
    fused->info.in[TPP_GEMM_X] = a;
    fused->info.in[TPP_GEMM_ADDEND] = b;
    return accepts(p, n, fused);
}

/* A sum that only gemms read becomes their addend. */
static void fuse_addend(tpp_plan *p, int add)
{
    tpp_plan_node fused;
    const tpp_plan_node *sum = &p->node[add];
    const int v = sum->info.out[0], a = sum->info.in[0], b = sum->info.in[1];
    tpp_binary_attr attr;
    memcpy(&attr, sum->info.attr, sizeof(attr));
    if (attr.op != TPP_BINARY_ADD || attr.by_row || p->value[v].keep || sum->constant) return;
    for (int pass = 0; pass < 2; pass++) /* first look, then do */
        for (int at = 0; at < p->n_order; at++) {
            tpp_plan_node *n = &p->node[p->order[at]];
            bool reads = false;
            for (int i = 0; i < TPP_MAX_IN && !n->dead; i++)
                reads = reads || tpp_plan_root(p, n->info.in[i]) == v;
            if (!reads) continue;
            if (!takes_addend(p, n, v, a, b, &fused)) return;
            if (pass == 1) *n = fused;
        }
    p->node[add].dead = true;
}

tpp_status tpp_plan_fuse(tpp_plan *p)
{
    tpp_plan_count_users(p);
    for (int at = 0; at < p->n_order; at++) {
        const int n = p->order[at];
        bool merged = false;
        const tpp_op *op = p->node[n].info.op;
        if (p->node[n].dead || !(op->fusable || op->normable)) continue;
        TPP_TRY(fuse_forward(p, n, &merged));
    }
    for (int at = 0; at < p->n_order; at++) {
        const int n = p->order[at];
        if (!p->node[n].dead && p->node[n].info.op == &tpp_op_binary) fuse_addend(p, n);
    }
    return TPP_OK;
}
