/* Parses command lines by table, and prints the table as help.
 * SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "core/str.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static tpp_status parse_int(const tpp_option *o, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || (double)v < o->min || (double)v > o->max)
        return TPP_FAIL(TPP_EUSAGE, "--%s wants an integer from %.0f to %.0f, got \"%.60s\"",
                        o->name, o->min, o->max, text);
    *(int *)o->target = (int)v;
    return TPP_OK;
}

static tpp_status parse_real(const tpp_option *o, const char *text)
{
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !(v >= o->min && v <= o->max))
        return TPP_FAIL(TPP_EUSAGE, "--%s wants a number from %g to %g, got \"%.60s\"", o->name,
                        o->min, o->max, text);
    *(double *)o->target = v;
    return TPP_OK;
}

static tpp_status parse_seed(const tpp_option *o, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0')
        return TPP_FAIL(TPP_EUSAGE, "--%s wants an integer from 0, got \"%.60s\"", o->name, text);
    *(uint64_t *)o->target = v;
    return TPP_OK;
}

static tpp_status parse_size(const tpp_option *o, const char *text)
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
    *(tpp_size *)o->target = (tpp_size){(int)h, (int)w};
    return TPP_OK;
}

static tpp_status add_item(tpp_list *list, const char *what, const char *text)
{
    if (list->count == TPP_MAX_REPEATS)
        return TPP_FAIL(TPP_EUSAGE, "%s: given more than %d times", what, (int)TPP_MAX_REPEATS);
    list->item[list->count++] = text;
    return TPP_OK;
}

static tpp_status take_value(const tpp_option *o, const char *text)
{
    switch (o->type) {
    case TPP_OPTION_FLAG:
        *(bool *)o->target = true;
        return TPP_OK;
    case TPP_OPTION_TEXT:
        *(const char **)o->target = text;
        return TPP_OK;
    case TPP_OPTION_LIST:
        return add_item(o->target, o->name, text);
    case TPP_OPTION_INT:
        return parse_int(o, text);
    case TPP_OPTION_REAL:
        return parse_real(o, text);
    case TPP_OPTION_SEED:
        return parse_seed(o, text);
    default:
        return parse_size(o, text);
    }
}

/* ---- names ---- */

static void no_such_option(const tpp_option *table, int n, const char *name)
{
    enum { NEAR_ENOUGH = 3 };
    const char *nearest = NULL;
    unsigned best = NEAR_ENOUGH + 1;
    for (int i = 0; i < n; i++) {
        const unsigned d = strlen(name) > 60 ? best : tpp_str_distance(name, table[i].name);
        if (d < best) {
            best = d;
            nearest = table[i].name;
        }
    }
    if (nearest == NULL)
        (void)TPP_FAIL(TPP_EUSAGE, "there is no option --%.60s; --help lists them", name);
    else
        (void)TPP_FAIL(TPP_EUSAGE, "there is no option --%.60s; did you mean --%s?", name, nearest);
}

/* "--name", "--name=value". NULL: TPP_EUSAGE. */
static const tpp_option *find_long(const char **value, const tpp_option *table, int n,
                                   const char *text)
{
    char name[64];
    const char *equals = strchr(text, '=');
    const size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), text);
    for (int i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        *value = equals == NULL ? NULL : equals + 1;
        if (equals == NULL || table[i].type != TPP_OPTION_FLAG) return &table[i];
        (void)TPP_FAIL(TPP_EUSAGE, "--%s takes no value", name);
        return NULL;
    }
    no_such_option(table, n, name);
    return NULL;
}

/* "-i", "-iVALUE". NULL: TPP_EUSAGE. */
static const tpp_option *find_short(const char **value, const tpp_option *table, int n,
                                    const char *text)
{
    for (int i = 0; i < n; i++) {
        if (table[i].letter == 0 || table[i].letter != text[0]) continue;
        *value = text[1] == '\0' ? NULL : text + 1;
        if (text[1] == '\0' || table[i].type != TPP_OPTION_FLAG) return &table[i];
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

static tpp_status take_rest(tpp_list *rest, const char *text)
{
    if (rest == NULL)
        return TPP_FAIL(TPP_EUSAGE, "\"%.100s\" is no option, and nothing else is taken", text);
    return add_item(rest, "arguments", text);
}

tpp_status tpp_options_parse(const tpp_usage *usage, const tpp_option *table, int n, int argc,
                             char **argv, tpp_list *rest, bool *help)
{
    *help = wants_help(argc, argv);
    if (*help) {
        tpp_options_help(usage, table, n, stdout);
        return TPP_OK;
    }
    bool only_rest = false;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i], *value = NULL;
        if (!only_rest && strcmp(text, "--") == 0) {
            only_rest = true;
            continue;
        }
        if (only_rest || text[0] != '-' || text[1] == '\0') {
            TPP_TRY(take_rest(rest, text));
            continue;
        }
        const tpp_option *o = text[1] == '-' ? find_long(&value, table, n, text + 2)
                                             : find_short(&value, table, n, text + 1);
        if (o == NULL) return TPP_EUSAGE;
        if (value == NULL && o->type != TPP_OPTION_FLAG) {
            if (++i == argc)
                return TPP_FAIL(TPP_EUSAGE, "--%s wants %s after it", o->name, o->argument);
            value = argv[i];
        }
        TPP_TRY(take_value(o, value));
    }
    return TPP_OK;
}

/* ---- help ---- */

static void print_default(const tpp_option *o, FILE *to)
{
    if (o->type == TPP_OPTION_INT) (void)fprintf(to, " [%d]", *(const int *)o->target);
    if (o->type == TPP_OPTION_SEED)
        (void)fprintf(to, " [%" PRIu64 "]", *(const uint64_t *)o->target);
    if (o->type == TPP_OPTION_TEXT && *(const char *const *)o->target != NULL)
        (void)fprintf(to, " [%s]", *(const char *const *)o->target);
}

static void print_option(const tpp_option *o, FILE *to)
{
    enum { HELP_COLUMN = 30 };
    char left[80];
    (void)snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter != 0 ? '-' : ' ',
                   o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "," : " ", o->name,
                   o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "");
    if (strlen(left) < HELP_COLUMN)
        (void)fprintf(to, "%-*s%s", HELP_COLUMN, left, o->help);
    else
        (void)fprintf(to, "%s\n%*s%s", left, HELP_COLUMN, "", o->help);
    print_default(o, to);
    (void)fputc('\n', to);
}

void tpp_options_help(const tpp_usage *usage, const tpp_option *table, int n, FILE *to)
{
    (void)fprintf(to, "usage: %s %s\n\n%s\n", usage->command, usage->synopsis, usage->about);
    (void)fprintf(to, "\noptions:\n");
    for (int i = 0; i < n; i++) print_option(&table[i], to);
    (void)fprintf(to, "  -h, --help                  this text\n");
    if (usage->examples != NULL) (void)fprintf(to, "\nexamples:\n%s", usage->examples);
    if (usage->notes != NULL) (void)fprintf(to, "\n%s", usage->notes);
}
