/* What a run of `segment` was made with and what came of it: report.json.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_REPORT_H
#define TPP_INFER_REPORT_H

#include "cl/device.h"
#include "core/status.h"
#include "infer/found.h"
#include "infer/frames.h"
#include "infer/model_folder.h"
#include "infer/out_folder.h"
#include "infer/session.h"
#include "infer/target.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Warnings of a run, in order. Zero-initialise; free in any state. */
typedef struct tpp_warnings {
    char **text;
    size_t count;
} tpp_warnings;

/* Keeps a copy; for want of memory it is dropped. */
void tpp_warnings_add(tpp_warnings *w, const char *text);
void tpp_warnings_free(tpp_warnings *w);

typedef struct tpp_report_prompt {
    int target;
    const char *text;
    size_t tokens, uncut; /* uncut > tokens: the end was cut off */
} tpp_report_prompt;

typedef struct tpp_report_time {
    const char *stage;
    double ms;
} tpp_report_time;

/* Everything is borrowed. Without `times`, the same run gives the same bytes. No host names. */
typedef struct tpp_report {
    const char *version, *algorithm; /* algorithm NULL: the registry's choice */
    const char *tuning;              /* of the device's table (tpp_tuning_text); NULL: none */
    const tpp_caps *device;
    const tpp_model_folder *model;
    const char *weights_sha256; /* of the model's weights; NULL: the file is read for it */
    const tpp_frames *input;
    const char *input_sha256; /* of its files; NULL: they are read for it */
    tpp_session_info info;
    int ahead, clip; /* clip: frames of one; 0 with mode=online */
    const char *key; /* what would make it again (case_key.h); NULL: none */
    bool multilabel;
    const tpp_targets *targets;
    const int64_t *start; /* of each target: frame of the run at which its search began */
    const tpp_report_prompt *prompts; /* of all targets, in their order */
    int n_prompts;
    const tpp_found *found;       /* found[t * input->count + i], frames from input->first on */
    const char *statistics;       /* name of that file; NULL: none was written */
    const tpp_report_time *times; /* NULL: none */
    int n_times;
    const tpp_warnings *warnings; /* may be NULL */
} tpp_report;

/* All but the list of outputs, for report.html and for tpp_report_write; the caller releases it. */
TPP_MUST_CHECK tpp_status tpp_report_json(const tpp_report *r, json_t **out);

/* Adds every file that is in `out`, with its hash, as "outputs", and writes report.json: the last
 * file of a run. */
TPP_MUST_CHECK tpp_status tpp_report_write(json_t *report, const tpp_out_folder *out);

#endif
