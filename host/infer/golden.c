/* Reads golden files: the reference's configuration from the metadata, and its tensors.
 * SPDX-License-Identifier: MIT */
#include "infer/golden.h"

#include "core/mem.h"
#include "core/path.h"
#include "infer/builtin_golden.h"
#include "io/safetensors.h"
#include "model/dims.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 4096, MAX_FRAMES = 64, MAX_VALUES = 1 << 20, N_STATS = 4 };
enum { MIN_VOCAB = 100 }; /* below, tpp_golden_prompt would make ids below 0 */

void tpp_golden_free(tpp_golden *g)
{
    for (size_t i = 0; i < g->count; i++) tpp_free(g->items[i].values);
    tpp_free(g->items);
    tpp_table_free(&g->index);
    *g = (tpp_golden){0};
}

/* ---- the configuration ---- */

static tpp_status read_int(int *out, const char *key, const char *text, int min, int max)
{
    char *end = NULL;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < min || v > max)
        return TPP_FAIL(TPP_EFORMAT, "%s wants an integer from %d to %d, got \"%.40s\"", key, min,
                        max, text);
    *out = (int)v;
    return TPP_OK;
}

static tpp_status read_seed(uint64_t *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || strchr(text, '-') != NULL)
        return TPP_FAIL(TPP_EFORMAT, "seed wants an integer from 0, got \"%.40s\"", text);
    *out = v;
    return TPP_OK;
}

/* "9,6,7" */
static tpp_status read_lengths(tpp_golden *g, const char *text)
{
    int n = 0;
    for (const char *p = text; p != NULL; n++) {
        const char *comma = strchr(p, ',');
        char word[16];
        const size_t length = comma == NULL ? strlen(p) : (size_t)(comma - p);
        if (n == TPP_GOLDEN_MAX_PROMPTS || length >= sizeof(word))
            return TPP_FAIL(TPP_EFORMAT, "prompt_lengths: \"%.80s\" are no 1 to %d numbers", text,
                            TPP_GOLDEN_MAX_PROMPTS);
        memcpy(word, p, length);
        word[length] = '\0';
        TPP_TRY(read_int(&g->length[n], "prompt_lengths", word, 2, TPP_GOLDEN_MAX_TOKENS));
        p = comma == NULL ? NULL : comma + 1;
    }
    g->n_prompts = n;
    return TPP_OK;
}

static tpp_status read_target(tpp_golden *g, const char *text)
{
    const char *p = text;
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        g->target[i] = strtod(p, &end);
        if (end == p || !isfinite(g->target[i]) || *end != (i < 3 ? ',' : '\0'))
            return TPP_FAIL(TPP_EFORMAT, "target_box wants four numbers, got \"%.80s\"", text);
        p = end + 1;
    }
    return TPP_OK;
}

/* Keys that are not the model's. */
static tpp_status read_own(tpp_golden *g, const char *key, const char *value)
{
    if (strcmp(key, "height") == 0) return read_int(&g->height, key, value, TPP_MIN_SIDE, MAX_SIDE);
    if (strcmp(key, "width") == 0) return read_int(&g->width, key, value, TPP_MIN_SIDE, MAX_SIDE);
    if (strcmp(key, "frames") == 0) return read_int(&g->frames, key, value, 1, MAX_FRAMES);
    if (strcmp(key, "seed") == 0) return read_seed(&g->seed, value);
    if (strcmp(key, "sample") == 0) return read_int(&g->sample, key, value, 1, MAX_VALUES);
    if (strcmp(key, "invalid_frame") == 0)
        return read_int(&g->invalid_frame, key, value, -1, MAX_FRAMES);
    if (strcmp(key, "target_box") == 0) return read_target(g, value);
    if (strcmp(key, "prompt_lengths") == 0) return read_lengths(g, value);
    return TPP_OK;
}

static tpp_status read_key(tpp_golden *g, const char *key, const char *value)
{
    bool is_model = false;
    TPP_TRY(tpp_model_config_from_reference(&g->config, key, value, &is_model));
    return is_model ? TPP_OK : read_own(g, key, value);
}

/* The reference's own defaults are not repeated here: a file states all it was made with. */
static tpp_status check_config(tpp_golden *g)
{
    tpp_model_dims d;
    int longest = 0;
    if (g->height == 0 || g->width == 0 || g->frames == 0 || g->n_prompts == 0 ||
        !(g->target[2] > 0) || !(g->target[3] > 0))
        return TPP_FAIL(TPP_EFORMAT, "the metadata lack height, width, frames, prompt_lengths or "
                                     "target_box of the reference's configuration");
    TPP_TRY(tpp_model_config_check(&g->config));
    for (int i = 0; i < g->n_prompts; i++)
        longest = g->length[i] > longest ? g->length[i] : longest;
    if (longest + 2 > g->config.text.positions)
        return TPP_FAIL(TPP_EFORMAT, "prompts of %d tokens want more than %d positions", longest,
                        g->config.text.positions);
    if (g->config.text.vocab < MIN_VOCAB)
        return TPP_FAIL(TPP_EFORMAT, "a vocabulary of %d, wanted %d for synthetic prompts",
                        g->config.text.vocab, MIN_VOCAB);
    return tpp_model_dims_set(&d, &g->config, g->height, g->width, g->n_prompts, longest);
}

