/* YAML as a flat list: nested mappings give dotted keys. Takes what configuration needs (mappings,
 * scalars, sequences of scalars) and refuses the rest of YAML by name.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_YAML_H
#define TPP_IO_YAML_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TPP_YAML_MAX_KEY = 100,    /* bytes of a dotted key; tpp_str_distance measures up to 127 */
    TPP_YAML_MAX_VALUE = 4096, /* bytes of a scalar */
    TPP_YAML_MAX_ITEMS = 64    /* of a sequence */
};

/* Keys go into messages as they are, so they hold nothing that a terminal would act on. */
#define TPP_YAML_KEY_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

typedef struct tpp_yaml_item {
    char *key;    /* "group.name" */
    char **value; /* one scalar, or the items of a sequence */
    size_t count;
    bool is_list, is_quoted; /* quoted: a string even if it looks like a number */
    char *source;            /* file name, or what else it came from */
    int line;                /* from 1; 0: no lines there */
} tpp_yaml_item;

/* Zero-initialise; free in any state. Items stand in the order of the file. */
typedef struct tpp_yaml {
    tpp_yaml_item *items;
    size_t count, capacity;
} tpp_yaml;

/* Appends what a file holds. TPP_EIO when it cannot be read or is longer than 1 MiB; TPP_EFORMAT,
 * with file and line, on broken YAML, a key given twice, anchors, aliases, tags, several documents,
 * deep nesting. On failure nothing is appended. */
TPP_MUST_CHECK tpp_status tpp_yaml_read(tpp_yaml *y, const char *path);

/* The same from memory; `name` stands for the file in messages. */
TPP_MUST_CHECK tpp_status tpp_yaml_parse(tpp_yaml *y, const char *text, size_t size,
                                         const char *name);

/* A new item at the end, without values; NULL: out of memory. */
tpp_yaml_item *tpp_yaml_add(tpp_yaml *y, const char *key, const char *source, int line);
TPP_MUST_CHECK tpp_status tpp_yaml_add_value(tpp_yaml_item *item, const char *text, size_t length);

/* Drops all items but the first `count`. */
void tpp_yaml_truncate(tpp_yaml *y, size_t count);

void tpp_yaml_free(tpp_yaml *y);

#endif
