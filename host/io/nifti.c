/* Reads NIfTI volumes: the header first, whole and checked; memory is taken only for voxels that
 * the file can hold; no byte is inflated that the header does not promise.
 * SPDX-License-Identifier: MIT */
#include "io/nifti.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "io/gzip.h"
#include "io/nifti_header.h"
#include "io/volume_data.h"
#include "io/voxels.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    CHUNK = 3 << 18,          /* bytes converted at a time; a multiple of every voxel size */
    HEADER_LIMIT = 256 << 20, /* of an .hdr file with its extensions */
};

/* One file being read. */
typedef struct reading {
    const char *path; /* as the caller named it */
    char *image_path; /* of the .img of a pair, else NULL */
    tpp_gzip *file;   /* at first the header's, then the voxels' */
    uint64_t at;      /* position in `file` */
    uint64_t limit;
    tpp_nifti_header header;
    tpp_volume volume;
} reading;

static const char *data_path(const reading *r)
{
    return r->image_path != NULL ? r->image_path : r->path;
}

static tpp_status read_exactly(reading *r, void *out, size_t size, const char *what)
{
    size_t got = 0;
    TPP_TRY(tpp_gzip_read(r->file, out, size, &got));
    r->at += got;
    if (got == size) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: the file ends after %" PRIu64 " bytes, within its %s",
                    data_path(r), r->at, what);
}

static tpp_status skip(reading *r, uint64_t size, const char *what)
{
    uint8_t *chunk = NULL;
    TPP_NEW(chunk, CHUNK);
    tpp_status s = TPP_OK;
    while (s == TPP_OK && size > 0) {
        const size_t n = size < CHUNK ? (size_t)size : CHUNK;
        s = read_exactly(r, chunk, n, what);
        size -= n;
    }
    tpp_free(chunk);
    return s;
}

/* Appends the rest of a single file's header: extensions, and what lies before the voxels. */
static tpp_status read_extensions(reading *r)
{
    tpp_volume *v = &r->volume;
    const uint64_t bound = tpp_gzip_bound(r->file);
    if (r->header.offset > bound)
        return TPP_FAIL(TPP_EFORMAT, "%s: vox_offset %" PRIu64 " lies behind the end of the file",
                        r->path, r->header.offset);
    const size_t size = (size_t)r->header.offset, have = v->header_size;
    uint8_t *grown = tpp_realloc(v->header, size, 1);
    if (grown == NULL) return TPP_ENOMEM;
    v->header = grown;
    v->header_size = size;
    return read_exactly(r, grown + have, size - have, "header extensions");
}

/* Appends what an .hdr holds behind its header. */
static tpp_status read_pair_extensions(reading *r)
{
    tpp_volume *v = &r->volume;
    for (size_t n = CHUNK, got = n; got == n;) {
        if (v->header_size > HEADER_LIMIT)
            return TPP_FAIL(TPP_EFORMAT, "%s: a header of more than %d bytes", r->path,
                            HEADER_LIMIT);
        uint8_t *grown = tpp_realloc(v->header, v->header_size + n, 1);
        if (grown == NULL) return TPP_ENOMEM;
        v->header = grown;
        TPP_TRY(tpp_gzip_read(r->file, grown + v->header_size, n, &got));
        v->header_size += got;
    }
    return TPP_OK;
}

