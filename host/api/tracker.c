/* Trackers: an inner session for each object, all over the images of the first.
 * SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "core/mem.h"
#include "infer/selftest.h"
#include "infer/session.h"
#include "infer/weights.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_PROMPTS = 256, MAX_AHEAD = 16 };
enum { FIRST_OPTIONS = sizeof(tpp_tracker_options), FIRST_RESULT = sizeof(tpp_result) };

typedef struct tracked {
    tpp_session *session;   /* of the first object: the one that has the images */
    tpp_frame_result taken; /* in the frame taken last */
} tracked;

struct tpp_tracker {
    const tpp_model_folder *model;
    tpp_store *store;
    tpp_tracker_options options;
    char *algorithm;
    tracked *object;
    int n_objects;
    bool has_taken; /* the objects' `taken` is of a frame */
    int64_t pushed; /* in this sequence */
    bool failed;    /* between frames: the sessions no longer agree */
};

/* ---- open and close ---- */

static tpp_status check_options(const tpp_tracker_options *o)
{
    if (o->height < 1 || o->width < 1 || (o->channels != 1 && o->channels != 3))
        return TPP_FAIL(TPP_EUSAGE, "frames of %dx%d with %d channels: at least 1x1 with 1 or 3",
                        (int)o->height, (int)o->width, (int)o->channels);
    if (o->ahead < 0 || o->ahead > MAX_AHEAD)
        return TPP_FAIL(TPP_EUSAGE, "%d frames ahead, 1 to %d are possible", (int)o->ahead,
                        (int)MAX_AHEAD);
    return TPP_OK;
}

static tpp_status open_tracker(tpp_tracker *t, tpp_model *model, tpp_device *device)
{
    TPP_TRY(check_options(&t->options));
    TPP_TRY(tpp_algorithm_check(t->options.algorithm));
    t->model = &model->folder;
    if (t->options.algorithm != NULL) {
        t->algorithm = tpp_strdup(t->options.algorithm);
        if (t->algorithm == NULL) return TPP_ENOMEM;
    }
    if (t->options.ahead == 0) t->options.ahead = 1;
    return tpp_store_open(&t->store, device, tpp_weights_source, model->folder.weights);
}

tpp_status tpp_tracker_open(tpp_tracker **out, tpp_model *model, tpp_device *device,
                            const tpp_tracker_options *options)
{
    tpp_tracker *t = NULL;
    tpp_tracker_options o;
    TPP_TRY(tpp_api_read(&o, sizeof(o), options, FIRST_OPTIONS, "tpp_tracker_options"));
    if (model == NULL || device == NULL)
        return TPP_FAIL(TPP_EUSAGE, "an open model and an open device are wanted");
    TPP_NEW(t, 1);
    t->options = o;
    const tpp_status s = open_tracker(t, model, device);
    if (s != TPP_OK) {
        tpp_tracker_close(t);
        return s;
    }
    *out = t;
    return TPP_OK;
}

void tpp_tracker_clear(tpp_tracker *t)
{
    /* frames may be on their way */
    if (t->pushed > 0 && tpp_device_finish(tpp_store_device(t->store)) != TPP_OK)
        tpp_log(TPP_LOG_DEBUG, "tracker", "while closing: %s", tpp_error());
    while (t->n_objects > 0) tpp_session_close(t->object[--t->n_objects].session);
    t->has_taken = t->failed = false;
    t->pushed = 0;
}

void tpp_tracker_close(tpp_tracker *t)
{
    if (t == NULL) return;
    tpp_tracker_clear(t);
    tpp_store_close(t->store);
    tpp_free(t->object);
    tpp_free(t->algorithm);
    tpp_free(t);
}

/* ---- objects ---- */

static tpp_status check_usable(const tpp_tracker *t)
{
    if (!t->failed) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "the tracker failed before: clear or close it");
}

