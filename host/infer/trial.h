/* A session over synthetic weights, prompts and pictures: for looking at plans and measuring.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TRIAL_H
#define TPP_INFER_TRIAL_H

#include "infer/session.h"

#include <stdint.h>

typedef struct tpp_trial_options {
    int height, width;   /* of frames and of the network's input */
    int prompts, tokens; /* prompts of so many tokens each; prompts 0: text.num_prompts */
    int ahead;
    int frames; /* of the sequence, which is one clip with mode=clip and infer.clip=0 */
    const char *algorithm;
} tpp_trial_options;

/* Zero-initialise; close in any state. */
typedef struct tpp_trial {
    tpp_trial_options options;
    const struct tpp_model_config *config;
    uint64_t seed;
    tpp_store *store;
    tpp_session *session;
    int batch;        /* frames that are encoded together: `ahead`, or those of a clip */
    uint8_t *picture; /* [height, width, 3] */
} tpp_trial;

/* Keeps `config` and `device` until close. */
TPP_MUST_CHECK tpp_status tpp_trial_open(tpp_trial *t, const struct tpp_model_config *config,
                                         tpp_device *device, const tpp_trial_options *options);
void tpp_trial_close(tpp_trial *t);

/* What a sequence of frames took. Counts are of one frame in the steady state: the most that any
 * batch after the first needed, divided by its frames and rounded up. */
typedef struct tpp_trial_result {
    int frames;                          /* that were timed */
    double ms_median, ms_least, ms_most; /* of a frame, from result to result, after the first */
    double first_ms;                     /* from the first push to the first result */
    uint64_t launches, buffers, finishes, waits, bytes_up, bytes_down, allocations;
} tpp_trial_result;

/* Runs `frames` frames (rounded up to whole batches; at least three batches). */
TPP_MUST_CHECK tpp_status tpp_trial_run(tpp_trial *t, int frames, tpp_trial_result *out);

#endif