static tpp_status read_header(reading *r)
{
    tpp_volume *v = &r->volume;
    TPP_NEW(v->header, TPP_NIFTI2_SIZE);
    TPP_TRY(read_exactly(r, v->header, TPP_NIFTI1_SIZE, "NIfTI header"));
    v->header_size = TPP_NIFTI1_SIZE;
    if (tpp_nifti_header_size(v->header) == TPP_NIFTI2_SIZE) {
        TPP_TRY(read_exactly(r, v->header + TPP_NIFTI1_SIZE, TPP_NIFTI2_SIZE - TPP_NIFTI1_SIZE,
                             "NIfTI header"));
        v->header_size = TPP_NIFTI2_SIZE;
    }
    TPP_TRY(tpp_nifti_header_parse(&r->header, v->header, r->path));
    TPP_TRY(tpp_nifti_affine_read(v, &r->header, v->header, r->path));
    TPP_TRY(r->header.pair ? read_pair_extensions(r) : read_extensions(r));
    for (int i = 0; i < 4; i++) v->dim[i] = r->header.dim[i];
    v->channels = r->header.datatype->elements > 1 ? 3 : 1;
    v->is_sequence = tpp_nifti_is_clip(&r->header);
    if (v->is_sequence) {
        v->dim[2] = v->dim[3];
        v->dim[3] = 1;
    }
    v->datatype = r->header.datatype->name;
    v->slope = r->header.slope;
    v->intercept = r->header.intercept;
    return TPP_OK;
}

/* Path with the suffix `from` (letter case aside) replaced, or NULL if it does not end so. */
static char *swap_suffix(const char *path, const char *from, const char *to)
{
    if (!tpp_path_has_suffix(path, from)) return NULL;
    tpp_str s = {0};
    tpp_str_add(&s, path, strlen(path) - strlen(from));
    tpp_str_format(&s, "%s", to);
    if (s.status == TPP_OK) return s.text;
    tpp_str_free(&s);
    return NULL;
}

/* The .img, plain or gzip, of the pair whose .hdr was just read becomes the open file. */
static tpp_status open_image(reading *r)
{
    static const char *const suffixes[][2] = {
        {".hdr", ".img"}, {".hdr", ".img.gz"}, {".hdr.gz", ".img.gz"}, {".hdr.gz", ".img"}};
    tpp_gzip_close(r->file);
    r->file = NULL;
    r->at = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *image = swap_suffix(r->path, suffixes[i][0], suffixes[i][1]);
        if (image != NULL && tpp_path_exists(image)) {
            r->image_path = image;
            return tpp_gzip_open(&r->file, image);
        }
        tpp_free(image);
    }
    return TPP_FAIL(TPP_EIO, "%s: the header of a .hdr/.img pair, and no .img is beside it",
                    r->path);
}

static size_t voxel_bytes(const tpp_nifti_header *h)
{
    return h->type->size * h->datatype->elements;
}

/* Bytes of all voxels, if the format, the limit and the size of the file allow as many. */
static tpp_status promised_bytes(const reading *r, uint64_t *out)
{
    const tpp_nifti_header *h = &r->header;
    size_t count = 1, bytes = 0, floats = 0;
    bool fits = true;
    for (int i = 0; i < 7; i++) fits = fits && tpp_mul_size(count, (size_t)h->dim[i], &count);
    fits = fits && tpp_mul_size(count, voxel_bytes(h), &bytes);
    fits = fits && tpp_mul_size(count, sizeof(float) * (size_t)r->volume.channels, &floats);
    if (!fits || floats > PTRDIFF_MAX)
        return TPP_FAIL(TPP_EFORMAT, "%s: dim[1..7] have an impossible product", r->path);
    floats /= (size_t)r->volume.dim[3]; /* one time point is kept */
    const uint64_t wanted = bytes > floats ? bytes : floats;
    if (wanted > r->limit)
        return TPP_FAIL(TPP_ENOMEM,
                        "%s: %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                        " voxels take %" PRIu64 " bytes, the limit is %" PRIu64,
                        r->path, h->dim[0], h->dim[1], h->dim[2], h->dim[3], wanted, r->limit);
    const uint64_t bound = tpp_gzip_bound(r->file);
    if (bound < h->offset || bound - h->offset < bytes)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: truncated, or its header lies: %" PRId64 " x %" PRId64 " x %" PRId64
                        " x %" PRId64 " voxels of %s from byte %" PRIu64 " on take %zu bytes, the "
                        "file can have %" PRIu64 " in all",
                        data_path(r), h->dim[0], h->dim[1], h->dim[2], h->dim[3], h->datatype->name,
                        h->offset, bytes, bound);
    *out = bytes;
    return TPP_OK;
}

