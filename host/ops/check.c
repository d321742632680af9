/* Runs registry cases on a device and compares with the reference.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"

#include "core/mem.h"
#include "core/synth.h"
#include "ops/resize_plan.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Quiet NaNs, and no small integers. Two of them: a kernel that reads an input's guard and writes
 * what comes of it into an output's guard must leave a trace. */
enum { POISON_IN = 0x7fc00000, POISON_OUT = 0x7fc5a5a5 };

/* Everything one run holds: doubles for the reference, buffers with guards for the device. */
typedef struct fixture {
    const tpp_op *op;
    const tpp_case *c;
    tpp_device *device;
    tpp_ref_call ref;
    double *in[TPP_MAX_IN], *want[TPP_MAX_OUT];
    void *got[TPP_MAX_OUT];
    tpp_call call;
    tpp_buffer *in_buffer[TPP_MAX_IN], *out_buffer[TPP_MAX_OUT], *scratch;
    tpp_steps *steps;
} fixture;

static void fixture_free(fixture *f)
{
    tpp_steps_close(f->steps);
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (f->call.in[i].mem != NULL) (void)clReleaseMemObject(f->call.in[i].mem);
        tpp_buffer_close(f->in_buffer[i]);
        tpp_free(f->in[i]);
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (f->call.out[i].mem != NULL) (void)clReleaseMemObject(f->call.out[i].mem);
        tpp_buffer_close(f->out_buffer[i]);
        tpp_free(f->want[i]);
        tpp_free(f->got[i]);
    }
    if (f->call.scratch.mem != NULL) (void)clReleaseMemObject(f->call.scratch.mem);
    tpp_buffer_close(f->scratch);
}

static double fill_value(int fill, int limit, double u)
{
    switch (fill) {
    case TPP_FILL_POSITIVE:
        return 1.0 + 0.5 * u;
    case TPP_FILL_UNIT:
        return 0.5 + 0.5 * u;
    case TPP_FILL_INDEX:
        return floor((0.5 + 0.5 * u) * limit);
    case TPP_FILL_BYTE:
        return floor((0.5 + 0.5 * u) * 256);
    case TPP_FILL_LARGE:
        return 8.0 * u;
    default:
        return u;
    }
}

/* Bounds (in[1]) or weights (in[2]) of a real resize from n to m. */
static tpp_status fill_resize(double *out, const tpp_case *c, int i)
{
    const tpp_resize_axis_attr *a = c->attr;
    tpp_resize_plan plan = {0};
    TPP_TRY(tpp_resize_plan_make(&plan, a->n, a->m));
    const int32_t *from = i == 1 ? plan.bounds : plan.weights;
    const int64_t count = tpp_shape_count(&c->in[i]);
    const int64_t have = plan.m * (i == 1 ? 2 : plan.taps);
    if (have != count) {
        tpp_resize_plan_free(&plan);
        return TPP_FAIL(TPP_EINTERNAL, "resize case: input %d has %lld values, its plan %lld", i,
                        (long long)count, (long long)have);
    }
    for (int64_t j = 0; j < count; j++) out[j] = from[j];
    tpp_resize_plan_free(&plan);
    return TPP_OK;
}

tpp_status tpp_case_input(double **out, const tpp_op *op, const tpp_case *c, int i)
{
    char name[96];
    const int64_t n = tpp_shape_count(&c->in[i]);
    double *v = NULL;
    TPP_NEW(v, n);
    if (c->fill[i] == TPP_FILL_RESIZE) {
        const tpp_status s = fill_resize(v, c, i);
        if (s != TPP_OK) {
            tpp_free(v);
            return s;
        }
    } else {
        (void)snprintf(name, sizeof(name), "%s/%s/%d", op->name, c->name, i);
        const uint64_t key = tpp_synth_key(name, 1);
        for (int64_t j = 0; j < n; j++) {
            const double u = tpp_synth_value(key, (uint64_t)j);
            v[j] = fill_value(c->fill[i], c->limit, u);
            if (op->in_types[i] == TPP_F32) v[j] = (float)v[j];
        }
    }
    *out = v;
    return TPP_OK;
}

static tpp_status prepare_reference(fixture *f)
{
    tpp_shape none[TPP_MAX_OUT] = {0};
    f->ref.attr = f->c->attr;
    memcpy(f->ref.in_shape, f->c->in, sizeof(f->ref.in_shape));
    memcpy(f->ref.out_shape, none, sizeof(none));
    TPP_TRY(f->op->infer(f->c->attr, f->ref.in_shape, f->ref.out_shape));
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (f->c->in[i].rank == 0) continue;
        TPP_TRY(tpp_case_input(&f->in[i], f->op, f->c, i));
        f->ref.in[i] = f->in[i];
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (f->ref.out_shape[i].rank == 0) continue;
        TPP_NEW(f->want[i], tpp_shape_count(&f->ref.out_shape[i]));
        f->ref.out[i] = f->want[i];
    }
    f->op->ref(&f->ref);
    return TPP_OK;
}

