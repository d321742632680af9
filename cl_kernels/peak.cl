/* What a device can do at most.
 * peak_fma: chains of fma on native vectors, nothing else.
 *   y [work-items]: the sums, so that no compiler drops the work.
 *   Each work-item keeps CHAINS independent chains, enough to hide the latency of fma, and runs
 *   `rounds` of them: 2 * VW * CHAINS * rounds operations.
 * peak_copy: y = x, arrays of work-items * run vectors. Work-item i copies the vectors
 *   i * first + k * step, k < run: a stretch of its own with first = run, step = 1 (CPUs), side by
 *   side with its neighbours with first = 1, step = work-items (GPUs).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 1 /* work-group size */
#endif
#ifndef VW
#define VW 4 /* floats of a native vector: 4, 8 or 16 */
#endif
#ifndef CHAINS
#define CHAINS 12
#endif
#if VW == 16
typedef float16 vec;
#elif VW == 8
typedef float8 vec;
#else
typedef float4 vec;
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void peak_fma(global float *restrict y,
                                                                        float factor, float term,
                                                                        int rounds)
{
    const float start = (float)get_global_id(0) * 1e-6f;
    vec chain[CHAINS];
#pragma unroll
    for (int i = 0; i < CHAINS; i++) chain[i] = (vec)(start + (float)i * 1e-3f);
    for (int r = 0; r < rounds; r++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++) chain[i] = fma(chain[i], (vec)(factor), (vec)(term));
    }
    vec sum = (vec)(0.0f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) sum += chain[i];
    const float4 part = sum.s0123;
    y[get_global_id(0)] = part.x + part.y + part.z + part.w;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void peak_copy(
    global const vec *restrict x, global vec *restrict y, int run, int first, int step)
{
    const int start = (int)get_global_id(0) * first;
    for (int k = 0; k < run; k++) y[start + k * step] = x[start + k * step];
}