static tpp_status check_object(const tpp_tracker *t, int object)
{
    if (object >= 0 && object < t->n_objects) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "object %d: there are %d, from 0", object, t->n_objects);
}

static tpp_status read_sentence(const tpp_tracker *t, tpp_tokens *out, const char *text, int i)
{
    if (text == NULL) return TPP_FAIL(TPP_EUSAGE, "sentence %d: NULL", i + 1);
    const tpp_status s = tpp_model_folder_tokens(t->model, out, text, strlen(text));
    if (s == TPP_OK || s == TPP_ENOMEM) return s;
    return TPP_FAIL(s, "sentence %d: %s", i + 1, tpp_error());
}

static tpp_status open_object(tpp_tracker *t, const tpp_prompt *prompts, int n)
{
    const tpp_session_options o = {.height = t->options.height,
                                   .width = t->options.width,
                                   .channels = t->options.channels,
                                   .ahead = t->options.ahead,
                                   .probabilities = t->options.probabilities != 0,
                                   .algorithm = t->algorithm,
                                   .images = t->n_objects > 0 ? t->object[0].session : NULL};
    tpp_session *session = NULL;
    tracked *grown = tpp_realloc(t->object, (size_t)t->n_objects + 1, sizeof(*grown));
    if (grown == NULL) return TPP_ENOMEM;
    t->object = grown;
    TPP_TRY(tpp_session_open(&session, &t->model->config, t->store, prompts, n, &o));
    tpp_session_alone(session, t->options.alone != 0);
    t->object[t->n_objects++] = (tracked){.session = session};
    return TPP_OK;
}

static tpp_status add(tpp_tracker *t, const char *const *sentences, int n)
{
    tpp_status s = TPP_OK;
    tpp_tokens *tokens = NULL;
    tpp_prompt *prompts = NULL;
    TPP_NEW_OR(done, s, tokens, n);
    TPP_NEW_OR(done, s, prompts, n);
    for (int i = 0; i < n; i++) {
        TPP_TRY_OR(done, s, read_sentence(t, &tokens[i], sentences[i], i));
        prompts[i] = (tpp_prompt){tokens[i].id, (int)tokens[i].count};
    }
    s = open_object(t, prompts, n);
done:
    for (int i = 0; tokens != NULL && i < n; i++) tpp_tokens_free(&tokens[i]);
    tpp_free(tokens);
    tpp_free(prompts);
    return s;
}

tpp_status tpp_tracker_add(tpp_tracker *t, const char *const *sentences, int n, int *object)
{
    TPP_TRY(check_usable(t));
    if (sentences == NULL || n < 1 || n > MAX_PROMPTS)
        return TPP_FAIL(TPP_EUSAGE, "%d sentences, 1 to %d are possible", n, (int)MAX_PROMPTS);
    if (t->pushed > 0)
        return TPP_FAIL(TPP_EUSAGE, "objects are added before the first frame, or after a reset");
    TPP_TRY(add(t, sentences, n));
    t->has_taken = false; /* the new object has none */
    if (object != NULL) *object = t->n_objects - 1;
    return TPP_OK;
}

int tpp_tracker_objects(const tpp_tracker *t)
{
    return t->n_objects;
}

tpp_status tpp_tracker_begin(tpp_tracker *t, int object, int64_t first)
{
    TPP_TRY(check_usable(t));
    TPP_TRY(check_object(t, object));
    if (t->pushed > 0 || first < 0)
        return TPP_FAIL(TPP_EUSAGE,
                        "a beginning (got frame %" PRId64 ") is 0 or more, and set before the "
                        "first frame",
                        first);
    tpp_session_begin(t->object[object].session, first);
    return TPP_OK;
}

/* ---- frames ---- */

int tpp_tracker_depth(const tpp_tracker *t)
{
    return t->n_objects > 0 ? tpp_session_depth(t->object[0].session) : 2 * t->options.ahead;
}

