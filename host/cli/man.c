/* The table of commands as a manual page, in the man macros that groff and mandoc share.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#ifndef TPP_DATE
#define TPP_DATE "2026-01-01"
#endif

#include <string.h>

/* Text that roff takes for what it is. */
static void put(FILE *to, const char *text)
{
    bool starts = true;
    for (const char *p = text; *p != '\0'; p++) {
        if (starts && (*p == '.' || *p == '\'')) (void)fputs("\\&", to);
        switch (*p) {
        case '\\':
            (void)fputs("\\e", to);
            break;
        case '-':
            (void)fputs("\\-", to);
            break;
        case '\'':
            (void)fputs("\\(aq", to);
            break;
        case '`':
            (void)fputs("\\(ga", to);
            break;
        case '~':
            (void)fputs("\\(ti", to);
            break;
        case '^':
            (void)fputs("\\(ha", to);
            break;
        default:
            (void)fputc(*p, to);
        }
        starts = *p == '\n';
    }
}

/* Lines that stay lines. */
static void put_lines(FILE *to, const char *text)
{
    (void)fputs(".PP\n.EX\n", to);
    put(to, text);
    (void)fputs(".EE\n", to);
}

/* Paragraphs, which end with an empty line. */
static void put_paragraphs(FILE *to, const char *text)
{
    const char *end = NULL;
    for (const char *p = text; *p != '\0'; p = end) {
        char line[256];
        end = strchr(p, '\n');
        const size_t n = end == NULL ? strlen(p) : (size_t)(end - p);
        end = p + n + (p[n] == '\n');
        (void)snprintf(line, sizeof(line), "%.*s", (int)n, p);
        if (n == 0 && *end == '\0') break;
        if (n == 0)
            (void)fputs(".PP", to);
        else
            put(to, line);
        (void)fputc('\n', to);
    }
}

static void put_option(FILE *to, const tpp_command *c, const tpp_option *o)
{
    char initial[120];
    (void)fputs(".TP\n", to);
    if (o->letter != 0) (void)fprintf(to, "\\fB\\-%c\\fR, ", o->letter);
    (void)fputs("\\fB\\-\\-", to);
    put(to, o->name);
    (void)fputs("\\fR", to);
    if (o->argument != NULL) {
        (void)fputs(" \\fI", to);
        put(to, o->argument);
        (void)fputs("\\fR", to);
    }
    (void)fputc('\n', to);
    put(to, o->help);
    if (o->type == TPP_OPTION_CHOICE)
        for (int i = 0; o->word(i) != NULL; i++) {
            (void)fputs(i == 0 ? " (one of " : ", ", to);
            put(to, o->word(i));
            if (o->word(i + 1) == NULL) (void)fputc(')', to);
        }
    if (tpp_option_default(c, o, initial, sizeof(initial))) {
        (void)fputc(' ', to);
        put(to, initial);
    }
    (void)fputc('\n', to);
}

static void put_command(void *context, const tpp_command *c, const char *path)
{
    FILE *to = context;
    if (c == &tpp_command_root) return;
    (void)fprintf(to, ".SS %s\n", path);
    (void)fprintf(to, ".B %s\n", path);
    put(to, c->synopsis);
    (void)fputs("\n.PP\n", to);
    put(to, c->about);
    (void)fputc('\n', to);
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) put_option(to, c, o);
    if (c->notes != NULL) {
        (void)fputs(".PP\n", to);
        put_paragraphs(to, c->notes);
    }
    if (c->examples != NULL) put_lines(to, c->examples);
}

static void put_facts(FILE *to, const char *title, const tpp_fact *facts)
{
    (void)fprintf(to, ".SH %s\n", title);
    for (; facts->name != NULL; facts++) {
        (void)fputs(".TP\n.B ", to);
        put(to, facts->name);
        (void)fputc('\n', to);
        put(to, facts->text);
        (void)fputc('\n', to);
    }
}

void tpp_print_man(FILE *to)
{
    const tpp_command *root = &tpp_command_root;
    (void)fprintf(to, ".\\\" Printed by \"tpp help --man\" from the table of commands.\n");
    (void)fprintf(to, ".TH TPP 1 %s \"tpp %s\" \"User Commands\"\n", TPP_DATE, tpp_cli_version());
    (void)fputs(".SH NAME\ntpp \\- ", to);
    put(to, root->help);
    (void)fputs("\n.SH SYNOPSIS\n.B tpp\n", to);
    put(to, root->synopsis);
    (void)fputs("\n.SH DESCRIPTION\n", to);
    put(to, root->about);
    (void)fputs("\n.PP\n", to);
    put_paragraphs(to, TPP_NOT_MEDICAL);
    (void)fputs(".SH OPTIONS\n", to);
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(root, i)) != NULL; i++) put_option(to, root, o);
    (void)fputs(".SH COMMANDS\n", to);
    tpp_command_walk(put_command, to);
    put_facts(to, "ENVIRONMENT", tpp_environment_facts);
    put_facts(to, "EXIT STATUS", tpp_exit_facts);
}
