/* The main job: sentences and a sequence in, masks, a preview and a report out.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SEGMENT_H
#define TPP_INFER_SEGMENT_H

#include "core/status.h"
#include "infer/report.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tpp_segment_options {
    const char *input, *output, *model; /* paths */
    const char *const *prompts;
    int n_prompts;
    const char *const *overrides; /* "key=value", after the model's own configuration */
    int n_overrides;
    const char *device, *algorithm, *window, *dump; /* NULL: default, none */
    const char *frames;                             /* "FIRST:END"; NULL: all */
    int ahead;                                      /* frames encoded together */
    bool overwrite;
    const char *version;          /* of the program, for the report */
    const tpp_warnings *warnings; /* grows while it runs; into the report at the end; or NULL */
    /* Called after each frame; false stops the run. `context` is handed through. */
    bool (*progress)(void *context, int64_t done, int64_t count);
    void *context;
} tpp_segment_options;

/* What there is to say at the end. */
typedef struct tpp_segment_result {
    int64_t frames, found; /* found: with a mask that is not empty */
    bool is_synthetic;     /* the weights are: masks mean nothing */
} tpp_segment_result;

/* Runs all of it. When it fails, nothing is left at `output` that was not there. *on_input: the
 * failure came while options and input were looked at, before any frame ran. */
TPP_MUST_CHECK tpp_status tpp_segment(tpp_segment_result *out, const tpp_segment_options *o,
                                      bool *on_input);

#endif
