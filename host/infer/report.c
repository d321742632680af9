/* Puts report.json together.
 * SPDX-License-Identifier: MIT */
#include "infer/report.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/json_file.h"
#include "io/affine.h"
#include "io/hash.h"
#include "io/hash_input.h"
#include "io/volume_file.h"
#include "io/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64 };

/* ---- warnings ---- */

void tpp_warnings_add(tpp_warnings *w, const char *text)
{
    char **grown = tpp_realloc(w->text, w->count + 1, sizeof(*grown));
    if (grown == NULL) return;
    w->text = grown;
    w->text[w->count] = tpp_strdup(text);
    if (w->text[w->count] != NULL) w->count++;
}

void tpp_warnings_free(tpp_warnings *w)
{
    for (size_t i = 0; i < w->count; i++) tpp_free(w->text[i]);
    tpp_free(w->text);
    *w = (tpp_warnings){0};
}

/* ---- pieces ---- */

/* A YAML scalar as what it looks like. */
static json_t *scalar_json(const char *text)
{
    char *end = NULL;
    if (strcmp(text, "true") == 0) return json_true();
    if (strcmp(text, "false") == 0) return json_false();
    const long long whole = strtoll(text, &end, 10);
    if (end != text && *end == '\0') return json_integer(whole);
    const double real = strtod(text, &end);
    if (end != text && *end == '\0') return json_real(real);
    return tpp_json_text(text);
}

/* The resolved configuration, by its dotted keys. */
static json_t *config_json(const struct tpp_model_config *config)
{
    tpp_str text = {0};
    tpp_yaml y = {0};
    json_t *all = NULL;
    if (tpp_schema_dump(&tpp_model_schema, config, &text) == TPP_OK &&
        tpp_yaml_parse(&y, text.text, text.length, "configuration") == TPP_OK)
        all = json_object();
    for (size_t i = 0; all != NULL && i < y.count; i++) {
        const tpp_yaml_item *item = &y.items[i];
        json_t *value = item->is_list ? json_array() : scalar_json(item->value[0]);
        for (size_t k = 0; item->is_list && k < item->count; k++)
            tpp_json_append(&value, scalar_json(item->value[k]));
        tpp_json_set(&all, item->key, value);
    }
    tpp_yaml_free(&y);
    tpp_str_free(&text);
    return all;
}

static json_t *device_json(const tpp_caps *c)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "name", tpp_json_text(c->name), "platform",
                     tpp_json_text(c->platform), "version", tpp_json_text(c->version), "driver",
                     tpp_json_text(c->driver));
}

static json_t *hash_json(tpp_status s, const tpp_sha256 *hash)
{
    if (s == TPP_ENOMEM) return NULL;
    return s == TPP_OK ? json_string(hash->hex) : json_null();
}

/* null where there is no file to read: what a run used is known without its hash. */
static json_t *file_hash_json(const char *folder, const char *name)
{
    tpp_sha256 hash = {""};
    char *path = tpp_path_join(folder, name);
    const tpp_status s = path != NULL ? tpp_sha256_file(&hash, path) : TPP_ENOMEM;
    tpp_free(path);
    return hash_json(s, &hash);
}

static json_t *model_json(const tpp_report *r)
{
    const tpp_model_folder *m = r->model;
    json_t *hash = r->weights_sha256 != NULL ? json_string(r->weights_sha256)
                                             : file_hash_json(m->path, TPP_MODEL_WEIGHTS);
    return json_pack("{s:o, s:b, s:o, s:o}", "path", tpp_json_text(m->path), "synthetic_weights",
                     m->is_synthetic, "weights_sha256", hash, "config", config_json(&m->config));
}

static json_t *window_json(const tpp_frames *f)
{
    if (f->window.name[0] == '\0') return json_null();
    return json_pack("{s:s, s:f, s:f}", "name", f->window.name, "low", f->window.low, "high",
                     f->window.high);
}

static json_t *known_mm(double mm)
{
    return mm > 0 ? tpp_json_real(mm) : json_null();
}

static json_t *volume_json(const tpp_frames *f)
{
    const double *mm = f->view.spacing_mm;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:[o,o,o], s:s, s:I, s:I}", "format",
        tpp_volume_format_text(f->volume.format), "orientation", f->orientation, "axis",
        tpp_axis_text(f->axis), "datatype", f->volume.datatype != NULL ? f->volume.datatype : "",
        "spacing_mm", known_mm(mm[0]), known_mm(mm[1]), known_mm(f->step_mm), "affine_from",
        tpp_affine_source_text(f->volume.affine_source), "time", (json_int_t)f->volume.time,
        "voxels_not_finite", (json_int_t)f->volume.nan_count);
}

