/* Spools tensors, then writes them behind their header.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/dump.h"

#include "core/mem.h"
#include "core/str.h"
#include "io/bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 14, PIECE_BYTES = 4 * PIECE }; /* floats at a time */

tpp_status tpp_dump_open(tpp_dump *d, const char *path)
{
    tpp_str name = {0};
    tpp_str_format(&name, "%s.spool.%ld", path, (long)getpid());
    if (name.status != TPP_OK) return name.status;
    tpp_dump made = {.path = tpp_strdup(path), .spool = fopen(name.text, "w+b")};
    tpp_status s = TPP_OK;
    if (made.spool == NULL)
        s = TPP_FAIL(TPP_EIO, "%s: cannot write: %s", path, strerror(errno));
    else
        (void)unlink(name.text);
    if (s == TPP_OK && made.path == NULL) s = TPP_ENOMEM;
    tpp_str_free(&name);
    if (s == TPP_OK)
        *d = made;
    else
        tpp_dump_close(&made);
    return s;
}

void tpp_dump_close(tpp_dump *d)
{
    if (d->spool != NULL) (void)fclose(d->spool);
    for (size_t i = 0; i < d->count; i++) tpp_free(d->names[i]);
    tpp_free(d->names);
    tpp_free(d->specs);
    tpp_free(d->path);
    *d = (tpp_dump){0};
}

static tpp_status add_spec(tpp_dump *d, const char *name, const tpp_shape *shape)
{
    tpp_safetensors_spec *specs = tpp_realloc(d->specs, d->count + 1, sizeof(*specs));
    if (specs == NULL) return TPP_ENOMEM;
    d->specs = specs;
    char **names = tpp_realloc(d->names, d->count + 1, sizeof(*names));
    if (names == NULL) return TPP_ENOMEM;
    d->names = names;
    char *copy = tpp_strdup(name);
    if (copy == NULL) return TPP_ENOMEM;
    tpp_safetensors_spec spec = {.name = copy, .type = TPP_SAFETENSORS_F32, .rank = shape->rank};
    for (int i = 0; i < shape->rank; i++) spec.dims[i] = shape->d[i];
    d->names[d->count] = copy;
    d->specs[d->count++] = spec;
    return TPP_OK;
}

tpp_status tpp_dump_add(tpp_dump *d, const char *name, const double *values, const tpp_shape *shape)
{
    const int64_t n = tpp_shape_count(shape);
    uint8_t *bytes = NULL;
    TPP_TRY(add_spec(d, name, shape));
    TPP_NEW(bytes, PIECE_BYTES);
    tpp_status s = TPP_OK;
    for (int64_t at = 0; at < n && s == TPP_OK; at += PIECE) {
        const int64_t m = n - at < PIECE ? n - at : PIECE;
        for (int64_t i = 0; i < m; i++) {
            const float narrow = (float)values[at + i];
            uint32_t bits = 0;
            memcpy(&bits, &narrow, sizeof(bits));
            tpp_bytes_put(bytes + 4 * i, bits, 4, false);
        }
        if (fwrite(bytes, 4, (size_t)m, d->spool) != (size_t)m)
            s = TPP_FAIL(TPP_EIO, "%s: cannot write: %s", d->path, strerror(errno));
    }
    tpp_free(bytes);
    return s;
}

/* Copies one tensor from the spool into the file. */
static tpp_status append(tpp_safetensors_writer *w, tpp_dump *d, size_t i, uint8_t *bytes)
{
    size_t left = 4;
    for (int k = 0; k < d->specs[i].rank; k++) left *= (size_t)d->specs[i].dims[k];
    while (left > 0) {
        const size_t m = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (fread(bytes, 1, m, d->spool) != m)
            return TPP_FAIL(TPP_EIO, "%s: cannot read its temporary file again", d->path);
        TPP_TRY(tpp_safetensors_append(w, d->names[i], bytes, m));
        left -= m;
    }
    return TPP_OK;
}

tpp_status tpp_dump_write(tpp_dump *d)
{
    tpp_safetensors_writer *w = NULL;
    uint8_t *bytes = NULL;
    tpp_status s = TPP_OK;
    if (fseek(d->spool, 0, SEEK_SET) != 0)
        return TPP_FAIL(TPP_EIO, "%s: %s", d->path, strerror(errno));
    TPP_NEW_OR(done, s, bytes, PIECE_BYTES);
    TPP_TRY_OR(done, s, tpp_safetensors_begin(&w, d->path, d->specs, d->count, NULL, 0));
    for (size_t i = 0; i < d->count; i++) TPP_TRY_OR(done, s, append(w, d, i, bytes));
    s = tpp_safetensors_commit(w);
    w = NULL;
done:
    tpp_safetensors_discard(w);
    tpp_free(bytes);
    return s;
}