/* What only voxels have to satisfy: a header alone may be looked at without. */
static tpp_status check_axes(reading *r, const tpp_volume_options *o)
{
    const int64_t *dim = r->header.dim;
    for (int i = 4; i < 7; i++)
        if (dim[i] > 1)
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "%s: dim[%d] is %" PRId64 ": volumes of vectors are "
                            "not read",
                            r->path, i + 1, dim[i]);
    if (r->volume.is_sequence) return tpp_volume_check_clip(o, r->path);
    return tpp_volume_choose_time(&r->volume.time, dim[3], o, r->path);
}

static tpp_status read_voxels(reading *r)
{
    tpp_volume *v = &r->volume;
    const tpp_voxel_layout layout = {.type = r->header.type,
                                     .big = r->header.big,
                                     .inner = r->header.datatype->elements,
                                     .kept = (size_t)v->channels};
    const size_t size = voxel_bytes(&r->header), step = CHUNK / size;
    const size_t count = (size_t)(v->dim[0] * v->dim[1] * v->dim[2]);
    uint8_t *chunk = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW_OR(done, s, v->voxels, count * layout.kept);
    TPP_NEW_OR(done, s, chunk, CHUNK);
    v->voxel_count = (int64_t)count;
    for (size_t i = 0; i < count; i += step) {
        const size_t n = count - i < step ? count - i : step;
        TPP_TRY_OR(done, s, read_exactly(r, chunk, n * size, "voxels"));
        tpp_voxels_put(v, &layout, (int64_t)i, chunk, n);
    }
done:
    tpp_free(chunk);
    return s;
}

/* Reading on also makes zlib compare its checksum. */
static tpp_status check_end(reading *r)
{
    uint8_t rest[TPP_VOLUME_PADDING + 1];
    size_t got = 0;
    TPP_TRY(tpp_gzip_read(r->file, rest, sizeof rest, &got));
    bool zero = true;
    for (size_t i = 0; i < got; i++) zero = zero && rest[i] == 0;
    if (got > TPP_VOLUME_PADDING || !zero)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: the file goes on behind the voxels that its header "
                        "promises (%" PRIu64 " bytes)",
                        data_path(r), r->at);
    if (got > 0)
        tpp_log(TPP_LOG_WARN, "nifti", "%s: %zu zero bytes behind the voxels", data_path(r), got);
    return TPP_OK;
}

static tpp_status read_file(reading *r, const tpp_volume_options *o)
{
    TPP_TRY(tpp_gzip_open(&r->file, r->path));
    TPP_TRY(read_header(r));
    if (o->header_only) return TPP_OK;
    TPP_TRY(check_axes(r, o));
    if (r->header.pair) TPP_TRY(open_image(r));
    uint64_t bytes = 0;
    TPP_TRY(promised_bytes(r, &bytes));
    if (r->header.pair) TPP_TRY(skip(r, r->header.offset, "bytes before the voxels"));
    const uint64_t one = bytes / (uint64_t)r->volume.dim[3], time = (uint64_t)r->volume.time;
    TPP_TRY(skip(r, time * one, "earlier time points"));
    TPP_TRY(read_voxels(r));
    TPP_TRY(skip(r, bytes - (time + 1) * one, "later time points"));
    return check_end(r);
}

tpp_status tpp_nifti_read(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    static const tpp_volume_options defaults = {.time = -1};
    if (o == NULL) o = &defaults;
    reading r = {.limit = o->max_bytes > 0 ? o->max_bytes : TPP_VOLUME_MAX_BYTES};
    /* An .img is named as well as its .hdr. */
    char *header = swap_suffix(path, ".img", ".hdr");
    if (header == NULL) header = swap_suffix(path, ".img.gz", ".hdr");
    r.path = header != NULL ? header : path;
    const tpp_status s = read_file(&r, o);
    if (s == TPP_OK) {
        *out = r.volume;
        r.volume = (tpp_volume){0};
    }
    tpp_gzip_close(r.file);
    tpp_volume_free(&r.volume);
    tpp_free(r.image_path);
    tpp_free(header);
    return s;
}
