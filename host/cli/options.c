/* Parses command lines by table.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/options.h"

#include "core/str.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- rows ---- */

const tpp_option *tpp_option_at(const tpp_command *c, int i)
{
    static const tpp_option help = {'h', "help", TPP_OPTION_FLAG, 0, NULL, .help = "this text"};
    for (int t = 0; t < TPP_OPTION_TABLES && c->options[t] != NULL; t++)
        for (const tpp_option *o = c->options[t]; o->name != NULL; o++)
            if (i-- == 0) return o;
    return i == 0 ? &help : NULL;
}

/* The first of them: a command's defaults are one value each. */
static bool several_default(const tpp_option *o, const tpp_several *at, char *out, size_t size)
{
    const tpp_size *s = &at->item.size[0];
    if (at->count == 0) return false;
    if (o->type == TPP_OPTION_SIZE) return snprintf(out, size, "[%dx%d]", s->height, s->width) > 0;
    if (o->type == TPP_OPTION_INT) return snprintf(out, size, "[%d]", at->item.number[0]) > 0;
    return snprintf(out, size, "[%s]", at->item.text[0]) > 0;
}

bool tpp_option_default(const tpp_command *c, const tpp_option *o, char *out, size_t size)
{
    if (c->defaults == NULL) return false;
    const void *at = (const char *)c->defaults + o->offset;
    if (o->several) return several_default(o, at, out, size);
    switch (o->type) {
    case TPP_OPTION_INT: {
        const int value = *(const int *)at; /* outside the range it stands for none */
        return value >= o->min && value <= o->max && snprintf(out, size, "[%d]", value) > 0;
    }
    case TPP_OPTION_SEED:
        return snprintf(out, size, "[%" PRIu64 "]", *(const uint64_t *)at) > 0;
    case TPP_OPTION_SIZE: {
        const tpp_size *s = at;
        return s->height > 0 && snprintf(out, size, "[%dx%d]", s->height, s->width) > 0;
    }
    case TPP_OPTION_TEXT:
    case TPP_OPTION_CHOICE: {
        const char *const *text = at;
        return *text != NULL && snprintf(out, size, "[%s]", *text) > 0;
    }
    default:
        return false;
    }
}

const char *tpp_nearest(const char *name, const char *const *words, int n)
{
    enum { NEAR_ENOUGH = 3, LONGEST = 60 };
    const char *nearest = NULL;
    unsigned best = NEAR_ENOUGH + 1;
    for (int i = 0; i < n && strlen(name) <= LONGEST; i++) {
        const unsigned d = tpp_str_distance(name, words[i]);
        if (d >= best || 2 * (size_t)d > strlen(name)) continue;
        best = d;
        nearest = words[i];
    }
    return nearest;
}

/* ---- values ---- */

static tpp_status parse_int(const tpp_option *o, void *target, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || (double)v < o->min || (double)v > o->max)
        return TPP_FAIL(TPP_EUSAGE, "--%s wants an integer from %.0f to %.0f, got \"%.60s\"",
                        o->name, o->min, o->max, text);
    *(int *)target = (int)v;
    return TPP_OK;
}

static tpp_status parse_real(const tpp_option *o, void *target, const char *text)
{
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !(v >= o->min && v <= o->max))
        return TPP_FAIL(TPP_EUSAGE, "--%s wants a number from %g to %g, got \"%.60s\"", o->name,
                        o->min, o->max, text);
    *(double *)target = v;
    return TPP_OK;
}

static tpp_status parse_seed(const tpp_option *o, void *target, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0')
        return TPP_FAIL(TPP_EUSAGE, "--%s wants an integer from 0, got \"%.60s\"", o->name, text);
    *(uint64_t *)target = v;
    return TPP_OK;
}

