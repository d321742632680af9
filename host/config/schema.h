/* Configuration as tables: one row per key is its parser, check, default, help and dump.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CONFIG_SCHEMA_H
#define TPP_CONFIG_SCHEMA_H

#include "config/settings.h"
#include "core/status.h"
#include "core/str.h"

#include <stddef.h>

/* What the struct member of a row is, in C. */
typedef enum tpp_field_type {
    TPP_FIELD_BOOL,   /* bool */
    TPP_FIELD_INT,    /* int */
    TPP_FIELD_FLOAT,  /* double */
    TPP_FIELD_ENUM,   /* int: index into `names` */
    TPP_FIELD_STRING, /* char[size], NUL-terminated */
    TPP_FIELD_INTS,   /* tpp_int_list: 1 to TPP_INT_LIST_MAX numbers */
    TPP_FIELD_FLOATS, /* double[size / sizeof(double)], all of them given */
    TPP_FIELD_TYPE_COUNT
} tpp_field_type;

#define TPP_INT_LIST_MAX 16
typedef struct tpp_int_list {
    int count;
    int value[TPP_INT_LIST_MAX];
} tpp_int_list;

typedef struct tpp_field {
    const char *key; /* "group.name"; rows of a group stand together */
    tpp_field_type type;
    size_t offset, size;      /* of the struct member */
    const char *initial;      /* default, as it would stand in a file */
    double min, max;          /* of each number */
    const char *const *names; /* of an enum, ends with NULL */
    const char *help;
} tpp_field;

/* A value that a preset gives a key, other than its default. */
typedef struct tpp_preset_row {
    const char *preset, *key, *value;
} tpp_preset_row;

typedef struct tpp_schema {
    const tpp_field *fields;
    size_t count;
    const char *preset_key; /* the key that names the preset, or NULL */
    const tpp_preset_row *presets;
    size_t preset_count;
} tpp_schema;

/* Fills `config` (a struct as the rows describe it): defaults, then the preset that `settings`
 * name last, then all other settings in order. TPP_EUSAGE with file, line, what was wanted and what
 * came; `config` is then untouched. `config_size` is its sizeof. `settings` may be NULL. */
TPP_MUST_CHECK tpp_status tpp_schema_apply(const tpp_schema *schema, void *config,
                                           size_t config_size, const tpp_settings *settings);

/* Sets one key of a filled struct; `where` begins the message of a failure ("--set", a file). */
TPP_MUST_CHECK tpp_status tpp_schema_set(const tpp_schema *schema, void *config, const char *key,
                                         const char *value, const char *where);

/* The resolved values as YAML that reads back to the same struct. */
TPP_MUST_CHECK tpp_status tpp_schema_dump(const tpp_schema *schema, const void *config,
                                          tpp_str *out);

/* All keys with type, default, range and meaning as a Markdown table, then what presets change. */
TPP_MUST_CHECK tpp_status tpp_schema_help(const tpp_schema *schema, tpp_str *out);

/* The row of `key`, or NULL. */
const tpp_field *tpp_schema_find(const tpp_schema *schema, const char *key);

#endif
