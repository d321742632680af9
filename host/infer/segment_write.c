/* What a case leaves: masks, probabilities, numbers, pictures, reports.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/case_key.h"
#include "infer/frames_csv.h"
#include "infer/html.h"
#include "infer/json_file.h"
#include "infer/labels_file.h"
#include "infer/masks.h"
#include "infer/overlay.h"
#include "infer/segment_internal.h"
#include "infer/statistics.h"
#include "infer/tuning_use.h"
#include "io/png.h"

#include <string.h>

/* Everything that looks at the frames with their masks once more, in order. */
typedef struct summing {
    tpp_run_case *r;
    tpp_statistics *statistics; /* [n] */
    tpp_sheet sheet;
    tpp_html html;
    tpp_frames_csv csv;
    uint8_t **mask;        /* [n] of one frame */
    const uint8_t **shown; /* [n]: the same, NULL where nothing was found */
    float *intensity;      /* of one frame; NULL: none */
} summing;

static void close_summing(summing *s)
{
    const int n = s->r->s->n;
    for (int t = 0; t < n; t++) {
        if (s->statistics != NULL) tpp_statistics_close(&s->statistics[t]);
        if (s->mask != NULL) tpp_free(s->mask[t]);
    }
    tpp_free(s->statistics);
    tpp_free(s->mask);
    tpp_free(s->shown);
    tpp_free(s->intensity);
    tpp_sheet_free(&s->sheet);
    tpp_html_close(&s->html);
    tpp_frames_csv_close(&s->csv);
}

/* ---- opening ---- */

static tpp_geometry geometry_of(const tpp_frames *f)
{
    const char *unit = strcmp(f->modality, "CT") == 0 ? "HU" : "";
    if (f->kind == TPP_FRAMES_VOLUME && f->axis != TPP_AXIS_TIME)
        return tpp_geometry_of_view(&f->volume, &f->view, f->first, f->count, unit);
    return (tpp_geometry){.height = f->height,
                          .width = f->width,
                          .frames = f->count,
                          .spacing_mm = {f->spacing_mm[0], f->spacing_mm[1], 0},
                          .first = f->first,
                          .unit = unit};
}

/* What lies left, right, above and below in a frame; NULL: not known. */
static const char *sides_of(const tpp_frames *f)
{
    if (f->kind != TPP_FRAMES_VOLUME || f->volume.affine_source == TPP_AFFINE_PIXDIM) return NULL;
    switch (f->axis) {
    case TPP_AXIS_AXIAL:
        return "RLAP";
    case TPP_AXIS_CORONAL:
        return "RLSI";
    case TPP_AXIS_SAGITTAL:
        return "APSI";
    default:
        return NULL;
    }
}

static tpp_status open_pages(summing *s)
{
    const tpp_run_case *r = s->r;
    const tpp_frames *f = &r->input;
    const tpp_targets *targets = r->s->o.targets;
    const tpp_html_info page = {.title = r->c->name,
                                .height = f->height,
                                .width = f->width,
                                .channels = f->channels,
                                .frames = f->count,
                                .first = f->first,
                                .spacing_mm = {f->spacing_mm[0], f->spacing_mm[1]},
                                .sides = sides_of(f),
                                .targets = targets,
                                .is_synthetic = r->s->model.is_synthetic};
    s->csv = (tpp_frames_csv){.targets = targets,
                              .height = f->height,
                              .width = f->width,
                              .pixel_mm2 = f->spacing_mm[0] * f->spacing_mm[1],
                              .has_times = r->s->o.times};
    TPP_TRY(tpp_sheet_init(&s->sheet, f->count, f->height, f->width, f->spacing_mm, targets));
    TPP_TRY(tpp_html_open(&s->html, &page, &r->out));
    return tpp_frames_csv_open(&s->csv, &r->out);
}

