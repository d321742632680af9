/* Measures one cell of a grid: a configuration, a size, an algorithm, a scenario, on a device.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_H
#define TPP_INFER_BENCH_H

#include "infer/bench_gate.h"
#include "infer/bench_row.h"
#include "infer/trial.h"

#include <stdio.h>

/* single: latency, from a frame's push to its mask, one at a time. offline: throughput, as many
 * frames in flight as the session takes. cold: from the start of a process to its first mask. */
#define TPP_SCENARIO_MAP(X)           X(SINGLE, "single") X(OFFLINE, "offline") X(COLD, "cold")
#define TPP_SCENARIO_ENUM(name, text) TPP_SCENARIO_##name,
typedef enum tpp_scenario { TPP_SCENARIO_MAP(TPP_SCENARIO_ENUM) TPP_SCENARIO_COUNT } tpp_scenario;
#undef TPP_SCENARIO_ENUM
const char *tpp_scenario_text(int scenario); /* NULL past the last */

#define TPP_BENCH_STATUS_MAP(X) \
    X(OK, "ok") X(INVALID, "invalid") X(UNSUPPORTED, "unsupported") X(FAILED, "failed")
#define TPP_BENCH_STATUS_ENUM(name, text) TPP_BENCH_##name,
typedef enum tpp_bench_status {
    TPP_BENCH_STATUS_MAP(TPP_BENCH_STATUS_ENUM) TPP_BENCH_STATUS_COUNT
} tpp_bench_status;
#undef TPP_BENCH_STATUS_ENUM

typedef struct tpp_bench_cell {
    const char *config_name; /* as the user knows it */
    const struct tpp_model_config *config;
    int height, width, frames, prompts, tokens, ahead; /* prompts 0: text.num_prompts */
    int warmup, repeat;
    tpp_scenario scenario;
    const char *algorithm; /* NULL: the registry's choice */
    bool empty_cache;      /* of compiled kernels; scenario cold */
} tpp_bench_cell;

/* What is asked for, of whom; before anything is measured. `r` is initialised; `caps` may be NULL:
 * there is no such device. */
TPP_MUST_CHECK tpp_status tpp_bench_describe(tpp_bench_row *r, const tpp_bench_cell *cell,
                                             const tpp_caps *caps);

/* Opens the trial that the cell describes. TPP_EUNSUPPORTED when no node of it runs by the
 * algorithm that was asked for. */
TPP_MUST_CHECK tpp_status tpp_bench_open(tpp_trial *t, const tpp_bench_cell *cell,
                                         tpp_device *device);

/* Runs scenarios single and offline. What cannot run is the row's status and reason, and returned.
 * `profile` (or NULL) gets the times of every node. */
tpp_status tpp_bench_measure(tpp_bench_row *r, const tpp_bench_cell *cell, tpp_device *device,
                             FILE *profile);

/* Takes `count` times in milliseconds (copied) and sets what follows from them. */
TPP_MUST_CHECK tpp_status tpp_bench_set_samples(tpp_bench_row *r, const double *ms, int count);

/* Puts what the gate says into the row: masks that are wrong make it invalid. */
void tpp_bench_set_gate(tpp_bench_row *r, const tpp_gate *gate);

/* The status of a row, with the thread's message as reason: before anything `ran`, what the device
 * or the program cannot do is unsupported; all else failed. */
void tpp_bench_give_up(tpp_bench_row *r, tpp_status s, bool ran);

tpp_bench_status tpp_bench_status_of(const tpp_bench_row *r);
void tpp_bench_set_status(tpp_bench_row *r, tpp_bench_status status, const char *reason);

/* Path of the tuning file that the device's choices came from; "": none. */
const char *tpp_bench_tuning(const tpp_device *d);

#endif
