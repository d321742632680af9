/* tpp config: prints, checks and explains configurations.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/config_json.h"
#include "cli/json.h"
#include "cli/words.h"
#include "config/model_config.h"
#include "core/str.h"

#include <stdio.h>

static tpp_status print_text(tpp_status s, tpp_str *text)
{
    if (s == TPP_OK) s = text->status;
    if (s == TPP_OK && text->text != NULL) (void)fputs(text->text, stdout);
    tpp_str_free(text);
    return s;
}

/* ---- dump ---- */

typedef struct dump_arguments {
    const char *file;
    tpp_list sets, rest;
    bool json;
} dump_arguments;
#define AT(member) offsetof(dump_arguments, member)

static const tpp_option dump_options[] = {
    {'c', "config", TPP_OPTION_TEXT, AT(file), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change a key",
     .word = tpp_config_word},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {0},
};
#undef AT

static int run_dump(void *arguments)
{
    dump_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_str text = {0};
    tpp_status s = TPP_OK;
    if (a->rest.count > 0) {
        if (a->file != NULL || a->rest.count > 1)
            s = TPP_FAIL(TPP_EUSAGE, "one configuration file is wanted");
        a->file = a->rest.item[0];
    }
    if (s == TPP_OK)
        s = tpp_model_config_read(&config, a->file, a->sets.item, (size_t)a->sets.count);
    if (s == TPP_OK && a->json)
        s = tpp_json_print(tpp_config_json(&config));
    else if (s == TPP_OK)
        s = print_text(tpp_schema_dump(&tpp_model_schema, &config, &text), &text);
    return tpp_exit_with("config dump", s, true);
}

static const tpp_command dump = {
    .name = "dump",
    .help = "print the resolved configuration",
    .synopsis = "[FILE] [--set KEY=VALUE ...]",
    .about = "Prints the resolved configuration: every key, presets applied.",
    .examples = "  tpp config dump configs/r50.yaml --set infer.short=480\n",
    .options = {dump_options},
    .rest = "FILE",
    .rest_offset = offsetof(dump_arguments, rest),
    .rest_completes = TPP_COMPLETE_FILE,
    .size = sizeof(dump_arguments),
    .run = run_dump};

/* ---- check ---- */

typedef struct check_arguments {
    tpp_list files;
    bool quiet, json;
} check_arguments;
#define AT(member) offsetof(check_arguments, member)

static const tpp_option check_options[] = {
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL,
     .help = "a list of files, each ok or with its error"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "errors only"},
    {0},
};

static int run_check(void *arguments)
{
    const check_arguments *a = arguments;
    int code = TPP_EXIT_OK;
    json_t *all = a->json ? json_array() : NULL;
    if (a->files.count == 0)
        code = tpp_exit_with("config check", TPP_FAIL(TPP_EUSAGE, "at least one file is wanted"),
                             true);
    for (int i = 0; i < a->files.count; i++) {
        struct tpp_model_config config;
        const tpp_status s = tpp_model_config_read(&config, a->files.item[i], NULL, 0);
        const int own = tpp_exit_with("config check", s, true);
        if (own != TPP_EXIT_OK) code = own;
        if (a->json)
            (void)json_array_append_new(
                all, json_pack("{s:o, s:b, s:o}", "file", tpp_json_text(a->files.item[i]), "ok",
                               s == TPP_OK, "error",
                               s == TPP_OK ? json_null() : tpp_json_text(tpp_error())));
        else if (own == TPP_EXIT_OK && !a->quiet)
            (void)printf("%s: ok\n", a->files.item[i]);
    }
    if (!a->json || a->files.count == 0) {
        json_decref(all);
        return code;
    }
    const int printed = tpp_exit_with("config check", tpp_json_print(all), false);
    return code != TPP_EXIT_OK ? code : printed;
}

static const tpp_command check = {
    .name = "check",
    .help = "check configuration files",
    .synopsis = "FILE... [--json]",
    .about = "Checks configuration files: keys, types, ranges, and what must hold between keys.",
    .examples = "  tpp config check configs/tiny.yaml\n",
    .options = {check_options},
    .rest = "FILE",
    .rest_offset = AT(files),
    .rest_completes = TPP_COMPLETE_FILE,
    .size = sizeof(check_arguments),
    .run = run_check};
#undef AT

/* ---- help ---- */

static int run_explain(void *arguments)
{
    (void)arguments;
    tpp_str text = {0};
    const tpp_status s = print_text(tpp_schema_help(&tpp_model_schema, &text), &text);
    return tpp_exit_with("config help", s, true);
}

static const tpp_command explain = {.name = "help",
                                    .help = "explain every key",
                                    .synopsis = "",
                                    .about = "Explains every key of a configuration, as Markdown.",
                                    .examples = "  tpp config help\n",
                                    .run = run_explain};

static const tpp_command *const members[] = {&dump, &check, &explain, NULL};
const tpp_command tpp_command_config = {
    .name = "config",
    .help = "show, check or explain configurations: dump, check, help",
    .synopsis = "COMMAND [options]",
    .about = "A configuration says what a model is made of and how it runs.",
    .commands = members};
