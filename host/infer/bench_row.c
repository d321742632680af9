/* The table of fields, and rows as JSON.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_row.h"

#include "core/mem.h"
#include "core/path.h"
#include "infer/json_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member)  offsetof(tpp_bench_row, member), sizeof(((tpp_bench_row *)0)->member)
#define STAGE(name) {"stage_ms." #name, TPP_BENCH_REAL, AT(stage_ms[TPP_STAGE_##name])},

const tpp_bench_field tpp_bench_fields[] = {
    {"build", TPP_BENCH_TEXT, AT(build)},
    {"config", TPP_BENCH_TEXT, AT(config)},
    {"config_sha256", TPP_BENCH_TEXT, AT(config_sha256)},
    {"weights", TPP_BENCH_TEXT, AT(weights)},
    {"device", TPP_BENCH_TEXT, AT(device)},
    {"vendor", TPP_BENCH_TEXT, AT(vendor)},
    {"driver", TPP_BENCH_TEXT, AT(driver)},
    {"platform", TPP_BENCH_TEXT, AT(platform)},
    {"opencl_version", TPP_BENCH_TEXT, AT(opencl_version)},
    {"compute_units", TPP_BENCH_WHOLE, AT(compute_units)},
    {"vector_width", TPP_BENCH_WHOLE, AT(vector_width)},
    {"global_mb", TPP_BENCH_REAL, AT(global_mb)},
    {"precision", TPP_BENCH_TEXT, AT(precision)},
    {"height", TPP_BENCH_WHOLE, AT(height)},
    {"width", TPP_BENCH_WHOLE, AT(width)},
    {"frames", TPP_BENCH_WHOLE, AT(frames)},
    {"clip", TPP_BENCH_WHOLE, AT(clip)},
    {"prompts", TPP_BENCH_WHOLE, AT(prompts)},
    {"tokens", TPP_BENCH_WHOLE, AT(tokens)},
    {"ahead", TPP_BENCH_WHOLE, AT(ahead)},
    {"scenario", TPP_BENCH_TEXT, AT(scenario)},
    {"algorithm", TPP_BENCH_TEXT, AT(algorithm)},
    {"tuning", TPP_BENCH_TEXT, AT(tuning)},
    {"kernel_cache", TPP_BENCH_TEXT, AT(kernel_cache)},
    {"warmup", TPP_BENCH_WHOLE, AT(warmup)},
    {"repetitions", TPP_BENCH_WHOLE, AT(repetitions)},
    {"ms_median", TPP_BENCH_REAL, AT(ms_median)},
    {"ms_mean", TPP_BENCH_REAL, AT(ms_mean)},
    {"ms_stddev", TPP_BENCH_REAL, AT(ms_stddev)},
    {"ms_min", TPP_BENCH_REAL, AT(ms_min)},
    {"ms_p90", TPP_BENCH_REAL, AT(ms_p90)},
    {"samples", TPP_BENCH_SAMPLES, AT(samples)},
    {"first_ms", TPP_BENCH_REAL, AT(first_ms)},
    {"frames_per_second", TPP_BENCH_REAL, AT(frames_per_second)},
    {"gflop_frame", TPP_BENCH_REAL, AT(gflop_frame)},
    {"gflops", TPP_BENCH_REAL, AT(gflops)},
    {"peak_gflops", TPP_BENCH_REAL, AT(peak_gflops)},
    {"peak_share", TPP_BENCH_REAL, AT(peak_share)},
    {"copy_gbs", TPP_BENCH_REAL, AT(copy_gbs)},
    TPP_STAGE_MAP(STAGE) /**/
    {"arena_mb", TPP_BENCH_REAL, AT(arena_mb)},
    {"kept_mb", TPP_BENCH_REAL, AT(kept_mb)},
    {"weights_mb", TPP_BENCH_REAL, AT(weights_mb)},
    {"staging_mb", TPP_BENCH_REAL, AT(staging_mb)},
    {"device_mb", TPP_BENCH_REAL, AT(device_mb)},
    {"launches", TPP_BENCH_WHOLE, AT(launches)},
    {"buffers", TPP_BENCH_WHOLE, AT(buffers)},
    {"allocations", TPP_BENCH_WHOLE, AT(allocations)},
    {"finishes", TPP_BENCH_WHOLE, AT(finishes)},
    {"waits", TPP_BENCH_WHOLE, AT(waits)},
    {"bytes_up", TPP_BENCH_WHOLE, AT(bytes_up)},
    {"bytes_down", TPP_BENCH_WHOLE, AT(bytes_down)},
    {"gate.dice", TPP_BENCH_REAL, AT(gate.dice)},
    {"gate.logit_error", TPP_BENCH_REAL, AT(gate.logit_error)},
    {"gate.against", TPP_BENCH_TEXT, AT(gate.against)},
    {"compare.verdict", TPP_BENCH_TEXT, AT(compare.verdict)},
    {"compare.ratio", TPP_BENCH_REAL, AT(compare.ratio)},
    {"compare.margin", TPP_BENCH_REAL, AT(compare.margin)},
    {"compare.base_ms", TPP_BENCH_REAL, AT(compare.base_ms)},
    {"compare.reason", TPP_BENCH_TEXT, AT(compare.reason)},
    {"status", TPP_BENCH_TEXT, AT(status)},
    {"reason", TPP_BENCH_TEXT, AT(reason)},
    {0},
};

