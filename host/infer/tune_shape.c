/* Calls to measure with: their data, and smaller ones of the same kind to check against `plain`,
 * which takes seconds where the others take milliseconds.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/tune_internal.h"
#include "ops/check.h"

#include <string.h>

enum { VALID = 3, INDEX = 4 }; /* operands of attention; those of gemm are in ref.h */

/* ---- data ---- */

bool tpp_tune_can_sample(const tpp_op *op, const tpp_shape *in)
{
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (in[i].rank > 0 && op->in_types[i] != TPP_F32 && op != &tpp_op_attention) return false;
    return true;
}

/* All keys take part, as in a frame; query batches read the key batches in turn. */
static double attention_index(const tpp_shape *in, int i, int64_t j)
{
    return (double)(i == VALID ? in[1].d[1] : j % in[1].d[0]);
}

tpp_status tpp_tune_input(const tpp_op *op, const void *attr, const tpp_shape *in, int i,
                          double **out)
{
    tpp_case c = {.name = "tune", .attr = attr};
    memcpy(c.in, in, sizeof(c.in));
    for (const tpp_case *k = op->cases; k->name != NULL; k++)
        if (k->in[i].rank > 0) {
            c.fill[i] = k->fill[i];
            break;
        }
    if (op->in_types[i] == TPP_F32) return tpp_case_input(out, op, &c, i);
    const int64_t n = tpp_shape_count(&in[i]);
    double *v = NULL;
    TPP_NEW(v, n);
    for (int64_t j = 0; j < n; j++) v[j] = attention_index(in, i, j);
    *out = v;
    return TPP_OK;
}

/* ---- smaller calls ---- */

static const int64_t few_rows[2] = {64, 37};

static int64_t at_most(int64_t n, int64_t most)
{
    return n < most ? n : most;
}

/* As many rows as x, or fewer that repeat. */
static void shrink_repeated(tpp_shape *s, int64_t rows_before, int64_t rows)
{
    if (s->rank == 0) return;
    const bool repeats = tpp_shape_rows(s) < rows_before;
    *s = TPP_SHAPE(!repeats ? rows : rows % 2 == 0 ? rows / 2 : 1, tpp_shape_cols(s));
}

static bool shrink_rows(tpp_shape *in, int64_t rows, bool has_gemm_operands)
{
    const int64_t before = tpp_shape_rows(&in[0]);
    if (before <= rows) return false;
    in[0] = TPP_SHAPE(rows, tpp_shape_cols(&in[0]));
    if (!has_gemm_operands) return true;
    shrink_repeated(&in[TPP_GEMM_RESIDUAL], before, rows);
    shrink_repeated(&in[TPP_GEMM_ADDEND], before, rows);
    return true;
}

static bool shrink_conv(tpp_conv2d_attr *a, tpp_shape *in, int number)
{
    const int sides[2][2] = {{8, 8}, {5, 7}}; /* of y */
    const int lost = a->kernel - a->stride - 2 * a->pad + number;
    a->height = (int)at_most(a->height, sides[number][0] * a->stride + lost);
    a->width = (int)at_most(a->width, sides[number][1] * a->stride + lost);
    if (a->height < 1 || a->width < 1) return false;
    const int out_height = (a->height + 2 * a->pad - a->kernel) / a->stride + 1;
    const int out_width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    tpp_shape *residual = &in[TPP_GEMM_RESIDUAL];
    in[0] = TPP_SHAPE(1, (int64_t)a->height * a->width, tpp_shape_cols(&in[0]));
    if (residual->rank > 0)
        *residual = TPP_SHAPE(1, (int64_t)out_height * out_width, tpp_shape_cols(residual));
    return true;
}

static bool shrink_attention(tpp_shape *in, int64_t rows)
{
    if (in[0].d[1] <= rows && in[1].d[1] <= rows) return false;
    in[0].d[1] = at_most(in[0].d[1], rows);
    in[1].d[1] = in[2].d[1] = at_most(in[1].d[1], rows + 5);
    return true;
}

bool tpp_tune_shrink(const tpp_op *op, void *attr, tpp_shape *in, int number)
{
    if (op == &tpp_op_gemm)
        return ((const tpp_gemm_attr *)attr)->trans_x == 0 &&
               shrink_rows(in, few_rows[number], true);
    if (op == &tpp_op_ffn) return shrink_rows(in, few_rows[number], false);
    if (op == &tpp_op_conv2d) return shrink_conv(attr, in, number);
    if (op == &tpp_op_attention) return shrink_attention(in, few_rows[number]);
    return false;
}

double tpp_tune_flops(const tpp_op *op, const void *attr, const tpp_shape *in)
{
    tpp_shape out[TPP_MAX_OUT] = {0};
    return op->infer(attr, in, out) == TPP_OK ? op->cost(attr, in, out).flops : 0;
}

double tpp_tune_tolerance(const tpp_op *op)
{
    double tolerance = 1e-5;
    for (const tpp_case *c = op->cases; c->name != NULL; c++)
        if (c->tolerance > tolerance) tolerance = c->tolerance;
    return 2 * tolerance;
}
