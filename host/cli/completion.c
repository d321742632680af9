/* The table of commands as completion for bash, zsh and fish.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <string.h>

const char *tpp_shell_word(int i)
{
    static const char *const words[] = {"bash", "zsh", "fish"};
    return i >= 0 && i < TPP_COUNT(words) ? words[i] : NULL;
}

#define STRUCTURES "tpp info --names 2>/dev/null"

/* Words with spaces between; keys of settings end in '='. */
static void put_words(FILE *to, tpp_word *word)
{
    for (int i = 0; word != NULL && word(i) != NULL; i++)
        (void)fprintf(to, "%s%s", i == 0 ? "" : " ", word(i));
}

static void put_members(FILE *to, const tpp_command *c)
{
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++)
        (void)fprintf(to, "%s%s", i == 0 ? "" : " ", c->commands[i]->name);
}

/* Within single quotes; `special` are letters that get a backslash. */
static void put_quoted(FILE *to, const char *text, const char *quote, const char *special)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p == '\'')
            (void)fputs(quote, to);
        else if (*p == '\n')
            (void)fputc(' ', to);
        else
            (void)fprintf(to, "%s%c", strchr(special, *p) != NULL ? "\\" : "", *p);
}

/* ---- bash ---- */

static const char *bash_kind(tpp_completion c)
{
    static const char *const kinds[] = {"words", "file", "folder", "structure"};
    return kinds[c];
}

static void bash_path(void *context, const tpp_command *c, const char *path)
{
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++)
        (void)fprintf(context, "        '%s %s') command='%s %s' ;;\n", path, c->commands[i]->name,
                      path, c->commands[i]->name);
}

/* What comes after an option that takes a value. */
static void bash_values(void *context, const tpp_command *c, const char *path)
{
    FILE *to = context;
    const tpp_option *o = NULL;
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) {
        if (o->type == TPP_OPTION_FLAG) continue;
        (void)fprintf(to, "    '%s --%s'", path, o->name);
        if (o->letter != 0) (void)fprintf(to, " | '%s -%c'", path, o->letter);
        (void)fprintf(to, ") kind=%s words='", bash_kind(o->completes));
        put_words(to, o->word);
        (void)fputs("' ;;\n", to);
    }
}

static void bash_options(void *context, const tpp_command *c, const char *path)
{
    FILE *to = context;
    const tpp_option *o = NULL;
    (void)fprintf(to, "        '%s') options='", path);
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++)
        (void)fprintf(to, "%s--%s", i == 0 ? "" : " ", o->name);
    (void)fprintf(to, "' kind=%s words='", bash_kind(c->rest_completes));
    put_members(to, c);
    put_words(to, c->rest_word);
    (void)fputs("' ;;\n", to);
}

static void print_bash(FILE *to)
{
    (void)fputs("# bash completion for tpp; printed by \"tpp help --completion bash\"\n"
                "_tpp() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local command=tpp kind= words= options= i\n"
                "    COMPREPLY=()\n"
                "    # \"--name=value\" comes as three words\n"
                "    if [[ $cur == '=' ]]; then cur=\n"
                "    elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
                "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                "        case \"$command ${COMP_WORDS[i]}\" in\n",
                to);
    tpp_command_walk(bash_path, to);
    (void)fputs("        esac\n    done\n    case \"$command $prev\" in\n", to);
    tpp_command_walk(bash_values, to);
    (void)fputs("    esac\n    if [[ -z $kind ]]; then\n        case $command in\n", to);
    tpp_command_walk(bash_options, to);
    (void)fputs("        esac\n"
                "        if [[ $cur == -* || $kind$words == words ]]; then\n"
                "            kind=words words=$options\n"
                "        fi\n"
                "    fi\n"
                "    case $kind in\n"
                "    file) mapfile -t COMPREPLY < <(compgen -W \"$words\" -f -- \"$cur\") ;;\n"
                "    folder) mapfile -t COMPREPLY < <(compgen -W \"$words\" -d -- \"$cur\") ;;\n"
                "    structure) mapfile -t COMPREPLY < <(compgen -W \"$(" STRUCTURES
                ")\" -- \"$cur\") ;;\n"
                "    *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
                "    esac\n"
                "    if [[ $kind == file || $kind == folder ]]; then\n"
                "        compopt -o filenames 2>/dev/null\n"
                "    elif [[ ${COMPREPLY[0]-} == *= ]]; then\n"
                "        compopt -o nospace 2>/dev/null\n"
                "    fi\n"
                "    return 0\n"
                "}\n"
                "complete -F _tpp tpp\n",
                to);
}

