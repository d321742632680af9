/* JSON files of results: text of any bytes, sorted keys, whole or not at all.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_JSON_FILE_H
#define TPP_INFER_JSON_FILE_H

#include "core/status.h"
#include "core/str.h"
#include "infer/out_folder.h"

#include <jansson.h>

#define TPP_NOTICE \
    "Research software. Not a medical device. Not for diagnosis or treatment decisions."

/* A copy in UTF-8: names of files are bytes and may be anything; other bytes become '?'. NULL: out
 * of memory. */
char *tpp_text_utf8(const char *text);

/* The same as a JSON string; null for NULL. */
json_t *tpp_json_text(const char *text);

/* A number; null for what is not finite. */
json_t *tpp_json_real(double value);

/* Adds `one`, which it takes, to a list, or under a key. If either is NULL or memory runs out both
 * are released and the list or object becomes NULL, so a caller may add many and look once. */
void tpp_json_append(json_t **list, json_t *one);
void tpp_json_set(json_t **object, const char *key, json_t *one);

/* Adds all keys of `more`, which it takes, in the same way. */
void tpp_json_merge(json_t **object, json_t *more);

/* Writes `j` (not kept; NULL: memory ran out while it was made) as `path`, keys sorted. */
TPP_MUST_CHECK tpp_status tpp_json_write_file(const char *path, const json_t *j);

/* Writes `j` (not kept; NULL: memory ran out while it was made) as a file of `out`, keys sorted. */
TPP_MUST_CHECK tpp_status tpp_json_write(const tpp_out_folder *out, const char *name,
                                         const json_t *j);

/* ---- HTML ---- */

/* Adds text so that it is text in an element and in a quoted attribute. */
void tpp_html_add_text(tpp_str *s, const char *text);

/* Adds a value so that it may stand in a <script type="application/json"> element. */
void tpp_html_add_json(tpp_str *s, const json_t *j);

#endif