static json_t *input_json(const tpp_report *r)
{
    const tpp_frames *f = r->input;
    tpp_sha256 hash = {""};
    json_t *j =
        json_pack("{s:o, s:s, s:s, s:I, s:I, s:i, s:i, s:i, s:o}", "path", tpp_json_text(f->path),
                  "kind", tpp_frames_kind_text(f->kind), "modality", f->modality, "first_frame",
                  (json_int_t)f->first, "frames", (json_int_t)f->count, "height", f->height,
                  "width", f->width, "channels", f->channels, "window", window_json(f));
    if (f->kind == TPP_FRAMES_VOLUME) tpp_json_merge(&j, volume_json(f));
    if (r->input_sha256 != NULL) {
        tpp_json_set(&j, "sha256", json_string(r->input_sha256));
        return j;
    }
    const tpp_status s = tpp_hash_input(&hash, f->path);
    tpp_json_set(&j, "sha256", hash_json(s, &hash));
    return j;
}

static json_t *prompts_json(const tpp_report *r)
{
    json_t *all = json_array();
    for (int i = 0; i < r->n_prompts; i++) {
        const tpp_report_prompt *p = &r->prompts[i];
        tpp_sha256 hash = {""};
        const tpp_status hashed = tpp_sha256_bytes(&hash, p->text, strlen(p->text));
        tpp_json_append(&all,
                        json_pack("{s:o, s:o, s:o, s:I, s:b}", "target",
                                  tpp_json_text(r->targets->item[p->target].name), "text",
                                  tpp_json_text(p->text), "sha256", hash_json(hashed, &hash),
                                  "tokens", (json_int_t)p->tokens, "cut", p->uncut > p->tokens));
    }
    return all;
}

static json_t *warnings_json(const tpp_report *r)
{
    json_t *all = json_array();
    for (size_t i = 0; r->warnings != NULL && i < r->warnings->count; i++)
        tpp_json_append(&all, tpp_json_text(r->warnings->text[i]));
    return all;
}

/* ---- what was found ---- */

static const tpp_found *found_of(const tpp_report *r, int t, int64_t i)
{
    return &r->found[t * r->input->count + i];
}

/* Square millimetres of a pixel; 0: not known. */
static double pixel_mm2(const tpp_frames *f)
{
    return f->spacing_mm[0] * f->spacing_mm[1];
}

static json_t *found_json(const tpp_report *r, int t, int64_t i)
{
    const tpp_found *f = found_of(r, t, i);
    return json_pack("{s:o, s:b, s:o, s:i, s:i, s:I, s:[o,o,o,o]}", "target",
                     tpp_json_text(r->targets->item[t].name), "present", f->present, "score",
                     tpp_json_real((double)f->score), "query", f->best, "prompt", f->prompt,
                     "area_px", (json_int_t)f->area_px, "box_cxcywh",
                     tpp_json_real((double)f->box[0]), tpp_json_real((double)f->box[1]),
                     tpp_json_real((double)f->box[2]), tpp_json_real((double)f->box[3]));
}

/* Pixels of all targets in frame i. */
static json_int_t area_of(const tpp_report *r, int64_t i)
{
    json_int_t area = 0;
    for (int t = 0; t < r->targets->count; t++) area += found_of(r, t, i)->area_px;
    return area;
}

static json_t *frames_json(const tpp_report *r)
{
    json_t *all = json_array();
    char name[NAME_SIZE];
    for (int64_t i = 0; i < r->input->count; i++) {
        json_t *targets = json_array();
        for (int t = 0; t < r->targets->count; t++) tpp_json_append(&targets, found_json(r, t, i));
        tpp_json_append(
            &all, json_pack("{s:I, s:o, s:I, s:o}", "frame", (json_int_t)r->input->first + i,
                            "name", tpp_json_text(tpp_frames_name(r->input, i, name, sizeof(name))),
                            "area_px", area_of(r, i), "targets", targets));
    }
    return all;
}

/* A target that is in no frame is "not found", with its highest score: that is not "absent". */
static json_t *target_json(const tpp_report *r, int t)
{
    json_int_t frames = 0, pixels = 0;
    double highest = -1;
    for (int64_t i = 0; i < r->input->count; i++) {
        const tpp_found *f = found_of(r, t, i);
        frames += f->present;
        pixels += f->area_px;
        if ((double)f->score > highest) highest = (double)f->score;
    }
    const tpp_target *target = &r->targets->item[t];
    return json_pack("{s:i, s:o, s:o, s:[i,i,i], s:I, s:b, s:I, s:I, s:o}", "label", t + 1, "name",
                     tpp_json_text(target->name), "title", tpp_json_text(target->title), "rgb",
                     target->rgb[0], target->rgb[1], target->rgb[2], "start_frame",
                     (json_int_t)(r->input->first + r->start[t]), "found", frames > 0,
                     "frames_present", frames, "pixels", pixels, "highest_score",
                     highest >= 0 ? json_real(highest) : json_null());
}

