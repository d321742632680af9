/* Reads voxels behind a header: sizes first, memory then, and not a byte more than is promised.
 * SPDX-License-Identifier: MIT */
#include "io/volume_data.h"

#include "core/log.h"
#include "core/mem.h"
#include "io/inflate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20 }; /* bytes converted at a time */

typedef struct reading {
    const tpp_data_plan *plan;
    tpp_volume *volume;
    tpp_inflate *file;
    size_t voxels;  /* of a volume */
    uint64_t bytes; /* of all volumes in the file */
    uint64_t at;    /* bytes read so far */
    uint8_t *chunk; /* CHUNK bytes, and room for one voxel more */
} reading;

tpp_status tpp_volume_choose_time(int64_t *out, int64_t count, const tpp_volume_options *o,
                                  const char *path)
{
    if (o->time < 0 && count > 1)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: %" PRId64 " time points; choose one with --time T, 0 to %" PRId64,
                        path, count, count - 1);
    if (o->time >= count)
        return TPP_FAIL(TPP_EUSAGE, "%s: there is no time point %" PRId64 "; the file has %" PRId64,
                        path, o->time, count);
    *out = o->time < 0 ? 0 : o->time;
    return TPP_OK;
}

tpp_status tpp_volume_check_clip(const tpp_volume_options *o, const char *path)
{
    if (o->time > 0)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: a clip: its time points are its frames, and no time point %" PRId64
                        " is chosen beside them",
                        path, o->time);
    return TPP_OK;
}

/* ---- sizes ---- */

static tpp_status count_bytes(reading *r, uint64_t limit)
{
    const tpp_volume *v = r->volume;
    const tpp_data_plan *p = r->plan;
    size_t count = 1, all = 0, bytes = 0, floats = 0;
    bool fits = true;
    for (int i = 0; i < 3; i++) fits = fits && tpp_mul_size(count, (size_t)v->dim[i], &count);
    fits = fits && tpp_mul_size(count, p->layout.inner * p->layout.type->size, &all);
    fits = fits && tpp_mul_size(all, (size_t)p->times, &bytes);
    fits = fits && tpp_mul_size(count, p->layout.kept * sizeof(float), &floats);
    if (!fits || bytes > PTRDIFF_MAX || floats > PTRDIFF_MAX)
        return TPP_FAIL(TPP_EFORMAT, "%s: the sizes of its axes have an impossible product",
                        p->path);
    const uint64_t wanted = bytes > floats ? bytes : floats;
    if (wanted > limit)
        return TPP_FAIL(TPP_ENOMEM, "%s: its voxels take %" PRIu64 " bytes, the limit is %" PRIu64,
                        p->path, wanted, limit);
    r->voxels = count;
    r->bytes = bytes;
    return TPP_OK;
}

/* A number of a text takes a digit and a separator. */
static uint64_t least_bytes(const reading *r)
{
    const uint64_t skip = r->plan->byte_skip > 0 ? (uint64_t)r->plan->byte_skip : 0;
    if (r->plan->encoding != TPP_DATA_TEXT) return r->bytes + skip;
    return r->bytes / r->plan->layout.type->size * 2 - 1;
}

static tpp_status check_bound(const reading *r)
{
    const tpp_volume *v = r->volume;
    const uint64_t bound = tpp_inflate_bound(r->file), least = least_bytes(r);
    if (bound >= least) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: truncated, or its header lies: %" PRId64 " x %" PRId64 " x %" PRId64
                    " x %" PRId64 " voxels of %zu %s take %" PRIu64 " bytes, the file can have "
                    "%" PRIu64,
                    r->plan->path, v->dim[0], v->dim[1], v->dim[2], r->plan->times,
                    r->plan->layout.inner, r->plan->layout.type->name, least, bound);
}

/* ---- bytes ---- */

static tpp_status read_exactly(reading *r, uint8_t *out, size_t size)
{
    size_t got = 0;
    TPP_TRY(tpp_inflate_read(r->file, out, size, &got));
    r->at += got;
    if (got == size) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: the file ends after %" PRIu64 " of the %" PRIu64 " bytes of its voxels",
                    r->plan->path, r->at, r->bytes);
}

static tpp_status skip_bytes(reading *r, uint64_t size)
{
    tpp_status s = TPP_OK;
    while (s == TPP_OK && size > 0) {
        const size_t n = size < CHUNK ? (size_t)size : CHUNK;
        s = read_exactly(r, r->chunk, n);
        size -= n;
    }
    return s;
}

static tpp_status skip_lines(reading *r)
{
    for (uint64_t n = 0; n < r->plan->line_skip;) {
        uint8_t c = 0;
        size_t got = 0;
        TPP_TRY(tpp_inflate_read(r->file, &c, 1, &got));
        if (got == 0)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: the file ends within the %" PRIu64 " lines to skip before its "
                            "voxels",
                            r->plan->path, r->plan->line_skip);
        n += c == '\n';
    }
    return TPP_OK;
}

/* To the first voxel. */
static tpp_status go_to_voxels(reading *r)
{
    const tpp_data_plan *p = r->plan;
    TPP_TRY(skip_lines(r));
    if (p->encoding == TPP_DATA_DEFLATED) TPP_TRY(tpp_inflate_begin(r->file));
    TPP_TRY(check_bound(r));
    uint64_t skip = p->byte_skip > 0 ? (uint64_t)p->byte_skip : 0;
    if (p->byte_skip < 0) skip = tpp_inflate_left(r->file) - r->bytes;
    TPP_TRY(skip_bytes(r, skip));
    r->at = 0;
    return TPP_OK;
}

