/* The registry: a list of names; lookup and choice of algorithms.
 * SPDX-License-Identifier: MIT */
#include "ops/tuning.h"

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

/* Is no operand stored as half but those that the algorithm takes so? */
static bool takes_types(const tpp_algorithm *a, const tpp_call *c)
{
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (c->in[i].shape.rank > 0 && c->in[i].type == TPP_F16 && ((a->halves >> i) & 1u) == 0)
            return false;
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (c->out[i].shape.rank > 0 && c->out[i].type == TPP_F16 &&
            (i > 0 || (a->halves & TPP_HALF_OUT) == 0))
            return false;
    return true;
}

/* Do no rows lie apart but those of operands that the algorithm takes so? */
static bool takes_pitches(const tpp_algorithm *a, const tpp_call *c)
{
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (c->in[i].pitch > 0 && ((a->pitches >> i) & 1u) == 0) return false;
    return true;
}

bool tpp_algorithm_is_for(const tpp_algorithm *a, const tpp_caps *caps)
{
    return caps->is_cpu ? !a->gpu_only : !a->cpu_only;
}

/* TPP_FUSE_... of what was merged into a call. */
static unsigned fused_in(const tpp_op *op, const tpp_call *c)
{
    unsigned fused = 0;
    if (op->fusable) {
        const int act = *(const int *)c->attr;
        fused |= (c->in[TPP_GEMM_BIAS].shape.rank > 0 ? TPP_FUSE_BIAS : 0u) |
                 (act != TPP_ACT_NONE ? TPP_FUSE_ACT : 0u) |
                 (c->in[TPP_GEMM_RESIDUAL].shape.rank > 0 ? TPP_FUSE_RESIDUAL : 0u) |
                 (c->in[TPP_GEMM_ADDEND].shape.rank > 0 ? TPP_FUSE_ADDEND : 0u);
    }
    if (op->normable && c->in[TPP_NORM_GAMMA].shape.rank > 0) fused |= TPP_FUSE_NORM;
    return fused;
}

bool tpp_algorithm_takes(const tpp_op *op, const tpp_algorithm *a, const tpp_call *c,
                         const tpp_caps *caps)
{
    if ((fused_in(op, c) & ~a->fuses) != 0) return false;
    if (!takes_types(a, c) || !takes_pitches(a, c)) return false;
    return a->supports == NULL || a->supports(c, caps);
}

tpp_params tpp_default_params(const tpp_algorithm *a, const tpp_call *c, const tpp_caps *caps)
{
    tpp_params p = {{0}};
    if (a->variant != NULL) (void)a->variant(c, caps, 0, &p);
    return p;
}

/* Are these parameters among those that the algorithm offers for the call? A tuning file is a file:
 * a tile of no rows must not reach a kernel. */
static bool offers(const tpp_algorithm *a, const tpp_call *c, const tpp_caps *caps,
                   const tpp_params *wanted)
{
    tpp_params p = {{0}};
    if (a->variant == NULL) return true;
    for (int i = 0; a->variant(c, caps, i, &p); i++)
        if (memcmp(&p, wanted, sizeof(p)) == 0) return true;
    return false;
}

tpp_choice tpp_op_choose(const tpp_op *op, const char *wanted, const tpp_tuning *tuning,
                         const tpp_call *c, const tpp_caps *caps)
{
    const tpp_tuned *tuned = tuning != NULL ? tpp_tuning_find(tuning, op, c) : NULL;
    if (tuned != NULL && !offers(tuned->algorithm, c, caps, &tuned->params)) tuned = NULL;
    const tpp_algorithm *a = wanted != NULL ? tpp_op_algorithm(op, wanted) : NULL;
    if (a == NULL || !tpp_algorithm_takes(op, a, c, caps)) {
        a = tuned != NULL ? tuned->algorithm : NULL;
        if (a == NULL || !tpp_algorithm_takes(op, a, c, caps))
            for (a = op->algorithms; a->name != NULL; a++)
                if (tpp_algorithm_is_for(a, caps) && tpp_algorithm_takes(op, a, c, caps)) break;
    }
    if (a->name == NULL) return (tpp_choice){.algorithm = NULL};
    if (tuned != NULL && tuned->algorithm == a)
        return (tpp_choice){.algorithm = a, .params = tuned->params};
    return (tpp_choice){.algorithm = a, .params = tpp_default_params(a, c, caps)};
}

tpp_pack_attr tpp_packing_of(const tpp_op *op, const tpp_algorithm *a, const tpp_call *c,
                             const tpp_caps *caps)
{
    tpp_pack_attr attr = {.panel = tpp_panel_width(caps)};
    if (op == &tpp_op_gemm) attr.trans = ((const tpp_gemm_attr *)c->attr)->trans_w;
    if (a->packing != NULL) a->packing(c, caps, &attr);
    return attr;
}

int tpp_panel_width(const tpp_caps *caps)
{
    return TPP_PANEL_VECTORS * (caps->vector_width >= 16 ? 16 : 8);
}
