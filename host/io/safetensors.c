/* Reads safetensors: maps the file, then believes nothing of its header that was not checked.
 * Rules of the format: huggingface.co/docs/safetensors ("Format"), and its 2023 audit's: offsets
 * without holes or overlap, every byte of the file accounted for.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/safetensors.h"

#include "core/mem.h"
#include "core/table.h"
#include "io/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREFIX = 8, HEADER_LIMIT = 100 * 1000 * 1000 };
static const char meta_name[] = "__metadata__";

struct tpp_safetensors {
    void *map;
    size_t map_size;
    json_t *root; /* owns every name, key and value */
    tpp_safetensors_tensor *tensors;
    size_t count;
    tpp_table index; /* name to index of `tensors` */
    tpp_safetensors_pair *meta;
    size_t n_meta;
};

/* What the checks of one file share. */
typedef struct reading {
    tpp_safetensors *f;
    const char *path;
    const uint8_t *data; /* first byte after the header */
    size_t data_size;
} reading;

static tpp_status map_file(tpp_safetensors *f, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return TPP_FAIL(TPP_EIO, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    tpp_status s = TPP_OK;
    void *map = MAP_FAILED;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        s = TPP_FAIL(TPP_EIO, "%s: not a regular file", path);
    else if (st.st_size < PREFIX || (uintmax_t)st.st_size > PTRDIFF_MAX)
        s = TPP_FAIL(TPP_EFORMAT, "%s: no safetensors file: %jd bytes", path, (intmax_t)st.st_size);
    else if ((map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
        s = TPP_FAIL(TPP_EIO, "%s: cannot map: %s", path, strerror(errno));
    if (s == TPP_OK) {
        f->map = map;
        f->map_size = (size_t)st.st_size;
    }
    (void)close(fd);
    return s;
}

static tpp_status parse_header(reading *r)
{
    tpp_safetensors *f = r->f;
    const uint8_t *bytes = f->map;
    const uint64_t length = tpp_bytes_get(bytes, PREFIX, false);
    if (length > HEADER_LIMIT || length > f->map_size - PREFIX)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: header of %" PRIu64 " bytes in a file of %zu (at most %d are read)",
                        r->path, length, f->map_size, HEADER_LIMIT);
    const char *text = (const char *)bytes + PREFIX;
    if (length == 0 || text[0] != '{')
        return TPP_FAIL(TPP_EFORMAT, "%s: no safetensors file: the header does not start with '{'",
                        r->path);
    json_error_t error;
    f->root = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (f->root == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: header, line %d column %d: %s", r->path, error.line,
                        error.column, error.text);
    r->data = bytes + PREFIX + length;
    r->data_size = f->map_size - PREFIX - (size_t)length;
    return TPP_OK;
}

static tpp_status read_meta(const reading *r, json_t *pairs)
{
    tpp_safetensors *f = r->f;
    if (!json_is_object(pairs))
        return TPP_FAIL(TPP_EFORMAT, "%s: %s is not an object", r->path, meta_name);
    TPP_NEW(f->meta, json_object_size(pairs));
    for (void *i = json_object_iter(pairs); i != NULL; i = json_object_iter_next(pairs, i)) {
        const char *key = json_object_iter_key(i);
        const char *value = json_string_value(json_object_iter_value(i));
        if (value == NULL)
            return TPP_FAIL(TPP_EFORMAT, "%s: %s: the value of \"%s\" is not a string", r->path,
                            meta_name, key);
        f->meta[f->n_meta++] = (tpp_safetensors_pair){key, value};
    }
    return TPP_OK;
}

static tpp_status read_dtype(const reading *r, tpp_safetensors_tensor *t, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: no dtype, or not a string", r->path, t->name);
    for (int i = 0; i < TPP_SAFETENSORS_DTYPE_COUNT; i++) {
        if (strcmp(text, tpp_safetensors_dtype_text((tpp_safetensors_dtype)i)) != 0) continue;
        t->type = (tpp_safetensors_dtype)i;
        return TPP_OK;
    }
    return TPP_FAIL(TPP_EFORMAT, "%s: %s: unknown dtype \"%s\"", r->path, t->name, text);
}

/* Sets rank, dims, count and size. */
static tpp_status read_shape(const reading *r, tpp_safetensors_tensor *t, const json_t *value)
{
    if (!json_is_array(value))
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: no shape, or not an array", r->path, t->name);
    if (json_array_size(value) > TPP_SAFETENSORS_MAX_RANK)
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: %zu dimensions, at most %d are read", r->path,
                        t->name, json_array_size(value), TPP_SAFETENSORS_MAX_RANK);
    t->rank = (int)json_array_size(value);
    size_t count = 1;
    for (int i = 0; i < t->rank; i++) {
        const json_t *d = json_array_get(value, (size_t)i);
        const json_int_t n = json_is_integer(d) ? json_integer_value(d) : -1;
        if (n < 0)
            return TPP_FAIL(TPP_EFORMAT, "%s: %s: dimension %d is not a whole number from 0 on",
                            r->path, t->name, i);
        t->dims[i] = n;
        if (!tpp_mul_size(count, (size_t)n, &count))
            return TPP_FAIL(TPP_EFORMAT, "%s: %s: shape %s overflows", r->path, t->name,
                            tpp_safetensors_shape_text(t));
    }
    if (!tpp_mul_size(count, tpp_safetensors_dtype_size(t->type), &t->size) ||
        t->size > PTRDIFF_MAX)
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: shape %s overflows", r->path, t->name,
                        tpp_safetensors_shape_text(t));
    t->count = (int64_t)count;
    return TPP_OK;
}

