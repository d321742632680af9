/* A session: prompts and frames of one sequence in, masks and records out.
 *
 * Use: open, then push each frame and take each result, in order; at most tpp_session_depth frames
 * may be pushed and not yet taken. Nothing is allocated and the device is never drained between
 * frames; taking waits on one event. The state that travels from frame to frame (boxes, mask,
 * queries, memory) stays on the device.
 *
 *   push 0 .. push depth-1, take 0, push depth, take 1, ... , flush, take, take, ...
 *
 * Several objects in one sequence: open one session, then one more for each further object with
 * `images` set to the first. Frames are pushed to the first alone, its backbone runs once for all,
 * and every session has its own results to take.
 *
 * With mode=clip every `clip` frames are one clip: they run together when the last of them was
 * pushed, and nothing goes from one clip to the next. Whoever pushes sees to it that clips are
 * full.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SESSION_H
#define TPP_INFER_SESSION_H

#include "config/model_config.h"
#include "nn/plan.h"
#include "nn/store.h"

#include <stdint.h>
#include <stdio.h>

typedef struct tpp_session tpp_session;

/* Token ids with <s> and </s>, one array per prompt. */
typedef struct tpp_prompt {
    const int32_t *ids;
    int count;
} tpp_prompt;

typedef struct tpp_session_options {
    int height, width, channels; /* of the frames that are pushed; channels 1 or 3 */
    int net_height, net_width;   /* of the network's input; 0: tpp_net_size by the configuration */
    int ahead;                   /* frames encoded together, 1 to 16; 0 means 1 (mode=online) */
    int clip;                    /* tpp_model_config_clip: frames of a clip; 0 with mode=online */
    bool normalized;             /* frames are pushed as normalised floats, no resize */
    bool dump;                   /* keep marked tensors; then tpp_session_dump after each take */
    bool probabilities;          /* results have them; four bytes more a pixel come back */
    const char *algorithm;       /* tried first for every node; NULL: the registry's choice */
    /* The session whose images this one looks at, or NULL. It stays open until this one is closed;
     * sizes, ahead, clip, normalized and dump are taken from it. */
    tpp_session *images;
} tpp_session_options;

/* What the host is told of a frame. */
typedef struct tpp_frame_result {
    const uint8_t *mask; /* [height, width], 0 or 1; valid until the next push or close; NULL: the
                            frame lies before tpp_session_begin, and nothing else is set */
    const float *logits; /* [height, width], whose sigmoid is the probability; or NULL */
    float box[4];        /* cx, cy, w, h in [0, 1] of the frame */
    float score;         /* the best query's probability; mode=clip: its mean over the clip */
    int best, prompt;    /* chosen query and prompt */
    int64_t frame;       /* from 0 */
} tpp_frame_result;

/* Size of the network's input for a frame: infer.short and infer.max (specification 5.1). */
void tpp_net_size(const struct tpp_model_config *config, int height, int width, int *net_height,
                  int *net_width);

/* Plans everything for `store` (borrowed until close, as is `config`) and runs the text encoder.
 * TPP_EDEVMEM before anything runs when the plan does not fit the device: the message says what is
 * wanted and what there is. */
TPP_MUST_CHECK tpp_status tpp_session_open(tpp_session **out, const struct tpp_model_config *config,
                                           tpp_store *store, const tpp_prompt *prompts,
                                           int n_prompts, const tpp_session_options *options);
void tpp_session_close(tpp_session *s);

/* Frames that may be in flight: at least 2, at least 2 * ahead; of a clip as many as it has. */
int tpp_session_depth(const tpp_session *s);

/* Gives the next frame, [height, width, channels] bytes (copied before it returns), or with
 * `normalized` [height, width, 3] floats. */
TPP_MUST_CHECK tpp_status tpp_session_push(tpp_session *s, const void *frame);

/* No more frames: starts what waits for a full batch. TPP_EUSAGE when a clip is not full. */
TPP_MUST_CHECK tpp_status tpp_session_flush(tpp_session *s);

/* The result of the oldest frame that was not taken; waits for it. With `ahead` > 1 a frame can be
 * taken once its batch is full or flushed; TPP_EUSAGE before that. */
TPP_MUST_CHECK tpp_status tpp_session_take(tpp_session *s, tpp_frame_result *out);
bool tpp_session_can_take(const tpp_session *s);

/* Starts a new sequence with the same prompts, here and in the sessions that share the images. All
 * frames must have been taken, also from those. */
TPP_MUST_CHECK tpp_status tpp_session_reset(tpp_session *s);

/* Before the first push of a sequence (mode=online): the object is looked for from frame `first` (0
 * after a reset) on; results of frames before it have no mask. */
void tpp_session_begin(tpp_session *s, int64_t first);

/* Before the first push of a sequence, and until it is said again: every frame is looked at by
 * itself, nothing goes from one to the next. */
void tpp_session_alone(tpp_session *s, bool alone);

/* A marked tensor in the reference's layout: maps as [C, h, w], sequences as [tokens, C]. */
typedef struct tpp_dumped {
    const char *name; /* "res2", "encoder", "hs3", ..., of the frame taken last; "text.words" */
    const double *values;
    tpp_shape shape;
} tpp_dumped;
typedef tpp_status tpp_dump_sink(void *context, const tpp_dumped *tensor);

/* Hands every marked tensor of the frame taken last to `sink` (with `text`, those of the text
 * encoder instead). Needs options.dump and one frame, or one clip, in flight at a time; waits. */
TPP_MUST_CHECK tpp_status tpp_session_dump(tpp_session *s, bool text, tpp_dump_sink *sink,
                                           void *context);

/* Size and speed of what was planned. */
typedef struct tpp_session_info {
    size_t arena_bytes, own_bytes, store_bytes, ring_bytes;
    double frame_flops; /* of a frame after the first, text aside; of any frame of a clip */
    int launches;       /* of such a frame; with mode=clip of the whole clip */
    int net_height, net_width;
} tpp_session_info;
tpp_session_info tpp_session_info_of(const tpp_session *s);

/* Plan i of the session, from 0, borrowed; NULL past the last. The last is what most frames run.
 * *runs (or NULL): how often a frame of a sequence of TPP_SEQUENCE_FRAMES runs it. */
enum { TPP_SEQUENCE_FRAMES = 32 };
tpp_plan *tpp_session_plan_at(const tpp_session *s, int i, double *runs);

/* Prints every plan (tpp_plan_print); with `profile`, times each node of a frame after the first;
 * needs two frames taken before. `peaks` may be NULL. */
TPP_MUST_CHECK tpp_status tpp_session_print(tpp_session *s, FILE *to, bool profile,
                                            const tpp_peaks *peaks);

#endif
