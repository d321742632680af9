/* Lines of text headers, and the names of data files in them.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "io/volume_data.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of a sequence with the positions of every frame: some megabytes. */
enum { HEADER_LIMIT = 64 << 20, STEP = 1 << 14 };

/* A header as far as it was read: `from` is where its first line without an end begins. */
typedef struct growing {
    char *text;
    size_t size, from;
    bool ended;
} growing;

/* Looks at whole lines; at the file's end also at one that has none. */
static tpp_status scan(growing *g, const char *path, tpp_header_ends *ends, bool last)
{
    while (g->from < g->size && !g->ended) {
        const char *line = g->text + g->from, *stop = memchr(line, '\n', g->size - g->from);
        if (stop == NULL && !last) break;
        const size_t n = stop != NULL ? (size_t)(stop - line) : g->size - g->from;
        if (memchr(line, '\0', n) != NULL)
            return TPP_FAIL(TPP_EFORMAT, "%s: its header holds a zero byte: it is no text", path);
        g->from += n + (stop != NULL);
        g->ended = ends(line, n > 0 && line[n - 1] == '\r' ? n - 1 : n);
    }
    return TPP_OK;
}

static tpp_status grow(growing *g, FILE *file, const char *path, tpp_header_ends *ends)
{
    for (size_t got = STEP; got == STEP && !g->ended;) {
        if (g->size > HEADER_LIMIT)
            return TPP_FAIL(TPP_EFORMAT, "%s: a header of more than %d bytes", path, HEADER_LIMIT);
        char *text = tpp_realloc(g->text, g->size + STEP + 1, 1);
        if (text == NULL) return TPP_ENOMEM;
        g->text = text;
        got = fread(text + g->size, 1, STEP, file);
        if (got < STEP && ferror(file) != 0)
            return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", path, strerror(errno));
        g->size += got;
        TPP_TRY(scan(g, path, ends, got < STEP));
    }
    return TPP_OK;
}

tpp_status tpp_header_read(char **out, size_t *size, bool *ended, const char *path,
                           tpp_header_ends *ends)
{
    growing g = {0};
    FILE *file = NULL;
    uint64_t file_size = 0;
    TPP_TRY(tpp_file_open(&file, &file_size, path));
    const tpp_status s = grow(&g, file, path, ends);
    (void)fclose(file);
    if (s != TPP_OK) {
        tpp_free(g.text);
        return s;
    }
    g.text[g.from] = '\0';
    *out = g.text;
    *size = g.from;
    *ended = g.ended;
    return TPP_OK;
}

bool tpp_header_line(const char **line, size_t *length, const char **at)
{
    const char *p = *at;
    if (*p == '\0') return false;
    const char *end = strchr(p, '\n');
    if (end == NULL) end = p + strlen(p);
    *at = *end == '\n' ? end + 1 : end;
    while (p < end && tpp_header_is_space(*p)) p++;
    while (p < end && tpp_header_is_space(end[-1])) end--;
    *line = p;
    *length = (size_t)(end - p);
    return true;
}

int tpp_header_numbers(double *out, int most, const char *text)
{
    int n = 0;
    while (tpp_header_is_space(*text)) text++;
    while (*text != '\0' && n < most) {
        char *end = NULL;
        out[n++] = strtod(text, &end);
        if (end == text || (*end != '\0' && !tpp_header_is_space(*end))) return -1;
        for (text = end; tpp_header_is_space(*text);) text++;
    }
    return *text == '\0' ? n : -1;
}

int tpp_header_find(const tpp_header_name *names, const char *name, size_t length)
{
    for (; names->name != NULL; names++)
        if (strlen(names->name) == length && strncasecmp(names->name, name, length) == 0)
            return names->field;
    return -1;
}

tpp_status tpp_header_keep(char **value, const char *text, size_t length, const char *name,
                           const char *path)
{
    if (*value != NULL && strlen(*value) == length && memcmp(*value, text, length) == 0)
        return TPP_OK;
    if (*value != NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: \"%s\" is given twice: \"%.40s\" and \"%.*s\"", path,
                        name, *value, length < 40 ? (int)length : 40, text);
    *value = tpp_strndup(text, length);
    return *value == NULL ? TPP_ENOMEM : TPP_OK;
}

bool tpp_header_word(const char **word, size_t *length, const char **at)
{
    const char *p = *at;
    while (tpp_header_is_space(*p)) p++;
    if (*p == '\0') return false;
    const int close = *p == '(' ? ')' : *p == '"' ? '"' : '\0';
    const char *end = p + 1;
    if (close != '\0') {
        while (*end != '\0' && *end != close) end++;
        if (*end != '\0') end++;
    } else {
        while (*end != '\0' && !tpp_header_is_space(*end)) end++;
    }
    *word = p;
    *length = (size_t)(end - p);
    *at = end;
    return true;
}

void tpp_header_select(tpp_str *out, const char *text, const bool *keep, size_t n)
{
    const char *word = NULL;
    size_t length = 0;
    for (size_t i = 0; i < n && tpp_header_word(&word, &length, &text); i++)
        if (keep[i]) tpp_str_format(out, " %.*s", (int)length, word);
}

tpp_status tpp_header_integer(int64_t *out, const char *text, int64_t low, int64_t high,
                              const char *name, const char *path)
{
    double x = 0;
    if (tpp_header_numbers(&x, 1, text) != 1 || !(x >= (double)low && x <= (double)high) ||
        x != floor(x))
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: \"%s\" is \"%.40s\", wanted a whole number from %" PRId64
                        " to %" PRId64,
                        path, name, text, low, high);
    *out = (int64_t)x;
    return TPP_OK;
}

/* Does one of the parts between slashes say "up"? */
static bool leads_up(const char *name)
{
    for (const char *p = name; p != NULL;) {
        const char *slash = strchr(p, '/');
        const size_t n = slash != NULL ? (size_t)(slash - p) : strlen(p);
        if (n == 2 && memcmp(p, "..", 2) == 0) return true;
        p = slash != NULL ? slash + 1 : NULL;
    }
    return false;
}

tpp_status tpp_data_path(char **out, const char *path, const char *name)
{
    if (name[0] == '\0' || name[0] == '/' || leads_up(name))
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: its voxels are in \"%.200s\"; wanted a file beside the header or "
                        "below its folder",
                        path, name);
    tpp_str s = {0};
    tpp_str_add(&s, path, (size_t)(tpp_path_base(path) - path));
    tpp_str_format(&s, "%s", name);
    if (s.status != TPP_OK) {
        tpp_str_free(&s);
        return TPP_ENOMEM;
    }
    if (!tpp_path_exists(s.text)) {
        const tpp_status missing =
            TPP_FAIL(TPP_EIO, "%s: its voxels are in \"%.200s\", which is not there", path, name);
        tpp_str_free(&s);
        return missing;
    }
    *out = s.text;
    return TPP_OK;
}
