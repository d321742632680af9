/* Measures the multiply-add peak.
 * SPDX-License-Identifier: MIT */
#include "ops/peak.h"

#include "cl/launch.h"
#include "tensor/tensor_internal.h"

#include <stdio.h>

enum { CHAINS = 12, RUNS = 8 };

static tpp_status time_runs(tpp_steps *steps, double operations, double *gflops)
{
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double ms = 0;
        TPP_TRY(tpp_steps_profile(steps, &ms, 1));
        if (ms > 0 && operations / ms * 1e-6 > best) best = operations / ms * 1e-6;
    }
    if (best == 0) return TPP_FAIL(TPP_EOPENCL, "the device does not report times");
    *gflops = best;
    return TPP_OK;
}

tpp_status tpp_device_peak(tpp_device *d, double *gflops)
{
    const tpp_caps *caps = tpp_device_caps(d);
    const int local = caps->is_cpu ? 1 : caps->max_group < 64 ? (int)caps->max_group : 64;
    const int items = caps->compute_units * (caps->is_cpu ? 8 : 4096);
    const int rounds = caps->is_cpu ? 200000 : 512;
    char options[64];
    (void)snprintf(options, sizeof(options), "-DLOCAL=%d -DVW=%d -DCHAINS=%d", local,
                   caps->vector_width, CHAINS);
    tpp_buffer *y = NULL;
    tpp_steps *steps = NULL;
    tpp_status s = tpp_buffer_open(&y, d, (size_t)items * sizeof(float));
    if (s == TPP_OK) s = tpp_steps_open(&steps, d);
    if (s == TPP_OK) {
        tpp_steps_set_node(steps, 0);
        const tpp_grid grid = {.global = {(size_t)items}, .local = {(size_t)local}};
        s = tpp_record(
            steps, "peak", "peak_fma", options, grid,
            TPP_ARGS(TPP_ARG(y->mem), TPP_ARG(0.999f), TPP_ARG(0.001f), TPP_ARG(rounds)));
    }
    if (s == TPP_OK)
        s = time_runs(steps, 2.0 * caps->vector_width * CHAINS * rounds * items, gflops);
    tpp_steps_close(steps);
    tpp_buffer_close(y);
    return s;
}
