/* Measures the peaks of multiply-adds and of memory.
 * SPDX-License-Identifier: MIT */
#include "ops/peak.h"

#include "cl/launch.h"
#include "tensor/tensor_internal.h"

#include <stdio.h>

enum { CHAINS = 12, RUNS = 8 };
static const size_t copy_bytes = (size_t)256 << 20;

/* `units` of work in each run; *best: 10^9 of them a second. */
static tpp_status time_runs(tpp_steps *steps, double units, double *out)
{
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double ms = 0;
        TPP_TRY(tpp_steps_profile(steps, &ms, 1));
        if (ms > 0 && units / ms * 1e-6 > best) best = units / ms * 1e-6;
    }
    if (best == 0) return TPP_FAIL(TPP_EOPENCL, "the device does not report times");
    *out = best;
    return TPP_OK;
}

typedef struct layout {
    int local, items;
    char options[64];
} layout;

/* Work-items enough to fill the device, in its own width. */
static layout layout_of(const tpp_caps *caps)
{
    layout l = {.local = caps->is_cpu           ? 1
                         : caps->max_group < 64 ? (int)caps->max_group
                                                : 64,
                .items = caps->compute_units * (caps->is_cpu ? 8 : 4096)};
    l.items = (int)tpp_round_up((size_t)l.items, (size_t)l.local);
    (void)snprintf(l.options, sizeof(l.options), "-DLOCAL=%d -DVW=%d -DCHAINS=%d", l.local,
                   caps->vector_width, CHAINS);
    return l;
}

static tpp_status record(tpp_steps *steps, const layout *l, const char *kernel, tpp_args args)
{
    const tpp_grid grid = {.global = {(size_t)l->items}, .local = {(size_t)l->local}};
    tpp_steps_set_node(steps, 0);
    return tpp_record(steps, "peak", kernel, l->options, grid, args);
}

tpp_status tpp_device_peak(tpp_device *d, double *gflops)
{
    const tpp_caps *caps = tpp_device_caps(d);
    const layout l = layout_of(caps);
    const int rounds = caps->is_cpu ? 200000 : 512;
    tpp_buffer *y = NULL;
    tpp_steps *steps = NULL;
    tpp_status s = tpp_buffer_open(&y, d, (size_t)l.items * sizeof(float));
    if (s == TPP_OK) s = tpp_steps_open(&steps, d);
    if (s == TPP_OK)
        s = record(steps, &l, "peak_fma",
                   TPP_ARGS(TPP_ARG(y->mem), TPP_ARG(0.999f), TPP_ARG(0.001f), TPP_ARG(rounds)));
    if (s == TPP_OK)
        s = time_runs(steps, 2.0 * caps->vector_width * CHAINS * rounds * l.items, gflops);
    tpp_steps_close(steps);
    tpp_buffer_close(y);
    return s;
}

tpp_status tpp_device_copy_peak(tpp_device *d, double *gbs)
{
    const tpp_caps *caps = tpp_device_caps(d);
    const layout l = layout_of(caps);
    const size_t vector = (size_t)caps->vector_width * sizeof(float);
    size_t bytes = copy_bytes;
    if (bytes > caps->max_alloc) bytes = caps->max_alloc;
    if (bytes > caps->global_mem / 8) bytes = caps->global_mem / 8;
    const size_t each = bytes / vector / (size_t)l.items;
    const int run = each > 0 ? (int)each : 1;
    bytes = (size_t)run * (size_t)l.items * vector;
    const int first = caps->is_cpu ? run : 1, step = caps->is_cpu ? 1 : l.items;
    tpp_buffer *x = NULL, *y = NULL;
    tpp_steps *steps = NULL;
    tpp_status s = tpp_buffer_open(&x, d, bytes);
    if (s == TPP_OK) s = tpp_buffer_open(&y, d, bytes);
    if (s == TPP_OK) s = tpp_steps_open(&steps, d);
    if (s == TPP_OK)
        s = record(steps, &l, "peak_copy",
                   TPP_ARGS(TPP_ARG(x->mem), TPP_ARG(y->mem), TPP_ARG(run), TPP_ARG(first),
                            TPP_ARG(step)));
    if (s == TPP_OK) s = time_runs(steps, 2.0 * (double)bytes, gbs);
    tpp_steps_close(steps);
    tpp_buffer_close(y);
    tpp_buffer_close(x);
    return s;
}

tpp_status tpp_device_peaks(tpp_device *d, tpp_peaks *best)
{
    tpp_peaks now = {0};
    TPP_TRY(tpp_device_peak(d, &now.gflops));
    TPP_TRY(tpp_device_copy_peak(d, &now.copy_gbs));
    if (now.gflops > best->gflops) best->gflops = now.gflops;
    if (now.copy_gbs > best->copy_gbs) best->copy_gbs = now.copy_gbs;
    return TPP_OK;
}
