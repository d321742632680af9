/* tpp help: explains a command; prints the whole table as manual page, completion or Markdown.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/str.h"

typedef struct help_arguments {
    tpp_list words;
    bool man, markdown;
    const char *shell;
} help_arguments;
#define AT(member) offsetof(help_arguments, member)

static const tpp_option options[] = {
    {0, "man", TPP_OPTION_FLAG, AT(man), NULL, .help = "the manual, as a roff page"},
    {0, "completion", TPP_OPTION_CHOICE, AT(shell), "SHELL", .help = "completion for a shell",
     .word = tpp_shell_word},
    {0, "markdown", TPP_OPTION_FLAG, AT(markdown), NULL, .help = "the list of commands, Markdown"},
    {0},
};

static const char *command_word(int i)
{
    int n = 0;
    while (tpp_command_root.commands[n] != NULL) n++;
    return i >= 0 && i < n ? tpp_command_root.commands[i]->name : NULL;
}

static tpp_status explain(const tpp_list *words)
{
    const tpp_command *c = NULL;
    tpp_str path = {0};
    TPP_TRY(tpp_command_find(&c, words->item, words->count));
    tpp_str_format(&path, "tpp");
    for (int i = 0; i < words->count; i++) tpp_str_format(&path, " %s", words->item[i]);
    const tpp_status s = path.status;
    if (s == TPP_OK) tpp_print_help(c, path.text, stdout);
    tpp_str_free(&path);
    return s;
}

static int run_help(void *arguments)
{
    const help_arguments *a = arguments;
    const int wanted = a->man + a->markdown + (a->shell != NULL) + (a->words.count > 0);
    tpp_status s = TPP_OK;
    if (wanted > 1)
        s = TPP_FAIL(TPP_EUSAGE, "one of a command, --man, --completion and --markdown is wanted");
    else if (a->man)
        tpp_print_man(stdout);
    else if (a->markdown)
        tpp_print_markdown(stdout);
    else if (a->shell != NULL)
        tpp_print_completion(a->shell, stdout);
    else
        s = explain(&a->words);
    return tpp_exit_with("help", s, true);
}

static const help_arguments defaults = {.man = false};
const tpp_command tpp_command_help = {
    .name = "help",
    .help = "explain a command; print manual and completion",
    .synopsis = "[COMMAND...] [--man | --completion SHELL | --markdown]",
    .about =
        "Without options: what `tpp COMMAND --help` prints. With one: the table of all commands\n"
        "in another form.",
    .examples = "  tpp help segment\n"
                "  tpp help --man | man -l -\n"
                "  source <(tpp help --completion bash)\n",
    .options = {options},
    .rest = "COMMAND",
    .rest_offset = AT(words),
    .rest_word = command_word,
    .defaults = &defaults,
    .size = sizeof(help_arguments),
    .run = run_help};
