/* Samples: guarded buffers, packed inputs, runs and their comparison.
 * SPDX-License-Identifier: MIT */
#include "ops/sample.h"

#include "core/clock.h"
#include "core/mem.h"
#include "ops/half.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Quiet NaNs, and no small integers. Two of them: a kernel that reads an input's guard and writes
 * what comes of it into an output's guard must leave a trace. */
enum { POISON_IN = 0x7fc00000, POISON_OUT = 0x7fc5a5a5 };

/* ---- memory ---- */

static size_t operand_bytes(const tpp_operand *x)
{
    int64_t n = tpp_shape_count(&x->shape);
    if (x->pitch > 0) n += (x->pitch - tpp_shape_cols(&x->shape)) * (tpp_shape_rows(&x->shape) - 1);
    return (size_t)n * tpp_dtype_size(x->type);
}

/* A poisoned buffer with a guard before and after the operand. */
static tpp_status open_guarded(tpp_device *d, tpp_buffer **buffer, tpp_operand *x, uint32_t poison)
{
    const size_t guard = d->caps.base_align, bytes = operand_bytes(x);
    TPP_TRY(tpp_buffer_open(buffer, d, tpp_round_up(bytes, guard) + 2 * guard));
    TPP_TRY(tpp_buffer_fill(*buffer, poison));
    x->root = *buffer;
    x->offset = guard;
    return tpp_sub_buffer(&x->mem, x->root, guard, bytes == 0 ? 4 : bytes);
}

static void close_operand(tpp_operand *x, tpp_buffer **buffer)
{
    tpp_buffer_close(*buffer);
    *buffer = NULL;
    x->mem = NULL;
}

static void store(void *to, tpp_dtype type, int64_t i, double v)
{
    switch (type) {
    case TPP_F32:
        ((float *)to)[i] = (float)v;
        break;
    case TPP_F16:
        ((uint16_t *)to)[i] = tpp_half_bits(tpp_half_round(v));
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
    case TPP_F16:
        return tpp_half_value(((const uint16_t *)from)[i]);
    case TPP_I32:
        return ((const int32_t *)from)[i];
    default:
        return ((const uint8_t *)from)[i];
    }
}

static tpp_status upload(tpp_buffer *to, const tpp_operand *x, const double *values)
{
    const int64_t n = tpp_shape_count(&x->shape), cols = tpp_shape_cols(&x->shape);
    const uint32_t poison = (uint32_t)POISON_IN; /* between rows */
    char *bytes = NULL;
    TPP_NEW(bytes, operand_bytes(x) + 8);
    for (size_t i = 0; x->pitch > 0 && i < operand_bytes(x); i++)
        bytes[i] = ((const char *)&poison)[i % 4];
    for (int64_t j = 0; j < n; j++)
        store(bytes, x->type, j / cols * tpp_pitch(x) + j % cols, values[j]);
    const tpp_status s = tpp_buffer_write(to, x->offset, bytes, operand_bytes(x));
    tpp_free(bytes);
    return s;
}

/* ---- samples ---- */

tpp_status tpp_sample_open(tpp_sample *s, tpp_device *d, const tpp_op *op, const void *attr,
                           const tpp_shape *in, tpp_sample_input *input, void *context)
{
    tpp_shape out[TPP_MAX_OUT] = {0};
    *s = (tpp_sample){.device = d, .op = op, .input = input, .context = context};
    s->call.attr = attr;
    TPP_TRY(op->infer(attr, in, out));
    for (int i = 0; i < TPP_MAX_IN; i++)
        s->call.in[i] = (tpp_operand){.shape = in[i], .type = (tpp_dtype)op->in_types[i]};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        s->call.out[i] = (tpp_operand){.shape = out[i], .type = (tpp_dtype)op->out_types[i]};
    return TPP_OK;
}

void tpp_sample_store_half(tpp_sample *s, unsigned halves)
{
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (((halves >> i) & 1u) != 0 && s->call.in[i].type == TPP_F32)
            s->call.in[i].type = TPP_F16;
    if ((halves & TPP_HALF_OUT) != 0 && s->call.out[0].type == TPP_F32)
        s->call.out[0].type = TPP_F16;
}

void tpp_sample_set_apart(tpp_sample *s, unsigned operands)
{
    enum { GAP = 5 };
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (((operands >> i) & 1u) != 0 && s->call.in[i].shape.rank > 0)
            s->call.in[i].pitch = tpp_shape_cols(&s->call.in[i].shape) + GAP;
}

void tpp_sample_close(tpp_sample *s)
{
    for (int i = 0; i < TPP_MAX_IN; i++) close_operand(&s->call.in[i], &s->in_buffer[i]);
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        close_operand(&s->call.out[i], &s->out_buffer[i]);
        tpp_free(s->want[i]);
    }
    *s = (tpp_sample){0};
}

