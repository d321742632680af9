/* String to pointer-or-number map. Keys are copied; values are the caller's.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_TABLE_H
#define TPP_CORE_TABLE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tpp_table_entry {
    char *key;
    size_t length;
    uint64_t hash;
    union {
        void *pointer;
        int64_t number;
    } value;
} tpp_table_entry;

/* Zero-initialise. Entries stay in order of insertion: entries[0..count-1]. */
typedef struct tpp_table {
    tpp_table_entry *entries;
    uint32_t *slots; /* index + 1 into entries, 0: free */
    size_t count, capacity, n_slots;
} tpp_table;

/* The entry of `key`, or NULL. The pointer lasts until the next insertion. */
tpp_table_entry *tpp_table_find(const tpp_table *t, const char *key);
tpp_table_entry *tpp_table_find_bytes(const tpp_table *t, const void *key, size_t length);

/* The entry of `key`, made with a zero value if absent. NULL: out of memory. */
tpp_table_entry *tpp_table_put(tpp_table *t, const char *key, bool *is_new);
tpp_table_entry *tpp_table_put_bytes(tpp_table *t, const void *key, size_t length, bool *is_new);

void tpp_table_free(tpp_table *t);

/* 64-bit FNV-1a. */
uint64_t tpp_fnv1a64(const void *bytes, size_t length);

#endif