static tpp_status open_summing(summing *s)
{
    const tpp_frames *f = &s->r->input;
    const tpp_geometry g = geometry_of(f);
    const int64_t pixels = (int64_t)f->height * f->width;
    const int n = s->r->s->n;
    TPP_NEW(s->statistics, n);
    TPP_NEW(s->mask, n);
    TPP_NEW(s->shown, n);
    if (f->kind == TPP_FRAMES_VOLUME && f->channels == 1) TPP_NEW(s->intensity, pixels);
    for (int t = 0; t < n; t++) {
        TPP_NEW(s->mask[t], pixels);
        TPP_TRY(tpp_statistics_open(&s->statistics[t], &g));
    }
    return open_pages(s);
}

/* ---- frame by frame ---- */

/* Masks of frame i; all their pixels, and the lowest score of what was found. */
static void load_masks(summing *s, int64_t i, int64_t *area, double *score)
{
    const tpp_run_case *r = s->r;
    *area = 0;
    *score = 1;
    for (int t = 0; t < r->s->n; t++) {
        const tpp_found *f = &r->found[t * r->input.count + i];
        tpp_mask_store_get(&r->masks[t], i, s->mask[t]);
        s->shown[t] = f->present ? s->mask[t] : NULL;
        *area += f->area_px;
        if (f->present && (double)f->score < *score) *score = (double)f->score;
    }
}

static tpp_status add_numbers(summing *s, int64_t i, const char *name)
{
    tpp_run_case *r = s->r;
    const tpp_frames *f = &r->input;
    const bool grey = s->intensity != NULL && tpp_frames_intensities(f, i, s->intensity);
    for (int t = 0; t < r->s->n; t++) {
        TPP_TRY(tpp_statistics_add(&s->statistics[t], i, s->mask[t], grey ? s->intensity : NULL));
        tpp_frames_csv_row(&s->csv, f->first + i, name, t, &r->found[t * f->count + i]);
    }
    return TPP_OK;
}

static tpp_status add_frame(summing *s, int64_t i)
{
    tpp_run_case *r = s->r;
    const tpp_frames *f = &r->input;
    char buffer[64];
    const char *name = tpp_frames_name(f, i, buffer, sizeof(buffer));
    int64_t area = 0;
    double score = 0;
    load_masks(s, i, &area, &score);
    TPP_TRY(add_numbers(s, i, name));
    const bool in_page = tpp_html_wants(&s->html, i);
    if (!in_page && !tpp_sheet_wants(&s->sheet, i, area, score)) return TPP_OK;
    TPP_TRY(tpp_frames_get(f, i, r->pixels));
    tpp_sheet_add(&s->sheet, i, r->pixels, f->channels, s->shown, area, score);
    return in_page ? tpp_html_add_frame(&s->html, i, name, r->pixels, s->shown) : TPP_OK;
}

/* ---- the files ---- */

static tpp_status write_preview(summing *s)
{
    char *path = NULL;
    tpp_sheet_finish(&s->sheet);
    TPP_TRY(tpp_out_folder_file(&s->r->out, &path, "preview.png"));
    const tpp_status status = tpp_png_write(path, &s->sheet.picture);
    tpp_free(path);
    return status;
}

/* Sentences of all targets, in one list. */
static tpp_status list_prompts(const tpp_segmenter *s, tpp_report_prompt **out, int *count)
{
    tpp_report_prompt *all = NULL;
    int n = 0;
    for (int t = 0; t < s->n; t++) n += s->o.targets->item[t].n_prompts;
    TPP_NEW(all, n);
    for (int t = 0, k = 0; t < s->n; t++)
        for (int i = 0; i < s->o.targets->item[t].n_prompts; i++) {
            all[k] = s->search[t].described[i];
            all[k++].target = t;
        }
    *out = all;
    *count = n;
    return TPP_OK;
}