static void store(void *to, tpp_dtype type, int64_t i, double v)
{
    switch (type) {
    case TPP_F32:
        ((float *)to)[i] = (float)v;
        break;
    case TPP_I32:
        ((int32_t *)to)[i] = (int32_t)v;
        break;
    default:
        ((uint8_t *)to)[i] = (uint8_t)v;
        break;
    }
}

static double load(const void *from, tpp_dtype type, int64_t i)
{
    switch (type) {
    case TPP_F32:
        return ((const float *)from)[i];
    case TPP_I32:
        return ((const int32_t *)from)[i];
    default:
        return ((const uint8_t *)from)[i];
    }
}

static size_t operand_bytes(const tpp_operand *x)
{
    return (size_t)tpp_shape_count(&x->shape) * tpp_dtype_size(x->type);
}

/* A poisoned buffer with a guard before and after the operand. */
static tpp_status open_guarded(fixture *f, tpp_buffer **buffer, tpp_operand *x, uint32_t poison)
{
    const size_t guard = f->device->caps.base_align, bytes = operand_bytes(x);
    TPP_TRY(tpp_buffer_open(buffer, f->device, tpp_round_up(bytes, guard) + 2 * guard));
    TPP_TRY(tpp_buffer_fill(*buffer, poison));
    x->root = (*buffer)->mem;
    x->offset = guard;
    return tpp_sub_buffer(&x->mem, f->device, x->root, guard, bytes == 0 ? 4 : bytes);
}

static tpp_status upload(fixture *f, int i, const double *values)
{
    tpp_operand *x = &f->call.in[i];
    const int64_t n = tpp_shape_count(&x->shape);
    char *bytes = NULL;
    TPP_NEW(bytes, operand_bytes(x) + 8);
    for (int64_t j = 0; j < n; j++) store(bytes, x->type, j, values[j]);
    const tpp_status s = tpp_buffer_write(f->in_buffer[i], x->offset, bytes, operand_bytes(x));
    tpp_free(bytes);
    return s;
}

/* Replaces input i (a weight) by its panels, made by the reference of `pack`. */
static tpp_status pack_input(fixture *f, int i, tpp_pack_attr attr)
{
    tpp_ref_call call = {.attr = &attr, .in_shape = {f->c->in[i]}, .in = {f->in[i]}};
    TPP_TRY(tpp_op_pack.infer(&attr, call.in_shape, call.out_shape));
    double *panels = NULL;
    TPP_NEW(panels, tpp_shape_count(&call.out_shape[0]));
    call.out[0] = panels;
    tpp_ref_pack(&call);
    f->call.in[i].shape = call.out_shape[0];
    tpp_status s = open_guarded(f, &f->in_buffer[i], &f->call.in[i], POISON_IN);
    if (s == TPP_OK) s = upload(f, i, panels);
    tpp_free(panels);
    return s;
}

static tpp_status prepare_device(fixture *f, const tpp_algorithm *a)
{
    const size_t scratch = a->scratch != NULL ? a->scratch(&f->call, &f->device->caps) : 0;
    const tpp_pack_attr packing = tpp_packing_of(f->op, a, &f->call, &f->device->caps);
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (f->in[i] == NULL) continue;
        if ((a->packs >> i) & 1u) {
            TPP_TRY(pack_input(f, i, packing));
            continue;
        }
        TPP_TRY(open_guarded(f, &f->in_buffer[i], &f->call.in[i], POISON_IN));
        TPP_TRY(upload(f, i, f->in[i]));
    }
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (f->want[i] != NULL)
            TPP_TRY(open_guarded(f, &f->out_buffer[i], &f->call.out[i], POISON_OUT));
    if (scratch > 0) {
        f->call.scratch.shape = TPP_SHAPE((int64_t)scratch);
        f->call.scratch.type = TPP_U8;
        TPP_TRY(open_guarded(f, &f->scratch, &f->call.scratch, POISON_OUT));
    }
    TPP_TRY(tpp_steps_open(&f->steps, f->device));
    return a->record(f->steps, &f->call);
}

/* Are all words outside the operand still poison? */
static tpp_status guards_hold(const tpp_buffer *b, const tpp_operand *x, uint32_t poison,
                              bool *hold)
{
    const size_t bytes = operand_bytes(x), total = tpp_buffer_bytes(b);
    char *all = NULL;
    TPP_NEW(all, total);
    const tpp_status s = tpp_buffer_read(b, 0, all, total);
    for (size_t i = 0; s == TPP_OK && i < total; i++)
        if ((i < x->offset || i >= x->offset + bytes) && all[i] != ((const char *)&poison)[i % 4])
            *hold = false;
    tpp_free(all);
    return s;
}