static tpp_status read_binary(reading *r)
{
    const tpp_voxel_layout *l = &r->plan->layout;
    const size_t size = l->inner * l->type->size, step = size < CHUNK ? CHUNK / size : 1;
    const uint64_t volume = r->voxels * size;
    TPP_TRY(skip_bytes(r, volume * (uint64_t)r->plan->time));
    for (size_t i = 0; i < r->voxels; i += step) {
        const size_t n = r->voxels - i < step ? r->voxels - i : step;
        TPP_TRY(read_exactly(r, r->chunk, n * size));
        tpp_voxels_put(r->volume, l, (int64_t)i, r->chunk, n);
    }
    return skip_bytes(r, r->bytes - r->at);
}

/* ---- text ---- */

/* The file's bytes one by one. */
typedef struct characters {
    reading *r;
    size_t at, have;
} characters;

/* -1 at the end. */
static tpp_status next_character(characters *c, int *out)
{
    if (c->at == c->have) {
        c->at = 0;
        TPP_TRY(tpp_inflate_read(c->r->file, c->r->chunk, CHUNK, &c->have));
    }
    *out = c->at < c->have ? c->r->chunk[c->at++] : -1;
    return TPP_OK;
}

static bool separates(int c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == -1;
}

/* The next word; an empty one at the end. */
static tpp_status next_word(characters *c, char *word, size_t size)
{
    int letter = ' ';
    size_t n = 0;
    while (letter != -1 && separates(letter)) TPP_TRY(next_character(c, &letter));
    while (!separates(letter)) {
        if (n + 1 == size)
            return TPP_FAIL(TPP_EFORMAT, "%s: a number of more than %zu characters",
                            c->r->plan->path, size - 1);
        word[n++] = (char)letter;
        TPP_TRY(next_character(c, &letter));
    }
    word[n] = '\0';
    return TPP_OK;
}

static tpp_status next_number(characters *c, uint64_t i, double *out)
{
    const tpp_voxel_type *type = c->r->plan->layout.type;
    char word[64], *end = NULL;
    TPP_TRY(next_word(c, word, sizeof word));
    if (word[0] == '\0')
        return TPP_FAIL(TPP_EFORMAT, "%s: the file ends after %" PRIu64 " numbers",
                        c->r->plan->path, i);
    *out = strtod(word, &end);
    if (*end != '\0')
        return TPP_FAIL(TPP_EFORMAT, "%s: number %" PRIu64 " is \"%s\"", c->r->plan->path, i, word);
    const bool real = type->name[0] == 'f';
    if (!real && !(*out >= type->low && *out <= type->high && *out == floor(*out)))
        return TPP_FAIL(TPP_EFORMAT, "%s: number %" PRIu64 " is \"%s\", which no %s can be",
                        c->r->plan->path, i, word, type->name);
    return TPP_OK;
}

static tpp_status read_text(reading *r)
{
    const tpp_voxel_layout *l = &r->plan->layout;
    tpp_volume *v = r->volume;
    characters c = {.r = r};
    const uint64_t count = r->bytes / l->type->size, inner = l->inner;
    const uint64_t begin = r->voxels * inner * (uint64_t)r->plan->time;
    for (uint64_t i = 0; i < count; i++) {
        double x = 0;
        TPP_TRY(next_number(&c, i, &x));
        const uint64_t k = i % inner;
        if (i < begin || i >= begin + r->voxels * inner || k < l->first || k >= l->first + l->kept)
            continue;
        float *out = &v->voxels[(i - begin) / inner * l->kept + (k - l->first)];
        *out = (float)(v->slope * x + v->intercept);
        v->nan_count += !isfinite(*out);
    }
    char word[64];
    TPP_TRY(next_word(&c, word, sizeof word));
    if (word[0] == '\0') return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: the file goes on behind its %" PRIu64 " numbers",
                    r->plan->path, count);
}

/* ---- */

/* Reading on also makes zlib compare its checksum. */
static tpp_status check_end(reading *r)
{
    uint8_t rest[TPP_VOLUME_PADDING + 1];
    size_t got = 0;
    TPP_TRY(tpp_inflate_read(r->file, rest, sizeof rest, &got));
    bool zero = true;
    for (size_t i = 0; i < got; i++) zero = zero && rest[i] == 0;
    if (got > TPP_VOLUME_PADDING || !zero)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: the file goes on behind the %" PRIu64 " bytes of voxels that its "
                        "header promises",
                        r->plan->path, r->bytes);
    if (got > 0)
        tpp_log(TPP_LOG_WARN, "volume", "%s: %zu zero bytes behind the voxels", r->plan->path, got);
    return TPP_OK;
}

static tpp_status read_all(reading *r)
{
    const tpp_voxel_layout *l = &r->plan->layout;
    TPP_TRY(tpp_inflate_open(&r->file, r->plan->path, r->plan->offset));
    TPP_NEW(r->chunk, CHUNK + l->inner * l->type->size);
    TPP_TRY(go_to_voxels(r));
    TPP_NEW(r->volume->voxels, r->voxels * l->kept);
    r->volume->voxel_count = (int64_t)r->voxels;
    if (r->plan->encoding == TPP_DATA_TEXT) return read_text(r);
    TPP_TRY(read_binary(r));
    return check_end(r);
}

tpp_status tpp_data_read(tpp_volume *v, const tpp_data_plan *plan, uint64_t limit)
{
    reading r = {.plan = plan, .volume = v};
    TPP_TRY(count_bytes(&r, limit > 0 ? limit : TPP_VOLUME_MAX_BYTES));
    const tpp_status s = read_all(&r);
    tpp_inflate_close(r.file);
    tpp_free(r.chunk);
    return s;
}
