/* Writes report.json and frames.csv.
 * SPDX-License-Identifier: MIT */
#include "infer/report.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "io/hash.h"
#include "io/yaml.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
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

/* Paths are bytes and need not be UTF-8: other bytes are shown as '?'. */
static json_t *text_json(const char *text)
{
    json_t *j = json_string(text);
    if (j != NULL) return j;
    char *copy = tpp_strdup(text);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if ((*p & 0x80) != 0) *p = '?';
    if (copy != NULL) j = json_string(copy);
    tpp_free(copy);
    return j;
}

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
    return text_json(text);
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
            (void)json_array_append_new(value, scalar_json(item->value[k]));
        (void)json_object_set_new(all, item->key, value);
    }
    tpp_yaml_free(&y);
    tpp_str_free(&text);
    return all;
}

static json_t *device_json(const tpp_caps *c)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "name", text_json(c->name), "platform",
                     text_json(c->platform), "version", text_json(c->version), "driver",
                     text_json(c->driver));
}

static json_t *model_json(const tpp_model_folder *m)
{
    return json_pack("{s:o, s:b, s:o}", "path", text_json(m->path), "synthetic_weights",
                     m->is_synthetic, "config", config_json(&m->config));
}

static json_t *volume_json(const tpp_frames *f)
{
    tpp_sha256 hash = {""};
    const double *mm = f->view.spacing_mm;
    json_t *j =
        json_pack("{s:s, s:s, s:[f,f,f], s:I, s:{s:s, s:f, s:f}}", "orientation", f->orientation,
                  "datatype", f->volume.datatype != NULL ? f->volume.datatype : "", "spacing_mm",
                  mm[0], mm[1], mm[2], "voxels_not_finite", (json_int_t)f->volume.nan_count,
                  "window", "name", f->window.name, "low", f->window.low, "high", f->window.high);
    if (tpp_sha256_file(&hash, f->path) == TPP_OK)
        (void)json_object_set_new(j, "sha256", json_string(hash.hex));
    return j;
}

static json_t *input_json(const tpp_frames *f)
{
    json_t *j = json_pack("{s:o, s:s, s:I, s:I, s:i, s:i, s:i}", "path", text_json(f->path), "kind",
                          f->is_volume ? "nifti" : "png", "first_frame", (json_int_t)f->first,
                          "frames", (json_int_t)f->count, "height", f->height, "width", f->width,
                          "channels", f->channels);
    if (f->is_volume && j != NULL) {
        json_t *more = volume_json(f);
        (void)json_object_update(j, more);
        json_decref(more);
    }
    return j;
}

static json_t *prompts_json(const tpp_report *r)
{
    json_t *all = json_array();
    for (int i = 0; i < r->n_prompts; i++) {
        const tpp_report_prompt *p = &r->prompts[i];
        (void)json_array_append_new(all, json_pack("{s:o, s:I, s:b}", "text", text_json(p->text),
                                                   "tokens", (json_int_t)p->tokens, "cut",
                                                   p->uncut > p->tokens));
    }
    return all;
}

static json_t *warnings_json(const tpp_report *r)
{
    json_t *all = json_array();
    for (size_t i = 0; r->warnings != NULL && i < r->warnings->count; i++)
        (void)json_array_append_new(all, text_json(r->warnings->text[i]));
    return all;
}

/* ---- frames ---- */

/* Square millimetres of a pixel; 0: not known. */
static double pixel_mm2(const tpp_frames *f)
{
    return f->spacing_mm[0] * f->spacing_mm[1];
}

static json_t *frames_json(const tpp_report *r)
{
    json_t *all = json_array();
    char name[NAME_SIZE];
    for (int64_t i = 0; i < r->input->count; i++) {
        const tpp_report_frame *f = &r->frames[i];
        const json_int_t number = r->input->first + i;
        (void)json_array_append_new(
            all,
            json_pack("{s:I, s:o, s:b, s:f, s:i, s:i, s:I, s:[f,f,f,f]}", "frame", number, "name",
                      text_json(tpp_frames_name(r->input, i, name, sizeof(name))), "found",
                      f->area_px > 0, "score", (double)f->score, "query", f->best, "prompt",
                      f->prompt, "area_px", (json_int_t)f->area_px, "box_cxcywh", (double)f->box[0],
                      (double)f->box[1], (double)f->box[2], (double)f->box[3]));
    }
    return all;
}