/* ---- zsh ---- */

static void zsh_action(FILE *to, tpp_completion completes, tpp_word *word)
{
    if (completes == TPP_COMPLETE_FILE) {
        (void)fputs("_files", to);
    } else if (completes == TPP_COMPLETE_FOLDER) {
        (void)fputs("_files -/", to);
    } else if (completes == TPP_COMPLETE_STRUCTURE) {
        (void)fputs("{compadd -- ${(f)\"$(" STRUCTURES ")\"}}", to);
    } else if (word != NULL && word(0) != NULL && word(0)[strlen(word(0)) - 1] == '=') {
        (void)fputs("{compadd -S \"\" -- ", to);
        put_words(to, word);
        (void)fputs("}", to);
    } else if (word != NULL) {
        (void)fputc('(', to);
        put_words(to, word);
        (void)fputc(')', to);
    } else {
        (void)fputc(' ', to);
    }
}

static void zsh_option(FILE *to, const tpp_option *o)
{
    const bool repeats = o->type == TPP_OPTION_LIST || o->several;
    (void)fputs(" \\\n        ", to);
    if (o->letter != 0)
        (void)fprintf(to, "%s{-%c,--%s}'[", repeats ? "'*'" : "", o->letter, o->name);
    else
        (void)fprintf(to, "'%s--%s[", repeats ? "*" : "", o->name);
    put_quoted(to, o->help, "'\\''", "[]\\:");
    (void)fputc(']', to);
    if (o->type != TPP_OPTION_FLAG) {
        (void)fprintf(to, ":%s:", o->type == TPP_OPTION_LIST ? "value" : o->name);
        zsh_action(to, o->completes, o->word);
    }
    (void)fputc('\'', to);
}

/* "tpp weights", "synth" -> "_tpp_weights_synth"; `member` may be NULL. */
static void zsh_function(FILE *to, const char *path, const char *member)
{
    (void)fputc('_', to);
    for (; *path != '\0'; path++) (void)fputc(*path == ' ' || *path == '-' ? '_' : *path, to);
    if (member != NULL) zsh_function(to, member, NULL);
}

static void zsh_group(FILE *to, const tpp_command *c, const char *path)
{
    (void)fputs("    if ((CURRENT > 2)); then\n        case $words[2] in\n", to);
    for (int i = 0; c->commands[i] != NULL; i++) {
        (void)fprintf(to, "        %s) shift words; ((CURRENT--)); ", c->commands[i]->name);
        zsh_function(to, path, c->commands[i]->name);
        (void)fputs("; return ;;\n", to);
    }
    (void)fputs("        esac\n    fi\n    local -a commands=(\n", to);
    for (int i = 0; c->commands[i] != NULL; i++) {
        (void)fprintf(to, "        '%s:", c->commands[i]->name);
        put_quoted(to, c->commands[i]->help, "'\\''", "\\:");
        (void)fputs("'\n", to);
    }
    (void)fputs("    )\n    _describe command commands\n", to);
}

