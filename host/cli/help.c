/* The table of commands as help on a terminal, and as Markdown for README.md.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/str.h"

#include <string.h>

enum { HELP_COLUMN = 30, NAME_COLUMN = 12, LAST_COLUMN = 100 };

/* Words of `text` from HELP_COLUMN on, in as many lines as they need. */
static void print_wrapped(const char *text, FILE *to)
{
    size_t column = HELP_COLUMN;
    for (const char *p = text; *p != '\0';) {
        const size_t n = strcspn(p, " "), gap = column > HELP_COLUMN;
        if (gap && column + gap + n > LAST_COLUMN) {
            (void)fprintf(to, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (gap) {
            (void)fputc(' ', to);
            column++;
        }
        (void)fprintf(to, "%.*s", (int)n, p);
        column += n;
        p += n + (p[n] == ' ');
    }
    (void)fputc('\n', to);
}

static void print_option(const tpp_command *c, const tpp_option *o, FILE *to)
{
    char left[80], initial[120];
    tpp_str text = {0};
    (void)snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter != 0 ? '-' : ' ',
                   o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "," : " ", o->name,
                   o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "");
    if (strlen(left) < HELP_COLUMN)
        (void)fprintf(to, "%-*s", HELP_COLUMN, left);
    else
        (void)fprintf(to, "%s\n%*s", left, HELP_COLUMN, "");
    tpp_str_format(&text, "%s", o->help);
    if (o->type == TPP_OPTION_CHOICE)
        for (int i = 0; o->word(i) != NULL; i++)
            tpp_str_format(&text, "%s%s%s", i == 0 ? " (one of " : ", ", o->word(i),
                           o->word(i + 1) == NULL ? ")" : "");
    if (tpp_option_default(c, o, initial, sizeof(initial))) tpp_str_format(&text, " %s", initial);
    print_wrapped(text.text != NULL ? text.text : o->help, to);
    tpp_str_free(&text);
}

static void print_facts(const char *title, const tpp_fact *facts, FILE *to)
{
    (void)fprintf(to, "\n%s:\n", title);
    for (; facts->name != NULL; facts++)
        (void)fprintf(to, "  %-*s%s\n", HELP_COLUMN - 8, facts->name, facts->text);
}

void tpp_print_help(const tpp_command *c, const char *path, FILE *to)
{
    (void)fprintf(to, "usage: %s%s%s\n\n%s\n", path, c->synopsis[0] != '\0' ? " " : "", c->synopsis,
                  c->about);
    if (c->commands != NULL) (void)fprintf(to, "\ncommands:\n");
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++)
        (void)fprintf(to, "  %-*s %s\n", NAME_COLUMN, c->commands[i]->name, c->commands[i]->help);
    (void)fprintf(to, "\noptions:\n");
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) print_option(c, o, to);
    if (c->examples != NULL) (void)fprintf(to, "\nexamples:\n%s", c->examples);
    if (c == &tpp_command_root) {
        print_facts("environment", tpp_environment_facts, to);
        print_facts("exit codes", tpp_exit_facts, to);
    }
    if (c->notes != NULL) (void)fprintf(to, "\n%s", c->notes);
    if (c == &tpp_command_root) (void)fputs("\n" TPP_NOT_MEDICAL, to);
}

/* ---- Markdown ---- */

static void print_row(void *context, const tpp_command *c, const char *path)
{
    if (c->commands != NULL) return; /* groups are not run */
    FILE *to = context;
    (void)fprintf(to, "| `%s%s", path, c->synopsis[0] != '\0' ? " " : "");
    for (const char *p = c->synopsis; *p != '\0'; p++)
        (void)fprintf(to, "%s%c", *p == '|' ? "\\" : "", *p); /* cells end at a bare one */
    (void)fprintf(to, "` | %s |\n", c->help);
}

void tpp_print_markdown(FILE *to)
{
    (void)fprintf(to, "| command | what it does |\n|---|---|\n");
    tpp_command_walk(print_row, to);
}
