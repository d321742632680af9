/* Opens what all cases share, and takes one case from its input to its results.
 * SPDX-License-Identifier: MIT */
#include "infer/segment.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "infer/segment_internal.h"
#include "infer/tuning_use.h"
#include "infer/weights.h"

#include <inttypes.h>
#include <string.h>

/* ---- prompts ---- */

static tpp_status read_prompt(tpp_segmenter *s, int t, int i)
{
    const tpp_target *target = &s->o.targets->item[t];
    const char *text = target->prompt[i];
    tpp_search *x = &s->search[t];
    tpp_tokens *tokens = &x->tokens[i];
    const tpp_status status = tpp_model_folder_tokens(&s->model, tokens, text, strlen(text));
    if (status == TPP_ENOMEM) return status;
    if (status != TPP_OK && s->n == 1) return TPP_FAIL(status, "prompt %d: %s", i + 1, tpp_error());
    if (status != TPP_OK)
        return TPP_FAIL(status, "%s, prompt %d: %s", target->name, i + 1, tpp_error());
    x->prompts[i] = (tpp_prompt){tokens->id, (int)tokens->count};
    x->described[i] = (tpp_report_prompt){t, text, tokens->count, tokens->uncut};
    return TPP_OK;
}

static tpp_status read_prompts(tpp_segmenter *s)
{
    TPP_NEW(s->search, s->n);
    for (int t = 0; t < s->n; t++) {
        const int n = s->o.targets->item[t].n_prompts;
        tpp_search *x = &s->search[t];
        TPP_NEW(x->prompts, n);
        TPP_NEW(x->tokens, n);
        TPP_NEW(x->described, n);
        for (int i = 0; i < n; i++) TPP_TRY(read_prompt(s, t, i));
    }
    return TPP_OK;
}

static void free_prompts(tpp_segmenter *s)
{
    for (int t = 0; s->search != NULL && t < s->n; t++) {
        tpp_search *x = &s->search[t];
        for (int i = 0; x->tokens != NULL && i < s->o.targets->item[t].n_prompts; i++)
            tpp_tokens_free(&x->tokens[i]);
        tpp_free(x->tokens);
        tpp_free(x->prompts);
        tpp_free(x->described);
    }
    tpp_free(s->search);
}

/* ---- what all cases share ---- */

static tpp_status check_options(const tpp_segment_options *o)
{
    if (o->targets->count < 1)
        return TPP_FAIL(TPP_EUSAGE, "nothing to look for: --prompt \"a sentence\", or --structure");
    if (o->dump == NULL) return TPP_OK;
    if (o->ahead > 1)
        return TPP_FAIL(TPP_EUSAGE, "--dump follows one frame at a time and wants --ahead 1");
    if (o->targets->count > 1 || o->start.kind != TPP_START_FIRST)
        return TPP_FAIL(TPP_EUSAGE, "--dump follows one object from the first frame on");
    return TPP_OK;
}

/* Clips look at all their frames at once. */
static tpp_status check_mode(const tpp_segmenter *s)
{
    if (s->model.config.mode != TPP_MODE_CLIP || s->o.start.kind == TPP_START_FIRST) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "--start: nothing is propagated with mode clip, so there is no frame "
                    "to start from");
}

static tpp_status open_shared(tpp_segmenter *s)
{
    const tpp_segment_options *o = &s->o;
    TPP_TRY(check_options(o));
    TPP_TRY(tpp_model_folder_open(&s->model, o->model, o->overrides, (size_t)o->n_overrides));
    TPP_TRY(check_mode(s));
    TPP_TRY(read_prompts(s));
    TPP_TRY(tpp_device_open(&s->device, o->device));
    TPP_TRY(tpp_tuning_use(s->device, o->tuning));
    return tpp_store_open(&s->store, s->device, tpp_weights_source, s->model.weights);
}

tpp_status tpp_segmenter_open(tpp_segmenter **out, const tpp_segment_options *o)
{
    tpp_segmenter *s = NULL;
    TPP_NEW(s, 1);
    s->o = *o;
    s->n = o->targets->count;
    const tpp_status status = open_shared(s);
    if (status != TPP_OK) {
        tpp_segmenter_close(s);
        return status;
    }
    *out = s;
    return TPP_OK;
}

/* The first session holds the images of the others. */
static void close_sessions(tpp_segmenter *s)
{
    for (int t = s->n - 1; s->search != NULL && t >= 0; t--) {
        tpp_session_close(s->search[t].session);
        s->search[t].session = NULL;
    }
    s->height = s->width = s->channels = s->clip = 0;
}

void tpp_segmenter_close(tpp_segmenter *s)
{
    if (s == NULL) return;
    close_sessions(s);
    tpp_store_close(s->store);
    tpp_device_close(s->device);
    free_prompts(s);
    tpp_model_folder_close(&s->model);
    tpp_free(s);
}

bool tpp_segmenter_is_synthetic(const tpp_segmenter *s)
{
    return s->model.is_synthetic;
}

const tpp_model_folder *tpp_segmenter_model(const tpp_segmenter *s)
{
    return &s->model;
}

const tpp_segment_options *tpp_segmenter_options(const tpp_segmenter *s)
{
    return &s->o;
}

/* ---- sessions ---- */

