/* Runs a sequence through a session, and writes what comes of it.
 * SPDX-License-Identifier: MIT */
#include "infer/segment.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"
#include "infer/dump.h"
#include "infer/overlay.h"
#include "infer/weights.h"
#include "io/png.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PROMPTS = 256, NAME_SIZE = 128 };

/* Everything a run holds, released in reverse. */
typedef struct job {
    const tpp_segment_options *o;
    tpp_model_folder model;
    tpp_tokens tokens[MAX_PROMPTS];
    tpp_prompt prompts[MAX_PROMPTS];
    tpp_report_prompt described[MAX_PROMPTS];
    tpp_frames input;
    tpp_out_folder out;
    tpp_device *device;
    tpp_store *store;
    tpp_session *session;
    tpp_masks masks;
    tpp_sheet sheet;
    tpp_dump dump;
    tpp_report_frame *frames;
    uint8_t *pixels; /* of one frame */
    int clip;        /* frames that go in together; 0: one by one */
    int64_t done;    /* frames whose results are in */
} job;

static void close_job(job *j)
{
    tpp_free(j->pixels);
    tpp_free(j->frames);
    tpp_dump_close(&j->dump);
    tpp_sheet_free(&j->sheet);
    tpp_masks_close(&j->masks);
    tpp_session_close(j->session);
    tpp_store_close(j->store);
    tpp_device_close(j->device);
    tpp_out_folder_discard(&j->out);
    tpp_frames_close(&j->input);
    for (int i = 0; i < j->o->n_prompts && i < MAX_PROMPTS; i++) tpp_tokens_free(&j->tokens[i]);
    tpp_model_folder_close(&j->model);
    tpp_free(j);
}

/* ---- before the device is asked ---- */

static tpp_status check_options(const tpp_segment_options *o)
{
    if (o->n_prompts < 1)
        return TPP_FAIL(TPP_EUSAGE, "at least one prompt is wanted: --prompt \"a sentence\"");
    if (o->n_prompts > MAX_PROMPTS)
        return TPP_FAIL(TPP_EUSAGE, "%d prompts, at most %d", o->n_prompts, (int)MAX_PROMPTS);
    if (o->dump != NULL && o->ahead > 1)
        return TPP_FAIL(TPP_EUSAGE, "--dump follows one frame at a time and wants --ahead 1");
    return TPP_OK;
}

static tpp_status read_prompt(job *j, int i)
{
    const char *text = j->o->prompts[i];
    const tpp_status s = tpp_model_folder_tokens(&j->model, &j->tokens[i], text, strlen(text));
    if (s == TPP_ENOMEM) return s;
    if (s != TPP_OK) return TPP_FAIL(s, "prompt %d: %s", i + 1, tpp_error());
    j->prompts[i] = (tpp_prompt){j->tokens[i].id, (int)j->tokens[i].count};
    j->described[i] = (tpp_report_prompt){text, j->tokens[i].count, j->tokens[i].uncut};
    return TPP_OK;
}

static tpp_status read_input(job *j)
{
    const tpp_segment_options *o = j->o;
    TPP_TRY(check_options(o));
    TPP_TRY(tpp_model_folder_open(&j->model, o->model, o->overrides, (size_t)o->n_overrides));
    for (int i = 0; i < o->n_prompts; i++) TPP_TRY(read_prompt(j, i));
    if (j->model.is_synthetic)
        tpp_log(TPP_LOG_WARN, "segment", "%s: the weights are synthetic; the masks mean nothing",
                o->model);
    TPP_TRY(tpp_frames_open(&j->input, o->input, o->window));
    if (o->frames != NULL) TPP_TRY(tpp_frames_select(&j->input, o->frames));
    return tpp_out_folder_open(&j->out, o->output, o->overwrite);
}

/* ---- the device ---- */

static void log_memory(const job *j)
{
    const tpp_session_info info = tpp_session_info_of(j->session);
    const double mb = 1e6;
    tpp_log(TPP_LOG_INFO, "segment",
            "%s: network input %dx%d, memory on the device %.0f MB (activations %.0f, kept %.0f, "
            "weights %.0f), staging %.1f MB",
            tpp_device_caps(j->device)->name, info.net_height, info.net_width,
            (double)(info.arena_bytes + info.own_bytes + info.store_bytes) / mb,
            (double)info.arena_bytes / mb, (double)info.own_bytes / mb,
            (double)info.store_bytes / mb, (double)info.ring_bytes / mb);
}

static tpp_status open_device(job *j)
{
    const tpp_segment_options *o = j->o;
    const tpp_session_options options = {.height = j->input.height,
                                         .width = j->input.width,
                                         .channels = j->input.channels,
                                         .ahead = o->ahead,
                                         .clip = j->clip,
                                         .dump = o->dump != NULL,
                                         .algorithm = o->algorithm};
    TPP_TRY(tpp_device_open(&j->device, o->device));
    TPP_TRY(tpp_store_open(&j->store, j->device, tpp_weights_source, j->model.weights));
    TPP_TRY(tpp_session_open(&j->session, &j->model.config, j->store, j->prompts, o->n_prompts,
                             &options));
    log_memory(j);
    return TPP_OK;
}

static tpp_status open_results(job *j)
{
    const tpp_frames *f = &j->input;
    const size_t pixels = (size_t)f->height * (size_t)f->width;
    TPP_NEW(j->frames, f->count);
    TPP_NEW(j->pixels, pixels * (size_t)f->channels);
    TPP_TRY(tpp_masks_open(&j->masks, f, &j->out));
    TPP_TRY(tpp_sheet_init(&j->sheet, f->count, f->height, f->width, f->spacing_mm));
    return j->o->dump != NULL ? tpp_dump_open(&j->dump, j->o->dump) : TPP_OK;
}