static tpp_status read_offsets(const reading *r, tpp_safetensors_tensor *t, const json_t *value)
{
    const json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: data_offsets is not a pair of whole numbers", r->path,
                        t->name);
    const json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uintmax_t)end > r->data_size)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: %s: data_offsets [%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
                        "] do not lie in the %zu bytes of data",
                        r->path, t->name, begin, end, r->data_size);
    if ((uintmax_t)(end - begin) != t->size)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: %s: %s %s takes %zu bytes, data_offsets give %" JSON_INTEGER_FORMAT,
                        r->path, t->name, tpp_safetensors_dtype_text(t->type),
                        tpp_safetensors_shape_text(t), t->size, end - begin);
    t->bytes = r->data + begin;
    return TPP_OK;
}

static tpp_status read_tensor(const reading *r, const char *name, const json_t *entry)
{
    tpp_safetensors_tensor t = {.name = name};
    if (name[0] == '\0') return TPP_FAIL(TPP_EFORMAT, "%s: a tensor without a name", r->path);
    if (!json_is_object(entry))
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: not an object", r->path, name);
    TPP_TRY(read_dtype(r, &t, json_object_get(entry, "dtype")));
    TPP_TRY(read_shape(r, &t, json_object_get(entry, "shape")));
    TPP_TRY(read_offsets(r, &t, json_object_get(entry, "data_offsets")));
    /* A member that is not understood could change what the bytes mean. */
    if (json_object_size(entry) != 3)
        return TPP_FAIL(TPP_EFORMAT, "%s: %s: members beside dtype, shape and data_offsets",
                        r->path, name);
    r->f->tensors[r->f->count++] = t;
    return TPP_OK;
}

/* By place; empty tensors, which share theirs with a neighbour, before it and by name. */
static int compare_places(const void *a, const void *b)
{
    const tpp_safetensors_tensor *x = a, *y = b;
    const uintptr_t p = (uintptr_t)x->bytes, q = (uintptr_t)y->bytes;
    if (p != q) return p < q ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return strcmp(x->name, y->name);
}

static tpp_status check_cover(const reading *r)
{
    const tpp_safetensors *f = r->f;
    if (f->count > 1) qsort(f->tensors, f->count, sizeof(*f->tensors), compare_places);
    const uint8_t *at = r->data;
    for (size_t i = 0; i < f->count; i++) {
        const tpp_safetensors_tensor *t = &f->tensors[i];
        const uint8_t *begin = t->bytes;
        if (begin != at)
            return TPP_FAIL(TPP_EFORMAT, "%s: %s: its data %s", r->path, t->name,
                            begin > at ? "begin after a hole that no tensor covers"
                                       : "overlap those of another tensor");
        at = begin + t->size;
    }
    const size_t left = (size_t)(r->data + r->data_size - at);
    if (left > 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: the last %zu bytes belong to no tensor", r->path, left);
    return TPP_OK;
}

static tpp_status read_all(reading *r)
{
    tpp_safetensors *f = r->f;
    TPP_TRY(map_file(f, r->path));
    TPP_TRY(parse_header(r));
    TPP_NEW(f->tensors, json_object_size(f->root));
    for (void *i = json_object_iter(f->root); i != NULL; i = json_object_iter_next(f->root, i)) {
        const char *name = json_object_iter_key(i);
        json_t *value = json_object_iter_value(i);
        if (strcmp(name, meta_name) == 0)
            TPP_TRY(read_meta(r, value));
        else
            TPP_TRY(read_tensor(r, name, value));
    }
    TPP_TRY(check_cover(r));
    for (size_t i = 0; i < f->count; i++) {
        tpp_table_entry *e = tpp_table_put(&f->index, f->tensors[i].name, NULL);
        if (e == NULL) return TPP_ENOMEM;
        e->value.number = (int64_t)i;
    }
    return TPP_OK;
}

tpp_status tpp_safetensors_open(tpp_safetensors **out, const char *path)
{
    tpp_safetensors *f = NULL;
    TPP_NEW(f, 1);
    reading r = {.f = f, .path = path};
    const tpp_status s = read_all(&r);
    if (s == TPP_OK)
        *out = f;
    else
        tpp_safetensors_close(f);
    return s;
}

void tpp_safetensors_close(tpp_safetensors *f)
{
    if (f == NULL) return;
    tpp_table_free(&f->index);
    tpp_free(f->meta);
    tpp_free(f->tensors);
    json_decref(f->root);
    if (f->map != NULL) (void)munmap(f->map, f->map_size);
    tpp_free(f);
}

size_t tpp_safetensors_count(const tpp_safetensors *f)
{
    return f->count;
}

const tpp_safetensors_tensor *tpp_safetensors_get(const tpp_safetensors *f, size_t i)
{
    return i < f->count ? &f->tensors[i] : NULL;
}

const tpp_safetensors_tensor *tpp_safetensors_find(const tpp_safetensors *f, const char *name)
{
    const tpp_table_entry *e = tpp_table_find(&f->index, name);
    return e == NULL ? NULL : &f->tensors[e->value.number];
}

size_t tpp_safetensors_meta_count(const tpp_safetensors *f)
{
    return f->n_meta;
}

tpp_safetensors_pair tpp_safetensors_meta_get(const tpp_safetensors *f, size_t i)
{
    return i < f->n_meta ? f->meta[i] : (tpp_safetensors_pair){NULL, NULL};
}

const char *tpp_safetensors_meta(const tpp_safetensors *f, const char *key)
{
    for (size_t i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta[i].key, key) == 0) return f->meta[i].value;
    return NULL;
}
