/* gzip over zlib.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#define ZLIB_CONST      /* what zlib reads it takes as const */
#include "io/gzip.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Deflate's shortest code for its longest match is two bits for 258 bytes: 1032 to 1. */
enum { BEST_RATIO = 1032, BUFFER = 1 << 17 };

struct tpp_gzip {
    gzFile file;
    const char *path;
    uint64_t size; /* of the file */
    bool plain;
};

/* Opens without waiting for a pipe's other end, and lets only regular files through. */
static tpp_status open_regular(int *out, uint64_t *size, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return TPP_FAIL(TPP_EIO, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return TPP_FAIL(TPP_EIO, "%s: not a regular file", path);
    }
    *out = fd;
    *size = (uint64_t)st.st_size;
    return TPP_OK;
}

tpp_status tpp_gzip_open(tpp_gzip **out, const char *path)
{
    int fd = -1;
    uint64_t size = 0;
    TPP_TRY(open_regular(&fd, &size, path));
    tpp_gzip *g = tpp_calloc(1, sizeof *g);
    gzFile file = g == NULL ? NULL : gzdopen(fd, "rb");
    if (file == NULL) {
        (void)close(fd);
        tpp_free(g);
        return g == NULL ? TPP_ENOMEM : TPP_FAIL(TPP_ENOMEM, "%s: no memory to read it", path);
    }
    (void)gzbuffer(file, BUFFER);
    *g = (tpp_gzip){.file = file, .path = path, .size = size};
    g->plain = gzdirect(file) != 0;
    *out = g;
    return TPP_OK;
}

void tpp_gzip_close(tpp_gzip *g)
{
    if (g == NULL) return;
    (void)gzclose_r(g->file);
    tpp_free(g);
}

tpp_status tpp_gzip_read(tpp_gzip *g, void *out, size_t size, size_t *got)
{
    const size_t most = (size_t)1 << 30; /* gzread counts in int */
    size_t done = 0;
    while (done < size) {
        const size_t want = size - done < most ? size - done : most;
        const int n = gzread(g->file, (char *)out + done, (unsigned)want);
        if (n > 0) done += (size_t)n;
        if (n == (int)want) continue;
        int code = Z_OK;
        const char *text = gzerror(g->file, &code);
        if (code == Z_ERRNO)
            return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", g->path, strerror(errno));
        if (code == Z_BUF_ERROR)
            return TPP_FAIL(TPP_EFORMAT, "%s: the gzip stream is cut off", g->path);
        if (code != Z_OK)
            return TPP_FAIL(TPP_EFORMAT, "%s: the gzip stream is damaged: %s", g->path, text);
        break;
    }
    *got = done;
    return TPP_OK;
}

uint64_t tpp_gzip_bound(const tpp_gzip *g)
{
    if (g->plain) return g->size;
    return g->size > UINT64_MAX / BEST_RATIO ? UINT64_MAX : g->size * BEST_RATIO;
}

bool tpp_gzip_is_plain(const tpp_gzip *g)
{
    return g->plain;
}

/* zlib's defaults; more than WINDOW bits: another wrapper. */
enum { WINDOW = 15, AS_GZIP = 16, MEMORY = 8 };

static tpp_status begin(tpp_gzip_out *g, FILE *stream, const char *path, int window)
{
    z_stream *z = NULL;
    TPP_NEW(z, 1);
    if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        tpp_free(z);
        return TPP_FAIL(TPP_ENOMEM, "%s: no memory to compress", path);
    }
    *g = (tpp_gzip_out){.state = z, .stream = stream, .path = path};
    return TPP_OK;
}

tpp_status tpp_gzip_begin(tpp_gzip_out *g, FILE *stream, const char *path)
{
    return begin(g, stream, path, WINDOW + AS_GZIP);
}

tpp_status tpp_zlib_begin(tpp_gzip_out *g, FILE *stream, const char *path)
{
    return begin(g, stream, path, WINDOW);
}

/* Deflates the stream's pending input; `flush` Z_FINISH ends it. */
static tpp_status drain(tpp_gzip_out *g, int flush)
{
    z_stream *z = g->state;
    unsigned char out[1 << 14];
    do {
        z->next_out = out;
        z->avail_out = sizeof out;
        if (deflate(z, flush) == Z_STREAM_ERROR)
            return TPP_FAIL(TPP_EINTERNAL, "%s: zlib lost its state", g->path);
        const size_t n = sizeof out - z->avail_out;
        if (fwrite(out, 1, n, g->stream) != n)
            return TPP_FAIL(TPP_EIO, "%s: cannot write: %s", g->path, strerror(errno));
    } while (z->avail_out == 0);
    return TPP_OK;
}

tpp_status tpp_gzip_write(tpp_gzip_out *g, const void *bytes, size_t size)
{
    z_stream *z = g->state;
    const size_t most = (size_t)1 << 30; /* zlib counts in unsigned int */
    const unsigned char *p = bytes;
    while (size > 0) {
        const size_t n = size < most ? size : most;
        z->next_in = p;
        z->avail_in = (uInt)n;
        TPP_TRY(drain(g, Z_NO_FLUSH));
        p += n;
        size -= n;
    }
    return TPP_OK;
}

tpp_status tpp_gzip_finish(tpp_gzip_out *g)
{
    z_stream *z = g->state;
    z->avail_in = 0;
    const tpp_status s = drain(g, Z_FINISH);
    tpp_gzip_discard(g);
    return s;
}

void tpp_gzip_discard(tpp_gzip_out *g)
{
    if (g->state != NULL) (void)deflateEnd(g->state);
    tpp_free(g->state);
    *g = (tpp_gzip_out){0};
}
