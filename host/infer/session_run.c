/* Frames through a session: push, start, take; dumps and printouts.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/session_internal.h"

#include <math.h>
#include <string.h>

int tpp_session_depth(const tpp_session *s)
{
    return s->options.clip > 1 ? s->options.clip : 2 * s->batch;
}

static const tpp_frame_plan *plan_of(tpp_session *s, int64_t t)
{
    const tpp_frame_spec spec = tpp_session_spec(s, t, s->queries);
    for (int i = 0; i < s->n_frames; i++)
        if (s->frame[i].spec.queries == spec.queries && s->frame[i].spec.keep == spec.keep) {
            s->last_plan = i;
            return &s->frame[i];
        }
    return NULL;
}

/* Number of the next frame in its chain, from 1; below: nothing is looked for yet. */
static int64_t chain_number(const tpp_session *s)
{
    const int64_t t = s->started - s->begin + 1;
    return s->alone && t > 1 ? 1 : t;
}

/* Mask, record and logits of frame `i` of those that the plan just ran, on their way to the host.
 */
static tpp_status bring_frame(tpp_session *s, const tpp_frame_plan *f, int i)
{
    const size_t record = sizeof(float) * TPP_RECORD_FLOATS, at = (size_t)i;
    const size_t logits = s->mask_bytes * sizeof(float);
    const tpp_piece back[] = {
        {.buffer = f->mask, .offset = at * s->mask_bytes, .bytes = s->mask_bytes},
        {.buffer = f->record, .offset = at * record, .bytes = record},
        {.buffer = f->logits, .offset = at * logits, .bytes = logits},
    };
    TPP_TRY(tpp_ring_down(s->ring, (int)(s->started % tpp_session_depth(s)), back,
                          f->logits != NULL ? 3 : 2));
    s->started++;
    return TPP_OK;
}

/* The chain of one frame: what encode left for it, the frame graph, the memory for the next. All
 * frames of a clip at once. */
static tpp_status start_frame(tpp_session *s, int image)
{
    const int64_t t = chain_number(s);
    if (t < 1) {
        s->started++;
        return TPP_OK;
    }
    const tpp_frame_plan *f = plan_of(s, t);
    if (f == NULL) return TPP_FAIL(TPP_EINTERNAL, "no plan for frame %lld", (long long)t);
    for (int i = 0; i < s->n_handovers; i++) {
        const tpp_handover *h = &s->handover[i];
        if (h->frame != h->batch)
            TPP_TRY(tpp_buffer_copy(h->frame, 0, h->batch, (size_t)image * h->bytes, h->bytes));
    }
    TPP_TRY(tpp_plan_run(f->plan));
    for (int i = 0; i < s->n_handovers; i++) {
        const tpp_handover *h = &s->handover[i];
        if (h->keep != NULL) TPP_TRY(tpp_buffer_copy(h->keep, 0, h->frame, 0, h->bytes));
    }
    s->queries = f->spec.queries > 0 ? f->spec.queries : s->config->model.num_queries;
    for (int i = 0; i < tpp_session_frames(s); i++) TPP_TRY(bring_frame(s, f, i));
    return TPP_OK;
}

/* One object in a batch of images whose features are there: its encoding, then its chain. */
static tpp_status start_object(tpp_session *s, int images)
{
    if (s->started + images > s->begin) TPP_TRY(tpp_plan_run(s->encode));
    for (int i = 0; i < images; i += tpp_session_frames(s)) TPP_TRY(start_frame(s, i));
    return TPP_OK;
}

/* Everything that depends on the images alone, for a whole batch; then what is looked for. */
static tpp_status start_batch(tpp_session *s)
{
    const int images = (int)(s->pushed - s->started);
    if (images == 0) return TPP_OK;
    if (s->options.clip > images)
        return TPP_FAIL(TPP_EUSAGE, "a clip wants %d frames, only %d were pushed", s->options.clip,
                        images);
    if (s->image != NULL) TPP_TRY(tpp_plan_run(s->image));
    TPP_TRY(tpp_plan_run(s->backbone));
    TPP_TRY(start_object(s, images));
    for (tpp_session *o = s->others; o != NULL; o = o->next) TPP_TRY(start_object(o, images));
    return TPP_OK;
}

/* Sessions that share images are taken from frame by frame; the slowest counts. */
static int64_t least_taken(const tpp_session *s)
{
    int64_t least = s->taken;
    for (const tpp_session *o = s->others; o != NULL; o = o->next)
        if (o->taken < least) least = o->taken;
    return least;
}

