/* What the commands share: their list, exit codes, and the way a failure is shown.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_CLI_H
#define TPP_CLI_CLI_H

#include "cl/device.h"
#include "core/status.h"

#include <stdbool.h>

/* Exit codes (ecosystem.md 1.5); 3, "some cases failed", is kept for runs over many cases. */
enum {
    TPP_EXIT_OK = 0,
    TPP_EXIT_FAILED = 1, /* it ran and failed, or could not write its results */
    TPP_EXIT_USAGE = 2,  /* options or input that cannot be used */
    TPP_EXIT_DEVICE = 4,
    TPP_EXIT_MEMORY = 5
};

/* Every command: name, function suffix, one line of help. Called with argv[0] = its name. */
#define TPP_COMMAND_MAP(X)                                                            \
    X(segment, "segment a volume or a folder of pictures by sentences")               \
    X(devices, "list OpenCL devices")                                                 \
    X(weights, "make, look into, or check a model's weights: synth, inspect, verify") \
    X(config, "show, check or explain configurations: dump, check, help")             \
    X(plan, "print what will run: nodes, algorithms, memory")                         \
    X(bench, "measure speed, memory and transfers")                                   \
    X(selftest, "check this device against the references")

#define TPP_COMMAND_DECLARE(name, help) int tpp_cmd_##name(int argc, char **argv);
TPP_COMMAND_MAP(TPP_COMMAND_DECLARE)
#undef TPP_COMMAND_DECLARE

/* A command of a command: `tpp weights synth`. */
typedef struct tpp_subcommand {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} tpp_subcommand;
int tpp_run_subcommand(const char *command, const tpp_subcommand *subs, int n, int argc,
                       char **argv);

/* The exit code of a status; a file that cannot be read is the user's to mend (2) while input is
 * being opened, and a failure (1) once the run has begun. */
int tpp_exit_code(tpp_status s, bool on_input);

/* Prints tpp_error() for command `name` and returns the exit code; TPP_OK prints nothing. */
int tpp_exit_with(const char *name, tpp_status s, bool on_input);

/* Device `spec`, else what TPP_DEVICE names, else any. */
TPP_MUST_CHECK tpp_status tpp_cli_device(tpp_device **out, const char *spec);

/* "0.1.0" */
const char *tpp_cli_version(void);

/* Shown wherever results are. */
#define TPP_NOT_MEDICAL \
    "Research software. Not a medical device. Not for diagnosis or treatment decisions.\n"

#endif