static tpp_status check_guards(fixture *f, tpp_check *out)
{
    bool hold = true;
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (f->in_buffer[i] != NULL)
            TPP_TRY(guards_hold(f->in_buffer[i], &f->call.in[i], POISON_IN, &hold));
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (f->out_buffer[i] != NULL)
            TPP_TRY(guards_hold(f->out_buffer[i], &f->call.out[i], POISON_OUT, &hold));
    if (f->scratch != NULL) TPP_TRY(guards_hold(f->scratch, &f->call.scratch, POISON_OUT, &hold));
    if (!hold) {
        out->passed = false;
        (void)snprintf(out->why, sizeof(out->why), "wrote outside an operand");
    }
    return TPP_OK;
}

static void compare(fixture *f, int i, tpp_check *out)
{
    const tpp_operand *x = &f->call.out[i];
    const int64_t n = tpp_shape_count(&x->shape);
    double scale = 0, worst = 0;
    int64_t at = -1;
    for (int64_t j = 0; j < n; j++) scale = fmax(scale, fabs(f->want[i][j]));
    for (int64_t j = 0; j < n; j++) {
        const double got = load(f->got[i], x->type, j), e = fabs(got - f->want[i][j]);
        if (e <= worst) continue; /* a NaN goes on */
        worst = isfinite(e) ? e : INFINITY;
        at = j;
    }
    const double error = worst / (scale > 0 ? scale : 1.0);
    if (error > out->error) out->error = error;
    if (error <= out->tolerance && (x->type == TPP_F32 || worst == 0)) return;
    out->passed = false;
    (void)snprintf(out->why, sizeof(out->why), "output %d, element %lld: got %.9g, want %.9g", i,
                   (long long)at, load(f->got[i], x->type, at), f->want[i][at]);
}

/* Runs the steps on poisoned outputs; the first time keeps the results, the second compares bits.
 */
static tpp_status run_once(fixture *f, bool first, tpp_check *out)
{
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (f->out_buffer[i] != NULL) TPP_TRY(tpp_buffer_fill(f->out_buffer[i], POISON_OUT));
    if (f->scratch != NULL) TPP_TRY(tpp_buffer_fill(f->scratch, POISON_OUT));
    TPP_TRY(tpp_steps_run(f->steps));
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (f->out_buffer[i] == NULL) continue;
        const size_t bytes = operand_bytes(&f->call.out[i]);
        void *got = NULL;
        if ((got = tpp_calloc(bytes + 1, 1)) == NULL) return TPP_ENOMEM;
        const tpp_status s = tpp_buffer_read(f->out_buffer[i], f->call.out[i].offset, got, bytes);
        if (s == TPP_OK && !first && memcmp(got, f->got[i], bytes) != 0) {
            out->passed = false;
            (void)snprintf(out->why, sizeof(out->why), "a second run gave other bits");
        }
        if (first && s == TPP_OK)
            f->got[i] = got;
        else
            tpp_free(got);
        TPP_TRY(s);
    }
    return TPP_OK;
}

static tpp_status run_case(fixture *f, const tpp_algorithm *a, int variant, tpp_check *out)
{
    TPP_TRY(prepare_reference(f));
    f->call.attr = f->c->attr;
    for (int i = 0; i < TPP_MAX_IN; i++)
        f->call.in[i] = (tpp_operand){.shape = f->c->in[i], .type = (tpp_dtype)f->op->in_types[i]};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        f->call.out[i] =
            (tpp_operand){.shape = f->ref.out_shape[i], .type = (tpp_dtype)f->op->out_types[i]};
    out->supported = tpp_algorithm_takes(f->op, a, &f->call, &f->device->caps);
    if (out->supported && a->variant != NULL)
        out->supported = a->variant(&f->call, &f->device->caps, variant, &f->call.params);
    else if (variant > 0)
        out->supported = false;
    if (!out->supported) return TPP_OK;
    TPP_TRY(prepare_device(f, a));
    TPP_TRY(run_once(f, true, out));
    TPP_TRY(run_once(f, false, out));
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (f->got[i] != NULL) compare(f, i, out);
    return check_guards(f, out);
}

tpp_status tpp_check_run(tpp_check *out, tpp_device *d, const tpp_op *op, const tpp_case *c,
                         const tpp_algorithm *a, int variant)
{
    fixture f = {.op = op, .c = c, .device = d};
    tpp_check result = {.passed = true, .tolerance = c->tolerance > 0 ? c->tolerance : 1e-5};
    const tpp_status s = run_case(&f, a, variant, &result);
    fixture_free(&f);
    *out = result;
    return s;
}
