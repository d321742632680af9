/* A session over synthetic weights, prompts and pictures: for looking at plans and measuring.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TRIAL_H
#define TPP_INFER_TRIAL_H

#include "infer/session.h"

#include <stdbool.h>
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

/* How it is measured. */
typedef struct tpp_trial_method {
    int frames;      /* to be timed in a sequence, rounded up to whole samples, three at least */
    int warmup;      /* frames before anything is timed, in a sequence of their own; rounded up */
    int repeat;      /* sequences, 1 or more */
    bool one_by_one; /* a frame is given when the one before it was taken (batches of one only) */
} tpp_trial_method;

/* What sequences of frames took. A sample is the time of as many batches as are in flight, from
 * result to result, divided by their frames: a device that works on two at once brings them in
 * pairs. The batches that fill and empty the pipe are not timed. Counts are of one frame in the
 * steady state: the most that any batch after a sequence's first needed, divided by its frames and
 * rounded up. */
typedef struct tpp_trial_result {
    int frames; /* timed in a sequence */
    double *ms; /* [count] in order */
    int count;
    double first_ms; /* from the first push to the first result, of the first sequence */
    uint64_t launches, buffers, finishes, waits, bytes_up, bytes_down, allocations;
} tpp_trial_result;

/* TPP_EUSAGE: one by one where frames are encoded in batches. The caller frees the result. */
TPP_MUST_CHECK tpp_status tpp_trial_run(tpp_trial *t, const tpp_trial_method *method,
                                        tpp_trial_result *out);
void tpp_trial_result_free(tpp_trial_result *r);

/* One frame: from a session that has just opened to its first mask. */
TPP_MUST_CHECK tpp_status tpp_trial_first_mask(tpp_trial *t);

#endif
