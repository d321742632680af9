/* Measures a session in its steady state.
 * SPDX-License-Identifier: MIT */
#include "infer/trial.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/synth.h"
#include "infer/weights.h"

#include <stddef.h>

enum { MAX_PROMPTS = 16, MAX_TOKENS = 512, RGB = 3 };

void tpp_trial_close(tpp_trial *t)
{
    tpp_session_close(t->session);
    tpp_store_close(t->store);
    tpp_free(t->picture);
    *t = (tpp_trial){0};
}

/* ---- opening ---- */

static tpp_status check_options(const tpp_trial_options *o)
{
    if (o->prompts < 1 || o->prompts > MAX_PROMPTS)
        return TPP_FAIL(TPP_EUSAGE, "%d prompts, wanted 1 to %d", o->prompts, (int)MAX_PROMPTS);
    if (o->tokens < 2 || o->tokens > MAX_TOKENS)
        return TPP_FAIL(TPP_EUSAGE, "prompts of %d tokens, wanted 2 to %d", o->tokens,
                        (int)MAX_TOKENS);
    return TPP_OK;
}

/* The word 4, whatever it is, between <s> and </s>: what a text says costs nothing. */
static void fill_prompt(int32_t *ids, int n)
{
    for (int i = 0; i < n; i++) ids[i] = 4;
    ids[0] = 0;
    ids[n - 1] = 2;
}

static void fill_picture(uint8_t *out, size_t n)
{
    const uint64_t key = tpp_synth_key("picture", 1);
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)((tpp_synth_value(key, i) + 1) * 128);
}

static tpp_status open_session(tpp_trial *t)
{
    const tpp_trial_options *o = &t->options;
    const int clip = tpp_model_config_clip(t->config, o->frames);
    const tpp_session_options options = {.height = o->height,
                                         .width = o->width,
                                         .channels = RGB,
                                         .net_height = o->height,
                                         .net_width = o->width,
                                         .ahead = o->ahead,
                                         .clip = clip,
                                         .algorithm = o->algorithm};
    t->batch = clip > 0 ? clip : o->ahead;
    int32_t ids[MAX_TOKENS];
    tpp_prompt prompts[MAX_PROMPTS];
    fill_prompt(ids, o->tokens);
    for (int i = 0; i < o->prompts; i++) prompts[i] = (tpp_prompt){ids, o->tokens};
    return tpp_session_open(&t->session, t->config, t->store, prompts, o->prompts, &options);
}

tpp_status tpp_trial_open(tpp_trial *t, const struct tpp_model_config *config, tpp_device *device,
                          const tpp_trial_options *options)
{
    const size_t bytes = (size_t)options->height * (size_t)options->width * RGB;
    tpp_status s = TPP_OK;
    *t = (tpp_trial){.options = *options, .config = config, .seed = 1};
    if (t->options.prompts == 0) t->options.prompts = config->text.num_prompts;
    TPP_TRY(check_options(&t->options));
    TPP_TRY_OR(done, s, tpp_store_open(&t->store, device, tpp_synth_source, &t->seed));
    TPP_NEW_OR(done, s, t->picture, bytes);
    fill_picture(t->picture, bytes);
    s = open_session(t);
done:
    if (s != TPP_OK) tpp_trial_close(t);
    return s;
}

/* ---- running ---- */

typedef struct snapshot {
    double seconds;
    tpp_device_counts device;
    uint64_t allocations;
} snapshot;

static snapshot look(const tpp_trial *t)
{
    return (snapshot){tpp_clock_seconds(), tpp_device_count(tpp_store_device(t->store)),
                      tpp_alloc_count()};
}

/* The most of (after - before) over the batches, per frame. */
static void keep_most(uint64_t *most, uint64_t before, uint64_t after, int batch)
{
    const uint64_t each = (after - before + (uint64_t)batch - 1) / (uint64_t)batch;
    if (each > *most) *most = each;
}

static void count_batch(tpp_trial_result *r, const snapshot *a, const snapshot *b, int batch)
{
    keep_most(&r->launches, a->device.launches, b->device.launches, batch);
    keep_most(&r->buffers, a->device.buffers, b->device.buffers, batch);
    keep_most(&r->finishes, a->device.finishes, b->device.finishes, batch);
    keep_most(&r->waits, a->device.waits, b->device.waits, batch);
    keep_most(&r->bytes_up, a->device.bytes_up, b->device.bytes_up, batch);
    keep_most(&r->bytes_down, a->device.bytes_down, b->device.bytes_down, batch);
    keep_most(&r->allocations, a->allocations, b->allocations, batch);
}

