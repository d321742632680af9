/* Opening a session: how the buffers of its plans hang together, prompts, closing.
 * SPDX-License-Identifier: MIT */
#include "infer/session.h"

#include "core/mem.h"
#include "infer/session_internal.h"
#include "infer/tuning_use.h"
#include "model/position.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- buffers between plans ---- */

/* Binds input `name` of `to` to what `from` holds under that name, if both know it. */
static tpp_status link_plans(tpp_plan *to, const tpp_plan *from, const char *name)
{
    tpp_buffer *b = from != NULL ? tpp_plan_buffer(from, name, NULL, NULL) : NULL;
    if (b == NULL || !tpp_plan_has_input(to, name)) return TPP_OK;
    return tpp_plan_bind(to, name, b);
}

static const char *const text_names[] = {"valid",      "packed_valid", "sentence", "words",
                                         "fusion.key", "fusion.value", "fpn1.key", "fpn1.value",
                                         "fpn2.key",   "fpn2.value",   "fpn3.key", "fpn3.value",
                                         "fpn4.key",   "fpn4.value"};
static const char *const state_names[TPP_STATES] = {"ref",  "qpos", "content",
                                                    "mask", "key",  "value"};
static const char *const handover_names[] = {"encoder",    "mask_features", "prompt",
                                             "memory_key", "memory_value",  "res2"};

static const char *const stage_names[TPP_STAGES] = {"res2", "res3", "res4", "res5"};

static tpp_status link_text(tpp_plan *to, const tpp_plan *text)
{
    for (size_t i = 0; i < sizeof(text_names) / sizeof(text_names[0]); i++)
        TPP_TRY(link_plans(to, text, text_names[i]));
    return TPP_OK;
}

static size_t bytes_of(const tpp_shape *shape, tpp_dtype type)
{
    return (size_t)tpp_shape_count(shape) * tpp_dtype_size(type);
}

/* State is as large as its largest use: the number of queries may shrink over a sequence. */
static tpp_status open_state(tpp_session *s, int i)
{
    char name[32];
    size_t bytes = 0;
    (void)snprintf(name, sizeof(name), "state.%s", state_names[i]);
    for (int f = 0; f < s->n_frames; f++) {
        tpp_shape shape;
        tpp_dtype type;
        if (!tpp_plan_has_input(s->frame[f].plan, name)) continue;
        if (!tpp_plan_shape(s->frame[f].plan, name, &shape, &type)) continue;
        if (bytes_of(&shape, type) > bytes) bytes = bytes_of(&shape, type);
    }
    if (bytes == 0) return TPP_OK;
    TPP_TRY(
        tpp_buffer_open_for(&s->state[i], tpp_store_device(s->store), bytes, "tensor %s", name));
    for (int f = 0; f < s->n_frames; f++)
        if (tpp_plan_has_input(s->frame[f].plan, name))
            TPP_TRY(tpp_plan_bind(s->frame[f].plan, name, s->state[i]));
    return TPP_OK;
}

/* A tensor that goes from encode (or the backbone) to the frame graph: by image, or as a clip. */
static tpp_status open_handover(tpp_session *s, const char *name)
{
    tpp_shape shape;
    tpp_dtype type;
    const tpp_plan *from = strcmp(name, "res2") == 0 ? tpp_session_backbone(s) : s->encode;
    tpp_handover h = {.name = name, .batch = tpp_plan_buffer(from, name, &shape, &type)};
    const int state = strcmp(name, "memory_key") == 0     ? 4
                      : strcmp(name, "memory_value") == 0 ? 5
                                                          : -1;
    if (state >= 0) h.keep = s->state[state];
    bool read = h.keep != NULL;
    for (int f = 0; f < s->n_frames; f++) read = read || tpp_plan_has_input(s->frame[f].plan, name);
    if (h.batch == NULL || !read) return TPP_OK;
    h.bytes = bytes_of(&shape, type) / (size_t)(s->batch / tpp_session_frames(s));
    h.frame = h.batch;
    if (s->batch > tpp_session_frames(s))
        TPP_TRY(
            tpp_buffer_open_for(&h.frame, tpp_store_device(s->store), h.bytes, "tensor %s", name));
    s->handover[s->n_handovers++] = h;
    for (int f = 0; f < s->n_frames; f++)
        if (tpp_plan_has_input(s->frame[f].plan, name))
            TPP_TRY(tpp_plan_bind(s->frame[f].plan, name, h.frame));
    return TPP_OK;
}

/* `link` for every state that the plan leaves to the next frame. */
typedef tpp_status link_state(tpp_plan *p, const char *name, tpp_buffer *state);
static tpp_status link_states(const tpp_session *s, tpp_plan *p, link_state *link)
{
    for (int i = 0; i < TPP_STATES; i++) {
        char name[32];
        tpp_shape shape;
        tpp_dtype type;
        (void)snprintf(name, sizeof(name), "next.%s", state_names[i]);
        if (s->state[i] != NULL && tpp_plan_shape(p, name, &shape, &type))
            TPP_TRY(link(p, name, s->state[i]));
    }
    return TPP_OK;
}

