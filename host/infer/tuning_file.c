/* Reads and writes tuning files.
 * SPDX-License-Identifier: MIT */
#include "infer/tuning_file.h"

#include "cl/program.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "io/yaml.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT  "tpp-tuning-1"
#define MODULE  "tuning"
#define RENEWAL "`tpp tune` makes it again"

enum { MAX_TEXT = 300 };

const char *tpp_engine_text(void)
{
    static char text[64];
    (void)snprintf(text, sizeof(text), "%s-%08" PRIx32, TPP_VERSION,
                   (uint32_t)(tpp_kernels_hash() ^ tpp_kernels_hash() >> 32));
    return text;
}

const char *tpp_params_text(const tpp_algorithm *a, const tpp_params *p)
{
    static _Thread_local char text[160];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < TPP_MAX_PARAMS && a->param[i] != NULL && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.20s=%d", i > 0 ? " " : "",
                                 a->param[i], p->n[i]);
    return text;
}

/* A driver's text in ASCII, without what would end a quoted scalar. */
static const char *plain_text(char out[MAX_TEXT], const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < MAX_TEXT; n++) {
        const char c = text[n];
        const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
        out[n] = '?';
        if (is_plain) out[n] = c;
    }
    out[n] = '\0';
    return out;
}

/* ---- whom a file belongs to ---- */

typedef struct owner {
    char format[MAX_TEXT], device[MAX_TEXT], platform[MAX_TEXT], units[MAX_TEXT], driver[MAX_TEXT],
        engine[MAX_TEXT];
} owner;

static const struct {
    const char *key;
    size_t offset; /* in `owner` */
} owner_keys[] = {
    {"format", offsetof(owner, format)},       {"device", offsetof(owner, device)},
    {"platform", offsetof(owner, platform)},   {"driver", offsetof(owner, driver)},
    {"compute_units", offsetof(owner, units)}, {"engine", offsetof(owner, engine)},
};
enum { OWNER_KEYS = sizeof(owner_keys) / sizeof(owner_keys[0]) };

static char *member(owner *o, int i)
{
    return (char *)o + owner_keys[i].offset;
}

static owner owner_of(const tpp_caps *caps)
{
    owner o = {.format = FORMAT};
    (void)plain_text(o.device, caps->name);
    (void)plain_text(o.platform, caps->platform);
    (void)plain_text(o.driver, caps->driver);
    (void)snprintf(o.units, sizeof(o.units), "%d", caps->compute_units);
    (void)snprintf(o.engine, sizeof(o.engine), "%s", tpp_engine_text());
    return o;
}

/* ---- reading ---- */

/* A row as its lines come in; they may stand in any order. */
typedef struct draft {
    const tpp_yaml_item *op, *shapes, *algorithm, *param[TPP_MAX_PARAMS];
    const char *name; /* of the row: the middle of "rows.NAME.op", in the first item's key */
    size_t name_length;
    int n_params, line;
    double ms, default_ms;
} draft;

typedef struct reader {
    const char *path;
    owner said;
    tpp_tuning *table;
    draft row;
    int rows, left_out, first_line; /* line of the first row that was left out */
    char first[160];                /* and why */
} reader;

static tpp_status wrong(const tpp_yaml_item *item, const char *wanted)
{
    return TPP_FAIL(TPP_EFORMAT, "%s:%d: %s: %s is wanted", item->source, item->line, item->key,
                    wanted);
}

static tpp_status read_ms(double *out, const tpp_yaml_item *item)
{
    char *end = NULL;
    const double v = strtod(item->value[0], &end);
    if (end == item->value[0] || *end != '\0' || !isfinite(v) || v < 0)
        return wrong(item, "a time in milliseconds");
    *out = v;
    return TPP_OK;
}

static bool read_number(int *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || v < 0 || v > 1000000) return false;
    *out = (int)v;
    return true;
}

static void leave_out(reader *r, const char *what, const char *name)
{
    char text[MAX_TEXT];
    if (r->left_out++ > 0) return;
    r->first_line = r->row.line;
    (void)snprintf(r->first, sizeof(r->first), "%s %.60s", what, plain_text(text, name));
}