/* What is no misuse leaves some sessions with a frame that others lack. */
static tpp_status note(tpp_tracker *t, tpp_status s)
{
    if (s != TPP_OK && s != TPP_EUSAGE) t->failed = true;
    return s;
}

tpp_status tpp_tracker_push(tpp_tracker *t, const uint8_t *frame, size_t bytes)
{
    const size_t wanted =
        (size_t)t->options.height * (size_t)t->options.width * (size_t)t->options.channels;
    TPP_TRY(check_usable(t));
    if (t->n_objects == 0) return TPP_FAIL(TPP_EUSAGE, "an object is added before the first frame");
    if (frame == NULL || bytes != wanted)
        return TPP_FAIL(TPP_EUSAGE, "a frame of %dx%dx%d is %zu bytes, got %zu",
                        (int)t->options.height, (int)t->options.width, (int)t->options.channels,
                        wanted, frame != NULL ? bytes : 0);
    TPP_TRY(note(t, tpp_session_push(t->object[0].session, frame)));
    t->pushed++;
    return TPP_OK;
}

tpp_status tpp_tracker_flush(tpp_tracker *t)
{
    TPP_TRY(check_usable(t));
    return t->n_objects > 0 ? note(t, tpp_session_flush(t->object[0].session)) : TPP_OK;
}

int tpp_tracker_ready(const tpp_tracker *t)
{
    return t->n_objects > 0 && !t->failed && tpp_session_can_take(t->object[0].session);
}

/* Weights that overflow give masks all the same; they must not pass for a result. */
static tpp_status check_finite(const tpp_frame_result *r, int object)
{
    bool finite = isfinite(r->score);
    for (int k = 0; k < 4; k++) finite = finite && isfinite(r->box[k]);
    if (finite) return TPP_OK;
    return TPP_FAIL(TPP_EINTERNAL,
                    "frame %" PRId64 ", object %d: the network's result is not finite; the weights "
                    "may be damaged",
                    r->frame, object);
}

tpp_status tpp_tracker_take(tpp_tracker *t)
{
    TPP_TRY(check_usable(t));
    if (!tpp_tracker_ready(t)) return TPP_FAIL(TPP_EUSAGE, "no frame to take: push more, or flush");
    t->has_taken = false;
    for (int i = 0; i < t->n_objects; i++)
        TPP_TRY(note(t, tpp_session_take(t->object[i].session, &t->object[i].taken)));
    for (int i = 0; i < t->n_objects; i++) TPP_TRY(check_finite(&t->object[i].taken, i));
    t->has_taken = true;
    return TPP_OK;
}

tpp_status tpp_tracker_result(const tpp_tracker *t, int object, tpp_result *out)
{
    TPP_TRY(check_object(t, object));
    if (!t->has_taken) return TPP_FAIL(TPP_EUSAGE, "no frame was taken");
    const tpp_frame_result *r = &t->object[object].taken;
    tpp_result result = {.frame = r->frame,
                         .mask = r->mask,
                         .logits = r->logits,
                         .score = r->score,
                         .best = r->best,
                         .prompt = r->prompt,
                         .object = object};
    memcpy(result.box, r->box, sizeof(result.box));
    return tpp_api_write(out, &result, sizeof(result), FIRST_RESULT, "tpp_result");
}

/* ---- the next sequence ---- */

tpp_status tpp_tracker_reset(tpp_tracker *t)
{
    TPP_TRY(check_usable(t));
    t->has_taken = false;
    if (t->n_objects == 0) return TPP_OK;
    TPP_TRY(tpp_tracker_flush(t));
    while (tpp_tracker_ready(t))
        for (int i = 0; i < t->n_objects; i++)
            TPP_TRY(note(t, tpp_session_take(t->object[i].session, &t->object[i].taken)));
    TPP_TRY(tpp_session_reset(t->object[0].session));
    t->pushed = 0;
    return TPP_OK;
}