/* States are written where the next frame reads them, or copied there when this frame reads them
 * still. */
static tpp_status record_frame_plan(tpp_session *s, tpp_frame_plan *f)
{
    TPP_TRY(link_text(f->plan, s->text));
    TPP_TRY(link_states(s, f->plan, tpp_plan_bind_output));
    TPP_TRY(tpp_plan_record(f->plan, s->arena));
    TPP_TRY(link_states(s, f->plan, tpp_plan_copy_out));
    f->mask = tpp_plan_buffer(f->plan, "mask_pixels", NULL, NULL);
    f->logits = tpp_plan_buffer(f->plan, "mask_logits", NULL, NULL);
    f->record = tpp_plan_buffer(f->plan, "record", NULL, NULL);
    return TPP_OK;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What a frame brings back: mask, record and logits, each at a multiple of 64. */
static size_t down_bytes(const tpp_session *s)
{
    const size_t logits = s->options.probabilities ? s->mask_bytes * sizeof(float) : 0;
    return s->mask_bytes + sizeof(float) * TPP_RECORD_FLOATS + logits + 192;
}

/* Sessions over the same images run one after another and can share an arena. */
static tpp_status take_arena(tpp_session *s, size_t bytes)
{
    const tpp_session *first = s->options.images;
    s->owns_arena = first == NULL || tpp_buffer_bytes(first->arena) < bytes;
    if (s->owns_arena)
        return tpp_buffer_open(&s->arena, tpp_store_device(s->store), bytes > 0 ? bytes : 4);
    s->arena = first->arena;
    return TPP_OK;
}

/* What the plans want, against what the device has; before the largest pieces are taken. */
static tpp_status open_arena(tpp_session *s)
{
    const tpp_plan *fixed[] = {s->text, s->image, s->backbone, s->encode};
    const tpp_caps *caps = tpp_device_caps(tpp_store_device(s->store));
    size_t arena = 0, own = 0;
    char frames[32];
    (void)snprintf(frames, sizeof(frames), ", %d frames together,", s->batch);
    for (int i = 0; i < 4 + s->n_frames; i++) {
        const tpp_plan *p = i < 4 ? fixed[i] : s->frame[i - 4].plan;
        if (p == NULL) continue;
        arena = max_size(arena, tpp_plan_arena_bytes(p));
        own += tpp_plan_own_bytes(p);
    }
    own += (size_t)tpp_session_depth(s) * (s->frame_bytes + down_bytes(s));
    const size_t open = tpp_device_bytes(tpp_store_device(s->store)), total = arena + own + open;
    if (total > caps->global_mem || arena > caps->max_alloc)
        return TPP_FAIL(TPP_EDEVMEM,
                        "a network input of %dx%d%s wants %.0f MB on the device (activations %.0f, "
                        "buffers %.0f, weights and what else is in use %.0f), %s has %.0f MB and "
                        "gives %.0f MB in one "
                        "piece: take smaller frames (infer.short, infer.max) or %s",
                        s->dims.height, s->dims.width, s->options.clip > 0 ? frames : "",
                        (double)total / 1e6, (double)arena / 1e6, (double)own / 1e6,
                        (double)open / 1e6, caps->name, (double)caps->global_mem / 1e6,
                        (double)caps->max_alloc / 1e6,
                        s->options.clip > 0 ? "shorter clips (infer.clip)" : "fewer ahead");
    return take_arena(s, arena);
}

static tpp_status connect(tpp_session *s)
{
    TPP_TRY(open_arena(s));
    TPP_TRY(tpp_plan_record(s->text, s->arena));
    if (s->image != NULL) TPP_TRY(tpp_plan_record(s->image, s->arena));
    if (s->backbone != NULL) {
        TPP_TRY(link_plans(s->backbone, s->image, "image"));
        TPP_TRY(tpp_plan_record(s->backbone, s->arena));
    }
    TPP_TRY(link_text(s->encode, s->text));
    for (size_t i = 0; i < TPP_STAGES; i++)
        TPP_TRY(link_plans(s->encode, tpp_session_backbone(s), stage_names[i]));
    TPP_TRY(tpp_plan_record(s->encode, s->arena));
    for (int i = 0; i < TPP_STATES; i++) TPP_TRY(open_state(s, i));
    for (size_t i = 0; i < sizeof(handover_names) / sizeof(handover_names[0]); i++)
        TPP_TRY(open_handover(s, handover_names[i]));
    for (int f = 0; f < s->n_frames; f++) TPP_TRY(record_frame_plan(s, &s->frame[f]));
    if (s->backbone != NULL)
        s->pixels = s->options.normalized ? tpp_plan_buffer(s->backbone, "image", NULL, NULL)
                                          : tpp_plan_buffer(s->image, "pixels", NULL, NULL);
    return tpp_ring_open(&s->ring, tpp_store_device(s->store), tpp_session_depth(s), s->frame_bytes,
                         down_bytes(s));
}

/* ---- prompts ---- */

/* Writes an input of the text plan, if the plan has it. */
static tpp_status write_text(tpp_session *s, const char *name, const void *data, size_t bytes)
{
    tpp_buffer *b = tpp_plan_buffer(s->text, name, NULL, NULL);
    return b != NULL ? tpp_buffer_write(b, 0, data, bytes) : TPP_OK;
}

static tpp_status encode_prompts(tpp_session *s, const tpp_prompt *prompts)
{
    const int n = s->dims.prompts, length = s->dims.length, hidden = s->config->model.hidden;
    const size_t cells = (size_t)n * (size_t)length;
    tpp_status status = TPP_OK;
    int32_t *ids = NULL, *places = NULL, *packed = NULL, *valid = NULL;
    float *sine = NULL;
    TPP_NEW_OR(done, status, ids, cells);
    TPP_NEW_OR(done, status, places, cells);
    TPP_NEW_OR(done, status, packed, cells);
    TPP_NEW_OR(done, status, valid, n);
    TPP_NEW_OR(done, status, sine, cells * (size_t)hidden);
    for (int p = 0; p < n; p++) {
        const size_t row = (size_t)p * (size_t)length;
        for (int i = 0; i < length; i++) ids[row + (size_t)i] = 1; /* padding */
        memcpy(ids + row, prompts[p].ids, sizeof(*ids) * (size_t)prompts[p].count);
        valid[p] = prompts[p].count;
        tpp_text_places(places + row, valid[p], length);
        tpp_sine1d(sine + row * (size_t)hidden, valid[p], length, hidden);
    }
    const int32_t words = tpp_text_pack(packed, valid, n, length);
    TPP_TRY_OR(done, status, write_text(s, "ids", ids, cells * sizeof(*ids)));
    TPP_TRY_OR(done, status, write_text(s, "places", places, cells * sizeof(*places)));
    TPP_TRY_OR(done, status, write_text(s, "packed", packed, cells * sizeof(*packed)));
    TPP_TRY_OR(done, status, write_text(s, "valid", valid, (size_t)n * sizeof(*valid)));
    TPP_TRY_OR(done, status,
               write_text(s, "word_pos", sine, cells * (size_t)hidden * sizeof(*sine)));
    TPP_TRY_OR(done, status, write_text(s, "packed_valid", &words, sizeof(words)));
    status = tpp_plan_run(s->text);
done:
    tpp_free(ids);
    tpp_free(places);
    tpp_free(packed);
    tpp_free(valid);
    tpp_free(sine);
    return status;
}

static tpp_status check_prompts(const tpp_session *s, const tpp_prompt *prompts, int n,
                                int *longest)
{
    if (n < 1) return TPP_FAIL(TPP_EUSAGE, "at least one prompt is wanted");
    *longest = 0;
    for (int p = 0; p < n; p++) {
        if (prompts[p].count < 2 || prompts[p].count > s->config->text.positions - 2)
            return TPP_FAIL(TPP_EUSAGE, "prompt %d has %d tokens, 2 to %d are possible", p + 1,
                            prompts[p].count, s->config->text.positions - 2);
        for (int i = 0; i < prompts[p].count; i++)
            if (prompts[p].ids[i] < 0 || prompts[p].ids[i] >= s->config->text.vocab)
                return TPP_FAIL(TPP_EUSAGE,
                                "prompt %d has the token %d, the model's vocabulary ends at %d",
                                p + 1, (int)prompts[p].ids[i], s->config->text.vocab - 1);
        if (prompts[p].count > *longest) *longest = prompts[p].count;
    }
    return TPP_OK;
}

/* ---- open and close ---- */

tpp_plan *tpp_session_backbone(const tpp_session *s)
{
    return s->options.images != NULL ? s->options.images->backbone : s->backbone;
}

/* Sessions over the images of another follow it in everything but prompts. */
static void follow(tpp_session_options *o)
{
    const tpp_session_options *first = &o->images->options;
    o->height = first->height;
    o->width = first->width;
    o->channels = first->channels;
    o->net_height = o->images->dims.height;
    o->net_width = o->images->dims.width;
    o->ahead = first->ahead;
    o->clip = first->clip;
    o->normalized = first->normalized;
    o->dump = first->dump;
}

/* The first session starts the frames of all. */
static void join(tpp_session *s)
{
    if (s->options.images == NULL) return;
    s->next = s->options.images->others;
    s->options.images->others = s;
}

static void leave(const tpp_session *s)
{
    if (s->options.images == NULL) return;
    for (tpp_session **at = &s->options.images->others; *at != NULL; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            return;
        }
}

static tpp_status check_clip(const struct tpp_model_config *c, const tpp_session_options *o)
{
    const bool wanted = c->mode == TPP_MODE_CLIP;
    if (o->clip < (wanted ? 1 : 0) || (!wanted && o->clip > 0))
        return TPP_FAIL(TPP_EUSAGE, "clips of %d frames, mode %s wants %s", o->clip,
                        wanted ? "clip" : "online", wanted ? "at least 1" : "none");
    if (wanted && o->ahead > 1)
        return TPP_FAIL(TPP_EUSAGE,
                        "%d frames ahead: with mode clip all frames of a clip are encoded "
                        "together, and its length (infer.clip) decides",
                        o->ahead);
    return TPP_OK;
}

static tpp_status check_options(tpp_session_options *o)
{
    if (o->ahead == 0 || o->dump) o->ahead = 1;
    if (o->ahead < 1 || o->ahead > TPP_MAX_AHEAD)
        return TPP_FAIL(TPP_EUSAGE, "%d frames ahead, 1 to %d are possible", o->ahead,
                        TPP_MAX_AHEAD);
    if (o->height < 1 || o->width < 1 || (o->channels != 1 && o->channels != 3))
        return TPP_FAIL(TPP_EUSAGE, "frames of %dx%d with %d channels: at least 1x1 with 1 or 3",
                        o->height, o->width, o->channels);
    return TPP_OK;
}

static tpp_status open_session(tpp_session *s, const tpp_prompt *prompts, int n_prompts)
{
    int longest = 0, height = s->options.net_height, width = s->options.net_width;
    tpp_session_options *o = &s->options;
    const double t = s->config->infer.threshold;
    TPP_TRY(tpp_tuning_use_default(tpp_store_device(s->store)));
    if (o->images != NULL && o->images->options.images != NULL)
        return TPP_FAIL(TPP_EUSAGE, "a session that has its images from another has none to give");
    if (o->images != NULL && o->images->pushed > 0)
        return TPP_FAIL(TPP_EUSAGE, "frames were pushed before the session for another object");
    if (o->images != NULL) follow(o);
    TPP_TRY(check_clip(s->config, o));
    TPP_TRY(check_options(o));
    s->batch = o->clip > 0 ? o->clip : o->ahead;
    TPP_TRY(check_prompts(s, prompts, n_prompts, &longest));
    if (o->normalized) {
        height = o->height;
        width = o->width;
    } else if (height == 0 || width == 0) {
        tpp_net_size(s->config, o->height, o->width, &height, &width);
    }
    TPP_TRY(tpp_model_dims_set(&s->dims, s->config, height, width, n_prompts, longest));
    s->logit_threshold = (float)log(t / (1.0 - t));
    const size_t pixels = (size_t)o->height * (size_t)o->width;
    if (o->images == NULL)
        s->frame_bytes = o->normalized ? pixels * 3 * sizeof(float) : pixels * (size_t)o->channels;
    s->mask_bytes = pixels;
    TPP_NEW(s->blank, pixels);
    TPP_TRY(tpp_session_open_plans(s));
    TPP_TRY(connect(s));
    TPP_TRY(encode_prompts(s, prompts));
    TPP_TRY(tpp_device_finish(tpp_store_device(s->store)));
    join(s);
    return TPP_OK;
}

tpp_status tpp_session_open(tpp_session **out, const struct tpp_model_config *config,
                            tpp_store *store, const tpp_prompt *prompts, int n_prompts,
                            const tpp_session_options *options)
{
    tpp_session *s = NULL;
    TPP_NEW(s, 1);
    s->config = config;
    s->store = store;
    s->options = *options;
    const tpp_status status = open_session(s, prompts, n_prompts);
    if (status != TPP_OK) {
        tpp_session_close(s);
        return status;
    }
    *out = s;
    return TPP_OK;
}

void tpp_session_close(tpp_session *s)
{
    if (s == NULL) return;
    leave(s);
    tpp_ring_close(s->ring);
    for (int f = 0; f < s->n_frames; f++) tpp_plan_close(s->frame[f].plan);
    tpp_plan_close(s->encode);
    tpp_plan_close(s->backbone);
    tpp_plan_close(s->image);
    tpp_plan_close(s->text);
    for (int i = 0; i < s->n_handovers; i++)
        if (s->handover[i].frame != s->handover[i].batch) tpp_buffer_close(s->handover[i].frame);
    for (int i = 0; i < TPP_STATES; i++) tpp_buffer_close(s->state[i]);
    if (s->owns_arena) tpp_buffer_close(s->arena);
    tpp_free(s->blank);
    tpp_free(s);
}
