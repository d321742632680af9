/* Writes JSON.
 * SPDX-License-Identifier: MIT */
#include "infer/json_file.h"

#include "core/mem.h"
#include "core/path.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *tpp_text_utf8(const char *text)
{
    char *copy = tpp_strdup(text);
    json_t *j = json_string(text); /* NULL for what is not UTF-8 */
    for (char *p = copy; j == NULL && p != NULL && *p != '\0'; p++)
        if ((*p & 0x80) != 0) *p = '?';
    json_decref(j);
    return copy;
}

json_t *tpp_json_text(const char *text)
{
    if (text == NULL) return json_null();
    char *copy = tpp_text_utf8(text);
    json_t *j = copy != NULL ? json_string(copy) : NULL;
    tpp_free(copy);
    return j;
}

json_t *tpp_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void release_unless(bool done, json_t **j)
{
    if (done) return;
    json_decref(*j);
    *j = NULL;
}

void tpp_json_append(json_t **list, json_t *one)
{
    release_unless(json_array_append_new(*list, one) == 0, list);
}

void tpp_json_set(json_t **object, const char *key, json_t *one)
{
    release_unless(json_object_set_new(*object, key, one) == 0, object);
}

void tpp_json_merge(json_t **object, json_t *more)
{
    release_unless(more != NULL && json_object_update(*object, more) == 0, object);
    json_decref(more);
}

tpp_status tpp_json_write_file(const char *path, const json_t *j)
{
    const size_t flags = JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9);
    char *text = j != NULL ? json_dumps(j, flags) : NULL;
    if (text == NULL) return TPP_FAIL(TPP_ENOMEM, "%s: no memory to put it together", path);
    const size_t length = strlen(text);
    text[length] = '\n'; /* in place of its end, which is not written */
    const tpp_status s = tpp_file_write(path, text, length + 1);
    free(text); /* jansson's */
    return s;
}

tpp_status tpp_json_write(const tpp_out_folder *out, const char *name, const json_t *j)
{
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(out, &path, name));
    const tpp_status s = tpp_json_write_file(path, j);
    tpp_free(path);
    return s;
}

/* ---- HTML ---- */

void tpp_html_add_text(tpp_str *s, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    char *copy = tpp_text_utf8(text);
    if (copy == NULL) s->status = TPP_ENOMEM;
    for (const char *p = copy; p != NULL && *p != '\0';) {
        const size_t plain = strcspn(p, special);
        tpp_str_add(s, p, plain);
        p += plain;
        if (*p == '\0') break;
        const char *e = entity[strchr(special, *p) - special];
        tpp_str_add(s, e, strlen(e));
        p++;
    }
    tpp_free(copy);
}

/* In JSON these stand in strings only, where an escape means the same. */
void tpp_html_add_json(tpp_str *s, const json_t *j)
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
                         JSON_REAL_PRECISION(9);
    char *text = j != NULL ? json_dumps(j, flags) : NULL;
    if (text == NULL) s->status = TPP_FAIL(TPP_ENOMEM, "no memory for JSON");
    for (const char *p = text; p != NULL && *p != '\0';) {
        const size_t plain = strcspn(p, "<>&");
        tpp_str_add(s, p, plain);
        p += plain;
        if (*p != '\0') tpp_str_format(s, "\\u%04x", (unsigned)*p++);
    }
    free(text); /* jansson's */
}
