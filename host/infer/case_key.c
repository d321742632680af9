/* Hashes of inputs, settings and results.
 * SPDX-License-Identifier: MIT */
#include "infer/case_key.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/segment_internal.h"
#include "io/hash.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MAX_REPORT_BYTES = 64 << 20 };

/* ---- settings ---- */

static tpp_status add_model(tpp_str *all, tpp_segmenter *s)
{
    const tpp_model_folder *m = &s->model;
    static const char *const files[] = {TPP_MODEL_VOCAB, TPP_MODEL_MERGES};
    char *weights = tpp_path_join(m->path, TPP_MODEL_WEIGHTS);
    const tpp_status read =
        weights != NULL ? tpp_sha256_file(&s->weights_hash, weights) : TPP_ENOMEM;
    tpp_free(weights);
    TPP_TRY(read);
    tpp_str_format(all, "%s %s\n", s->weights_hash.hex, TPP_MODEL_WEIGHTS);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = tpp_path_join(m->path, files[i]);
        const tpp_status status =
            path != NULL ? tpp_hash_add_file(all, files[i], path) : TPP_ENOMEM;
        tpp_free(path);
        TPP_TRY(status);
    }
    return tpp_schema_dump(&tpp_model_schema, &m->config, all);
}

/* With its length, so that a text cannot be taken for several. */
static void add_text(tpp_str *all, const char *what, const char *text)
{
    tpp_str_format(all, "%s %zu:%s\n", what, strlen(text), text);
}

static void add_targets(tpp_str *all, const tpp_targets *targets)
{
    for (int t = 0; t < targets->count; t++) {
        const tpp_target *x = &targets->item[t];
        const char *const texts[] = {x->name,      x->title,        x->category_code,
                                     x->type_code, x->type_meaning, x->modifier_code,
                                     x->site_code};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            add_text(all, i == 0 ? "target" : "", texts[i] != NULL ? texts[i] : "");
        for (int i = 0; i < x->n_prompts; i++) add_text(all, "prompt", x->prompt[i]);
    }
}

static void add_options(tpp_str *all, const tpp_segment_options *o)
{
    const tpp_frames_options *f = &o->frames;
    tpp_str_format(all, "version %s\nalgorithm %s\nwindow %s\nmodality %s\naxis %s\n", o->version,
                   o->algorithm != NULL ? o->algorithm : "", f->window != NULL ? f->window : "",
                   f->modality != NULL ? f->modality : "", tpp_axis_text(f->axis));
    tpp_str_format(all, "time %d\nframes %s\nstart %d %" PRId64 "\nmultilabel %d\n",
                   f->has_time ? f->time : -1, f->range != NULL ? f->range : "", (int)o->start.kind,
                   o->start.frame, o->multilabel);
    tpp_str_format(all, "probabilities %d\ntimes %d\n", o->probabilities, o->times);
}

tpp_status tpp_hash_settings(tpp_sha256 *out, tpp_segmenter *s)
{
    tpp_str all = {0};
    tpp_status status = TPP_OK;
    if (s->settings_hash.hex[0] == '\0') {
        status = add_model(&all, s);
        add_targets(&all, s->o.targets);
        add_options(&all, &s->o);
        if (status == TPP_OK) status = all.status;
        if (status == TPP_OK) status = tpp_sha256_bytes(&s->settings_hash, all.text, all.length);
    }
    if (status == TPP_OK) *out = s->settings_hash;
    tpp_str_free(&all);
    return status;
}

tpp_status tpp_case_key(tpp_sha256 *out, tpp_segmenter *s, const char *input)
{
    tpp_sha256 content;
    TPP_TRY(tpp_hash_input(&content, input));
    return tpp_case_key_of(out, s, &content);
}

tpp_status tpp_case_key_of(tpp_sha256 *out, tpp_segmenter *s, const tpp_sha256 *input)
{
    tpp_sha256 settings;
    char both[2 * sizeof(settings.hex)];
    TPP_TRY(tpp_hash_settings(&settings, s));
    const int n = snprintf(both, sizeof(both), "%s %s", settings.hex, input->hex);
    return tpp_sha256_bytes(out, both, (size_t)n);
}

/* ---- results ---- */

static bool has_hash(const char *folder, const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "path")),
               *want = json_string_value(json_object_get(item, "sha256"));
    tpp_sha256 got = {""};
    char *path = name != NULL && want != NULL ? tpp_path_join(folder, name) : NULL;
    const bool same = path != NULL && tpp_path_exists(path) &&
                      tpp_sha256_file(&got, path) == TPP_OK && strcmp(got.hex, want) == 0;
    tpp_free(path);
    return same;
}

static bool is_complete(const char *folder, const json_t *report, const tpp_sha256 *key)
{
    const char *has = json_string_value(json_object_get(report, "key"));
    const json_t *outputs = json_object_get(report, "outputs");
    if (has == NULL || strcmp(has, key->hex) != 0 || json_array_size(outputs) == 0) return false;
    for (size_t i = 0; i < json_array_size(outputs); i++)
        if (!has_hash(folder, json_array_get(outputs, i))) return false;
    return true;
}

tpp_status tpp_case_is_done(bool *out, const char *folder, const tpp_sha256 *key)
{
    char *path = tpp_path_join(folder, "report.json"), *text = NULL;
    size_t size = 0;
    if (path == NULL) return TPP_ENOMEM;
    bool done = false;
    const tpp_status s =
        tpp_path_exists(path) ? tpp_file_read(&text, &size, path, MAX_REPORT_BYTES) : TPP_EIO;
    if (s == TPP_OK) {
        json_t *report = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        done = is_complete(folder, report, key);
        json_decref(report);
    }
    tpp_free(text);
    tpp_free(path);
    if (s == TPP_ENOMEM) return s;
    *out = done;
    return TPP_OK;
}