/* Input i as it is, uploaded when the first run wants it. */
static tpp_status need_input(tpp_sample *s, int i)
{
    if (s->in_buffer[i] != NULL || s->call.in[i].shape.rank == 0) return TPP_OK;
    double *values = NULL;
    TPP_TRY(s->input(s->context, i, &values));
    tpp_status status =
        open_guarded(s->device, &s->in_buffer[i], &s->call.in[i], (uint32_t)POISON_IN);
    if (status == TPP_OK) status = upload(s->in_buffer[i], &s->call.in[i], values);
    tpp_free(values);
    return status;
}

static tpp_status need_output(tpp_sample *s, int i)
{
    if (s->out_buffer[i] != NULL || s->call.out[i].shape.rank == 0) return TPP_OK;
    return open_guarded(s->device, &s->out_buffer[i], &s->call.out[i], (uint32_t)POISON_OUT);
}

/* ---- runs ---- */

/* Input i (a weight) as panels, made by the reference of `pack`. */
static tpp_status pack_input(tpp_sample_run *run, int i, tpp_pack_attr attr)
{
    tpp_sample *s = run->sample;
    tpp_ref_call call = {.attr = &attr, .in_shape = {s->call.in[i].shape}};
    double *values = NULL, *panels = NULL;
    tpp_status status = TPP_OK;
    TPP_TRY(tpp_op_pack.infer(&attr, call.in_shape, call.out_shape));
    TPP_TRY_OR(done, status, s->input(s->context, i, &values));
    TPP_NEW_OR(done, status, panels, tpp_shape_count(&call.out_shape[0]));
    call.in[0] = values;
    call.out[0] = panels;
    tpp_ref_pack(&call);
    run->call.in[i].shape = call.out_shape[0];
    TPP_TRY_OR(done, status,
               open_guarded(s->device, &run->packed[i], &run->call.in[i], (uint32_t)POISON_IN));
    status = upload(run->packed[i], &run->call.in[i], panels);
done:
    tpp_free(panels);
    tpp_free(values);
    return status;
}

static tpp_status record(tpp_sample_run *run, const tpp_algorithm *a, const tpp_params *params)
{
    tpp_sample *s = run->sample;
    run->call.attr = s->call.attr;
    run->call.params = *params;
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const bool packed = ((a->packs >> i) & 1u) != 0;
        if (!packed) TPP_TRY(need_input(s, i));
        run->call.in[i] = s->call.in[i];
        if (packed) run->call.in[i].mem = NULL;
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        TPP_TRY(need_output(s, i));
        run->call.out[i] = s->call.out[i];
    }
    const tpp_caps *caps = &s->device->caps;
    const size_t scratch = a->scratch != NULL ? a->scratch(&run->call, caps) : 0;
    const tpp_pack_attr packing = tpp_packing_of(s->op, a, &run->call, caps);
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (((a->packs >> i) & 1u) != 0 && run->call.in[i].shape.rank > 0)
            TPP_TRY(pack_input(run, i, packing));
    if (scratch > 0) {
        run->call.scratch = (tpp_operand){.shape = TPP_SHAPE((int64_t)scratch), .type = TPP_U8};
        TPP_TRY(open_guarded(s->device, &run->scratch, &run->call.scratch, (uint32_t)POISON_OUT));
    }
    TPP_TRY(tpp_steps_open(&run->steps, s->device));
    return a->record(run->steps, &run->call);
}

tpp_status tpp_sample_record(tpp_sample_run *run, tpp_sample *s, const tpp_algorithm *a,
                             const tpp_params *params)
{
    *run = (tpp_sample_run){.sample = s};
    const tpp_status status = record(run, a, params);
    if (status != TPP_OK) tpp_sample_run_close(run);
    return status;
}

void tpp_sample_run_close(tpp_sample_run *run)
{
    tpp_steps_close(run->steps);
    for (int i = 0; i < TPP_MAX_IN; i++) close_operand(&run->call.in[i], &run->packed[i]);
    close_operand(&run->call.scratch, &run->scratch);
    *run = (tpp_sample_run){0};
}

tpp_status tpp_sample_time(tpp_sample_run *run, int n, double *ms)
{
    tpp_device *d = run->sample->device;
    TPP_TRY(tpp_device_finish(d));
    const double start = tpp_clock_seconds();
    for (int i = 0; i < n; i++) TPP_TRY(tpp_steps_run(run->steps));
    TPP_TRY(tpp_device_finish(d));
    *ms = (tpp_clock_seconds() - start) * 1e3 / n;
    return TPP_OK;
}

/* ---- checks ---- */