/* Of all sessions of the case. */
static tpp_session_info total_info(const tpp_segmenter *s)
{
    tpp_session_info all = tpp_session_info_of(s->search[0].session);
    for (int t = 1; t < s->n; t++) {
        const tpp_session_info one = tpp_session_info_of(s->search[t].session);
        all.arena_bytes += one.arena_bytes;
        all.own_bytes += one.own_bytes;
        all.ring_bytes += one.ring_bytes;
    }
    return all;
}

static tpp_status write_report(summing *s, const json_t *statistics)
{
    const tpp_run_case *r = s->r;
    const tpp_segment_options *o = &r->s->o;
    const tpp_report_time times[] = {{"open", r->open_s * 1e3}, {"frames", r->run_s * 1e3}};
    tpp_report_prompt *prompts = NULL;
    tpp_report report = {.version = o->version,
                         .algorithm = o->algorithm,
                         .tuning = tpp_tuning_text(r->s->device),
                         .device = tpp_device_caps(r->s->device),
                         .model = &r->s->model,
                         .weights_sha256 = r->s->weights_hash.hex,
                         .input = &r->input,
                         .info = total_info(r->s),
                         .ahead = o->ahead,
                         .clip = r->s->clip,
                         .key = r->c->key,
                         .multilabel = o->multilabel,
                         .targets = o->targets,
                         .start = r->start,
                         .found = r->found,
                         .statistics = "statistics.json",
                         .times = o->times ? times : NULL,
                         .n_times = o->times ? 2 : 0,
                         .warnings = o->warnings};
    json_t *json = NULL;
    tpp_sha256 key = {""}, input = {""};
    tpp_status status = list_prompts(r->s, &prompts, &report.n_prompts);
    if (status == TPP_OK) status = tpp_hash_input(&input, r->input.path);
    /* Also hashes the weights, which takes a second of a large model and is done once. */
    if (status == TPP_OK && report.key == NULL) status = tpp_case_key_of(&key, r->s, &input);
    report.input_sha256 = input.hex;
    if (report.key == NULL) report.key = key.hex;
    report.prompts = prompts;
    if (status == TPP_OK) status = tpp_report_json(&report, &json);
    if (status == TPP_OK) status = tpp_html_finish(&s->html, r->found, statistics, json);
    if (status == TPP_OK) status = tpp_report_write(json, &r->out);
    json_decref(json);
    tpp_free(prompts);
    return status;
}

static tpp_status write_masks(tpp_run_case *r)
{
    const tpp_segment_options *o = &r->s->o;
    const tpp_masks masks = {.frames = &r->input,
                             .targets = o->targets,
                             .store = r->masks,
                             .found = r->found,
                             .multilabel = o->multilabel,
                             .version = o->version};
    TPP_TRY(tpp_masks_write(&masks, &r->out));
    return tpp_probabilities_finish(&r->probabilities);
}

/* report.json lists what is there, so it comes last. */
static tpp_status write_all(summing *s)
{
    tpp_run_case *r = s->r;
    TPP_TRY(open_summing(s));
    for (int64_t i = 0; i < r->input.count; i++) TPP_TRY(add_frame(s, i));
    TPP_TRY(tpp_frames_unchanged(&r->input));
    TPP_TRY(write_masks(r));
    TPP_TRY(write_preview(s));
    TPP_TRY(tpp_frames_csv_finish(&s->csv));
    TPP_TRY(tpp_labels_write(r->s->o.targets, &r->out));
    json_t *statistics = tpp_statistics_report(r->s->o.targets, s->statistics);
    tpp_status status = tpp_json_write(&r->out, "statistics.json", statistics);
    if (status == TPP_OK) status = write_report(s, statistics);
    json_decref(statistics);
    return status;
}

tpp_status tpp_case_write(tpp_run_case *r)
{
    summing s = {.r = r};
    tpp_status status = write_all(&s);
    close_summing(&s);
    if (status == TPP_OK && r->s->o.dump != NULL) status = tpp_dump_write(&r->dump);
    return status == TPP_OK ? tpp_out_folder_commit(&r->out) : status;
}