/* ---- the tensors ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The item called by the first `length` bytes of `name`, made if absent. NULL: *status says why. */
static tpp_expected *item_of(tpp_golden *g, const char *name, size_t length, tpp_status *status)
{
    bool is_new = false;
    *status = TPP_ENOMEM;
    if (length == 0 || length >= TPP_GOLDEN_MAX_NAME) {
        *status = TPP_FAIL(TPP_EFORMAT, "a tensor's name has %zu bytes, wanted 1 to %d: %.40s",
                           length, TPP_GOLDEN_MAX_NAME - 1, name);
        return NULL;
    }
    tpp_table_entry *e = tpp_table_put_bytes(&g->index, name, length, &is_new);
    if (e == NULL) return NULL;
    if (is_new) {
        tpp_expected *grown = tpp_realloc(g->items, g->count + 1, sizeof(*grown));
        if (grown == NULL) return NULL;
        g->items = grown;
        g->items[g->count] = (tpp_expected){.step = 1};
        memcpy(g->items[g->count].name, name, length);
        e->value.number = (int64_t)g->count++;
    }
    *status = TPP_OK;
    return &g->items[e->value.number];
}

static tpp_status check_finite(const char *name, const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return TPP_FAIL(TPP_EFORMAT, "%s: value %" PRId64 " is not finite", name, i);
    return TPP_OK;
}

static tpp_status add_values(tpp_expected *item, const tpp_safetensors_tensor *t)
{
    double *v = NULL;
    if (item->count > 0)
        return TPP_FAIL(TPP_EFORMAT, "%s is there both whole and as a sample", item->name);
    if (t->count < 1 || t->count > MAX_VALUES)
        return TPP_FAIL(TPP_EFORMAT, "%s has %" PRId64 " values, wanted 1 to %d", t->name, t->count,
                        MAX_VALUES);
    TPP_NEW(v, t->count);
    tpp_status s = tpp_safetensors_doubles(t, v, t->count);
    if (s == TPP_OK) s = check_finite(t->name, v, t->count);
    if (s != TPP_OK) {
        tpp_free(v);
        return s;
    }
    item->values = v;
    item->count = t->count;
    return TPP_OK;
}

/* Mean, mean magnitude, largest magnitude, step. */
static tpp_status add_stats(tpp_expected *item, const tpp_safetensors_tensor *t)
{
    double v[N_STATS];
    if (t->count != N_STATS)
        return TPP_FAIL(TPP_EFORMAT, "%s has %" PRId64 " values, wanted %d", t->name, t->count,
                        (int)N_STATS);
    TPP_TRY(tpp_safetensors_doubles(t, v, N_STATS));
    TPP_TRY(check_finite(t->name, v, N_STATS));
    for (int i = 0; i < 3; i++) item->stats[i] = v[i];
    item->has_stats = true;
    /* A step that is no count stays as a step that fits no tensor, so that the comparison of this
     * tensor fails, and names it. */
    item->step = v[3] >= 1 && v[3] < 1e15 && v[3] == floor(v[3]) ? (int64_t)v[3] : INT64_MAX;
    return TPP_OK;
}

static tpp_status add_tensor(tpp_golden *g, const tpp_safetensors_tensor *t)
{
    static const char sample[] = "@sample", stats[] = "@stats";
    const size_t n = strlen(t->name);
    const bool is_stats = ends_with(t->name, stats), is_sample = ends_with(t->name, sample);
    const size_t cut = is_stats ? sizeof(stats) - 1 : is_sample ? sizeof(sample) - 1 : 0;
    tpp_status s = TPP_OK;
    tpp_expected *item = item_of(g, t->name, n - cut, &s);
    if (item == NULL) return s;
    return is_stats ? add_stats(item, t) : add_values(item, t);
}

/* "64x8x8"; axes of one are left out. */
static tpp_status read_shape(tpp_shape *out, const char *name, const char *text)
{
    tpp_shape s = {0};
    for (const char *p = text;;) {
        char *end = NULL;
        errno = 0;
        const long long d = strtoll(p, &end, 10);
        if (errno != 0 || end == p || d < 1 || (*end != 'x' && *end != '\0') ||
            (d != 1 && s.rank == TPP_MAX_RANK))
            return TPP_FAIL(TPP_EFORMAT, "shapes: %.60s: \"%.40s\" is no shape", name, text);
        if (d != 1) s.d[s.rank++] = d;
        if (*end == '\0') break;
        p = end + 1;
    }
    *out = s;
    return TPP_OK;
}