/* ---- rows ---- */

static char *text_at(tpp_bench_row *r, const tpp_bench_field *f)
{
    return (char *)r + f->offset;
}

static double *number_at(tpp_bench_row *r, const tpp_bench_field *f)
{
    return (double *)((char *)r + f->offset);
}

static bool is_number(const tpp_bench_field *f)
{
    return f->kind == TPP_BENCH_WHOLE || f->kind == TPP_BENCH_REAL;
}

void tpp_bench_row_init(tpp_bench_row *r)
{
    *r = (tpp_bench_row){0};
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++)
        if (is_number(f)) *number_at(r, f) = (double)NAN;
}

void tpp_bench_row_free(tpp_bench_row *r)
{
    tpp_free(r->samples);
    r->samples = NULL;
    r->n_samples = 0;
}

void tpp_bench_text(char *field, size_t size, const char *text)
{
    (void)snprintf(field, size, "%s", text);
}

const char *tpp_bench_text_of(const tpp_bench_row *r, const tpp_bench_field *f)
{
    return (const char *)r + f->offset;
}

double tpp_bench_number_of(const tpp_bench_row *r, const tpp_bench_field *f)
{
    return *(const double *)((const char *)r + f->offset);
}

/* ---- JSON out ---- */

static json_t *samples_json(const tpp_bench_row *r)
{
    json_t *all = json_array();
    for (int i = 0; i < r->n_samples; i++) tpp_json_append(&all, tpp_json_real(r->samples[i]));
    return all;
}

static json_t *value_json(const tpp_bench_row *r, const tpp_bench_field *f)
{
    switch (f->kind) {
    case TPP_BENCH_TEXT:
        return tpp_json_text(tpp_bench_text_of(r, f));
    case TPP_BENCH_SAMPLES:
        return samples_json(r);
    default: {
        const double v = tpp_bench_number_of(r, f);
        const bool whole = f->kind == TPP_BENCH_WHOLE && isfinite(v);
        return whole ? json_integer((json_int_t)v) : tpp_json_real(v);
    }
    }
}

/* Group and key of a field; a field without a dot is in the row itself. */
static void split_name(char group[32], const char **key, const tpp_bench_field *f)
{
    const char *dot = strchr(f->name, '.');
    const int length = dot != NULL ? (int)(dot - f->name) : 0;
    (void)snprintf(group, 32, "%.*s", length, f->name);
    *key = dot != NULL ? dot + 1 : f->name;
}

json_t *tpp_bench_row_json(const tpp_bench_row *r)
{
    json_t *all = json_object();
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++) {
        char group[32];
        const char *key = NULL;
        split_name(group, &key, f);
        if (group[0] == '\0') {
            tpp_json_set(&all, key, value_json(r, f));
            continue;
        }
        json_t *inner = json_object_get(all, group);
        inner = inner != NULL ? json_incref(inner) : json_object();
        tpp_json_set(&inner, key, value_json(r, f));
        tpp_json_set(&all, group, inner);
    }
    return all;
}

/* ---- JSON in ---- */

