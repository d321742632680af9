/* What the commands share: their table, exit codes, and the way a failure is shown.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_CLI_H
#define TPP_CLI_CLI_H

#include "cl/device.h"
#include "cli/options.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit codes (ecosystem.md 1.5): name, number, meaning. Help and man page print the same rows. */
#define TPP_EXIT_MAP(X)                                                        \
    X(OK, 0, "done")                                                           \
    X(FAILED, 1, "it ran and failed, or its results could not be written")     \
    X(USAGE, 2, "options or input that cannot be used; nothing was run")       \
    X(SOME_FAILED, 3, "of several cases some failed; the others have results") \
    X(DEVICE, 4, "no usable OpenCL device, or the device was lost")            \
    X(MEMORY, 5, "memory ran out, of the machine or of the device")
#define TPP_EXIT_ENUM(name, code, text) TPP_EXIT_##name = (code),
enum { TPP_EXIT_MAP(TPP_EXIT_ENUM) TPP_EXIT_SIGNAL = 128 /* and the signal's number */ };
#undef TPP_EXIT_ENUM

/* Every command, in the order of help and man page: cmd_NAME.c has tpp_command_NAME. */
#define TPP_COMMAND_MAP(X) \
    X(segment)             \
    X(inspect)             \
    X(info)                \
    X(devices)             \
    X(selftest)            \
    X(doctor)              \
    X(plan)                \
    X(bench)               \
    X(tune)                \
    X(weights)             \
    X(config)              \
    X(clean_cache)         \
    X(help)
#define TPP_COMMAND_DECLARE(name) extern const tpp_command tpp_command_##name;
TPP_COMMAND_MAP(TPP_COMMAND_DECLARE)
#undef TPP_COMMAND_DECLARE

/* The one argument of the process that `tpp tune` runs candidates in. */
#define TPP_TUNE_COMMAND "tune-candidates"

/* The program itself: of `tpp` the group of all commands, of a program in bench/ its own. */
extern const tpp_command tpp_command_root;

/* "config dump" of words {"config", "dump"}; TPP_EUSAGE with the nearest. */
TPP_MUST_CHECK tpp_status tpp_command_find(const tpp_command **out, const char *const *words,
                                           int n);

/* Calls `visit` for the program and every command of it, groups before their members; `path` is
 * "tpp weights synth". */
typedef void tpp_command_visit(void *context, const tpp_command *c, const char *path);
void tpp_command_walk(tpp_command_visit *visit, void *context);

/* ---- what the table is printed as ---- */

void tpp_print_help(const tpp_command *c, const char *path, FILE *to);
void tpp_print_man(FILE *to);
void tpp_print_markdown(FILE *to);
/* `shell` is a word of tpp_shell_word. */
void tpp_print_completion(const char *shell, FILE *to);
const char *tpp_shell_word(int i);

/* ---- facts that several of them show ---- */

typedef struct tpp_fact {
    const char *name, *text;
} tpp_fact;
extern const tpp_fact tpp_exit_facts[];        /* ends with {0} */
extern const tpp_fact tpp_environment_facts[]; /* ends with {0} */

/* A library that the program is linked with. */
typedef struct tpp_library {
    const char *name, *licence, *purpose;
    char version[48]; /* "": it does not tell */
    bool is_built_in;
} tpp_library;
/* Library i, from 0; false past the last. */
bool tpp_library_at(tpp_library *out, int i);

/* "0.1.0" */
const char *tpp_cli_version(void);

/* The commit this program was built from, "1a2b3c4d5e6f" or "1a2b3c4d5e6f-dirty"; "": not known. */
extern const char tpp_commit[];

/* Shown wherever results are. */
#define TPP_NOT_MEDICAL \
    "Research software. Not a medical device. Not for diagnosis or treatment decisions.\n"

/* ---- failures ---- */

/* The exit code of a status; a file that cannot be read is the user's to mend (2) while input is
 * being opened, and a failure (1) once the run has begun. */
int tpp_exit_code(tpp_status s, bool on_input);

/* Prints tpp_error() for command `name` and returns the exit code; TPP_OK prints nothing. */
int tpp_exit_with(const char *name, tpp_status s, bool on_input);

/* Device `spec`, else what TPP_DEVICE names, else any; with the choices of the tuning file `tuning`
 * (tpp_tuning_use). */
TPP_MUST_CHECK tpp_status tpp_cli_device(tpp_device **out, const char *spec, const char *tuning);

/* The row of --tuning, for a const char * of the command's arguments. */
#define TPP_TUNING_ROW(offset_of_tuning)                               \
    {                                                                  \
        0, "tuning", TPP_OPTION_TEXT, (offset_of_tuning), "FILE|none", \
            .help = "choices that tpp tune wrote; none: the defaults", \
            .completes = TPP_COMPLETE_FILE                             \
    }

/* ---- the program's own files ---- */

/* A file or folder that comes with the program: `installed` below share/tpp, `in_tree` in its
 * source tree. Looked for in the tree around `beside` (a file of the user's in it, or NULL), in
 * TPP_HOME, around the program itself, where it was installed, and here. NULL: nowhere; the caller
 * frees. */
char *tpp_cli_data(const char *installed, const char *in_tree, const char *beside);

#endif
