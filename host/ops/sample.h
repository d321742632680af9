/* A call with data of its own on a device, which any algorithm of its op can run: for checks and
 * for measuring. Outputs and scratch hold NaN before a run and lie between guard words.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_SAMPLE_H
#define TPP_OPS_SAMPLE_H

#include "ops/check.h"
#include "tensor/tensor.h"

/* Gives the values of input i, in new memory that the sample frees. */
typedef tpp_status tpp_sample_input(void *context, int i, double **out);

/* Zero-initialise; close in any state, after its runs. */
typedef struct tpp_sample {
    tpp_device *device;
    const tpp_op *op;
    tpp_call call; /* shapes, types and memory; inputs in their own shape */
    tpp_sample_input *input;
    void *context;
    tpp_buffer *in_buffer[TPP_MAX_IN], *out_buffer[TPP_MAX_OUT];
    double *want[TPP_MAX_OUT]; /* what a run is held to; NULL: nothing yet */
} tpp_sample;

/* Shapes and types by op->infer. Keeps everything it is given until close. */
TPP_MUST_CHECK tpp_status tpp_sample_open(tpp_sample *s, tpp_device *d, const tpp_op *op,
                                          const void *attr, const tpp_shape *in,
                                          tpp_sample_input *input, void *context);

/* Before any run: stores these of the float operands (as tpp_algorithm.halves has them) as half,
 * each value rounded. */
void tpp_sample_store_half(tpp_sample *s, unsigned halves);

/* Before any run: rows of these inputs (bit i: in[i]) lie apart, with NaN between them. */
void tpp_sample_set_apart(tpp_sample *s, unsigned operands);
void tpp_sample_close(tpp_sample *s);

/* An algorithm recorded on a sample. Zero-initialise; close in any state. */
typedef struct tpp_sample_run {
    tpp_sample *sample;
    tpp_call call; /* with packed inputs and scratch */
    tpp_buffer *packed[TPP_MAX_IN], *scratch;
    tpp_steps *steps;
} tpp_sample_run;

/* The algorithm must take the call (tpp_algorithm_takes, with s->call). */
TPP_MUST_CHECK tpp_status tpp_sample_record(tpp_sample_run *run, tpp_sample *s,
                                            const tpp_algorithm *a, const tpp_params *params);
void tpp_sample_run_close(tpp_sample_run *run);

/* Runs twice, from NaN: the bits must be the same, the guards hold, and the results agree with
 * `want` within out->tolerance. Fills the rest of `out`. Without `want` the results become it. */
TPP_MUST_CHECK tpp_status tpp_sample_check(tpp_sample_run *run, tpp_check *out);

/* Milliseconds of one run, the mean of `n` that follow each other. */
TPP_MUST_CHECK tpp_status tpp_sample_time(tpp_sample_run *run, int n, double *ms);

#endif