tpp_status tpp_session_push(tpp_session *s, const void *frame)
{
    const int depth = tpp_session_depth(s);
    if (s->options.images != NULL)
        return TPP_FAIL(TPP_EUSAGE, "frames are pushed to the session that has the images");
    if (s->pushed - least_taken(s) >= depth)
        return TPP_FAIL(TPP_EUSAGE, "%d frames are in flight: take one before pushing the next",
                        depth);
    const size_t image = (size_t)(s->pushed - s->started);
    TPP_TRY(tpp_ring_up(s->ring, (int)(s->pushed % depth), frame,
                        (tpp_piece){.buffer = s->pixels,
                                    .offset = image * s->frame_bytes,
                                    .bytes = s->frame_bytes}));
    s->pushed++;
    return s->pushed - s->started == s->batch ? start_batch(s) : TPP_OK;
}

tpp_status tpp_session_flush(tpp_session *s)
{
    return s->options.images != NULL ? TPP_OK : start_batch(s);
}

bool tpp_session_can_take(const tpp_session *s)
{
    return s->taken < s->started;
}

tpp_status tpp_session_take(tpp_session *s, tpp_frame_result *out)
{
    const uint8_t *bytes = NULL;
    float record[TPP_RECORD_FLOATS];
    if (!tpp_session_can_take(s))
        return TPP_FAIL(TPP_EUSAGE, "no frame to take: push more, or flush");
    if (s->taken < s->begin) {
        *out = (tpp_frame_result){.frame = s->taken++};
        return TPP_OK;
    }
    TPP_TRY(tpp_ring_take(s->ring, (int)(s->taken % tpp_session_depth(s)), &bytes));
    const size_t record_at = (s->mask_bytes + 63) / 64 * 64;
    memcpy(record, bytes + record_at, sizeof(record));
    tpp_frame_result r = {.mask = bytes, .frame = s->taken};
    if (s->options.probabilities) r.logits = (const float *)(const void *)(bytes + record_at + 64);
    memcpy(r.box, record, sizeof(r.box));
    r.score = s->options.clip > 0 ? record[4] : 1.0f / (1.0f + expf(-record[4]));
    r.best = (int)record[5];
    r.prompt = (int)record[6];
    if (r.score < (float)s->config->infer.min_score) r.mask = s->blank;
    s->taken++;
    *out = r;
    return TPP_OK;
}

static void forget(tpp_session *s)
{
    s->pushed = s->started = s->taken = s->begin = 0;
    s->queries = 0;
}

tpp_status tpp_session_reset(tpp_session *s)
{
    if (s->options.images != NULL)
        return TPP_FAIL(TPP_EUSAGE, "a reset is asked of the session that has the images");
    if (least_taken(s) != s->pushed)
        return TPP_FAIL(TPP_EUSAGE, "%lld frames were not taken before the reset",
                        (long long)(s->pushed - least_taken(s)));
    forget(s);
    for (tpp_session *o = s->others; o != NULL; o = o->next) forget(o);
    return TPP_OK;
}

void tpp_session_begin(tpp_session *s, int64_t first)
{
    s->begin = first;
}

void tpp_session_alone(tpp_session *s, bool alone)
{
    s->alone = alone;
}

/* ---- dumps ---- */

static double value_at(const void *bytes, tpp_dtype type, int64_t i)
{
    if (type == TPP_F32) return ((const float *)bytes)[i];
    if (type == TPP_I32) return ((const int32_t *)bytes)[i];
    return ((const uint8_t *)bytes)[i];
}

/* The tensor of frame `part` of `parts` that ran together: its share of the first axis, or all of
 * what the frames share. */
static tpp_status dump_tensor(const tpp_plan_result *whole, int part, int parts,
                              tpp_dump_sink *sink, void *context)
{
    tpp_plan_result one = *whole, *const r = &one;
    const bool shared = whole->shape.d[0] % parts != 0;
    if (!shared) one.shape.d[0] /= parts;
    const int64_t n = tpp_shape_count(&r->shape), c = tpp_shape_cols(&r->shape);
    const size_t bytes = (size_t)n * tpp_dtype_size(r->type);
    const size_t start = shared ? 0 : (size_t)part * bytes;
    void *raw = NULL;
    double *values = NULL;
    tpp_status s = TPP_OK;
    if ((raw = tpp_calloc(bytes, 1)) == NULL) return TPP_ENOMEM;
    TPP_NEW_OR(done, s, values, n);
    TPP_TRY_OR(done, s, tpp_buffer_read(r->buffer, start, raw, bytes));
    tpp_dumped d = {.name = r->name, .values = values, .shape = r->shape};
    if (r->height > 0) { /* tokens [1, h*w, C] of a map to [C, h, w] */
        const int64_t tokens = (int64_t)r->height * r->width;
        d.shape = TPP_SHAPE(c, r->height, r->width);
        for (int64_t t = 0; t < tokens; t++)
            for (int64_t i = 0; i < c; i++)
                values[i * tokens + t] = value_at(raw, r->type, t * c + i);
    } else {
        for (int64_t i = 0; i < n; i++) values[i] = value_at(raw, r->type, i);
    }
    s = sink(context, &d);
done:
    tpp_free(raw);
    tpp_free(values);
    return s;
}

