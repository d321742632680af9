/* Bytes of a file that may be gzip: reading inflates on the way and sees damage, writing deflates.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_GZIP_H
#define TPP_IO_GZIP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct tpp_gzip tpp_gzip;

/* Opens a regular file; its first two bytes say whether it is gzip. TPP_EIO. Keeps `path`. */
TPP_MUST_CHECK tpp_status tpp_gzip_open(tpp_gzip **out, const char *path);
void tpp_gzip_close(tpp_gzip *g); /* NULL is fine */

/* Up to `size` bytes; *got is smaller only at the end of the content. A gzip stream that is cut
 * off or damaged is TPP_EFORMAT. Bytes behind a whole gzip stream are not looked at. */
TPP_MUST_CHECK tpp_status tpp_gzip_read(tpp_gzip *g, void *out, size_t size, size_t *got);

/* The most bytes that the content can have: the size of a plain file; of a gzip file that size
 * times the best ratio that deflate allows. */
uint64_t tpp_gzip_bound(const tpp_gzip *g);
bool tpp_gzip_is_plain(const tpp_gzip *g);

/* Appends bytes to `stream`, deflated. Zero-initialise; discard is harmless on a zeroed struct.
 * `path` is for messages, and kept. */
typedef struct tpp_gzip_out {
    void *state;
    FILE *stream;
    const char *path;
} tpp_gzip_out;
TPP_MUST_CHECK tpp_status tpp_gzip_begin(tpp_gzip_out *g, FILE *stream, const char *path);
/* The same with the wrapper of zlib, which MetaImage wants. */
TPP_MUST_CHECK tpp_status tpp_zlib_begin(tpp_gzip_out *g, FILE *stream, const char *path);
TPP_MUST_CHECK tpp_status tpp_gzip_write(tpp_gzip_out *g, const void *bytes, size_t size);
TPP_MUST_CHECK tpp_status tpp_gzip_finish(tpp_gzip_out *g); /* also releases */
void tpp_gzip_discard(tpp_gzip_out *g);

#endif