/* The parameters of the row by the algorithm's names; false: it has others. */
static bool take_params(reader *r, const tpp_algorithm *a, tpp_params *out)
{
    int n = 0;
    for (; n < TPP_MAX_PARAMS && a->param[n] != NULL; n++) {
        int found = 0;
        for (int i = 0; i < r->row.n_params; i++) {
            const tpp_yaml_item *p = r->row.param[i];
            if (strcmp(strrchr(p->key, '.') + 1, a->param[n]) != 0) continue;
            found += read_number(&out->n[n], p->value[0]);
        }
        if (found == 1) continue;
        leave_out(r, "no usable parameter", a->param[n]);
        return false;
    }
    if (n == r->row.n_params) return true;
    leave_out(r, "parameters that are not those of", a->name);
    return false;
}

static tpp_status end_row(reader *r)
{
    const draft *d = &r->row;
    if (d->name == NULL) return TPP_OK;
    if (d->op == NULL || d->shapes == NULL || d->algorithm == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: a row has op, shapes and algorithm; here is no %s",
                        r->path, d->line,
                        d->op == NULL       ? "op"
                        : d->shapes == NULL ? "shapes"
                                            : "algorithm");
    if (++r->rows > TPP_TUNING_MAX_ROWS)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: more than %d rows", r->path, d->line,
                        (int)TPP_TUNING_MAX_ROWS);
    tpp_tuned row = {.op = tpp_op_find(d->op->value[0]), .ms = d->ms, .default_ms = d->default_ms};
    if (strlen(d->shapes->value[0]) >= sizeof(row.bucket))
        return wrong(d->shapes, "text of at most 95 letters");
    (void)snprintf(row.bucket, sizeof(row.bucket), "%s", d->shapes->value[0]);
    if (row.op != NULL) row.algorithm = tpp_op_algorithm(row.op, d->algorithm->value[0]);
    if (row.op == NULL)
        leave_out(r, "no op is called", d->op->value[0]);
    else if (row.algorithm == NULL)
        leave_out(r, "the op has no algorithm", d->algorithm->value[0]);
    else if (take_params(r, row.algorithm, &row.params))
        return tpp_tuning_set(r->table, &row);
    return TPP_OK;
}

/* `rest` is what stands after "rows.NAME.". */
static tpp_status take_member(reader *r, const tpp_yaml_item *item, const char *rest)
{
    draft *d = &r->row;
    if (strcmp(rest, "op") == 0)
        d->op = item;
    else if (strcmp(rest, "shapes") == 0)
        d->shapes = item;
    else if (strcmp(rest, "algorithm") == 0)
        d->algorithm = item;
    else if (strcmp(rest, "ms") == 0)
        return read_ms(&d->ms, item);
    else if (strcmp(rest, "default_ms") == 0)
        return read_ms(&d->default_ms, item);
    else if (strncmp(rest, "parameters.", 11) != 0 || strchr(rest + 11, '.') != NULL)
        return wrong(item, "op, shapes, algorithm, parameters.NAME, ms or default_ms");
    else if (d->n_params == TPP_MAX_PARAMS)
        return wrong(item, "at most 4 parameters");
    else
        d->param[d->n_params++] = item;
    return TPP_OK;
}

static tpp_status take_row_item(reader *r, const tpp_yaml_item *item)
{
    const char *name = item->key + strlen("rows."), *dot = strchr(name, '.');
    if (dot == NULL) return wrong(item, "a mapping");
    const size_t length = (size_t)(dot - name);
    if (r->row.name == NULL || r->row.name_length != length ||
        strncmp(r->row.name, name, length) != 0) {
        TPP_TRY(end_row(r));
        r->row = (draft){.name = name, .name_length = length, .line = item->line};
    }
    return take_member(r, item, dot + 1);
}

static tpp_status take_item(reader *r, const tpp_yaml_item *item)
{
    if (item->is_list || item->count != 1) return wrong(item, "a single value");
    if (strncmp(item->key, "rows.", 5) == 0) return take_row_item(r, item);
    if (strcmp(item->key, "rows") == 0 && item->value[0][0] == '\0') return TPP_OK;
    if (strcmp(item->key, "command_buffers") == 0) {
        const bool yes = strcmp(item->value[0], "true") == 0;
        if (!yes && strcmp(item->value[0], "false") != 0) return wrong(item, "true or false");
        tpp_tuning_set_replays(r->table, yes);
        return TPP_OK;
    }
    for (int i = 0; i < OWNER_KEYS; i++)
        if (strcmp(item->key, owner_keys[i].key) == 0) {
            (void)snprintf(member(&r->said, i), MAX_TEXT, "%.299s", item->value[0]);
            return TPP_OK;
        }
    return wrong(item,
                 "format, device, platform, driver, compute_units, engine, command_buffers or "
                 "rows");
}