/* Pushes and takes one batch. As many frames are in flight as may be, so those that go in are of a
 * later batch; one by one it is the same frame. */
static tpp_status turn(tpp_trial *t, int64_t depth, int64_t *pushed, int64_t taken, int64_t count)
{
    for (int i = 0; i < t->batch; i++, taken++) {
        tpp_frame_result frame;
        while (*pushed < count && *pushed - taken < depth) {
            t->picture[*pushed % 64] ^= 0x55; /* no two pictures are the same */
            TPP_TRY(tpp_session_push(t->session, t->picture));
            ++*pushed;
        }
        TPP_TRY(tpp_session_take(t->session, &frame));
    }
    return TPP_OK;
}

/* A sequence: `fill` batches, then samples of `span` batches each, then `drain` batches. */
typedef struct course {
    int64_t depth; /* frames in flight */
    int fill, samples, span, drain;
} course;

static tpp_status run_course(tpp_trial *t, const course *c, tpp_trial_result *r, double *ms)
{
    const int batches = c->fill + c->samples * c->span + c->drain;
    const double start = tpp_clock_seconds();
    int64_t pushed = 0;
    double mark = start;
    snapshot before = {0};
    for (int b = 0; b < batches; b++) {
        TPP_TRY(turn(t, c->depth, &pushed, (int64_t)b * t->batch, (int64_t)batches * t->batch));
        const snapshot after = look(t);
        const int timed = b + 1 - c->fill; /* batches, with this one */
        if (b == 0 && r->first_ms == 0) r->first_ms = (after.seconds - start) * 1e3;
        if (b > 0) count_batch(r, &before, &after, t->batch);
        if (timed > 0 && timed % c->span == 0 && timed / c->span <= c->samples)
            ms[timed / c->span - 1] = (after.seconds - mark) * 1e3 / (c->span * t->batch);
        if (timed >= 0 && timed % c->span == 0) mark = after.seconds;
        before = after;
    }
    return TPP_OK;
}

static int round_up(int n, int unit)
{
    return (n + unit - 1) / unit;
}

static tpp_status run_courses(tpp_trial *t, const tpp_trial_method *m, const course *c,
                              tpp_trial_result *r)
{
    const course warm = {.depth = c->depth, .fill = round_up(m->warmup, t->batch), .span = 1};
    tpp_trial_result unused = {0};
    TPP_TRY(tpp_session_reset(t->session));
    TPP_TRY(run_course(t, &warm, &unused, NULL));
    for (int k = 0; k < m->repeat; k++) {
        TPP_TRY(tpp_session_reset(t->session));
        TPP_TRY(run_course(t, c, r, r->ms + (ptrdiff_t)k * c->samples));
    }
    return TPP_OK;
}

tpp_status tpp_trial_run(tpp_trial *t, const tpp_trial_method *method, tpp_trial_result *out)
{
    enum { FEWEST = 3 };
    const int depth = method->one_by_one ? 1 : tpp_session_depth(t->session);
    if (method->one_by_one && t->batch > 1)
        return TPP_FAIL(TPP_EUSAGE,
                        "%d frames are encoded together: none of them has a latency of its own",
                        t->batch);
    const int span = depth / t->batch, samples = round_up(method->frames, span * t->batch);
    const course c = {.depth = depth,
                      .fill = span,
                      .samples = samples < FEWEST ? FEWEST : samples,
                      .span = span,
                      .drain = span - 1};
    tpp_trial_result r = {.frames = c.samples * span * t->batch,
                          .count = c.samples * method->repeat};
    TPP_NEW(r.ms, r.count);
    const tpp_status s = run_courses(t, method, &c, &r);
    if (s == TPP_OK)
        *out = r;
    else
        tpp_trial_result_free(&r);
    return s;
}

void tpp_trial_result_free(tpp_trial_result *r)
{
    tpp_free(r->ms);
    *r = (tpp_trial_result){0};
}

tpp_status tpp_trial_first_mask(tpp_trial *t)
{
    int64_t pushed = 0;
    return turn(t, tpp_session_depth(t->session), &pushed, 0, t->batch);
}