static tpp_status read_samples(tpp_bench_row *r, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (!json_is_array(list) || n > 1000000) return TPP_EFORMAT;
    TPP_NEW(r->samples, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_number(one)) return TPP_EFORMAT;
        r->samples[i] = json_number_value(one);
    }
    r->n_samples = (int)n;
    return TPP_OK;
}

static tpp_status read_value(tpp_bench_row *r, const tpp_bench_field *f, const json_t *value)
{
    if (value == NULL || json_is_null(value)) return TPP_OK;
    if (f->kind == TPP_BENCH_SAMPLES) return read_samples(r, value);
    if (is_number(f) && json_is_number(value))
        *number_at(r, f) = json_number_value(value);
    else if (f->kind == TPP_BENCH_TEXT && json_is_string(value))
        tpp_bench_text(text_at(r, f), f->size, json_string_value(value));
    else
        return TPP_EFORMAT;
    return TPP_OK;
}

/* `r` is initialised; the caller frees it on failure too. */
static tpp_status read_row(tpp_bench_row *r, const json_t *j, const char *path, int number)
{
    if (!json_is_object(j) || json_object_get(j, "scenario") == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: value %d is no row of tpp bench", path, number);
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++) {
        char group[32];
        const char *key = NULL;
        split_name(group, &key, f);
        const json_t *from = group[0] != '\0' ? json_object_get(j, group) : j;
        const tpp_status s = read_value(r, f, json_object_get(from, key));
        if (s == TPP_EFORMAT)
            return TPP_FAIL(s, "%s: row %d: %s is of another type", path, number, f->name);
        if (s != TPP_OK) return s;
    }
    return TPP_OK;
}

static tpp_status add_row(tpp_bench_rows *rows, const json_t *j, const char *path)
{
    enum { MOST_ROWS = 20000 };
    if (rows->count == MOST_ROWS)
        return TPP_FAIL(TPP_EFORMAT, "%s: more than %d rows", path, (int)MOST_ROWS);
    TPP_TRY(tpp_grow(&rows->row, rows->count, &rows->capacity, sizeof(*rows->row)));
    tpp_bench_row *r = &rows->row[rows->count++];
    tpp_bench_row_init(r);
    return read_row(r, j, path, rows->count);
}

static int lines_before(const char *text, size_t at)
{
    int lines = 0;
    for (size_t i = 0; i < at; i++) lines += text[i] == '\n';
    return lines;
}

/* Values one after another: an array of rows is one, lines of rows are many. */
static tpp_status read_values(tpp_bench_rows *rows, const char *text, size_t size, const char *path)
{
    size_t at = 0;
    while (at < size) {
        at += strspn(text + at, " \t\r\n");
        if (at >= size) break;
        json_error_t error;
        json_t *j = json_loadb(text + at, size - at,
                               JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        if (j == NULL)
            return TPP_FAIL(TPP_EFORMAT, "%s: no JSON: line %d: %s", path,
                            lines_before(text, at) + error.line, error.text);
        at += (size_t)error.position;
        tpp_status s = TPP_OK;
        if (json_is_array(j))
            for (size_t i = 0; s == TPP_OK && i < json_array_size(j); i++)
                s = add_row(rows, json_array_get(j, i), path);
        else
            s = add_row(rows, j, path);
        json_decref(j);
        TPP_TRY(s);
    }
    if (rows->count == 0) return TPP_FAIL(TPP_EFORMAT, "%s: there are no rows in it", path);
    return TPP_OK;
}

tpp_status tpp_bench_rows_read(tpp_bench_rows *out, const char *path)
{
    enum { LARGEST = 64 << 20 };
    tpp_bench_rows rows = {0};
    char *text = NULL;
    size_t size = 0;
    TPP_TRY(tpp_file_read(&text, &size, path, LARGEST));
    const tpp_status s = read_values(&rows, text, size, path);
    tpp_free(text);
    if (s == TPP_OK)
        *out = rows;
    else
        tpp_bench_rows_free(&rows);
    return s;
}

void tpp_bench_rows_free(tpp_bench_rows *rows)
{
    for (int i = 0; i < rows->count; i++) tpp_bench_row_free(&rows->row[i]);
    tpp_free(rows->row);
    *rows = (tpp_bench_rows){0};
}
