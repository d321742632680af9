/* Hash map with open addressing over an array of entries in insertion order.
 * SPDX-License-Identifier: MIT */
#include "core/table.h"

#include "core/mem.h"

#include <string.h>

uint64_t tpp_fnv1a64(const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < length; i++) h = (h ^ b[i]) * UINT64_C(0x100000001B3);
    return h;
}

static uint32_t *find_slot(const tpp_table *t, const void *key, size_t length, uint64_t hash)
{
    size_t at = (size_t)hash & (t->n_slots - 1);
    for (;; at = (at + 1) & (t->n_slots - 1)) {
        uint32_t *slot = &t->slots[at];
        if (*slot == 0) return slot;
        const tpp_table_entry *e = &t->entries[*slot - 1];
        if (e->hash == hash && e->length == length && memcmp(e->key, key, length) == 0) return slot;
    }
}

tpp_table_entry *tpp_table_find_bytes(const tpp_table *t, const void *key, size_t length)
{
    if (t->count == 0) return NULL;
    const uint32_t *slot = find_slot(t, key, length, tpp_fnv1a64(key, length));
    return *slot == 0 ? NULL : &t->entries[*slot - 1];
}

tpp_table_entry *tpp_table_find(const tpp_table *t, const char *key)
{
    return tpp_table_find_bytes(t, key, strlen(key));
}

static bool grow(tpp_table *t)
{
    const size_t capacity = t->capacity == 0 ? 32 : t->capacity * 2;
    tpp_table_entry *entries = tpp_realloc(t->entries, capacity, sizeof(*entries));
    if (entries == NULL) return false;
    t->entries = entries;
    uint32_t *slots = tpp_calloc(capacity * 2, sizeof(*slots));
    if (slots == NULL) return false;
    tpp_free(t->slots);
    t->slots = slots;
    t->n_slots = capacity * 2;
    t->capacity = capacity;
    for (size_t i = 0; i < t->count; i++) {
        const tpp_table_entry *e = &t->entries[i];
        *find_slot(t, e->key, e->length, e->hash) = (uint32_t)i + 1;
    }
    return true;
}

tpp_table_entry *tpp_table_put_bytes(tpp_table *t, const void *key, size_t length, bool *is_new)
{
    if (is_new != NULL) *is_new = false;
    if (t->count == t->capacity && !grow(t)) return NULL;
    const uint64_t hash = tpp_fnv1a64(key, length);
    uint32_t *slot = find_slot(t, key, length, hash);
    if (*slot != 0) return &t->entries[*slot - 1];
    char *copy = tpp_strndup(key, length);
    if (copy == NULL) return NULL;
    tpp_table_entry *e = &t->entries[t->count++];
    *e = (tpp_table_entry){.key = copy, .length = length, .hash = hash};
    *slot = (uint32_t)t->count;
    if (is_new != NULL) *is_new = true;
    return e;
}

tpp_table_entry *tpp_table_put(tpp_table *t, const char *key, bool *is_new)
{
    return tpp_table_put_bytes(t, key, strlen(key), is_new);
}

void tpp_table_free(tpp_table *t)
{
    for (size_t i = 0; i < t->count; i++) tpp_free(t->entries[i].key);
    tpp_free(t->entries);
    tpp_free(t->slots);
    *t = (tpp_table){0};
}