static json_t *targets_json(const tpp_report *r)
{
    json_t *all = json_array();
    for (int t = 0; t < r->targets->count; t++) tpp_json_append(&all, target_json(r, t));
    return all;
}

static json_t *summary_json(const tpp_report *r)
{
    json_int_t pixels = 0, found = 0;
    for (int64_t i = 0; i < r->input->count; i++) {
        const json_int_t area = area_of(r, i);
        pixels += area;
        found += area > 0;
    }
    json_t *j = json_pack("{s:I, s:I}", "frames_with_object", found, "pixels", pixels);
    const tpp_frames *f = r->input;
    if (f->kind == TPP_FRAMES_VOLUME && pixel_mm2(f) * f->step_mm > 0) {
        const double mm3 = tpp_affine_voxel(&f->volume.affine);
        tpp_json_set(&j, "volume_ml", json_real((double)pixels * mm3 / 1000));
    }
    return j;
}

/* ---- how it ran ---- */

static json_t *memory_json(const tpp_session_info *i)
{
    const size_t all = i->arena_bytes + i->own_bytes + i->store_bytes + i->ring_bytes;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "peak_device_bytes", (json_int_t)all,
                     "activations", (json_int_t)i->arena_bytes, "kept", (json_int_t)i->own_bytes,
                     "weights", (json_int_t)i->store_bytes, "staging", (json_int_t)i->ring_bytes);
}

static json_t *times_json(const tpp_report *r)
{
    if (r->times == NULL) return NULL;
    json_t *all = json_object();
    for (int i = 0; i < r->n_times; i++)
        tpp_json_set(&all, r->times[i].stage, json_real(r->times[i].ms));
    return all;
}

static json_t *run_json(const tpp_report *r)
{
    return json_pack("{s:b, s:o*}", "multilabel", r->multilabel, "time_ms", times_json(r));
}

static json_t *thresholds_json(const struct tpp_model_config *c)
{
    return json_pack("{s:f, s:f}", "mask", c->infer.threshold, "min_score", c->infer.min_score);
}

/* ---- the file ---- */

tpp_status tpp_report_json(const tpp_report *r, json_t **out)
{
    json_t *j = json_pack(
        "{s:s, s:b, s:s, s:{s:s}, s:o, s:o, s:o, s:o, s:o, s:{s:i, s:i, s:i, s:i}, s:o, s:o, s:o}",
        "schema", "tpp-report-2", "not_for_clinical_use", 1, "notice", TPP_NOTICE, "program",
        "version", r->version, "device", device_json(r->device), "algorithm",
        tpp_json_text(r->algorithm), "model", model_json(r), "input", input_json(r), "prompts",
        prompts_json(r), "network", "height", r->info.net_height, "width", r->info.net_width,
        "ahead", r->ahead, "clip", r->clip, "thresholds", thresholds_json(&r->model->config), "run",
        run_json(r), "memory", memory_json(&r->info));
    tpp_json_merge(&j, json_pack("{s:o, s:o, s:o, s:o, s:o}", "targets", targets_json(r), "summary",
                                 summary_json(r), "frames", frames_json(r), "statistics",
                                 tpp_json_text(r->statistics), "warnings", warnings_json(r)));
    tpp_json_set(&j, "tuning", tpp_json_text(r->tuning));
    if (r->key != NULL) tpp_json_set(&j, "key", json_string(r->key));
    if (j == NULL) return TPP_FAIL(TPP_ENOMEM, "report.json could not be put together");
    *out = j;
    return TPP_OK;
}

/* Path and hash of a file below `out`. */
static tpp_status add_output(json_t *all, const tpp_out_folder *out, const char *name)
{
    tpp_sha256 hash = {""};
    char *path = tpp_path_join(out->staging, name);
    const tpp_status s = path != NULL ? tpp_sha256_file(&hash, path) : TPP_ENOMEM;
    tpp_free(path);
    if (s != TPP_OK) return s;
    json_t *one = json_pack("{s:o, s:s}", "path", tpp_json_text(name), "sha256", hash.hex);
    if (one != NULL && json_array_append_new(all, one) == 0) return TPP_OK;
    return TPP_FAIL(TPP_ENOMEM, "no memory for the list of outputs");
}

tpp_status tpp_report_write(json_t *report, const tpp_out_folder *out)
{
    tpp_names names = {0};
    json_t *all = json_array();
    tpp_status s = tpp_out_folder_list(out, &names);
    for (size_t i = 0; i < names.count && s == TPP_OK; i++) s = add_output(all, out, names.name[i]);
    tpp_names_free(&names);
    if (s == TPP_OK && json_object_set(report, "outputs", all) != 0)
        s = TPP_FAIL(TPP_ENOMEM, "no memory for the list of outputs");
    json_decref(all);
    return s == TPP_OK ? tpp_json_write(out, "report.json", report) : s;
}
