/* What a run of `segment` leaves beside its masks: report.json and frames.csv.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_REPORT_H
#define TPP_INFER_REPORT_H

#include "cl/device.h"
#include "core/status.h"
#include "infer/frames.h"
#include "infer/model_folder.h"
#include "infer/session.h"

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

typedef struct tpp_report_frame {
    float score, box[4]; /* cx, cy, w, h in [0, 1] */
    int best, prompt;
    int64_t area_px;
} tpp_report_frame;

typedef struct tpp_report_prompt {
    const char *text;
    size_t tokens, uncut; /* uncut > tokens: the end was cut off */
} tpp_report_prompt;

/* Everything is borrowed. The same run gives the same bytes: no times, no host names. */
typedef struct tpp_report {
    const char *version, *algorithm; /* algorithm NULL: the registry's choice */
    const tpp_caps *device;
    const tpp_model_folder *model;
    const tpp_frames *input;
    const char *masks; /* name of the result below the folder */
    tpp_session_info info;
    int ahead, clip; /* clip: frames of one; 0 with mode=online */
    const tpp_report_prompt *prompts;
    int n_prompts;
    const tpp_report_frame *frames; /* input->count of them, of frame input->first on */
    const tpp_warnings *warnings;   /* may be NULL */
} tpp_report;

/* Writes both files. */
TPP_MUST_CHECK tpp_status tpp_report_write(const tpp_report *r, const tpp_out_folder *out);

#endif
