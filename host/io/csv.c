/* CSV tables, parsed in place.
 * SPDX-License-Identifier: MIT */
#include "io/csv.h"

#include "core/mem.h"
#include "core/path.h"

#include <stdbool.h>
#include <string.h>

void tpp_csv_free(tpp_csv *c)
{
    tpp_free(c->text);
    tpp_free(c->field);
    tpp_free(c->line);
    *c = (tpp_csv){0};
}

int tpp_csv_column(const tpp_csv *c, const char *name)
{
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(c->field[i], name) == 0) return (int)i;
    return -1;
}

/* ---- fields ---- */

typedef struct reader {
    char *at, *end;
    const char *name;
    int line;
} reader;

static bool at_line_end(const reader *r)
{
    return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

/* A field in quotes; doubled quotes inside are one. */
static tpp_status read_quoted(reader *r, char **out)
{
    const int begin = r->line;
    char *to = ++r->at;
    *out = to;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"' && r->at + 1 < r->end && r->at[1] == '"')
            r->at++;
        else if (*r->at == '"')
            break;
        r->line += *r->at == '\n';
        *to++ = *r->at;
    }
    if (r->at == r->end)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: a quote is not closed", r->name, begin);
    r->at++;
    if (!at_line_end(r) && *r->at != ',')
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: text behind a closing quote", r->name, r->line);
    *to = '\0';
    return TPP_OK;
}

/* Reads one field and what ends it; *last: the row ends here. */
static tpp_status read_field(reader *r, char **out, bool *last)
{
    if (r->at < r->end && *r->at == '"') {
        TPP_TRY(read_quoted(r, out));
    } else {
        *out = r->at;
        while (!at_line_end(r) && *r->at != ',') r->at++;
    }
    char *stop = r->at; /* may overwrite the end mark, which `end` has a NUL behind */
    *last = at_line_end(r);
    if (r->at < r->end && *r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n') r->at++;
    if (*last) r->line++;
    if (r->at < r->end) r->at++;
    *stop = '\0';
    return TPP_OK;
}

/* ---- rows ---- */

static tpp_status check_width(const tpp_csv *c, size_t got, const reader *r, int line)
{
    if (got > TPP_CSV_MAX_COLUMNS)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: more than %d columns", r->name, line,
                        (int)TPP_CSV_MAX_COLUMNS);
    if (c->rows == 0 || got == c->columns) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s:%d: %zu fields, the header has %zu", r->name, line, got,
                    c->columns);
}

static tpp_status add_row(tpp_csv *c, char **fields, size_t n, int line)
{
    char **field = tpp_realloc(c->field, (c->rows + 1) * n, sizeof(*field));
    if (field == NULL) return TPP_ENOMEM;
    c->field = field;
    int *lines = tpp_realloc(c->line, c->rows + 1, sizeof(*lines));
    if (lines == NULL) return TPP_ENOMEM;
    c->line = lines;
    memcpy(field + c->rows * n, fields, n * sizeof(*fields));
    lines[c->rows++] = line;
    c->columns = n;
    return TPP_OK;
}

static tpp_status read_row(tpp_csv *c, reader *r)
{
    char *fields[TPP_CSV_MAX_COLUMNS + 1];
    size_t n = 0;
    const int line = r->line;
    for (bool last = false; !last;) {
        char *field = NULL;
        TPP_TRY(read_field(r, &field, &last));
        if (n <= TPP_CSV_MAX_COLUMNS) fields[n++] = field;
    }
    if (n == 1 && fields[0][0] == '\0') return TPP_OK; /* an empty line */
    TPP_TRY(check_width(c, n, r, line));
    return add_row(c, fields, n, line);
}

static tpp_status parse(tpp_csv *c, size_t size, const char *name)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* spreadsheets put a byte order mark first */
    const size_t skip = size >= 3 && memcmp(c->text, mark, 3) == 0 ? 3 : 0;
    reader r = {.at = c->text + skip, .end = c->text + size, .name = name, .line = 1};
    if (memchr(c->text, '\0', size) != NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: holds a NUL byte and is no CSV text", name);
    while (r.at < r.end) TPP_TRY(read_row(c, &r));
    return c->rows > 0 ? TPP_OK : TPP_FAIL(TPP_EFORMAT, "%s: holds no header line", name);
}

tpp_status tpp_csv_parse(tpp_csv *out, const char *text, size_t size, const char *name)
{
    tpp_csv c = {0};
    TPP_NEW(c.text, size + 1);
    memcpy(c.text, text, size);
    const tpp_status s = parse(&c, size, name);
    if (s == TPP_OK)
        *out = c;
    else
        tpp_csv_free(&c);
    return s;
}

tpp_status tpp_csv_read(tpp_csv *out, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    TPP_TRY(tpp_file_read(&text, &size, path, TPP_CSV_MAX_BYTES));
    const tpp_status s = tpp_csv_parse(out, text, size, path);
    tpp_free(text);
    return s;
}
