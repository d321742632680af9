/* zlib's inflate over a file.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/inflate.h"

#include "core/mem.h"
#include "core/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <zlib.h>

enum { BUFFER = 1 << 16, BEST_RATIO = 1032 /* of deflate, see gzip.c */ };

struct tpp_inflate {
    FILE *file;
    const char *path;
    uint64_t left; /* bytes of the file behind what was read from it */
    bool inflating, ended;
    z_stream z;
    unsigned char buffer[BUFFER];
};

tpp_status tpp_inflate_open(tpp_inflate **out, const char *path, uint64_t offset)
{
    tpp_inflate *f = NULL;
    uint64_t size = 0;
    TPP_NEW(f, 1);
    f->path = path;
    tpp_status s = tpp_file_open(&f->file, &size, path);
    if (s == TPP_OK && offset > size)
        s = TPP_FAIL(TPP_EFORMAT,
                     "%s: voxels begin at byte %" PRIu64 ", the file has %" PRIu64 " bytes", path,
                     offset, size);
    if (s == TPP_OK && fseeko(f->file, (off_t)offset, SEEK_SET) != 0)
        s = TPP_FAIL(TPP_EIO, "%s: cannot go to byte %" PRIu64 ": %s", path, offset,
                     strerror(errno));
    if (s != TPP_OK) {
        tpp_inflate_close(f);
        return s;
    }
    f->left = size - offset;
    *out = f;
    return TPP_OK;
}

void tpp_inflate_close(tpp_inflate *f)
{
    if (f == NULL) return;
    if (f->inflating) (void)inflateEnd(&f->z);
    if (f->file != NULL) (void)fclose(f->file);
    tpp_free(f);
}

tpp_status tpp_inflate_begin(tpp_inflate *f)
{
    enum { WINDOW = 15, GZIP_OR_ZLIB = 32 };
    if (inflateInit2(&f->z, WINDOW + GZIP_OR_ZLIB) != Z_OK)
        return TPP_FAIL(TPP_ENOMEM, "%s: no memory to inflate it", f->path);
    f->inflating = true;
    return TPP_OK;
}

static tpp_status read_plain(tpp_inflate *f, void *out, size_t size, size_t *got)
{
    const size_t n = fread(out, 1, size, f->file);
    if (n < size && ferror(f->file) != 0)
        return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", f->path, strerror(errno));
    f->left -= n < f->left ? n : f->left;
    *got = n;
    return TPP_OK;
}

static tpp_status fill(tpp_inflate *f)
{
    size_t n = 0;
    TPP_TRY(read_plain(f, f->buffer, sizeof f->buffer, &n));
    f->z.next_in = f->buffer;
    f->z.avail_in = (uInt)n;
    return TPP_OK;
}

/* gzip files may be put one behind another; what is no such file is none of the content. */
static tpp_status end_stream(tpp_inflate *f)
{
    if (f->z.avail_in == 0) TPP_TRY(fill(f));
    const bool more = f->z.avail_in > 1 && f->z.next_in[0] == 0x1f && f->z.next_in[1] == 0x8b;
    f->ended = !more || inflateReset(&f->z) != Z_OK;
    return TPP_OK;
}

/* One call of inflate. */
static tpp_status step(tpp_inflate *f)
{
    if (f->z.avail_in == 0) TPP_TRY(fill(f));
    if (f->z.avail_in == 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: the compressed voxels are cut off", f->path);
    const int code = inflate(&f->z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) return end_stream(f);
    if (code == Z_MEM_ERROR) return TPP_FAIL(TPP_ENOMEM, "%s: no memory to inflate it", f->path);
    if (code != Z_OK && code != Z_BUF_ERROR)
        return TPP_FAIL(TPP_EFORMAT, "%s: the compressed voxels are damaged: %s", f->path,
                        f->z.msg != NULL ? f->z.msg : "they are neither gzip nor zlib");
    return TPP_OK;
}

tpp_status tpp_inflate_read(tpp_inflate *f, void *out, size_t size, size_t *got)
{
    if (!f->inflating) return read_plain(f, out, size, got);
    const size_t most = (size_t)1 << 30; /* zlib counts in unsigned int */
    size_t done = 0;
    while (done < size && !f->ended) {
        const size_t want = size - done < most ? size - done : most;
        f->z.next_out = (unsigned char *)out + done;
        f->z.avail_out = (uInt)want;
        TPP_TRY(step(f));
        done += want - f->z.avail_out;
    }
    *got = done;
    return TPP_OK;
}

uint64_t tpp_inflate_left(const tpp_inflate *f)
{
    return f->left + (f->inflating ? f->z.avail_in : 0);
}

uint64_t tpp_inflate_bound(const tpp_inflate *f)
{
    const uint64_t left = tpp_inflate_left(f);
    if (!f->inflating) return left;
    return left > UINT64_MAX / BEST_RATIO ? UINT64_MAX : left * BEST_RATIO;
}
