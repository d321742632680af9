/* The program: finds the command and runs it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/str.h"
#include "io/picture.h"
#include "io/video.h"

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

#define ROW(name, help) {#name, help, tpp_cmd_##name},
static const tpp_subcommand commands[] = {TPP_COMMAND_MAP(ROW)};
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
    for (int i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fprintf(to, "\n`tpp COMMAND --help` explains one; `tpp --version` tells what this is "
                      "made of.\n\n"
                      "environment: TPP_DEVICE (device if --device is not given), TPP_CACHE_DIR "
                      "(compiled kernels),\nTPP_LOG (error, warn, info, debug)\n\n"
                      "exit codes: 0 done, 1 failed, 2 wrong options or unusable input, 4 device, "
                      "5 out of memory\n\n" TPP_NOT_MEDICAL);
}

static void print_part(const char *what, const char *library)
{
    (void)printf("%s: %s\n", what, library != NULL ? library : "not built in");
}

static void print_version(void)
{
    (void)printf("tpp %s\n", TPP_VERSION);
    (void)printf("OpenCL 1.2, CLBlast, libpng %s, zlib %s, libyaml %s, jansson %s, utf8proc %s\n",
                 png_get_libpng_ver(NULL), zlibVersion(), yaml_get_version_string(),
                 JANSSON_VERSION, utf8proc_version());
    print_part("JPEG", tpp_jpeg_library());
    print_part("video", tpp_video_library());
    (void)printf(TPP_NOT_MEDICAL);
}

/* "segmnt: did you mean segment?" */
static int no_such_command(const char *before, const char *name, const tpp_subcommand *list, int n)
{
    enum { NEAR_ENOUGH = 3 };
    const char *nearest = NULL;
    unsigned best = NEAR_ENOUGH + 1;
    for (int i = 0; i < n; i++) {
        const unsigned d = strlen(name) > 60 ? best : tpp_str_distance(name, list[i].name);
        if (d < best) {
            best = d;
            nearest = list[i].name;
        }
    }
    (void)fprintf(stderr, "%s: there is no command \"%.60s\"; %s%s%s\n", before, name,
                  nearest != NULL ? "did you mean " : "--help lists them",
                  nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return TPP_EXIT_USAGE;
}

int tpp_run_subcommand(const char *name, const tpp_subcommand *subs, int n, int argc, char **argv)
{
    const bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    for (int i = 0; i < n && argc > 1 && !help; i++)
        if (strcmp(subs[i].name, argv[1]) == 0) return subs[i].run(argc - 1, argv + 1);
    if (argc > 1 && !help) {
        char before[40];
        (void)snprintf(before, sizeof(before), "tpp %s", name);
        return no_such_command(before, argv[1], subs, n);
    }
    FILE *to = help ? stdout : stderr;
    (void)fprintf(to, "usage: tpp %s COMMAND [options]\n\ncommands:\n", name);
    for (int i = 0; i < n; i++) (void)fprintf(to, "  %-10s %s\n", subs[i].name, subs[i].help);
    return help ? TPP_EXIT_OK : TPP_EXIT_USAGE;
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
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0) return commands[i].run(argc - 1, argv + 1);
    return no_such_command("tpp", name, commands, COMMAND_COUNT);
}