/* Are all words outside the operand still poison? */
static tpp_status guards_hold(const tpp_buffer *b, const tpp_operand *x, uint32_t poison,
                              bool *hold)
{
    if (b == NULL) return TPP_OK;
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

static tpp_status check_guards(const tpp_sample_run *run, tpp_check *out)
{
    const tpp_sample *s = run->sample;
    bool hold = true;
    for (int i = 0; i < TPP_MAX_IN; i++) {
        TPP_TRY(guards_hold(s->in_buffer[i], &s->call.in[i], (uint32_t)POISON_IN, &hold));
        TPP_TRY(guards_hold(run->packed[i], &run->call.in[i], (uint32_t)POISON_IN, &hold));
    }
    for (int i = 0; i < TPP_MAX_OUT; i++)
        TPP_TRY(guards_hold(s->out_buffer[i], &s->call.out[i], (uint32_t)POISON_OUT, &hold));
    TPP_TRY(guards_hold(run->scratch, &run->call.scratch, (uint32_t)POISON_OUT, &hold));
    if (!hold) {
        out->passed = false;
        (void)snprintf(out->why, sizeof(out->why), "wrote outside an operand");
    }
    return TPP_OK;
}

static void compare(const tpp_sample *s, int i, const void *got, tpp_check *out)
{
    const tpp_operand *x = &s->call.out[i];
    const double *want = s->want[i];
    const int64_t n = tpp_shape_count(&x->shape);
    double scale = 0, worst = 0;
    int64_t at = -1;
    for (int64_t j = 0; j < n; j++) scale = fmax(scale, fabs(want[j]));
    for (int64_t j = 0; j < n; j++) {
        const double e = fabs(load(got, x->type, j) - want[j]);
        if (e <= worst) continue; /* a NaN goes on */
        worst = isfinite(e) ? e : INFINITY;
        at = j;
    }
    const double error = worst / (scale > 0 ? scale : 1.0);
    if (error > out->error) out->error = error;
    if (x->type == TPP_F16) out->tolerance = fmax(out->tolerance, TPP_HALF_TOLERANCE);
    const bool is_float = x->type == TPP_F32 || x->type == TPP_F16;
    if (error <= out->tolerance && (is_float || worst == 0)) return;
    out->passed = false;
    (void)snprintf(out->why, sizeof(out->why), "output %d, element %lld: got %.9g, want %.9g", i,
                   (long long)at, load(got, x->type, at), want[at]);
}

static tpp_status keep_as_wanted(tpp_sample *s, int i, const void *got)
{
    const tpp_operand *x = &s->call.out[i];
    const int64_t n = tpp_shape_count(&x->shape);
    TPP_NEW(s->want[i], n + 1);
    for (int64_t j = 0; j < n; j++) s->want[i][j] = load(got, x->type, j);
    return TPP_OK;
}

/* Runs the steps on poisoned outputs; the first time keeps the results, the second compares bits.
 */
static tpp_status run_once(tpp_sample_run *run, void **got, bool first, tpp_check *out)
{
    tpp_sample *s = run->sample;
    for (int i = 0; i < TPP_MAX_OUT; i++)
        if (s->out_buffer[i] != NULL)
            TPP_TRY(tpp_buffer_fill(s->out_buffer[i], (uint32_t)POISON_OUT));
    if (run->scratch != NULL) TPP_TRY(tpp_buffer_fill(run->scratch, (uint32_t)POISON_OUT));
    TPP_TRY(tpp_steps_run(run->steps));
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (s->out_buffer[i] == NULL) continue;
        const size_t bytes = operand_bytes(&s->call.out[i]);
        void *again = tpp_calloc(bytes + 1, 1);
        if (again == NULL) return TPP_ENOMEM;
        const tpp_status status =
            tpp_buffer_read(s->out_buffer[i], s->call.out[i].offset, again, bytes);
        if (status == TPP_OK && !first && memcmp(again, got[i], bytes) != 0) {
            out->passed = false;
            (void)snprintf(out->why, sizeof(out->why), "a second run gave other bits");
        }
        if (first)
            got[i] = again;
        else
            tpp_free(again);
        TPP_TRY(status);
    }
    return TPP_OK;
}

static tpp_status check(tpp_sample_run *run, void **got, tpp_check *out)
{
    tpp_sample *s = run->sample;
    TPP_TRY(run_once(run, got, true, out));
    TPP_TRY(run_once(run, got, false, out));
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        if (got[i] == NULL) continue;
        if (s->want[i] != NULL)
            compare(s, i, got[i], out);
        else
            TPP_TRY(keep_as_wanted(s, i, got[i]));
    }
    return check_guards(run, out);
}

tpp_status tpp_sample_check(tpp_sample_run *run, tpp_check *out)
{
    void *got[TPP_MAX_OUT] = {NULL};
    out->supported = out->passed = true;
    const tpp_status s = check(run, got, out);
    for (int i = 0; i < TPP_MAX_OUT; i++) tpp_free(got[i]);
    return s;
}
