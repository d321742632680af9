/* The one parser and checker behind every configuration table.
 * SPDX-License-Identifier: MIT */
#include "config/schema.h"

#include "config/schema_internal.h"
#include "core/mem.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const tpp_field *tpp_schema_find(const tpp_schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].key, key) == 0) return &schema->fields[i];
    return NULL;
}

/* ---- what is wrong, in words ---- */

/* "file:line", or "--set": how every message begins. */
static const char *place_of(const tpp_setting *item, char *buffer, size_t size)
{
    if (item->line == 0) return item->source;
    (void)snprintf(buffer, size, "%.400s:%d", item->source, item->line);
    return buffer;
}

/* The value as it came, control characters replaced, cut where it gets long. */
static void add_came(tpp_str *out, const tpp_setting *item)
{
    if (item->is_list) tpp_str_format(out, "[");
    for (size_t i = 0; i < item->count && out->length < 600; i++) {
        if (i > 0) tpp_str_format(out, ", ");
        const char quote = item->is_quoted ? '"' : '\'';
        tpp_str_format(out, "%c", quote);
        for (const char *p = item->value[i]; *p != '\0' && p - item->value[i] < 60; p++)
            tpp_str_format(out, "%c", (unsigned char)*p < ' ' || *p == 127 ? '?' : *p);
        tpp_str_format(out, "%s%c", strlen(item->value[i]) > 60 ? "..." : "", quote);
    }
    if (item->is_list) tpp_str_format(out, "]");
}

static tpp_status wrong_value(const tpp_field *f, const tpp_setting *item)
{
    char place[512];
    tpp_str text = {0};
    tpp_schema_wants(&text, f);
    tpp_str_format(&text, ", got ");
    add_came(&text, item);
    const tpp_status s = text.status != TPP_OK
                             ? text.status
                             : TPP_FAIL(TPP_EUSAGE, "%s: %s wants %s",
                                        place_of(item, place, sizeof(place)), f->key, text.text);
    tpp_str_free(&text);
    return s;
}

/* The key that was probably meant: by the whole name, or by its last part alone. */
static const tpp_field *nearest(const tpp_schema *schema, const char *key)
{
    const tpp_field *best = NULL;
    unsigned least = (unsigned)strlen(key) / 3 + 2;
    for (size_t i = 0; i < schema->count; i++) {
        const tpp_field *f = &schema->fields[i];
        const char *dot = strrchr(f->key, '.');
        const unsigned whole = tpp_str_distance(key, f->key);
        const unsigned part = dot == NULL ? whole : tpp_str_distance(key, dot + 1) + 1;
        const unsigned distance = whole < part ? whole : part;
        if (distance < least) {
            least = distance;
            best = f;
        }
    }
    return best;
}

static tpp_status unknown_key(const tpp_schema *schema, const tpp_setting *item)
{
    char buffer[512];
    const char *place = place_of(item, buffer, sizeof(buffer));
    const size_t n = strlen(item->key);
    for (size_t i = 0; i < schema->count; i++)
        if (strncmp(schema->fields[i].key, item->key, n) == 0 && schema->fields[i].key[n] == '.')
            return TPP_FAIL(TPP_EUSAGE,
                            "%s: %s is a group of keys and takes no value; first key: %s", place,
                            item->key, schema->fields[i].key);
    const tpp_field *f = nearest(schema, item->key);
    if (f == NULL) return TPP_FAIL(TPP_EUSAGE, "%s: unknown key %s", place, item->key);
    return TPP_FAIL(TPP_EUSAGE, "%s: unknown key %s; did you mean %s?", place, item->key, f->key);
}

/* ---- values from text; false: not what the row accepts ---- */

static bool read_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    return false;
}

static bool read_int(const tpp_field *f, const char *text, int *out)
{
    const size_t sign = text[0] == '-' || text[0] == '+';
    const size_t digits = strspn(text + sign, "0123456789");
    if (digits == 0 || digits > 10 || text[sign + digits] != '\0') return false;
    const long long v = strtoll(text, NULL, 10);
    if ((double)v < f->min || (double)v > f->max) return false;
    *out = (int)v;
    return true;
}

static bool read_float(const tpp_field *f, const char *text, double *out)
{
    /* strtod alone would take blanks, hexadecimal, inf and nan. */
    if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') return false;
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v) || v < f->min || v > f->max) return false;
    *out = v;
    return true;
}

