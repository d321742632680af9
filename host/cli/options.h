/* Command lines by table. One row per option is its parser, its check, its help, its paragraph of
 * the man page and what a shell completes; a row says where in the command's arguments struct its
 * value goes, so tables are constants.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_OPTIONS_H
#define TPP_CLI_OPTIONS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
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

/* Values of an option that takes several, "A,B" or given again; the first that is given takes the
 * place of the defaults. Texts are copies. */
enum { TPP_MAX_SEVERAL = 24, TPP_MAX_SEVERAL_TEXT = 512 };
typedef struct tpp_several {
    int count;
    bool given;
    union {
        char text[TPP_MAX_SEVERAL][TPP_MAX_SEVERAL_TEXT];
        int number[TPP_MAX_SEVERAL];
        tpp_size size[TPP_MAX_SEVERAL];
    } item;
} tpp_several;

typedef enum tpp_option_type {
    TPP_OPTION_FLAG,   /* bool */
    TPP_OPTION_TEXT,   /* const char * */
    TPP_OPTION_CHOICE, /* const char *, one of the row's words */
    TPP_OPTION_LIST,   /* tpp_list */
    TPP_OPTION_INT,    /* int, from min to max */
    TPP_OPTION_REAL,   /* double, from min to max */
    TPP_OPTION_SEED,   /* uint64_t */
    TPP_OPTION_SIZE    /* tpp_size, sides from min to max */
} tpp_option_type;

/* What a shell offers for a value, beside the row's words. */
typedef enum tpp_completion {
    TPP_COMPLETE_WORDS, /* nothing else */
    TPP_COMPLETE_FILE,
    TPP_COMPLETE_FOLDER,
    TPP_COMPLETE_STRUCTURE /* of the prompt library, asked for when the key is pressed */
} tpp_completion;

/* Word i, from 0; NULL past the last. */
typedef const char *tpp_word(int i);

/* A table of rows ends with a row of zeros. */
typedef struct tpp_option {
    char letter;      /* of "-i"; 0: none */
    const char *name; /* of "--input" */
    tpp_option_type type;
    size_t offset;        /* of a member of the arguments struct with the type's C type */
    const char *argument; /* what the help calls the value; NULL of a flag */
    const char *help;
    double min, max;
    tpp_word *word; /* of a choice: all it may be; else what is offered; or NULL */
    tpp_completion completes;
    bool several; /* of TEXT, CHOICE, INT or SIZE: the member is a tpp_several of those */
} tpp_option;

enum { TPP_OPTION_TABLES = 3 };

/* A command, or with `commands` a group of them. What is not there is NULL. */
typedef struct tpp_command tpp_command;
struct tpp_command {
    const char *name;     /* "segment" */
    const char *help;     /* one line */
    const char *synopsis; /* arguments in brief */
    const char *about;    /* one paragraph */
    const char *examples; /* lines */
    const char *notes;
    const tpp_option *options[TPP_OPTION_TABLES];
    /* arguments without an option go into a tpp_list at this offset */
    const char *rest; /* what the help calls one; NULL: none are taken */
    size_t rest_offset;
    tpp_word *rest_word;
    tpp_completion rest_completes;
    const void *defaults;               /* the arguments struct before anything is parsed */
    size_t size;                        /* of it */
    int (*run)(void *arguments);        /* returns the exit code */
    const tpp_command *const *commands; /* ends with NULL */
};

/* Row i of all tables of a command, from 0, the last one --help; NULL past it. */
const tpp_option *tpp_option_at(const tpp_command *c, int i);

/* Parses argv[1 ..] into `arguments`, a copy of the defaults. Texts are borrowed from argv. *help:
 * --help was given, and nothing else was looked at. TPP_EUSAGE with the option's name. */
TPP_MUST_CHECK tpp_status tpp_options_parse(const tpp_command *c, void *arguments, bool *help,
                                            int argc, char **argv);

/* "[360x640]" into `out`; false: there is no default, or one outside the range, which means none.
 */
bool tpp_option_default(const tpp_command *c, const tpp_option *o, char *out, size_t size);

/* The word that is nearest to `name`, or NULL when none is near. */
const char *tpp_nearest(const char *name, const char *const *words, int n);

#define TPP_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
