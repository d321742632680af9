/* The passes of a case over its frames: where to begin, forward to the end, back to the start.
 * SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "infer/segment_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { NAME_SIZE = 128 };

/* A walk over the frames first, first + step, ... `count` of them; target t is looked for from
 * begin[t] on, counted along the walk. */
typedef struct pass {
    int64_t first, step, count;
    const int64_t *begin; /* [n]; NULL: all from the first on */
    bool alone;           /* frames one by one, for their scores */
    bool skips_first;     /* the first frame of each target is known already */
    int clip;             /* frames that go in together; 0: one by one */
} pass;

/* ---- dumps ---- */

typedef struct dumping {
    tpp_dump *dump;
    int64_t frame; /* from 1; 0: text */
} dumping;

static tpp_status dump_one(void *context, const tpp_dumped *t)
{
    const dumping *d = context;
    char name[NAME_SIZE];
    if (d->frame == 0) return tpp_dump_add(d->dump, t->name, t->values, &t->shape);
    (void)snprintf(name, sizeof(name), "frame%" PRId64 ".%s", d->frame, t->name);
    return tpp_dump_add(d->dump, name, t->values, &t->shape);
}

static tpp_status dump_tensors(tpp_run_case *r, int64_t frame)
{
    dumping d = {&r->dump, frame};
    if (r->s->o.dump == NULL) return TPP_OK;
    return tpp_session_dump(r->s->search[0].session, frame == 0, dump_one, &d);
}

/* ---- results ---- */

/* Weights that overflow give masks all the same; they must not pass for a result. */
static tpp_status check_finite(const tpp_frame_result *r, int64_t frame)
{
    bool finite = isfinite(r->score);
    for (int k = 0; k < 4; k++) finite = finite && isfinite(r->box[k]);
    if (finite) return TPP_OK;
    return TPP_FAIL(TPP_EINTERNAL,
                    "frame %" PRId64 ": the network's result is not finite; the weights may be "
                    "damaged",
                    frame);
}

static tpp_status keep(tpp_run_case *r, int t, int64_t i, const tpp_frame_result *result, double ms)
{
    tpp_found *f = &r->found[t * r->input.count + i];
    TPP_TRY(tpp_mask_store_put(&r->masks[t], i, result->mask));
    *f = (tpp_found){.score = result->score,
                     .box = {result->box[0], result->box[1], result->box[2], result->box[3]},
                     .best = result->best,
                     .prompt = result->prompt,
                     .area_px = tpp_mask_store_area(&r->masks[t], i),
                     .ms = ms};
    f->present = f->area_px > 0;
    if (result->logits == NULL) return TPP_OK;
    return tpp_probabilities_put(&r->probabilities, t, i, result->logits);
}

/* Takes step `k` of a pass, of every target. */
static tpp_status take_step(tpp_run_case *r, const pass *p, int64_t k)
{
    const int64_t i = p->first + k * p->step;
    const bool again = k < r->taken; /* a clip that reached back */
    for (int t = 0; t < r->s->n; t++) {
        tpp_frame_result result;
        TPP_TRY(tpp_session_take(r->s->search[t].session, &result));
        if (result.mask == NULL || again) continue;
        TPP_TRY(check_finite(&result, i));
        if (p->skips_first && i == r->start[t]) continue;
        const double now = tpp_clock_seconds();
        TPP_TRY(keep(r, t, i, &result, (now - r->last) * 1e3));
        r->last = now;
    }
    if (again) return TPP_OK;
    r->taken = k + 1;
    r->done++;
    return p->alone ? TPP_OK : dump_tensors(r, k + 1);
}

/* ---- in which order frames go in ----
 * One after another. A clip is always full: the last one reaches back over frames that are done
 * when too few are left, and what it says of those is dropped. A turn is one frame pushed and
 * taken. */

static int64_t turns_of(const pass *p)
{
    const int64_t clip = p->clip > 0 ? p->clip : 1;
    return (p->count + clip - 1) / clip * clip;
}

static int64_t step_of(const pass *p, int64_t turn)
{
    const int64_t turns = turns_of(p);
    return turn < turns - p->clip ? turn : turn - (turns - p->count);
}

/* Keeps as many frames in flight as the session takes; a dump wants one frame or clip at a time. */
static bool may_push(const tpp_run_case *r, const pass *p, int64_t pushed, int64_t taken)
{
    const int64_t clip = p->clip > 0 ? p->clip : 1;
    if (r->s->o.dump != NULL && pushed / clip != taken / clip) return false;
    return pushed < turns_of(p) && pushed - taken < tpp_session_depth(r->s->search[0].session);
}

/* ---- a pass ---- */

