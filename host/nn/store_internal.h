/* Entries of a store, for the planner.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_STORE_INTERNAL_H
#define TPP_NN_STORE_INTERNAL_H

#include "core/table.h"
#include "nn/store.h"
#include "tensor/tensor_internal.h"

typedef struct tpp_store_entry {
    tpp_buffer *buffer; /* NULL: not on the device now */
    uint64_t version;   /* of the masters it was made from */
    int run_uses;       /* recorded plans that read it while they run */
} tpp_store_entry;

struct tpp_store {
    tpp_device *device;
    tpp_param_source *source;
    void *context;
    tpp_table entries; /* key -> tpp_store_entry; keys: plan_derive.c */
    uint64_t version;
};

/* The entry of `key`, new and empty if there is none; NULL: out of memory. Stays where it is. */
tpp_store_entry *tpp_store_get(tpp_store *s, const char *key);

/* Is the entry on the device and of the current version? */
bool tpp_store_is_current(const tpp_store *s, const tpp_store_entry *e);

/* Brings a parameter / `bytes` of a constant to the device. */
TPP_MUST_CHECK tpp_status tpp_store_load_param(tpp_store *s, tpp_store_entry *e, const char *name,
                                               const tpp_shape *shape);
TPP_MUST_CHECK tpp_status tpp_store_load_bytes(tpp_store *s, tpp_store_entry *e, const void *data,
                                               size_t bytes);

#endif
