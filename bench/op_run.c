/* Ops by themselves.
 * SPDX-License-Identifier: MIT */
#include "op_run.h"

#include "core/clock.h"
#include "core/mem.h"
#include "ops/check.h"
#include "tensor/tensor_internal.h"

#include <string.h>

/* ---- inputs ---- */

enum { ATTENTION_K = 1, ATTENTION_VALID = 3, DEFORM_OFFSETS = 1, DEFORM_REF = 3 };

tpp_case bench_case_of(const bench_node *n)
{
    tpp_case c = {.name = "frame", .attr = n->call.attr, .limit = 1};
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const tpp_case *like = n->op->cases;
        c.in[i] = n->call.in[i].shape;
        while (like->name != NULL && like->in[i].rank == 0) like++;
        c.fill[i] = like->name != NULL ? like->fill[i] : TPP_FILL_UNIFORM;
        if (n->call.in[i].type == TPP_I32 && c.fill[i] == TPP_FILL_UNIFORM)
            c.fill[i] = TPP_FILL_INDEX;
    }
    return c;
}

static void fill_int(int32_t *to, int64_t n, int32_t value)
{
    for (int64_t i = 0; i < n; i++) to[i] = value;
}

/* Centres of all tokens of all levels, for each batch of ref [B, S, 2]. */
static void fill_centres(float *to, const tpp_shape *ref, const tpp_deform_attr *a)
{
    for (int64_t b = 0; b < ref->d[0]; b++)
        for (int l = 0; l < a->levels; l++)
            for (int y = 0; y < a->height[l]; y++)
                for (int x = 0; x < a->width[l]; x++, to += 2) {
                    to[0] = ((float)x + 0.5f) / (float)a->width[l];
                    to[1] = ((float)y + 0.5f) / (float)a->height[l];
                }
}

static int64_t deform_tokens(const tpp_deform_attr *a)
{
    int64_t n = 0;
    for (int l = 0; l < a->levels; l++) n += (int64_t)a->height[l] * a->width[l];
    return n;
}

static void make_plausible(bench_inputs *in, const tpp_op *op, const tpp_case *c)
{
    if (op == &tpp_op_attention && in->in[ATTENTION_VALID] != NULL)
        fill_int(in->in[ATTENTION_VALID], tpp_shape_count(&c->in[ATTENTION_VALID]),
                 (int32_t)c->in[ATTENTION_K].d[1]);
    const tpp_shape *ref = &c->in[DEFORM_REF];
    if (op == &tpp_op_deform_attention && in->in[DEFORM_REF] != NULL && ref->d[2] == 2 &&
        ref->d[1] == deform_tokens(c->attr))
        fill_centres(in->in[DEFORM_REF], ref, c->attr);
}

static void convert(void *to, tpp_dtype type, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (type == TPP_F32)
            ((float *)to)[i] = (float)from[i];
        else if (type == TPP_I32)
            ((int32_t *)to)[i] = (int32_t)from[i];
        else
            ((uint8_t *)to)[i] = (uint8_t)from[i];
}

tpp_status bench_inputs_make(bench_inputs *out, const tpp_op *op, const tpp_case *c, bool of_frame)
{
    bench_inputs made = {{0}};
    tpp_status s = TPP_OK;
    for (int i = 0; i < TPP_MAX_IN && s == TPP_OK; i++) {
        const int64_t n = tpp_shape_count(&c->in[i]);
        const tpp_dtype type = (tpp_dtype)op->in_types[i];
        double *values = NULL;
        if (c->in[i].rank == 0) continue;
        s = tpp_case_input(&values, op, c, i);
        if (s == TPP_OK && (made.in[i] = tpp_calloc((size_t)n, tpp_dtype_size(type))) == NULL)
            s = TPP_ENOMEM;
        if (s == TPP_OK) convert(made.in[i], type, values, n);
        tpp_free(values);
    }
    if (s != TPP_OK) {
        bench_inputs_free(&made);
        return s;
    }
    if (of_frame) make_plausible(&made, op, c);
    *out = made;
    return TPP_OK;
}

void bench_inputs_free(bench_inputs *in)
{
    for (int i = 0; i < TPP_MAX_IN; i++) tpp_free(in->in[i]);
    *in = (bench_inputs){{0}};
}

/* ---- on the device ---- */

tpp_status bench_call_of(tpp_call *out, const tpp_op *op, const tpp_case *c)
{
    tpp_call call = {.attr = c->attr};
    tpp_shape shape[TPP_MAX_OUT] = {{0}};
    TPP_TRY(op->infer(c->attr, c->in, shape));
    for (int i = 0; i < TPP_MAX_IN; i++)
        call.in[i] = (tpp_operand){.shape = c->in[i], .type = (tpp_dtype)op->in_types[i]};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        call.out[i] = (tpp_operand){.shape = shape[i], .type = (tpp_dtype)op->out_types[i]};
    *out = call;
    return TPP_OK;
}