static tpp_status dump_plan(const tpp_plan *p, int part, int parts, tpp_dump_sink *sink,
                            void *context)
{
    tpp_plan_result r;
    for (int i = 0; tpp_plan_result_at(p, i, &r); i++)
        if (r.is_mark) TPP_TRY(dump_tensor(&r, part, parts, sink, context));
    return TPP_OK;
}

tpp_status tpp_session_dump(tpp_session *s, bool text, tpp_dump_sink *sink, void *context)
{
    if (!s->options.dump) return TPP_FAIL(TPP_EUSAGE, "the session was not opened for dumps");
    if (text) return dump_plan(s->text, 0, 1, sink, context);
    const int frames = tpp_session_frames(s);
    if (s->taken == 0 || s->started - s->taken >= frames)
        return TPP_FAIL(TPP_EUSAGE, "a dump wants one frame or clip in flight at a time");
    const int part = (int)((s->taken - 1) % frames);
    TPP_TRY(dump_plan(tpp_session_backbone(s), part, frames, sink, context));
    TPP_TRY(dump_plan(s->encode, part, frames, sink, context));
    return dump_plan(s->frame[s->last_plan].plan, part, frames, sink, context);
}

/* ---- sizes and printouts ---- */

/* The plan that most frames run: the last of the list. */
static const tpp_frame_plan *usual_frame(const tpp_session *s)
{
    return &s->frame[s->n_frames - 1];
}

tpp_session_info tpp_session_info_of(const tpp_session *s)
{
    const tpp_plan *next = usual_frame(s)->plan;
    const tpp_plan *backbone = tpp_session_backbone(s);
    tpp_session_info info = {.arena_bytes = s->owns_arena ? tpp_buffer_bytes(s->arena) : 0,
                             .store_bytes = tpp_store_bytes(s->store),
                             .ring_bytes = tpp_ring_bytes(s->ring),
                             .net_height = s->dims.height,
                             .net_width = s->dims.width};
    const tpp_plan *p = NULL;
    for (int i = 0; (p = tpp_session_plan_at(s, i, NULL)) != NULL; i++)
        info.own_bytes += tpp_plan_own_bytes(p);
    info.frame_flops = (tpp_plan_flops(backbone) + tpp_plan_flops(s->encode)) / s->batch +
                       tpp_plan_flops(next) / tpp_session_frames(s);
    info.launches = tpp_plan_launches(backbone) + tpp_plan_launches(s->encode) +
                    (s->image != NULL ? tpp_plan_launches(s->image) : 0) + tpp_plan_launches(next);
    return info;
}

/* Frame plans but the last are for the first frames of a sequence. */
static double frame_runs(const tpp_session *s, int i)
{
    const double once = 1.0 / TPP_SEQUENCE_FRAMES;
    if (i < s->n_frames - 1) return once;
    return s->options.clip > 0 ? 1.0 / s->options.clip : 1.0 - (s->n_frames - 1) * once;
}

tpp_plan *tpp_session_plan_at(const tpp_session *s, int i, double *runs)
{
    const struct {
        tpp_plan *plan;
        double runs;
    } fixed[] = {{s->text, 1.0 / TPP_SEQUENCE_FRAMES},
                 {s->image, 1.0 / s->batch},
                 {s->backbone, 1.0 / s->batch},
                 {s->encode, 1.0 / s->batch}};
    for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++) {
        if (fixed[k].plan == NULL || i-- > 0) continue;
        if (runs != NULL) *runs = fixed[k].runs;
        return fixed[k].plan;
    }
    if (i >= s->n_frames) return NULL;
    if (runs != NULL) *runs = frame_runs(s, i);
    return s->frame[i].plan;
}

static tpp_status print_plan(tpp_plan *p, FILE *to, bool profile, const tpp_peaks *peaks)
{
    double *ms = NULL;
    if (!profile) {
        tpp_plan_print(p, to, NULL, peaks);
        return TPP_OK;
    }
    TPP_NEW(ms, tpp_plan_nodes(p));
    const tpp_status s = tpp_plan_profile(p, ms);
    if (s == TPP_OK) tpp_plan_print(p, to, ms, peaks);
    tpp_free(ms);
    return s;
}

tpp_status tpp_session_print(tpp_session *s, FILE *to, bool profile, const tpp_peaks *peaks)
{
    tpp_plan *p = NULL;
    if (profile && s->taken < 2)
        return TPP_FAIL(TPP_EUSAGE, "a profile wants two frames taken before");
    for (int i = 0; (p = tpp_session_plan_at(s, i, NULL)) != NULL; i++)
        TPP_TRY(print_plan(p, to, profile, peaks));
    return TPP_OK;
}
