/* SHA-256 of bytes and of files, as hexadecimal text.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_HASH_H
#define TPP_IO_HASH_H

#include "core/status.h"

#include <stddef.h>

/* 64 lower-case hexadecimal digits and a NUL. */
typedef struct tpp_sha256 {
    char hex[65];
} tpp_sha256;

TPP_MUST_CHECK tpp_status tpp_sha256_bytes(tpp_sha256 *out, const void *bytes, size_t size);

/* Of a whole regular file, read in pieces. TPP_EIO when it cannot be read. */
TPP_MUST_CHECK tpp_status tpp_sha256_file(tpp_sha256 *out, const char *path);

#endif
