/* Runs registry cases on a device and compares with the reference.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"

#include "core/mem.h"
#include "core/synth.h"
#include "ops/half.h"
#include "ops/resize_plan.h"
#include "ops/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* ---- one case ---- */

/* A case with its inputs as doubles. */
typedef struct fixture {
    const tpp_case *c;
    double *in[TPP_MAX_IN];
    tpp_sample sample;
    tpp_sample_run run;
} fixture;

static void fixture_free(fixture *f)
{
    tpp_sample_run_close(&f->run);
    tpp_sample_close(&f->sample);
    for (int i = 0; i < TPP_MAX_IN; i++) tpp_free(f->in[i]);
}

static tpp_status copy_input(void *context, int i, double **out)
{
    const fixture *f = context;
    const int64_t n = tpp_shape_count(&f->c->in[i]);
    double *copy = NULL;
    TPP_NEW(copy, n);
    memcpy(copy, f->in[i], (size_t)n * sizeof(*copy));
    *out = copy;
    return TPP_OK;
}

/* What the sample is held to is the reference's, of the numbers as they are stored. */
static tpp_status run_reference(fixture *f)
{
    tpp_sample *s = &f->sample;
    tpp_ref_call ref = {.attr = f->c->attr};
    for (int i = 0; i < TPP_MAX_IN; i++) {
        if (f->c->in[i].rank == 0) continue;
        TPP_TRY(tpp_case_input(&f->in[i], s->op, f->c, i));
        const int64_t n = tpp_shape_count(&f->c->in[i]);
        const bool half = s->call.in[i].type == TPP_F16;
        for (int64_t j = 0; half && j < n; j++) f->in[i][j] = tpp_half_round(f->in[i][j]);
        ref.in_shape[i] = f->c->in[i];
        ref.in[i] = f->in[i];
    }
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        ref.out_shape[i] = s->call.out[i].shape;
        if (ref.out_shape[i].rank == 0) continue;
        TPP_NEW(s->want[i], tpp_shape_count(&ref.out_shape[i]));
        ref.out[i] = s->want[i];
    }
    s->op->ref(&ref);
    return TPP_OK;
}

static tpp_status run_case(fixture *f, const tpp_algorithm *a, const tpp_check_how *how,
                           tpp_check *out)
{
    const tpp_call *call = &f->sample.call;
    const tpp_caps *caps = tpp_device_caps(f->sample.device);
    tpp_params params = {{0}};
    tpp_sample_store_half(&f->sample, how->halves);
    tpp_sample_set_apart(&f->sample, how->pitches);
    out->supported = tpp_algorithm_takes(f->sample.op, a, call, caps);
    if (how->params != NULL)
        params = *how->params;
    else if (out->supported && a->variant != NULL)
        out->supported = a->variant(call, caps, how->variant, &params);
    else if (how->variant > 0)
        out->supported = false;
    if (!out->supported) return TPP_OK;
    TPP_TRY(run_reference(f));
    TPP_TRY(tpp_sample_record(&f->run, &f->sample, a, &params));
    return tpp_sample_check(&f->run, out);
}

tpp_status tpp_check_as(tpp_check *out, tpp_device *d, const tpp_op *op, const tpp_case *c,
                        const tpp_algorithm *a, const tpp_check_how *how)
{
    fixture f = {.c = c};
    tpp_check result = {.passed = true, .tolerance = c->tolerance > 0 ? c->tolerance : 1e-5};
    tpp_status s = tpp_sample_open(&f.sample, d, op, c->attr, c->in, copy_input, &f);
    if (s == TPP_OK) s = run_case(&f, a, how, &result);
    fixture_free(&f);
    *out = result;
    return s;
}

tpp_status tpp_check_run(tpp_check *out, tpp_device *d, const tpp_op *op, const tpp_case *c,
                         const tpp_algorithm *a, int variant)
{
    return tpp_check_as(out, d, op, c, a, &(const tpp_check_how){.variant = variant});
}
