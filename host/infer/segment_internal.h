/* A case while it runs, for segment*.c.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SEGMENT_INTERNAL_H
#define TPP_INFER_SEGMENT_INTERNAL_H

#include "infer/dump.h"
#include "infer/found.h"
#include "infer/mask_store.h"
#include "infer/probability.h"
#include "infer/segment.h"
#include "infer/session.h"
#include "io/hash.h"

/* What is the same for a target in all cases, and its session. Arrays have a row for each prompt.
 */
typedef struct tpp_search {
    tpp_tokens *tokens;
    tpp_prompt *prompts;
    tpp_report_prompt *described;
    tpp_session *session; /* of the frame size that was there last; the first has the images */
} tpp_search;

struct tpp_segmenter {
    tpp_segment_options o;
    tpp_model_folder model;
    tpp_device *device;
    tpp_store *store;
    int n;                                  /* targets */
    tpp_search *search;                     /* [n] */
    int height, width, channels, clip;      /* clip: frames of one; 0 with mode=online */
    tpp_sha256 weights_hash, settings_hash; /* of tpp_hash_settings; "": not made yet */
};

/* One case. */
typedef struct tpp_run_case {
    tpp_segmenter *s;
    const tpp_case *c;
    tpp_frames input;
    tpp_out_folder out;
    tpp_mask_store *masks; /* [n] */
    tpp_found *found;      /* [n * frames]: of target t in frame i at t * frames + i */
    int64_t *start;        /* [n]: where each target's search begins, frames of the run */
    tpp_probabilities probabilities;
    tpp_dump dump;
    uint8_t *pixels;       /* of one frame */
    bool is_busy;          /* sessions are being opened, or frames may be in them */
    int64_t taken;         /* steps of the pass in hand */
    int64_t done, planned; /* frames of all passes */
    double last;           /* time of the last result, seconds */
    double open_s, run_s;  /* until the first frame; until the last */
} tpp_run_case;

/* Runs all passes: fills masks, found, start, probabilities, dump. */
TPP_MUST_CHECK tpp_status tpp_case_run_frames(tpp_run_case *r);

/* Writes everything into the folder and puts it in its place. */
TPP_MUST_CHECK tpp_status tpp_case_write(tpp_run_case *r);

#endif