static tpp_status open_operand(tpp_device *d, tpp_buffer **b, tpp_operand *x)
{
    const size_t bytes = (size_t)tpp_shape_count(&x->shape) * tpp_dtype_size(x->type);
    TPP_TRY(tpp_buffer_open(b, d, bytes > 0 ? bytes : 4));
    x->root = *b;
    x->mem = (*b)->mem;
    x->offset = 0;
    return TPP_OK;
}

/* Input i becomes its panels. */
static tpp_status pack_input(bench_run *r, int i, const tpp_pack_attr *attr)
{
    const tpp_case c = {.attr = attr, .in = {r->call.in[i].shape}};
    tpp_buffer *panels = NULL;
    tpp_steps *steps = NULL;
    tpp_call call;
    TPP_TRY(bench_call_of(&call, &tpp_op_pack, &c));
    call.in[0] = r->call.in[i];
    const tpp_choice choice =
        tpp_op_choose(&tpp_op_pack, NULL, NULL, &call, tpp_device_caps(r->device));
    call.params = choice.params;
    tpp_status s = open_operand(r->device, &panels, &call.out[0]);
    if (s == TPP_OK) s = tpp_steps_open(&steps, r->device);
    if (s == TPP_OK) s = choice.algorithm->record(steps, &call);
    if (s == TPP_OK) s = tpp_steps_run(steps);
    if (s == TPP_OK) s = tpp_device_finish(r->device);
    tpp_steps_close(steps);
    if (s != TPP_OK) {
        tpp_buffer_close(panels);
        return s;
    }
    tpp_buffer_close(r->in[i]);
    r->in[i] = panels;
    r->call.in[i] = call.out[0];
    return TPP_OK;
}

static tpp_status open_inputs(bench_run *r, const bench_inputs *in)
{
    const tpp_algorithm *a = r->algorithm;
    const tpp_pack_attr packing = tpp_packing_of(r->op, a, &r->call, tpp_device_caps(r->device));
    for (int i = 0; i < TPP_MAX_IN; i++) {
        tpp_operand *x = &r->call.in[i];
        if (x->shape.rank == 0) continue;
        TPP_TRY(open_operand(r->device, &r->in[i], x));
        TPP_TRY(tpp_buffer_write(r->in[i], 0, in->in[i],
                                 (size_t)tpp_shape_count(&x->shape) * tpp_dtype_size(x->type)));
        if ((a->packs >> i) & 1u) TPP_TRY(pack_input(r, i, &packing));
    }
    return TPP_OK;
}

static tpp_status open_run(bench_run *r, const tpp_case *c, const bench_inputs *in,
                           const tpp_params *params)
{
    const tpp_algorithm *a = r->algorithm;
    TPP_TRY(bench_call_of(&r->call, r->op, c));
    r->call.params = *params;
    const size_t scratch =
        a->scratch != NULL ? a->scratch(&r->call, tpp_device_caps(r->device)) : 0;
    TPP_TRY(open_inputs(r, in));
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (r->call.out[i].shape.rank > 0)
            TPP_TRY(open_operand(r->device, &r->out[i], &r->call.out[i]));
    if (scratch > 0) {
        r->call.scratch = (tpp_operand){.shape = TPP_SHAPE((int64_t)scratch), .type = TPP_U8};
        TPP_TRY(open_operand(r->device, &r->scratch, &r->call.scratch));
    }
    TPP_TRY(tpp_steps_open(&r->steps, r->device));
    tpp_steps_set_node(r->steps, 0);
    return a->record(r->steps, &r->call);
}

tpp_status bench_run_open(bench_run *r, tpp_device *d, const tpp_op *op, const tpp_case *c,
                          const bench_inputs *in, const tpp_algorithm *a, const tpp_params *params)
{
    *r = (bench_run){.device = d, .op = op, .algorithm = a};
    const tpp_status s = open_run(r, c, in, params);
    if (s != TPP_OK) bench_run_close(r);
    return s;
}

void bench_run_close(bench_run *r)
{
    tpp_steps_close(r->steps);
    for (int i = 0; i < TPP_MAX_IN; i++) tpp_buffer_close(r->in[i]);
    for (int i = 0; i < TPP_MAX_OUT; i++) tpp_buffer_close(r->out[i]);
    tpp_buffer_close(r->scratch);
    *r = (bench_run){0};
}

/* ---- time ---- */

tpp_status bench_run_event(bench_run *r, double *ms)
{
    double t = 0;
    TPP_TRY(tpp_steps_profile(r->steps, &t, 1));
    *ms = t;
    return TPP_OK;
}

tpp_status bench_run_wall(bench_run *r, double *ms)
{
    const double start = tpp_clock_seconds();
    TPP_TRY(tpp_steps_run(r->steps));
    TPP_TRY(tpp_device_finish(r->device));
    *ms = (tpp_clock_seconds() - start) * 1e3;
    return TPP_OK;
}
