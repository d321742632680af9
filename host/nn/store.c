/* The store: a table of device buffers with versions.
 * SPDX-License-Identifier: MIT */
#include "nn/store.h"

#include "core/mem.h"
#include "nn/store_internal.h"

tpp_status tpp_store_open(tpp_store **out, tpp_device *device, tpp_param_source *source,
                          void *context)
{
    tpp_store *s = NULL;
    TPP_NEW(s, 1);
    s->device = device;
    s->source = source;
    s->context = context;
    s->version = 1;
    *out = s;
    return TPP_OK;
}

void tpp_store_close(tpp_store *s)
{
    if (s == NULL) return;
    for (size_t i = 0; i < s->entries.count; i++) {
        tpp_store_entry *e = s->entries.entries[i].value.pointer;
        if (e == NULL) continue;
        tpp_buffer_close(e->buffer);
        tpp_free(e);
    }
    tpp_table_free(&s->entries);
    tpp_free(s);
}

tpp_device *tpp_store_device(const tpp_store *s)
{
    return s->device;
}

tpp_status tpp_store_touch(tpp_store *s)
{
    TPP_TRY(tpp_device_finish(s->device)); /* nothing may still read what will be overwritten */
    s->version++;
    return TPP_OK;
}

void tpp_store_trim(tpp_store *s)
{
    for (size_t i = 0; i < s->entries.count; i++) {
        tpp_store_entry *e = s->entries.entries[i].value.pointer;
        if (e == NULL || e->run_uses > 0) continue;
        tpp_buffer_close(e->buffer);
        e->buffer = NULL;
    }
}

size_t tpp_store_bytes(const tpp_store *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->entries.count; i++) {
        const tpp_store_entry *e = s->entries.entries[i].value.pointer;
        if (e != NULL && e->buffer != NULL) bytes += tpp_buffer_bytes(e->buffer);
    }
    return bytes;
}

tpp_store_entry *tpp_store_get(tpp_store *s, const char *key)
{
    tpp_table_entry *t = tpp_table_put(&s->entries, key, NULL);
    if (t == NULL) return NULL;
    if (t->value.pointer == NULL) t->value.pointer = tpp_calloc(1, sizeof(tpp_store_entry));
    return t->value.pointer;
}

bool tpp_store_is_current(const tpp_store *s, const tpp_store_entry *e)
{
    return e->buffer != NULL && e->version == s->version;
}

tpp_status tpp_store_load_bytes(tpp_store *s, tpp_store_entry *e, const void *data, size_t bytes)
{
    if (e->buffer == NULL) TPP_TRY(tpp_buffer_open(&e->buffer, s->device, bytes));
    TPP_TRY(tpp_buffer_write(e->buffer, 0, data, bytes));
    e->version = s->version;
    return TPP_OK;
}

tpp_status tpp_store_load_param(tpp_store *s, tpp_store_entry *e, const char *name,
                                const tpp_shape *shape)
{
    float *values = NULL;
    const int64_t n = tpp_shape_count(shape);
    TPP_NEW(values, n);
    tpp_status status = s->source(s->context, name, shape, values);
    const size_t bytes = (size_t)n * sizeof(*values);
    if (status == TPP_OK && e->buffer == NULL)
        status = tpp_buffer_open_for(&e->buffer, s->device, bytes, "weights %s %s", name,
                                     tpp_shape_text(shape));
    if (status == TPP_OK) status = tpp_store_load_bytes(s, e, values, bytes);
    tpp_free(values);
    return status;
}