static tpp_status take_items(reader *r, const tpp_yaml *yaml)
{
    TPP_TRY(tpp_tuning_open(&r->table));
    for (size_t i = 0; i < yaml->count; i++) TPP_TRY(take_item(r, &yaml->items[i]));
    TPP_TRY(end_row(r));
    for (int i = 0; i < OWNER_KEYS; i++)
        if (member(&r->said, i)[0] == '\0')
            return TPP_FAIL(TPP_EFORMAT, "%s: no tuning file: it has no key %s", r->path,
                            owner_keys[i].key);
    return TPP_OK;
}

/* Is the file this device's and build's? Else says why not. */
static bool belongs(reader *r, const tpp_caps *caps)
{
    owner here = owner_of(caps);
    for (int i = 0; i < OWNER_KEYS; i++) {
        char text[MAX_TEXT];
        if (strcmp(member(&r->said, i), member(&here, i)) == 0) continue;
        tpp_log(TPP_LOG_WARN, MODULE, "%s is passed over: it is for %s \"%s\", here is \"%s\"; %s",
                r->path, owner_keys[i].key, plain_text(text, member(&r->said, i)), member(&here, i),
                RENEWAL);
        return false;
    }
    return true;
}

tpp_status tpp_tuning_read(tpp_tuning **out, const char *path, const tpp_caps *caps)
{
    reader r = {.path = path};
    tpp_yaml yaml = {0};
    tpp_status s = tpp_yaml_read(&yaml, path);
    if (s == TPP_OK) s = take_items(&r, &yaml);
    if (s == TPP_OK) {
        const bool mine = belongs(&r, caps);
        *out = mine ? r.table : NULL;
        if (mine && r.left_out > 0)
            tpp_log(TPP_LOG_WARN, MODULE, "%s: %d of %d rows are left out, first line %d: %s; %s",
                    path, r.left_out, r.rows, r.first_line, r.first, RENEWAL);
        if (mine) r.table = NULL;
    }
    tpp_tuning_close(r.table);
    tpp_yaml_free(&yaml);
    return s;
}

/* ---- writing ---- */

static void print_row(tpp_str *to, const tpp_tuned *row, int number)
{
    tpp_str_format(to, "  %d:\n    op: %s\n    shapes: %s\n    algorithm: %s\n", number,
                   row->op->name, row->bucket, row->algorithm->name);
    for (int i = 0; i < TPP_MAX_PARAMS && row->algorithm->param[i] != NULL; i++)
        tpp_str_format(to, "%s%s: %d", i == 0 ? "    parameters: {" : ", ",
                       row->algorithm->param[i], row->params.n[i]);
    if (row->algorithm->param[0] != NULL) tpp_str_format(to, "}\n");
    tpp_str_format(to, "    ms: %.4f\n    default_ms: %.4f\n", row->ms, row->default_ms);
}

static tpp_status make_folder_of(const char *path)
{
    const size_t n = (size_t)(tpp_path_base(path) - path);
    if (n == 0) return TPP_OK;
    char *folder = tpp_strndup(path, n);
    const tpp_status s = folder != NULL ? tpp_path_make_folder(folder) : TPP_ENOMEM;
    tpp_free(folder);
    return s;
}

tpp_status tpp_tuning_write(const tpp_tuning *t, const char *path, const tpp_caps *caps)
{
    owner here = owner_of(caps);
    tpp_str text = {0};
    tpp_str_format(&text, "# What `tpp tune` found fastest on this device. Times are medians.\n");
    for (int i = 0; i < OWNER_KEYS; i++)
        tpp_str_format(&text, "%s: \"%s\"\n", owner_keys[i].key, member(&here, i));
    if (tpp_tuning_replays(t)) tpp_str_format(&text, "command_buffers: true\n");
    tpp_str_format(&text, "rows:\n");
    for (int i = 0; tpp_tuning_at(t, i) != NULL; i++) {
        if (i == TPP_TUNING_MAX_ROWS) {
            tpp_log(TPP_LOG_WARN, MODULE, "%s: only %d rows are kept", path, i);
            break;
        }
        print_row(&text, tpp_tuning_at(t, i), i + 1);
    }
    tpp_status s = text.status;
    if (s == TPP_OK) s = make_folder_of(path);
    if (s == TPP_OK) s = tpp_file_write(path, text.text, text.length);
    tpp_str_free(&text);
    return s;
}