static json_t *summary_json(const tpp_report *r)
{
    int64_t voxels = 0, found = 0;
    for (int64_t i = 0; i < r->input->count; i++) {
        voxels += r->frames[i].area_px;
        found += r->frames[i].area_px > 0;
    }
    json_t *j = json_pack("{s:I, s:I}", "frames_with_object", (json_int_t)found, "pixels",
                          (json_int_t)voxels);
    if (r->input->is_volume) {
        const double mm3 = pixel_mm2(r->input) * r->input->view.spacing_mm[2];
        (void)json_object_set_new(j, "volume_ml", json_real((double)voxels * mm3 / 1000));
    }
    return j;
}

/* ---- the files ---- */

static json_t *report_json(const tpp_report *r)
{
    return json_pack(
        "{s:s, s:b, s:s, s:{s:s}, s:o, s:o?, s:o, s:o, s:o, s:{s:i, s:i, s:i, s:i, s:f}, s:o, s:o, "
        "s:[s,s,s], s:o}",
        "schema", "tpp-report-1", "not_for_clinical_use", 1, "notice",
        "Research software. Not a medical device. Not for diagnosis or treatment decisions.",
        "program", "version", r->version, "device", device_json(r->device), "algorithm",
        r->algorithm != NULL ? text_json(r->algorithm) : NULL, "model", model_json(r->model),
        "input", input_json(r->input), "prompts", prompts_json(r), "network", "height",
        r->info.net_height, "width", r->info.net_width, "ahead", r->ahead, "clip", r->clip,
        "threshold", r->model->config.infer.threshold, "summary", summary_json(r), "frames",
        frames_json(r), "outputs", r->masks, "preview.png", "frames.csv", "warnings",
        warnings_json(r));
}

static tpp_status write_named(const tpp_out_folder *out, const char *name, const char *text,
                              size_t length)
{
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(out, &path, name));
    const tpp_status s = tpp_file_write(path, text, length);
    tpp_free(path);
    return s;
}

static tpp_status write_json(const tpp_report *r, const tpp_out_folder *out)
{
    json_t *j = report_json(r);
    char *text = j != NULL ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    tpp_status s = TPP_ENOMEM;
    if (text == NULL)
        s = TPP_FAIL(TPP_ENOMEM, "report.json could not be put together");
    else
        s = write_named(out, "report.json", text, strlen(text));
    free(text); /* jansson's */
    json_decref(j);
    return s;
}

/* Names may hold commas and quotes (RFC 4180). */
static void add_quoted(tpp_str *s, const char *text)
{
    tpp_str_add(s, "\"", 1);
    for (const char *p = text; *p != '\0'; p++)
        tpp_str_add(s, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    tpp_str_add(s, "\"", 1);
}

static tpp_status write_csv(const tpp_report *r, const tpp_out_folder *out)
{
    tpp_str s = {0};
    char name[NAME_SIZE];
    const double mm2 = pixel_mm2(r->input);
    tpp_str_format(&s, "frame,name,score,found,area_px,area_mm2,cx,cy,w,h,query,prompt\r\n");
    for (int64_t i = 0; i < r->input->count; i++) {
        const tpp_report_frame *f = &r->frames[i];
        tpp_str_format(&s, "%" PRId64 ",", r->input->first + i);
        add_quoted(&s, tpp_frames_name(r->input, i, name, sizeof(name)));
        tpp_str_format(&s, ",%.6f,%d,%" PRId64 ",", (double)f->score, f->area_px > 0, f->area_px);
        if (mm2 > 0) tpp_str_format(&s, "%.3f", (double)f->area_px * mm2);
        tpp_str_format(&s, ",%.6f,%.6f,%.6f,%.6f,%d,%d\r\n", (double)f->box[0], (double)f->box[1],
                       (double)f->box[2], (double)f->box[3], f->best, f->prompt);
    }
    tpp_status status = s.status;
    if (status == TPP_OK) status = write_named(out, "frames.csv", s.text, s.length);
    tpp_str_free(&s);
    return status;
}

tpp_status tpp_report_write(const tpp_report *r, const tpp_out_folder *out)
{
    TPP_TRY(write_json(r, out));
    return write_csv(r, out);
}
