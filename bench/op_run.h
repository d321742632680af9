/* One op by itself on a device: inputs, buffers, launches, time.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_BENCH_OP_RUN_H
#define TPP_BENCH_OP_RUN_H

#include "nodes.h"
#include "tensor/tensor.h"

/* A case as the registry's, of a frame's node: filled as the op's own cases are, but every key of
 * an attention takes part, and the queries of an encoder's deformable attention look from their
 * own places. Borrows from the node. */
tpp_case bench_case_of(const bench_node *n);

/* Inputs on the host, in the op's types. Zero-initialise. */
typedef struct bench_inputs {
    void *in[TPP_MAX_IN];
} bench_inputs;
TPP_MUST_CHECK tpp_status bench_inputs_make(bench_inputs *out, const tpp_op *op, const tpp_case *c,
                                            bool of_frame);
void bench_inputs_free(bench_inputs *in);

/* Zero-initialise; close in any state. Keeps the case's attributes. */
typedef struct bench_run {
    tpp_device *device;
    const tpp_op *op;
    const tpp_algorithm *algorithm;
    tpp_call call;
    tpp_buffer *in[TPP_MAX_IN], *out[TPP_MAX_OUT], *scratch;
    tpp_steps *steps;
} bench_run;

/* The call of a case, with shapes and types alone. */
TPP_MUST_CHECK tpp_status bench_call_of(tpp_call *out, const tpp_op *op, const tpp_case *c);

/* `a` takes the case's call. Weights are packed as it wants them, before and not counted. */
TPP_MUST_CHECK tpp_status bench_run_open(bench_run *r, tpp_device *d, const tpp_op *op,
                                         const tpp_case *c, const bench_inputs *in,
                                         const tpp_algorithm *a, const tpp_params *params);
void bench_run_close(bench_run *r);

/* Adds nothing: milliseconds of one run by the device's own clock, and from the first enqueue to
 * the end of a finish. */
TPP_MUST_CHECK tpp_status bench_run_event(bench_run *r, double *ms);
TPP_MUST_CHECK tpp_status bench_run_wall(bench_run *r, double *ms);

#endif
