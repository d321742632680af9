/* The program: finds the command and runs it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/str.h"

#include <jansson.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <yaml.h>
#include <zlib.h>

#ifndef TPP_VERSION
#define TPP_VERSION "unversioned"
#endif

typedef struct command {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} command;

#define ROW(name, help) {#name, help, tpp_cmd_##name},
static const command commands[] = {TPP_COMMAND_MAP(ROW)};
#undef ROW
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const char *tpp_cli_version(void)
{
    return TPP_VERSION;
}

int tpp_exit_code(tpp_status s, bool on_input)
{
    switch (s) {
    case TPP_OK:
        return TPP_EXIT_OK;
    case TPP_EUSAGE:
    case TPP_EFORMAT:
    case TPP_EUNSUPPORTED:
        return TPP_EXIT_USAGE;
    case TPP_EIO:
        return on_input ? TPP_EXIT_USAGE : TPP_EXIT_FAILED;
    case TPP_EDEVICE:
    case TPP_EOPENCL:
        return TPP_EXIT_DEVICE;
    case TPP_ENOMEM:
    case TPP_EDEVMEM:
        return TPP_EXIT_MEMORY;
    default:
        return TPP_EXIT_FAILED;
    }
}

int tpp_exit_with(const char *name, tpp_status s, bool on_input)
{
    if (s != TPP_OK) (void)fprintf(stderr, "tpp %s: %s\n", name, tpp_error());
    return tpp_exit_code(s, on_input);
}

tpp_status tpp_cli_device(tpp_device **out, const char *spec)
{
    return tpp_device_open(out, spec != NULL ? spec : getenv("TPP_DEVICE"));
}

static void print_help(FILE *to)
{
    (void)fprintf(to, "usage: tpp COMMAND [options]\n\n"
                      "Segments, in a sequence of medical images, the object that a few sentences "
                      "describe,\non any OpenCL device.\n\ncommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fprintf(to, "\n`tpp COMMAND --help` explains one; `tpp --version` tells what this is "
                      "made of.\n\n"
                      "environment: TPP_DEVICE (device if --device is not given), TPP_CACHE_DIR "
                      "(compiled kernels),\nTPP_LOG (error, warn, info, debug)\n\n"
                      "exit codes: 0 done, 1 failed, 2 wrong options or unusable input, 4 device, "
                      "5 out of memory\n\n" TPP_NOT_MEDICAL);
}

static void print_version(void)
{
    (void)printf("tpp %s\n", TPP_VERSION);
    (void)printf("OpenCL 1.2, CLBlast, libpng %s, zlib %s, libyaml %s, jansson %s, utf8proc %s\n",
                 png_get_libpng_ver(NULL), zlibVersion(), yaml_get_version_string(),
                 JANSSON_VERSION, utf8proc_version());
    (void)printf(TPP_NOT_MEDICAL);
}

static int no_such_command(const char *name)
{
    enum { NEAR_ENOUGH = 3 };
    const char *nearest = NULL;
    unsigned best = NEAR_ENOUGH + 1;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const unsigned d = strlen(name) > 60 ? best : tpp_str_distance(name, commands[i].name);
        if (d < best) {
            best = d;
            nearest = commands[i].name;
        }
    }
    if (nearest == NULL)
        (void)fprintf(stderr, "tpp: there is no command %.60s; tpp --help lists them\n", name);
    else
        (void)fprintf(stderr, "tpp: there is no command %.60s; did you mean %s?\n", name, nearest);
    return TPP_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return TPP_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return TPP_EXIT_OK;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        print_version();
        return TPP_EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0) return commands[i].run(argc - 1, argv + 1);
    return no_such_command(name);
}