static bool read_name(const tpp_field *f, const char *text, int *out)
{
    for (int i = 0; f->names[i] != NULL; i++)
        if (strcmp(f->names[i], text) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* "5,1" in one scalar is the list [5, 1]. */
static bool read_ints(const tpp_field *f, const tpp_setting *item, tpp_int_list *out)
{
    tpp_int_list list = {0};
    for (size_t i = 0; i < item->count; i++)
        for (const char *p = item->value[i];; p++) {
            char number[16];
            const size_t n = strcspn(p, item->is_list ? "" : ",");
            if (list.count == TPP_INT_LIST_MAX || n >= sizeof(number)) return false;
            memcpy(number, p, n);
            number[n] = '\0';
            if (!read_int(f, number, &list.value[list.count])) return false;
            list.count++;
            p += n;
            if (*p == '\0') break;
        }
    *out = list;
    return list.count > 0;
}

static bool read_floats(const tpp_field *f, const tpp_setting *item, unsigned char *out)
{
    double v[TPP_INT_LIST_MAX];
    const size_t count = f->size / sizeof(v[0]);
    if (!item->is_list || item->count != count || count > TPP_INT_LIST_MAX) return false;
    for (size_t i = 0; i < count; i++)
        if (!read_float(f, item->value[i], &v[i])) return false;
    memcpy(out, v, f->size);
    return true;
}

static bool read_scalar(const tpp_field *f, const char *text, unsigned char *out)
{
    bool flag;
    int number;
    double real;
    switch (f->type) {
    case TPP_FIELD_BOOL:
        if (!read_bool(text, &flag)) return false;
        memcpy(out, &flag, sizeof(flag));
        return true;
    case TPP_FIELD_INT:
    case TPP_FIELD_ENUM:
        if (f->type == TPP_FIELD_INT ? !read_int(f, text, &number) : !read_name(f, text, &number))
            return false;
        memcpy(out, &number, sizeof(number));
        return true;
    case TPP_FIELD_FLOAT:
        if (!read_float(f, text, &real)) return false;
        memcpy(out, &real, sizeof(real));
        return true;
    default:
        if (strlen(text) >= f->size) return false;
        memset(out, 0, f->size);
        memcpy(out, text, strlen(text) + 1);
        return true;
    }
}

static tpp_status set_field(const tpp_schema *schema, void *config, const tpp_setting *item)
{
    const tpp_field *f = tpp_schema_find(schema, item->key);
    if (f == NULL) return unknown_key(schema, item);
    unsigned char *out = (unsigned char *)config + f->offset;
    const bool is_text = f->type == TPP_FIELD_STRING || f->type == TPP_FIELD_ENUM;
    bool ok = !item->is_quoted || is_text;
    if (f->type == TPP_FIELD_INTS) {
        tpp_int_list list;
        ok = ok && read_ints(f, item, &list);
        if (ok) memcpy(out, &list, sizeof(list));
    } else if (f->type == TPP_FIELD_FLOATS) {
        ok = ok && read_floats(f, item, out);
    } else {
        ok = ok && !item->is_list && item->count == 1 && read_scalar(f, item->value[0], out);
    }
    return ok ? TPP_OK : wrong_value(f, item);
}

tpp_status tpp_schema_set(const tpp_schema *schema, void *config, const char *key,
                          const char *value, const char *where)
{
    tpp_settings one = {0};
    tpp_str text = {0};
    tpp_str_format(&text, "%s=%s", key, value);
    tpp_status s = text.status;
    if (s == TPP_OK) s = tpp_settings_set(&one, text.text);
    if (s == TPP_OK) {
        tpp_setting item = one.items[0];
        char *source = tpp_strdup(where);
        item.source = source;
        s = source == NULL ? TPP_ENOMEM : set_field(schema, config, &item);
        tpp_free(source);
    }
    tpp_yaml_free(&one);
    tpp_str_free(&text);
    return s;
}

/* ---- defaults, preset, settings ---- */

static tpp_status apply_preset(const tpp_schema *schema, void *config, const tpp_settings *settings)
{
    const tpp_setting *chosen = NULL;
    for (size_t i = 0; settings != NULL && i < settings->count; i++)
        if (strcmp(settings->items[i].key, schema->preset_key) == 0) {
            TPP_TRY(set_field(schema, config, &settings->items[i])); /* each is checked */
            chosen = &settings->items[i];
        }
    for (size_t i = 0; chosen != NULL && i < schema->preset_count; i++) {
        const tpp_preset_row *row = &schema->presets[i];
        if (strcmp(row->preset, chosen->value[0]) == 0)
            TPP_TRY(tpp_schema_set(schema, config, row->key, row->value, "preset"));
    }
    return TPP_OK;
}

static tpp_status apply_all(const tpp_schema *schema, void *config, const tpp_settings *settings)
{
    for (size_t i = 0; i < schema->count; i++) {
        const tpp_field *f = &schema->fields[i];
        TPP_TRY(tpp_schema_set(schema, config, f->key, f->initial, "default"));
    }
    if (schema->preset_key != NULL) TPP_TRY(apply_preset(schema, config, settings));
    for (size_t i = 0; settings != NULL && i < settings->count; i++)
        TPP_TRY(set_field(schema, config, &settings->items[i]));
    return TPP_OK;
}

tpp_status tpp_schema_apply(const tpp_schema *schema, void *config, size_t config_size,
                            const tpp_settings *settings)
{
    void *draft = tpp_calloc(1, config_size);
    if (draft == NULL) return TPP_ENOMEM;
    const tpp_status s = apply_all(schema, draft, settings);
    if (s == TPP_OK) memcpy(config, draft, config_size);
    tpp_free(draft);
    return s;
}