/* ---- frames ---- */

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

static tpp_status dump_tensors(job *j, int64_t frame)
{
    dumping d = {&j->dump, frame};
    if (j->o->dump == NULL) return TPP_OK;
    return tpp_session_dump(j->session, frame == 0, dump_one, &d);
}

/* ---- in which order frames go in ----
 * One after another. A clip is always full: the last one reaches back over frames that are done
 * when too few are left, and what it says of those is dropped. A turn is one frame pushed and
 * taken. */

static int64_t turns_of(const job *j)
{
    const int64_t n = j->input.count, clip = j->clip > 0 ? j->clip : 1;
    return (n + clip - 1) / clip * clip;
}

static int64_t frame_of(const job *j, int64_t turn)
{
    const int64_t turns = turns_of(j);
    return turn < turns - j->clip ? turn : turn - (turns - j->input.count);
}

/* Keeps as many frames in flight as the session takes; a dump wants one frame or clip at a time. */
static bool may_push(const job *j, int64_t pushed, int64_t taken)
{
    const int64_t clip = j->clip > 0 ? j->clip : 1;
    if (j->o->dump != NULL && pushed / clip != taken / clip) return false;
    return pushed < turns_of(j) && pushed - taken < tpp_session_depth(j->session);
}

static tpp_status push_frame(job *j, int64_t i)
{
    TPP_TRY(tpp_frames_get(&j->input, i, j->pixels));
    return tpp_session_push(j->session, j->pixels);
}

static tpp_status draw_tile(job *j, int64_t i, const uint8_t *mask)
{
    const int tile = tpp_sheet_tile(&j->sheet, i);
    if (tile < 0) return TPP_OK;
    TPP_TRY(tpp_frames_get(&j->input, i, j->pixels)); /* later frames were pushed since */
    tpp_sheet_draw(&j->sheet, tile, j->pixels, j->input.channels, mask);
    return TPP_OK;
}

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

static tpp_status take_frame(job *j, int64_t i)
{
    tpp_frame_result r;
    TPP_TRY(tpp_session_take(j->session, &r));
    if (i < j->done) return TPP_OK;
    TPP_TRY(check_finite(&r, i));
    j->done = i + 1;
    tpp_report_frame *row = &j->frames[i];
    *row = (tpp_report_frame){.score = r.score, .best = r.best, .prompt = r.prompt};
    memcpy(row->box, r.box, sizeof(row->box));
    const int64_t pixels = (int64_t)j->input.height * j->input.width;
    for (int64_t p = 0; p < pixels; p++) row->area_px += r.mask[p] != 0;
    TPP_TRY(tpp_masks_put(&j->masks, i, r.mask));
    TPP_TRY(draw_tile(j, i, r.mask));
    return dump_tensors(j, i + 1);
}

static tpp_status run_frames(job *j)
{
    const int64_t count = j->input.count, turns = turns_of(j);
    int64_t pushed = 0;
    for (int64_t taken = 0; taken < turns; taken++) {
        const int64_t before = pushed;
        while (may_push(j, pushed, taken)) TPP_TRY(push_frame(j, frame_of(j, pushed++)));
        if (pushed == turns && pushed > before) TPP_TRY(tpp_session_flush(j->session));
        TPP_TRY(take_frame(j, frame_of(j, taken)));
        if (j->o->progress != NULL && !j->o->progress(j->o->context, j->done, count))
            return TPP_FAIL(TPP_EIO,
                            "stopped after %" PRId64 " of %" PRId64 " frames; nothing was written",
                            j->done, count);
    }
    return TPP_OK;
}

/* ---- results ---- */

static tpp_status write_preview(const job *j)
{
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(&j->out, &path, "preview.png"));
    const tpp_status s = tpp_png_write(path, &j->sheet.picture);
    tpp_free(path);
    return s;
}

static tpp_status write_results(job *j)
{
    const tpp_report report = {.version = j->o->version,
                               .algorithm = j->o->algorithm,
                               .device = tpp_device_caps(j->device),
                               .model = &j->model,
                               .input = &j->input,
                               .masks = j->masks.name,
                               .info = tpp_session_info_of(j->session),
                               .ahead = j->o->ahead,
                               .clip = j->clip,
                               .prompts = j->described,
                               .n_prompts = j->o->n_prompts,
                               .frames = j->frames,
                               .warnings = j->o->warnings};
    TPP_TRY(tpp_masks_finish(&j->masks));
    TPP_TRY(write_preview(j));
    TPP_TRY(tpp_report_write(&report, &j->out));
    if (j->o->dump != NULL) TPP_TRY(tpp_dump_write(&j->dump));
    return tpp_out_folder_commit(&j->out);
}

static void fill_result(tpp_segment_result *out, const job *j)
{
    *out = (tpp_segment_result){.frames = j->input.count, .is_synthetic = j->model.is_synthetic};
    for (int64_t i = 0; i < j->input.count; i++) out->found += j->frames[i].area_px > 0;
}

static tpp_status run_job(job *j, bool *on_input)
{
    TPP_TRY(read_input(j));
    j->clip = tpp_model_config_clip(&j->model.config, j->input.count);
    TPP_TRY(open_device(j));
    TPP_TRY(open_results(j));
    *on_input = false;
    TPP_TRY(dump_tensors(j, 0));
    TPP_TRY(run_frames(j));
    return write_results(j);
}

tpp_status tpp_segment(tpp_segment_result *out, const tpp_segment_options *o, bool *on_input)
{
    job *j = NULL;
    *on_input = true;
    TPP_NEW(j, 1);
    j->o = o;
    const tpp_status s = run_job(j, on_input);
    if (s == TPP_OK) fill_result(out, j);
    close_job(j);
    return s;
}
