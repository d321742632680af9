/* Bytes of a file from some place on, as they are or inflated on the way.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_INFLATE_H
#define TPP_IO_INFLATE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tpp_inflate tpp_inflate;

/* Opens a regular file at byte `offset`. Keeps `path`. */
TPP_MUST_CHECK tpp_status tpp_inflate_open(tpp_inflate **out, const char *path, uint64_t offset);
void tpp_inflate_close(tpp_inflate *f); /* NULL is fine */

/* From here on the file is gzip or zlib; its next bytes say which. */
TPP_MUST_CHECK tpp_status tpp_inflate_begin(tpp_inflate *f);

/* Up to `size` bytes; *got is smaller only at the end of the content. A stream that is cut off or
 * damaged is TPP_EFORMAT. Bytes behind a whole stream are not looked at. */
TPP_MUST_CHECK tpp_status tpp_inflate_read(tpp_inflate *f, void *out, size_t size, size_t *got);

/* Bytes of the file that were not read yet. */
uint64_t tpp_inflate_left(const tpp_inflate *f);

/* The most bytes that can still come: those left, times deflate's best ratio if inflating. */
uint64_t tpp_inflate_bound(const tpp_inflate *f);

#endif
