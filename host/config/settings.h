/* Settings before anyone knows what they mean: dotted keys and values from YAML files and from
 * key=value overrides, each with the place it came from.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CONFIG_SETTINGS_H
#define TPP_CONFIG_SETTINGS_H

#include "core/status.h"
#include "core/table.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct tpp_setting {
    char *key;    /* "group.name" */
    char **value; /* one scalar, or the items of a sequence */
    size_t count;
    bool is_list, is_quoted; /* quoted: a string even if it looks like a number */
    char *source;            /* file name, or "--set" */
    int line;                /* from 1; 0: no lines there */
} tpp_setting;

/* Zero-initialise; free in any state. */
typedef struct tpp_settings {
    tpp_setting *items;
    size_t count, capacity;
} tpp_settings;

/* Appends what a YAML file holds: nested mappings give dotted keys. TPP_EIO when it cannot be read
 * or is longer than 1 MiB; TPP_EFORMAT, with file and line, on broken YAML, a key given twice,
 * anchors, aliases, tags, several documents, deep nesting. On failure nothing is appended. */
TPP_MUST_CHECK tpp_status tpp_settings_read(tpp_settings *s, const char *path);

/* The same from memory; `name` stands for the file in messages. */
TPP_MUST_CHECK tpp_status tpp_settings_parse(tpp_settings *s, const char *text, size_t size,
                                             const char *name);

/* Appends "key=value"; "[1,2]" is a sequence. TPP_EUSAGE when there is no '=' or no key. */
TPP_MUST_CHECK tpp_status tpp_settings_set(tpp_settings *s, const char *assignment);

void tpp_settings_free(tpp_settings *s);

#endif
