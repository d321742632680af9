/* tpp config: prints, checks and explains configurations.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/options.h"
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

static int dump(int argc, char **argv)
{
    const char *file = NULL;
    tpp_list sets = {0}, rest = {0};
    bool help = false;
    const tpp_option options[] = {
        {'c', "config", TPP_OPTION_TEXT, &file, "FILE", "configuration; default: preset paper", 0,
         0},
        {'s', "set", TPP_OPTION_LIST, &sets, "KEY=VALUE", "change a key", 0, 0},
    };
    const tpp_usage usage = {"tpp config dump", "[FILE] [--set KEY=VALUE ...]",
                             "Prints the resolved configuration: every key, presets applied.",
                             "  tpp config dump configs/r50.yaml --set infer.short=480\n", NULL};
    struct tpp_model_config config;
    tpp_str text = {0};
    tpp_status s = tpp_options_parse(&usage, options, TPP_COUNT(options), argc, argv, &rest, &help);
    if (s == TPP_OK && rest.count > 0) {
        if (file != NULL || rest.count > 1)
            s = TPP_FAIL(TPP_EUSAGE, "one configuration file is wanted");
        file = rest.item[0];
    }
    if (s != TPP_OK || help) return tpp_exit_with("config dump", s, true);
    s = tpp_model_config_read(&config, file, sets.item, (size_t)sets.count);
    if (s == TPP_OK) s = print_text(tpp_schema_dump(&tpp_model_schema, &config, &text), &text);
    return tpp_exit_with("config dump", s, true);
}

static int check(int argc, char **argv)
{
    tpp_list files = {0};
    bool help = false;
    int code = TPP_EXIT_OK;
    const tpp_usage usage = {"tpp config check", "FILE...",
                             "Checks configuration files: keys, types, ranges, and what must hold\n"
                             "between keys.",
                             "  tpp config check configs/tiny.yaml\n", NULL};
    tpp_status s = tpp_options_parse(&usage, NULL, 0, argc, argv, &files, &help);
    if (s == TPP_OK && !help && files.count == 0)
        s = TPP_FAIL(TPP_EUSAGE, "at least one file is wanted");
    if (s != TPP_OK || help) return tpp_exit_with("config check", s, true);
    for (int i = 0; i < files.count; i++) {
        struct tpp_model_config config;
        s = tpp_model_config_read(&config, files.item[i], NULL, 0);
        const int own = tpp_exit_with("config check", s, true);
        if (own == TPP_EXIT_OK)
            (void)printf("%s: ok\n", files.item[i]);
        else
            code = own;
    }
    return code;
}

static int explain(int argc, char **argv)
{
    bool help = false;
    const tpp_usage usage = {"tpp config help", "", "Explains every key.", NULL, NULL};
    tpp_str text = {0};
    tpp_status s = tpp_options_parse(&usage, NULL, 0, argc, argv, NULL, &help);
    if (s == TPP_OK && !help) s = print_text(tpp_schema_help(&tpp_model_schema, &text), &text);
    return tpp_exit_with("config help", s, true);
}

int tpp_cmd_config(int argc, char **argv)
{
    static const tpp_subcommand subs[] = {
        {"dump", "print the resolved configuration", dump},
        {"check", "check configuration files", check},
        {"help", "explain every key", explain},
    };
    return tpp_run_subcommand("config", subs, TPP_COUNT(subs), argc, argv);
}
