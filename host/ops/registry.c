/* The registry: a list of names; lookup and choice of algorithms.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"

#include <string.h>

#define TPP_OP_ROW(name) &tpp_op_##name,
const tpp_op *const tpp_ops[] = {TPP_REF_MAP(TPP_OP_ROW) NULL};
#undef TPP_OP_ROW

const tpp_op *tpp_op_find(const char *name)
{
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        if (strcmp((*op)->name, name) == 0) return *op;
    return NULL;
}

const tpp_algorithm *tpp_op_algorithm(const tpp_op *op, const char *name)
{
    for (const tpp_algorithm *a = op->algorithms; a->name != NULL; a++)
        if (strcmp(a->name, name) == 0) return a;
    return NULL;
}

bool tpp_algorithm_takes(const tpp_op *op, const tpp_algorithm *a, const tpp_call *c,
                         const tpp_caps *caps)
{
    if (op->fusable) {
        const int act = *(const int *)c->attr;
        const unsigned wanted = (c->in[TPP_GEMM_BIAS].shape.rank > 0 ? TPP_FUSE_BIAS : 0u) |
                                (act != TPP_ACT_NONE ? TPP_FUSE_ACT : 0u) |
                                (c->in[TPP_GEMM_RESIDUAL].shape.rank > 0 ? TPP_FUSE_RESIDUAL : 0u) |
                                (c->in[TPP_GEMM_ADDEND].shape.rank > 0 ? TPP_FUSE_ADDEND : 0u);
        if ((wanted & ~a->fuses) != 0) return false;
    }
    return a->supports == NULL || a->supports(c, caps);
}

const tpp_algorithm *tpp_op_choose(const tpp_op *op, const char *wanted, const tpp_call *c,
                                   const tpp_caps *caps)
{
    const tpp_algorithm *a = wanted != NULL ? tpp_op_algorithm(op, wanted) : NULL;
    if (a != NULL && tpp_algorithm_takes(op, a, c, caps)) return a;
    for (a = op->algorithms; a->name != NULL; a++)
        if (!(a->cpu_only && !caps->is_cpu) && tpp_algorithm_takes(op, a, c, caps)) return a;
    return NULL;
}

int tpp_panel_width(const tpp_caps *caps)
{
    return TPP_PANEL_VECTORS * (caps->vector_width >= 16 ? 16 : 8);
}
