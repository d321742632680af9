/* Running a program: finds the command, parses its arguments by its table, and runs it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/mem.h"
#include "infer/tune.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 80 };

/* "weights synth" of "tpp weights synth"; "tpp" alone stays. */
static const char *short_path(const char *path)
{
    return strncmp(path, "tpp ", 4) == 0 ? path + 4 : path;
}

static int parse_and_run(const tpp_command *c, const char *path, int argc, char **argv)
{
    bool help = false;
    void *arguments = tpp_calloc(1, c->size > 0 ? c->size : 1);
    if (arguments == NULL) return tpp_exit_with(short_path(path), TPP_ENOMEM, true);
    if (c->defaults != NULL) memcpy(arguments, c->defaults, c->size);
    const tpp_status s = tpp_options_parse(c, arguments, &help, argc, argv);
    int code = TPP_EXIT_OK;
    if (s != TPP_OK) {
        code = tpp_exit_with(short_path(path), s, true);
    } else if (help) {
        tpp_print_help(c, path, stdout);
    } else if (c->run != NULL) {
        code = c->run(arguments);
    } else {
        tpp_print_help(c, path, stderr); /* a group without the name of a member */
        code = TPP_EXIT_USAGE;
    }
    tpp_free(arguments);
    return code;
}

static tpp_status find_member(const tpp_command **out, const tpp_command *c, const char *name)
{
    enum { MOST = 32 };
    const char *names[MOST];
    int n = 0;
    for (; n < MOST && c->commands != NULL && c->commands[n] != NULL; n++) {
        names[n] = c->commands[n]->name;
        if (strcmp(names[n], name) != 0) continue;
        *out = c->commands[n];
        return TPP_OK;
    }
    const char *nearest = tpp_nearest(name, names, n);
    if (nearest == NULL)
        return TPP_FAIL(TPP_EUSAGE, "there is no command \"%.60s\"; --help lists them", name);
    return TPP_FAIL(TPP_EUSAGE, "there is no command \"%.60s\"; did you mean %s?", name, nearest);
}

tpp_status tpp_command_find(const tpp_command **out, const char *const *words, int n)
{
    const tpp_command *c = &tpp_command_root;
    for (int i = 0; i < n; i++) TPP_TRY(find_member(&c, c, words[i]));
    *out = c;
    return TPP_OK;
}

static int run(const tpp_command *c, const char *path, int argc, char **argv)
{
    const tpp_command *member = NULL;
    if (c->commands == NULL || argc < 2 || argv[1][0] == '-')
        return parse_and_run(c, path, argc, argv);
    const tpp_status s = find_member(&member, c, argv[1]);
    if (s != TPP_OK || member == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, tpp_error());
        return tpp_exit_code(s, true);
    }
    char longer[PATH_SIZE];
    (void)snprintf(longer, sizeof(longer), "%.40s %.38s", path, member->name);
    return run(member, longer, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    /* What `tpp tune` runs candidates in: not for people, so no row of the table. */
    if (argc == 2 && strcmp(argv[1], TPP_TUNE_COMMAND) == 0) return tpp_tune_serve(NULL);
    return run(&tpp_command_root, tpp_command_root.name, argc, argv);
}

/* ---- all commands ---- */

static void walk(const tpp_command *c, const char *path, tpp_command_visit *visit, void *context)
{
    visit(context, c, path);
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++) {
        char longer[PATH_SIZE];
        (void)snprintf(longer, sizeof(longer), "%.40s %.38s", path, c->commands[i]->name);
        walk(c->commands[i], longer, visit, context);
    }
}

void tpp_command_walk(tpp_command_visit *visit, void *context)
{
    walk(&tpp_command_root, tpp_command_root.name, visit, context);
}