static tpp_status push_step(tpp_run_case *r, const pass *p, int64_t k)
{
    TPP_TRY(tpp_frames_get(&r->input, p->first + k * p->step, r->pixels));
    return tpp_session_push(r->s->search[0].session, r->pixels);
}

static tpp_status report_progress(const tpp_run_case *r)
{
    const tpp_segment_options *o = &r->s->o;
    if (o->progress == NULL || o->progress(o->context, r->done, r->planned)) return TPP_OK;
    return TPP_FAIL(TPP_EIO, "stopped after %" PRId64 " of %" PRId64 " frames; nothing was written",
                    r->done, r->planned);
}

static tpp_status begin_pass(tpp_run_case *r, const pass *p)
{
    const tpp_segmenter *s = r->s;
    TPP_TRY(tpp_session_reset(s->search[0].session));
    for (int t = 0; t < s->n; t++) {
        tpp_session_begin(s->search[t].session, p->begin != NULL ? p->begin[t] : 0);
        tpp_session_alone(s->search[t].session, p->alone);
    }
    r->taken = 0;
    r->last = tpp_clock_seconds();
    return TPP_OK;
}

static tpp_status run_pass(tpp_run_case *r, pass p)
{
    p.clip = r->s->clip;
    const int64_t turns = turns_of(&p);
    int64_t pushed = 0;
    TPP_TRY(begin_pass(r, &p));
    for (int64_t taken = 0; taken < turns; taken++) {
        const int64_t before = pushed;
        while (may_push(r, &p, pushed, taken)) TPP_TRY(push_step(r, &p, step_of(&p, pushed++)));
        if (pushed == turns && pushed > before) TPP_TRY(tpp_session_flush(r->s->search[0].session));
        TPP_TRY(take_step(r, &p, step_of(&p, taken)));
        TPP_TRY(report_progress(r));
    }
    return TPP_OK;
}

/* ---- where to begin ---- */

/* The frame with the highest score among those with a mask; among all where there is none. */
static int64_t surest_frame(const tpp_run_case *r, int t)
{
    const tpp_found *f = r->found + t * r->input.count;
    int64_t best = 0;
    for (int64_t i = 1; i < r->input.count; i++)
        if (f[i].present != f[best].present ? f[i].present : f[i].score > f[best].score) best = i;
    return best;
}

static tpp_status find_starts(tpp_run_case *r)
{
    const pass look = {.step = 1, .count = r->input.count, .alone = true};
    TPP_TRY(run_pass(r, look));
    for (int t = 0; t < r->s->n; t++) {
        r->start[t] = surest_frame(r, t);
        tpp_log(TPP_LOG_INFO, "segment", "%s: starts at frame %" PRId64 " with a score of %.3f",
                r->s->o.targets->item[t].title, r->input.first + r->start[t],
                (double)r->found[t * r->input.count + r->start[t]].score);
    }
    return TPP_OK;
}

/* Lowest and highest start. */
static void start_range(const tpp_run_case *r, int64_t *low, int64_t *high)
{
    *low = *high = r->start[0];
    for (int t = 1; t < r->s->n; t++) {
        if (r->start[t] < *low) *low = r->start[t];
        if (r->start[t] > *high) *high = r->start[t];
    }
}

static tpp_status run_to_both_ends(tpp_run_case *r)
{
    const int64_t count = r->input.count;
    int64_t low = 0, high = 0, *begin = NULL;
    TPP_NEW(begin, r->s->n);
    start_range(r, &low, &high);
    r->planned = r->done + count - low + (high > 0 ? high + 1 : 0);
    for (int t = 0; t < r->s->n; t++) begin[t] = r->start[t] - low;
    const pass forward = {.first = low, .step = 1, .count = count - low, .begin = begin};
    tpp_status s = run_pass(r, forward);
    if (s == TPP_OK && high > 0) {
        for (int t = 0; t < r->s->n; t++) begin[t] = high - r->start[t];
        const pass back = {
            .first = high, .step = -1, .count = high + 1, .begin = begin, .skips_first = true};
        s = run_pass(r, back);
    }
    tpp_free(begin);
    return s;
}

tpp_status tpp_case_run_frames(tpp_run_case *r)
{
    const tpp_start *start = &r->s->o.start;
    r->planned = r->input.count;
    TPP_TRY(dump_tensors(r, 0));
    if (start->kind == TPP_START_AUTO) {
        r->planned = 2 * r->input.count + 1; /* at least; known when the starts are */
        TPP_TRY(find_starts(r));
    } else if (start->kind == TPP_START_FRAME) {
        for (int t = 0; t < r->s->n; t++) r->start[t] = start->frame - r->input.first;
    }
    return run_to_both_ends(r);
}
