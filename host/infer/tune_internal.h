/* What the files tune*.c share.
 *
 * Requests and answers are lines. A request names a slot, in which a candidate stays recorded:
 *
 *   device SPEC                  "-": any                     ok
 *   call OP ATTR IN0 .. IN7      hexadecimal, "1,60,256" or - ok
 *   try SLOT ALGORITHM N N N N   checks it, then times once   right MS | slow MS | wrong WHY
 *   time SLOT                                                 ms MS
 *
 * Anything else is answered with "wrong WHY" as well.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TUNE_INTERNAL_H
#define TPP_INFER_TUNE_INTERNAL_H

#include "infer/samples.h"
#include "infer/tune.h"

#include <sys/types.h>

enum { TPP_TUNE_LINE = 1024, TPP_TUNE_MAX_CANDIDATES = 64 };

/* ---- tune_shape.c ---- */

/* Can data be made for a call? Integer operands are indices, and mean something only to their op.
 */
bool tpp_tune_can_sample(const tpp_op *op, const tpp_shape *in);

/* Values of input i, for a check and for timing. */
TPP_MUST_CHECK tpp_status tpp_tune_input(const tpp_op *op, const void *attr, const tpp_shape *in,
                                         int i, double **out);

/* A call of the same op with the same columns and weights but few rows: number 0 or 1, the second
 * of odd sizes. Changes attr and in; false: the call has no smaller form. */
bool tpp_tune_shrink(const tpp_op *op, void *attr, tpp_shape *in, int number);

/* FLOPs of a call. */
double tpp_tune_flops(const tpp_op *op, const void *attr, const tpp_shape *in);

/* What a result may differ from `plain` by: twice the largest tolerance of the op's cases, which
 * both may differ from the float64 reference by. */
double tpp_tune_tolerance(const tpp_op *op);

/* ---- tune_collect.c ---- */

/* Fills t->shape with candidates from the plans of a session that has run two frames. */
TPP_MUST_CHECK tpp_status tpp_tune_collect(tpp_tune *t, tpp_session *s, const tpp_caps *caps,
                                           const tpp_tune_options *o);

/* ---- tune_process.c ---- */

typedef struct tpp_tune_process {
    pid_t pid; /* 0: none */
    int to, from;
    char line[TPP_TUNE_LINE]; /* the last answer */
} tpp_tune_process;

TPP_MUST_CHECK tpp_status tpp_tune_process_start(tpp_tune_process *p, char *const *command);

/* Sends a line (without its end) and waits for the answer, p->line. False: none came within the
 * limit or the process ended; it is gone then, and p->line says why ("hung: ...", "crashed: ...").
 */
bool tpp_tune_process_ask(tpp_tune_process *p, const char *request, double limit_s);

void tpp_tune_process_end(tpp_tune_process *p);

/* ---- tune_measure.c ---- */

TPP_MUST_CHECK tpp_status tpp_tune_measure(tpp_tune *t, const tpp_tune_options *o);

/* ---- tune_frame.c ---- */

/* Milliseconds of a frame, the median of three batches or more after the first. */
TPP_MUST_CHECK tpp_status tpp_tune_time_frames(tpp_trial *trial, double *ms);

/* Frames with table[0] and with table[1] in turn: the medians of both. */
TPP_MUST_CHECK tpp_status tpp_tune_contest(tpp_device *d, const struct tpp_model_config *config,
                                           const tpp_trial_options *o,
                                           const tpp_tuning *const *table, double *ms,
                                           bool *is_faster);

/* Frames with `t->table` against frames with the device's own, in turn; sets t->before_ms and
 * what follows it. */
TPP_MUST_CHECK tpp_status tpp_tune_compare(tpp_tune *t, tpp_device *d,
                                           const struct tpp_model_config *config,
                                           const tpp_trial_options *trial);

/* ---- tune_replay.c ---- */

/* Frames with `t->table` as command buffers against frames without; sets t->launches_ms and what
 * follows it, and the table. */
TPP_MUST_CHECK tpp_status tpp_tune_replay(tpp_tune *t, tpp_device *d,
                                          const struct tpp_model_config *config,
                                          const tpp_trial_options *trial);

#endif