static tpp_status parse_size(const tpp_option *o, void *target, const char *text)
{
    char *end = NULL;
    const long h = strtol(text, &end, 10);
    const char *second = end + (*end == 'x');
    const long w = strtol(second, &end, 10);
    if (second == text || second[-1] != 'x' || end == second || *end != '\0' ||
        (double)h < o->min || (double)h > o->max || (double)w < o->min || (double)w > o->max)
        return TPP_FAIL(TPP_EUSAGE,
                        "--%s wants HEIGHTxWIDTH, each from %.0f to %.0f, got \"%.60s\"", o->name,
                        o->min, o->max, text);
    *(tpp_size *)target = (tpp_size){(int)h, (int)w};
    return TPP_OK;
}

static tpp_status parse_choice(const tpp_option *o, void *target, const char *text)
{
    enum { MOST = 32 };
    const char *words[MOST];
    tpp_str list = {0};
    int n = 0;
    for (; n < MOST && o->word(n) != NULL; n++) {
        words[n] = o->word(n);
        if (strcasecmp(words[n], text) == 0) {
            *(const char **)target = words[n];
            tpp_str_free(&list);
            return TPP_OK;
        }
        tpp_str_format(&list, "%s%s", n == 0 ? "" : ", ", words[n]);
    }
    const char *nearest = tpp_nearest(text, words, n);
    const tpp_status s = TPP_FAIL(TPP_EUSAGE, "--%s wants one of %s, got \"%.60s\"%s%s%s", o->name,
                                  list.text != NULL ? list.text : "?", text,
                                  nearest != NULL ? "; did you mean " : "",
                                  nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    tpp_str_free(&list);
    return s;
}

static tpp_status add_item(tpp_list *list, const char *what, const char *text)
{
    if (list->count == TPP_MAX_REPEATS)
        return TPP_FAIL(TPP_EUSAGE, "%s: given more than %d times", what, (int)TPP_MAX_REPEATS);
    list->item[list->count++] = text;
    return TPP_OK;
}

static tpp_status take_one(const tpp_option *o, void *target, const char *text)
{
    switch (o->type) {
    case TPP_OPTION_FLAG:
        *(bool *)target = true;
        return TPP_OK;
    case TPP_OPTION_TEXT:
        *(const char **)target = text;
        return TPP_OK;
    case TPP_OPTION_CHOICE:
        return parse_choice(o, target, text);
    case TPP_OPTION_LIST:
        return add_item(target, o->name, text);
    case TPP_OPTION_INT:
        return parse_int(o, target, text);
    case TPP_OPTION_REAL:
        return parse_real(o, target, text);
    case TPP_OPTION_SEED:
        return parse_seed(o, target, text);
    default:
        return parse_size(o, target, text);
    }
}

/* One of several. */
static tpp_status add_one(const tpp_option *o, tpp_several *all, const char *text)
{
    const char *kept = NULL;
    if (text[0] == '\0')
        return TPP_FAIL(TPP_EUSAGE, "--%s: nothing stands beside a comma", o->name);
    if (all->count == TPP_MAX_SEVERAL)
        return TPP_FAIL(TPP_EUSAGE, "--%s: more than %d values", o->name, (int)TPP_MAX_SEVERAL);
    const int i = all->count;
    if (o->type == TPP_OPTION_INT) {
        TPP_TRY(parse_int(o, &all->item.number[i], text));
    } else if (o->type == TPP_OPTION_SIZE) {
        TPP_TRY(parse_size(o, &all->item.size[i], text));
    } else {
        TPP_TRY(take_one(o, &kept, text));
        (void)snprintf(all->item.text[i], sizeof(all->item.text[i]), "%s", kept);
    }
    all->count++;
    return TPP_OK;
}

/* "A,B,C" */
static tpp_status add_several(const tpp_option *o, tpp_several *all, const char *text)
{
    char piece[TPP_MAX_SEVERAL_TEXT];
    assert(text != NULL); /* flags alone have none */
    if (!all->given) *all = (tpp_several){.given = true};
    for (const char *p = text;;) {
        const size_t n = strcspn(p, ",");
        if (n >= sizeof(piece))
            return TPP_FAIL(TPP_EUSAGE, "--%s: a value of %zu bytes is too long", o->name, n);
        memcpy(piece, p, n);
        piece[n] = '\0';
        TPP_TRY(add_one(o, all, piece));
        if (p[n] == '\0') return TPP_OK;
        p += n + 1;
    }
}

static tpp_status take_value(const tpp_option *o, void *arguments, const char *text)
{
    void *target = (char *)arguments + o->offset;
    return o->several ? add_several(o, target, text) : take_one(o, target, text);
}

/* ---- names ---- */

static void no_such_option(const tpp_command *c, const char *name)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int n = 0;
    for (const tpp_option *o = NULL; n < MOST && (o = tpp_option_at(c, n)) != NULL; n++)
        names[n] = o->name;
    const char *nearest = tpp_nearest(name, names, n);
    if (nearest == NULL)
        (void)TPP_FAIL(TPP_EUSAGE, "there is no option --%.60s; --help lists them", name);
    else
        (void)TPP_FAIL(TPP_EUSAGE, "there is no option --%.60s; did you mean --%s?", name, nearest);
}

