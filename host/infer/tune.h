/* Tuning: for every shape of work in a configuration, the fastest algorithm and parameters on a
 * device.
 *
 * Candidates run in a process of their own, which a request keeps for at most a time limit: what
 * hangs or crashes there is refused by name, and a new process goes on with the next. Each is
 * checked against `plain` before it is timed. At the end whole frames are run with and without the
 * new choices in turn: they are kept only if frames are faster; if not, the poorer half is given up
 * and the others are measured once more.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TUNE_H
#define TPP_INFER_TUNE_H

#include "infer/trial.h"
#include "ops/tuning.h"

/* A further algorithm of an op, beside those of the registry. */
typedef struct tpp_tune_extra {
    const tpp_op *op; /* NULL ends a list */
    const tpp_algorithm *algorithm;
} tpp_tune_extra;

typedef enum tpp_tune_state {
    TPP_TUNE_UNTRIED,
    TPP_TUNE_MEASURED,
    TPP_TUNE_SLOW,   /* clearly slower at first sight: not measured further */
    TPP_TUNE_REFUSED /* wrong, failed, hung or crashed; `why` says which */
} tpp_tune_state;

enum { TPP_TUNE_SAMPLES = 7, TPP_TUNE_FRAME_SAMPLES = 7 };

typedef struct tpp_tune_candidate {
    const tpp_algorithm *algorithm;
    tpp_params params;
    tpp_tune_state state;
    double sample[TPP_TUNE_SAMPLES], ms; /* ms: their median; of SLOW the least */
    int samples;
    char why[256];
} tpp_tune_candidate;

/* Calls of one op and bucket, and what came out. */
typedef struct tpp_tune_shape {
    const tpp_op *op;
    char bucket[TPP_BUCKET_BYTES];
    unsigned char attr[TPP_MAX_ATTR_BYTES]; /* of the call that takes the most time of them */
    tpp_shape in[TPP_MAX_IN];
    double ms, call_ms;            /* of all of them in a frame, of that call */
    double share;                  /* ms, of the frame's */
    tpp_tune_candidate *candidate; /* the first is the default */
    int n, best;                   /* best 0: the default stays */
    double best_ms, default_ms; /* medians of the last comparison, or of the first if best is 0 */
    bool done;
    bool given_up; /* frames were not faster with it: what was there before stays */
    char why[256]; /* of one that could not be tuned */
} tpp_tune_shape;

typedef struct tpp_tune_options {
    char *const *child;          /* command line of a program that calls tpp_tune_serve; NULL at its
                                          end */
    const char *device;          /* tpp_device_open, of the process above */
    const tpp_tune_extra *extra; /* NULL: none; tpp_tune_serve has the same */
    double limit_s;              /* of one request: checking or timing one candidate; 0: 30 */
    double budget_s;             /* no further shape is begun after so long; 0: no end */
    bool command_buffers;        /* try them, where the device has them */
    bool all;                    /* shapes of less than 0.2 % of the work too */
    /* After every shape; `context` is handed through. */
    void (*told)(void *context, const tpp_tune_shape *shape, int number, int count);
    void *context;
} tpp_tune_options;

/* Zero-initialise; free in any state. */
typedef struct tpp_tune {
    tpp_tune_shape *shape; /* in falling order of their time in a frame */
    int n, left_out;       /* left_out: shapes that were not tried for want of time */
    double frame_ms;       /* by the profile of nodes */
    tpp_tuning *table;     /* what was there before, with the new choices */
    int replaced;          /* choices of this run in the table that are not the default */
    int changed;           /* choices in the table that differ from what was there before */
    int given_up;          /* choices that are not in the table, for the sake of frames */
    /* Medians of frames without and with the new table; 0: nothing to compare. */
    double before_ms, after_ms;
    bool faster; /* the table is worth keeping */
    /* Of the table that is kept: medians of frames launch by launch and as command buffers; 0: not
     * compared. */
    double launches_ms, replays_ms;
    bool replays_tried, replays_right, replays; /* replays: the table says so */
    bool replays_changed;                       /* and what was there before did not */
} tpp_tune;

/* Tunes for what `trial` describes. The table that the device has stays the one that it has. */
TPP_MUST_CHECK tpp_status tpp_tune_run(tpp_tune *t, tpp_device *d,
                                       const struct tpp_model_config *config,
                                       const tpp_trial_options *trial,
                                       const tpp_tune_options *options);
void tpp_tune_free(tpp_tune *t);

/* The other side: reads requests from standard input and answers on standard output until the
 * input ends. Returns an exit code. */
int tpp_tune_serve(const tpp_tune_extra *extra);

#endif
