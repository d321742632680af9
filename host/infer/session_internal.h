/* What a session holds, for the files session*.c.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SESSION_INTERNAL_H
#define TPP_INFER_SESSION_INTERNAL_H

#include "infer/session.h"
#include "model/tpp_model.h"
#include "tensor/ring.h"

enum { TPP_MAX_FRAME_PLANS = 16, TPP_MAX_AHEAD = 16, TPP_RECORD_FLOATS = 8 };

/* A plan of the frame graph: for one number of incoming and outgoing queries. */
typedef struct tpp_frame_plan {
    tpp_frame_spec spec;
    tpp_plan *plan;
    tpp_buffer *mask, *logits, *record; /* borrowed outputs; logits with options.probabilities */
} tpp_frame_plan;

/* What encode leaves for the frame graph, and where the frame graph reads it. */
typedef struct tpp_handover {
    const char *name;
    tpp_buffer *batch; /* encode's output, of all images; borrowed */
    tpp_buffer *frame; /* of one image: the same buffer when they come one by one or as a clip */
    size_t bytes;      /* of `frame` */
    tpp_buffer *keep;  /* state that takes this frame's value for the next, or NULL */
} tpp_handover;

enum { TPP_HANDOVERS = 6, TPP_STATES = 6 };

struct tpp_session {
    const struct tpp_model_config *config;
    tpp_store *store;
    tpp_session_options options;
    tpp_model_dims dims;
    int batch; /* images that are encoded together: options.ahead, or options.clip */
    float logit_threshold;

    tpp_plan *text, *image, *backbone, *encode;
    tpp_frame_plan frame[TPP_MAX_FRAME_PLANS];
    int n_frames; /* plans in `frame` */
    tpp_handover handover[TPP_HANDOVERS];
    int n_handovers;
    tpp_buffer *state[TPP_STATES]; /* by the order of state_names in session.c */
    tpp_buffer *arena;             /* the one of options.images where that is large enough */
    bool owns_arena;
    tpp_session *others, *next; /* the sessions that share the images of this one, in a list */
    tpp_ring *ring;
    tpp_buffer *pixels; /* where frames are uploaded to; borrowed */
    size_t frame_bytes, mask_bytes;
    uint8_t *blank; /* an empty mask, for frames below infer.min_score */

    int64_t pushed, started, taken; /* frames of this sequence */
    int64_t begin;                  /* the first of them that is looked at */
    bool alone;                     /* no propagation */
    int queries;                    /* of the next frame to start */
    int last_plan;                  /* index into `frame` of the frame started last */
};

/* The plan that makes res2 .. res5 for this session. */
tpp_plan *tpp_session_backbone(const tpp_session *s);

/* Queries of frame t (from 1), 0 for a first frame; `before` is the number of frame t - 1. */
tpp_frame_spec tpp_session_spec(const tpp_session *s, int64_t t, int before);

/* Frames that one run of a frame plan does: those of a clip, or one. */
static inline int tpp_session_frames(const tpp_session *s)
{
    return s->options.clip > 0 ? s->options.clip : 1;
}

/* Opens the plans of all graphs; s->dims and s->options are set. */
TPP_MUST_CHECK tpp_status tpp_session_open_plans(tpp_session *s);

#endif
