/* Command lines by table: one row per option is its parser, its check and its help.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_OPTIONS_H
#define TPP_CLI_OPTIONS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

enum { TPP_MAX_REPEATS = 256 };

/* Values of an option that may be given several times, or arguments without an option. */
typedef struct tpp_list {
    const char *item[TPP_MAX_REPEATS];
    int count;
} tpp_list;

/* "360x640" */
typedef struct tpp_size {
    int height, width;
} tpp_size;

typedef enum tpp_option_type {
    TPP_OPTION_FLAG, /* bool */
    TPP_OPTION_TEXT, /* const char * */
    TPP_OPTION_LIST, /* tpp_list */
    TPP_OPTION_INT,  /* int, from min to max */
    TPP_OPTION_REAL, /* double, from min to max */
    TPP_OPTION_SEED, /* uint64_t */
    TPP_OPTION_SIZE  /* tpp_size, sides from min to max */
} tpp_option_type;

typedef struct tpp_option {
    char letter;      /* of "-i"; 0: none */
    const char *name; /* of "--input" */
    tpp_option_type type;
    void *target;         /* of the type's C type; holds the default */
    const char *argument; /* what the help calls the value */
    const char *help;
    double min, max;
} tpp_option;

typedef struct tpp_usage {
    const char *command;  /* "tpp segment" */
    const char *synopsis; /* arguments in brief */
    const char *about;    /* one paragraph */
    const char *examples; /* lines, or NULL */
    const char *notes;    /* or NULL */
} tpp_usage;

/* Parses argv[1 ..]. `rest` takes what is no option; NULL: nothing may be left. Texts are borrowed
 * from argv. *help: --help was given, and printed to stdout; nothing else was looked at.
 * TPP_EUSAGE with the option's name. */
TPP_MUST_CHECK tpp_status tpp_options_parse(const tpp_usage *usage, const tpp_option *table, int n,
                                            int argc, char **argv, tpp_list *rest, bool *help);

void tpp_options_help(const tpp_usage *usage, const tpp_option *table, int n, FILE *to);

#define TPP_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
