/* The program `tpp` as a command: the group of all of them.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <stdio.h>

typedef struct root_arguments {
    bool version;
} root_arguments;

static const tpp_option root_options[] = {
    {'V', "version", TPP_OPTION_FLAG, offsetof(root_arguments, version), NULL,
     .help = "version, libraries and their licences"},
    {0},
};

static void print_version(void)
{
    tpp_library l;
    (void)printf("tpp %s\n", tpp_cli_version());
    for (int i = 0; tpp_library_at(&l, i); i++)
        if (l.is_built_in)
            (void)printf("  %s%s%s (%s)\n", l.name, l.version[0] != '\0' ? " " : "", l.version,
                         l.licence);
    (void)printf(TPP_NOT_MEDICAL);
}

static int run_root(void *arguments)
{
    const root_arguments *a = arguments;
    if (a->version) {
        print_version();
        return TPP_EXIT_OK;
    }
    tpp_print_help(&tpp_command_root, "tpp", stderr);
    return TPP_EXIT_USAGE;
}

#define TPP_COMMAND_ROW(name) &tpp_command_##name,
static const tpp_command *const commands[] = {TPP_COMMAND_MAP(TPP_COMMAND_ROW) NULL};
#undef TPP_COMMAND_ROW

static const root_arguments root_defaults = {false};
const tpp_command tpp_command_root = {
    .name = "tpp",
    .help = "segment medical image sequences by sentences, on any OpenCL device",
    .synopsis = "COMMAND [options]",
    .about =
        "Segments, in a sequence of medical images, the object that a few sentences describe,\n"
        "on any OpenCL device.",
    .notes = "`tpp help COMMAND` explains a command, `tpp help --man` prints the manual.\n",
    .options = {root_options},
    .defaults = &root_defaults,
    .size = sizeof(root_arguments),
    .run = run_root,
    .commands = commands};