static void zsh_command(void *context, const tpp_command *c, const char *path)
{
    FILE *to = context;
    const tpp_option *o = NULL;
    zsh_function(to, path, NULL);
    (void)fputs("() {\n", to);
    if (c->commands != NULL) zsh_group(to, c, path);
    (void)fputs("    _arguments -s", to);
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) zsh_option(to, o);
    if (c->rest != NULL) {
        (void)fprintf(to, " \\\n        '*:%s:", c->rest);
        zsh_action(to, c->rest_completes, c->rest_word);
        (void)fputc('\'', to);
    }
    (void)fputs("\n}\n\n", to);
}

static void print_zsh(FILE *to)
{
    (void)fputs("#compdef tpp\n# printed by \"tpp help --completion zsh\"\n\n", to);
    tpp_command_walk(zsh_command, to);
    (void)fputs("if [ \"$funcstack[1]\" = _tpp ]; then\n    _tpp \"$@\"\nelse\n    compdef _tpp "
                "tpp\nfi\n",
                to);
}

/* ---- fish ---- */

static void fish_path(void *context, const tpp_command *c, const char *path)
{
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++)
        (void)fprintf(context, "            case '%s %s'\n                set at '%s %s'\n", path,
                      c->commands[i]->name, path, c->commands[i]->name);
}

static void fish_help(FILE *to, const char *help)
{
    (void)fputs(" -d '", to);
    put_quoted(to, help, "\\'", "\\");
    (void)fputc('\'', to);
}

static void fish_value(FILE *to, tpp_completion completes, tpp_word *word)
{
    if (completes == TPP_COMPLETE_FILE) {
        (void)fputs(" -F", to);
    } else if (completes == TPP_COMPLETE_FOLDER) {
        (void)fputs(" -a '(__fish_complete_directories)'", to);
    } else if (completes == TPP_COMPLETE_STRUCTURE) {
        (void)fputs(" -a '(" STRUCTURES ")'", to);
    } else if (word != NULL) {
        (void)fputs(" -a '", to);
        put_words(to, word);
        (void)fputc('\'', to);
    }
}

static void fish_command(void *context, const tpp_command *c, const char *path)
{
    FILE *to = context;
    const tpp_option *o = NULL;
    for (int i = 0; c->commands != NULL && c->commands[i] != NULL; i++) {
        (void)fprintf(to, "complete -c tpp -n '__tpp_at %s' -a %s", path, c->commands[i]->name);
        fish_help(to, c->commands[i]->help);
        (void)fputc('\n', to);
    }
    for (int i = 0; (o = tpp_option_at(c, i)) != NULL; i++) {
        (void)fprintf(to, "complete -c tpp -n '__tpp_at %s'", path);
        if (o->letter != 0) (void)fprintf(to, " -s %c", o->letter);
        (void)fprintf(to, " -l %s", o->name);
        if (o->type != TPP_OPTION_FLAG) {
            (void)fputs(o->completes == TPP_COMPLETE_FILE ? " -r" : " -x", to);
            fish_value(to, o->completes, o->word);
        }
        fish_help(to, o->help);
        (void)fputc('\n', to);
    }
    if (c->rest == NULL) return;
    (void)fprintf(to, "complete -c tpp -n '__tpp_at %s'", path);
    fish_value(to, c->rest_completes, c->rest_word);
    (void)fputc('\n', to);
}

static void print_fish(FILE *to)
{
    (void)fputs("# fish completion for tpp; printed by \"tpp help --completion fish\"\n"
                "function __tpp_at\n"
                "    set -l words (commandline -opc)\n"
                "    set -l at tpp\n"
                "    for word in $words[2..-1]\n"
                "        switch \"$at $word\"\n",
                to);
    tpp_command_walk(fish_path, to);
    (void)fputs("        end\n    end\n    test \"$at\" = \"$argv\"\nend\n"
                "complete -c tpp -f\n",
                to);
    tpp_command_walk(fish_command, to);
}

void tpp_print_completion(const char *shell, FILE *to)
{
    if (strcmp(shell, "zsh") == 0)
        print_zsh(to);
    else if (strcmp(shell, "fish") == 0)
        print_fish(to);
    else
        print_bash(to);
}