/* "--name", "--name=value". NULL: TPP_EUSAGE. */
static const tpp_option *find_long(const char **value, const tpp_command *c, const char *text)
{
    char name[64];
    const char *equals = strchr(text, '=');
    const size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), text);
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) {
        if (strcmp(o->name, name) != 0) continue;
        *value = equals == NULL ? NULL : equals + 1;
        if (equals == NULL || o->type != TPP_OPTION_FLAG) return o;
        (void)TPP_FAIL(TPP_EUSAGE, "--%s takes no value", name);
        return NULL;
    }
    no_such_option(c, name);
    return NULL;
}

/* "-i", "-iVALUE". NULL: TPP_EUSAGE. */
static const tpp_option *find_short(const char **value, const tpp_command *c, const char *text)
{
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) {
        if (o->letter == 0 || o->letter != text[0]) continue;
        *value = text[1] == '\0' ? NULL : text + 1;
        if (text[1] == '\0' || o->type != TPP_OPTION_FLAG) return o;
        (void)TPP_FAIL(TPP_EUSAGE, "-%c takes no value; write -%c -%s", text[0], text[0], text + 1);
        return NULL;
    }
    (void)TPP_FAIL(TPP_EUSAGE, "there is no option -%.1s; --help lists them", text);
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static bool has_option(const tpp_command *c, const char *name)
{
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++)
        if (strcmp(o->name, name) == 0) return true;
    return false;
}

static tpp_status take_rest(const tpp_command *c, void *arguments, const char *text)
{
    if (c->rest == NULL && has_option(c, "input"))
        return TPP_FAIL(TPP_EUSAGE, "\"%.100s\" is no option; what to read stands after --input",
                        text);
    if (c->rest == NULL)
        return TPP_FAIL(TPP_EUSAGE, "\"%.100s\" is no option, and nothing else is taken", text);
    return add_item((tpp_list *)((char *)arguments + c->rest_offset), "arguments", text);
}

tpp_status tpp_options_parse(const tpp_command *c, void *arguments, bool *help, int argc,
                             char **argv)
{
    *help = wants_help(argc, argv);
    if (*help) return TPP_OK;
    bool only_rest = false;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i], *value = NULL;
        if (!only_rest && strcmp(text, "--") == 0) {
            only_rest = true;
            continue;
        }
        if (only_rest || text[0] != '-' || text[1] == '\0') {
            TPP_TRY(take_rest(c, arguments, text));
            continue;
        }
        const tpp_option *o =
            text[1] == '-' ? find_long(&value, c, text + 2) : find_short(&value, c, text + 1);
        if (o == NULL) return TPP_EUSAGE;
        if (value == NULL && o->type != TPP_OPTION_FLAG) {
            if (++i == argc)
                return TPP_FAIL(TPP_EUSAGE, "--%s wants %s after it", o->name, o->argument);
            value = argv[i];
        }
        TPP_TRY(take_value(o, arguments, value));
    }
    return TPP_OK;
}