static void log_memory(const tpp_segmenter *s)
{
    const tpp_session_info info = tpp_session_info_of(s->search[0].session);
    size_t arena = 0, kept = 0, ring = 0;
    for (int t = 0; t < s->n; t++) {
        const tpp_session_info each = tpp_session_info_of(s->search[t].session);
        arena += each.arena_bytes;
        kept += each.own_bytes;
        ring += each.ring_bytes;
    }
    const double mb = 1e6;
    tpp_log(TPP_LOG_INFO, "segment",
            "%s: network input %dx%d, memory on the device %.0f MB (activations %.0f, kept %.0f, "
            "weights %.0f), staging %.1f MB",
            tpp_device_caps(s->device)->name, info.net_height, info.net_width,
            (double)(arena + kept + info.store_bytes) / mb, (double)arena / mb, (double)kept / mb,
            (double)info.store_bytes / mb, (double)ring / mb);
}

static tpp_status open_sessions(tpp_segmenter *s, const tpp_frames *f)
{
    const int clip = tpp_model_config_clip(&s->model.config, f->count);
    if (s->height == f->height && s->width == f->width && s->channels == f->channels &&
        s->clip == clip)
        return TPP_OK;
    close_sessions(s);
    for (int t = 0; t < s->n; t++) {
        const tpp_session_options options = {.height = f->height,
                                             .width = f->width,
                                             .channels = f->channels,
                                             .ahead = s->o.ahead,
                                             .clip = clip,
                                             .dump = s->o.dump != NULL,
                                             .probabilities = s->o.probabilities,
                                             .algorithm = s->o.algorithm,
                                             .images = t > 0 ? s->search[0].session : NULL};
        TPP_TRY(tpp_session_open(&s->search[t].session, &s->model.config, s->store,
                                 s->search[t].prompts, s->o.targets->item[t].n_prompts, &options));
    }
    s->height = f->height;
    s->width = f->width;
    s->channels = f->channels;
    s->clip = clip;
    log_memory(s);
    return TPP_OK;
}

/* ---- a case ---- */

static tpp_status check_start(const tpp_run_case *r)
{
    const tpp_start *start = &r->s->o.start;
    const tpp_frames *f = &r->input;
    if (start->kind != TPP_START_FRAME) return TPP_OK;
    if (start->frame >= f->first && start->frame < f->first + f->count) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "--start %" PRId64 ": %s has frames %" PRId64 " to %" PRId64 "%s",
                    start->frame, f->path, f->first, f->first + f->count - 1,
                    f->count < f->total ? " in --frames" : "");
}

static tpp_status open_results(tpp_run_case *r)
{
    const tpp_frames *f = &r->input;
    const int64_t pixels = (int64_t)f->height * f->width;
    const int n = r->s->n;
    TPP_NEW(r->found, n * f->count);
    TPP_NEW(r->start, n);
    TPP_NEW(r->masks, n);
    TPP_NEW(r->pixels, pixels * f->channels);
    for (int t = 0; t < n; t++) TPP_TRY(tpp_mask_store_open(&r->masks[t], f->count, pixels));
    if (r->s->o.probabilities)
        TPP_TRY(tpp_probabilities_open(&r->probabilities, f, r->s->o.targets, &r->out));
    return r->s->o.dump != NULL ? tpp_dump_open(&r->dump, r->s->o.dump) : TPP_OK;
}

static void close_case(tpp_run_case *r)
{
    for (int t = 0; r->masks != NULL && t < r->s->n; t++) tpp_mask_store_close(&r->masks[t]);
    tpp_free(r->masks);
    tpp_free(r->found);
    tpp_free(r->start);
    tpp_free(r->pixels);
    tpp_probabilities_close(&r->probabilities);
    tpp_dump_close(&r->dump);
    tpp_out_folder_discard(&r->out);
    tpp_frames_close(&r->input);
}

static void fill_result(tpp_segment_result *out, const tpp_run_case *r)
{
    *out = (tpp_segment_result){.frames = r->input.count};
    for (int t = 0; t < r->s->n; t++)
        for (int64_t i = 0; i < r->input.count; i++) {
            const tpp_found *f = &r->found[t * r->input.count + i];
            out->found[t] += f->present;
            if (f->score > out->best_score[t]) out->best_score[t] = f->score;
        }
}

static tpp_status run_case(tpp_run_case *r, bool *on_input)
{
    tpp_segmenter *s = r->s;
    const double begin = tpp_clock_seconds();
    if (s->model.is_synthetic)
        tpp_log(TPP_LOG_WARN, "segment", "%s: the weights are synthetic; the masks mean nothing",
                s->o.model);
    TPP_TRY(tpp_frames_open(&r->input, r->c->input, &s->o.frames));
    TPP_TRY(check_start(r));
    TPP_TRY(tpp_out_folder_open(&r->out, r->c->output, s->o.overwrite));
    TPP_TRY(open_results(r));
    r->is_busy = true;
    TPP_TRY(open_sessions(s, &r->input));
    *on_input = false;
    r->open_s = tpp_clock_seconds() - begin;
    TPP_TRY(tpp_case_run_frames(r));
    r->is_busy = false;
    r->run_s = tpp_clock_seconds() - begin - r->open_s;
    TPP_TRY(tpp_frames_unchanged(&r->input));
    return tpp_case_write(r);
}

tpp_status tpp_segmenter_run(tpp_segmenter *s, const tpp_case *c, tpp_segment_result *out,
                             bool *on_input)
{
    tpp_run_case r = {.s = s, .c = c};
    *on_input = true;
    const tpp_status status = run_case(&r, on_input);
    if (status == TPP_OK) fill_result(out, &r);
    close_case(&r);
    if (status != TPP_OK && r.is_busy) close_sessions(s);
    return status;
}