/* The metadata's list of all tensors that there were. */
static tpp_status add_shapes(tpp_golden *g, const char *text)
{
    if (text == NULL) return TPP_FAIL(TPP_EFORMAT, "the metadata have no list of shapes");
    json_error_t error;
    json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(list)) {
        json_decref(list);
        return TPP_FAIL(TPP_EFORMAT, "the metadata's list of shapes is no JSON object");
    }
    tpp_status s = TPP_OK;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(list, name, value)
    {
        const char *shape = json_string_value(value);
        tpp_expected *item = item_of(g, name, strlen(name), &s);
        if (item == NULL) goto done;
        TPP_TRY_OR(done, s, read_shape(&item->shape, name, shape == NULL ? "" : shape));
    }
done:
    json_decref(list);
    return s;
}

/* ---- the file ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What kind of file it is shows in its names. */
static tpp_status find_kind(tpp_golden *g, const tpp_safetensors *f)
{
    size_t text = 0, frames = 0;
    const size_t n = tpp_safetensors_count(f);
    for (size_t i = 0; i < n; i++) {
        const char *name = tpp_safetensors_get(f, i)->name;
        if (starts_with(name, "grad") || strcmp(name, "loss") == 0)
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "it holds a loss and gradients (%.60s); only forward "
                            "passes and text encoders are checked",
                            name);
        text += starts_with(name, "text.");
        frames += starts_with(name, "frame");
    }
    if (text + frames == 0)
        return TPP_FAIL(TPP_EFORMAT, "it holds no tensor of a forward pass or a text encoder");
    g->text_only = frames == 0;
    return TPP_OK;
}

static tpp_status read_open(tpp_golden *g, const tpp_safetensors *f)
{
    const size_t n_meta = tpp_safetensors_meta_count(f);
    if (tpp_safetensors_meta(f, "backbone") == NULL || tpp_safetensors_meta(f, "seed") == NULL)
        return TPP_FAIL(TPP_EFORMAT, "its metadata hold no configuration of the reference program");
    TPP_TRY(find_kind(g, f));
    TPP_TRY(tpp_model_config_init(&g->config));
    for (size_t i = 0; i < n_meta; i++) {
        const tpp_safetensors_pair p = tpp_safetensors_meta_get(f, i);
        TPP_TRY(read_key(g, p.key, p.value));
    }
    if (g->text_only) g->config.backbone.name = TPP_BACKBONE_TINY; /* it is not run */
    TPP_TRY(check_config(g));
    for (size_t i = 0; i < tpp_safetensors_count(f); i++)
        TPP_TRY(add_tensor(g, tpp_safetensors_get(f, i)));
    return add_shapes(g, tpp_safetensors_meta(f, "shapes"));
}

tpp_status tpp_golden_read(tpp_golden *out, const char *path)
{
    tpp_safetensors *f = NULL;
    tpp_golden g = {0};
    TPP_TRY(tpp_safetensors_open(&f, path));
    tpp_status s = read_open(&g, f);
    if (s != TPP_OK && s != TPP_ENOMEM)
        s = TPP_FAIL(s, "%s: not a golden file for this program: %s", path, tpp_error());
    if (s == TPP_OK) {
        *out = g;
        g = (tpp_golden){0};
    }
    tpp_golden_free(&g);
    tpp_safetensors_close(f);
    return s;
}

/* ---- the built-in one ---- */

static tpp_status add_builtin(tpp_golden *g, const tpp_builtin_tensor *t)
{
    tpp_status s = TPP_OK;
    tpp_expected *item = item_of(g, t->name, strlen(t->name), &s);
    if (item == NULL) return s;
    TPP_NEW(item->values, t->count);
    memcpy(item->values, t->values, (size_t)t->count * sizeof(double));
    item->count = t->count;
    item->step = t->step;
    item->has_stats = true;
    memcpy(item->stats, t->stats, sizeof(item->stats));
    return read_shape(&item->shape, t->name, t->shape);
}

tpp_status tpp_golden_builtin(tpp_golden *out)
{
    tpp_golden g = {0};
    tpp_status s = TPP_OK;
    TPP_TRY(tpp_model_config_init(&g.config));
    for (size_t i = 0; i < tpp_builtin_key_count; i++)
        TPP_TRY_OR(done, s, read_key(&g, tpp_builtin_keys[i].key, tpp_builtin_keys[i].value));
    TPP_TRY_OR(done, s, check_config(&g));
    for (size_t i = 0; i < tpp_builtin_tensor_count; i++)
        TPP_TRY_OR(done, s, add_builtin(&g, &tpp_builtin_tensors[i]));
    g.sample = 0; /* its steps are its own */
    *out = g;
    g = (tpp_golden){0};
done:
    tpp_golden_free(&g);
    return s;
}
