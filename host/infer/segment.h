/* The main job: sentences and sequences in; masks, numbers, pictures and reports out. Model, device
 * and weights are opened once for any number of cases.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SEGMENT_H
#define TPP_INFER_SEGMENT_H

#include "cl/device.h"
#include "core/status.h"
#include "infer/frames.h"
#include "infer/report.h"
#include "infer/target.h"

#include <stdbool.h>
#include <stdint.h>

/* Where in a sequence the search begins; from there it goes to both ends. */
typedef enum tpp_start_kind {
    TPP_START_FIRST, /* at the first frame */
    TPP_START_FRAME, /* at frame `frame` of the input */
    TPP_START_AUTO   /* for each target at the frame that answers surest when looked at alone */
} tpp_start_kind;

typedef struct tpp_start {
    tpp_start_kind kind;
    int64_t frame;
} tpp_start;

/* What is the same for all cases. Everything is borrowed until close. */
typedef struct tpp_segment_options {
    const char *model;            /* folder */
    const char *const *overrides; /* "key=value", after the model's own configuration */
    int n_overrides;
    const char *device, *algorithm; /* NULL: default, the registry's choice */
    const char *tuning;             /* as tpp_tuning_use */
    const tpp_targets *targets;
    tpp_frames_options frames;
    tpp_start start;
    int ahead;          /* frames encoded together */
    bool multilabel;    /* one label volume; overlaps go to the surer target */
    bool probabilities; /* written as well */
    bool times;         /* into frames.csv and report.json; the same run then differs in them */
    bool overwrite;
    const char *dump;       /* a file for inner tensors, or NULL; one case, one target */
    const char *version;    /* of the program, for the reports */
    tpp_warnings *warnings; /* of the case in hand, gathered by the caller's log sink; or NULL */
    /* Called after each frame of every pass; false stops the case. `context` is handed through. */
    bool (*progress)(void *context, int64_t done, int64_t count);
    void *context;
} tpp_segment_options;

typedef struct tpp_case {
    const char *name, *input, *output; /* `output` is a folder */
    const char *key; /* tpp_case_key, if it is known already; else it is made for report.json */
} tpp_case;

/* What there is to say at the end. */
typedef struct tpp_segment_result {
    int64_t frames;
    int64_t found[TPP_MAX_TARGETS]; /* frames with a mask that is not empty */
    float best_score[TPP_MAX_TARGETS];
} tpp_segment_result;

typedef struct tpp_segmenter tpp_segmenter;

/* Opens the model, reads the prompts, opens the device. */
TPP_MUST_CHECK tpp_status tpp_segmenter_open(tpp_segmenter **out, const tpp_segment_options *o);
void tpp_segmenter_close(tpp_segmenter *s); /* NULL is fine */

bool tpp_segmenter_is_synthetic(const tpp_segmenter *s); /* the weights are: masks mean nothing */
const tpp_model_folder *tpp_segmenter_model(const tpp_segmenter *s);
const tpp_segment_options *tpp_segmenter_options(const tpp_segmenter *s);

/* Runs one case. When it fails, nothing is left at `output` that was not there. *on_input: the
 * failure came while the input was looked at, before any frame ran. */
TPP_MUST_CHECK tpp_status tpp_segmenter_run(tpp_segmenter *s, const tpp_case *c,
                                            tpp_segment_result *out, bool *on_input);

#endif
