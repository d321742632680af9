/* Writes volumes of results, plain or deflated.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/mem.h"
#include "core/path.h"
#include "io/bytes.h"
#include "io/gzip.h"
#include "io/volume_data.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

enum { CHUNK = 1 << 14 }; /* values turned into bytes at a time */

/* Where bytes go: through `gzip` if it was begun. */
typedef struct sink {
    tpp_out_file file;
    tpp_gzip_out gzip;
} sink;

static tpp_status put(sink *k, const void *bytes, size_t size)
{
    if (k->gzip.state != NULL) return tpp_gzip_write(&k->gzip, bytes, size);
    (void)fwrite(bytes, 1, size, k->file.stream); /* short writes show at commit */
    return TPP_OK;
}

static tpp_status put_values(sink *k, const tpp_result *r)
{
    uint8_t bytes[4 * CHUNK];
    for (size_t i = 0; i < r->count; i += CHUNK) {
        const size_t n = r->count - i < CHUNK ? r->count - i : CHUNK;
        for (size_t j = 0; j < n; j++) {
            uint32_t bits = 0;
            memcpy(&bits, &r->values[i + j], sizeof bits);
            tpp_bytes_put(bytes + 4 * j, bits, 4, r->big);
        }
        TPP_TRY(put(k, bytes, 4 * n));
    }
    return TPP_OK;
}

static tpp_status begin_packing(sink *k, tpp_packing wanted)
{
    if (wanted == TPP_PACK_NONE) return TPP_OK;
    const bool zlib = wanted == TPP_PACK_DATA_ZLIB;
    return (zlib ? tpp_zlib_begin : tpp_gzip_begin)(&k->gzip, k->file.stream, k->file.path);
}

/* How many bytes the voxels take is known when they are written. */
static tpp_status put_size(sink *k, const tpp_result *r)
{
    char digits[TPP_RESULT_DIGITS + 1];
    const off_t end = ftello(k->file.stream);
    const int n = snprintf(digits, sizeof digits, "%-*jd", TPP_RESULT_DIGITS,
                           (intmax_t)end - (intmax_t)r->header_size);
    if (end < 0 || n != TPP_RESULT_DIGITS ||
        fseeko(k->file.stream, (off_t)r->size_at, SEEK_SET) != 0)
        return TPP_FAIL(TPP_EIO, "%s: cannot write its header: %s", k->file.path, strerror(errno));
    (void)fwrite(digits, 1, TPP_RESULT_DIGITS, k->file.stream);
    return TPP_OK;
}

static tpp_status put_all(sink *k, const tpp_result *r)
{
    if (r->packing == TPP_PACK_GZIP) TPP_TRY(begin_packing(k, r->packing));
    TPP_TRY(put(k, r->header, r->header_size));
    if (r->packing != TPP_PACK_GZIP) TPP_TRY(begin_packing(k, r->packing));
    TPP_TRY(r->labels != NULL ? put(k, r->labels, r->count) : put_values(k, r));
    if (k->gzip.state != NULL) TPP_TRY(tpp_gzip_finish(&k->gzip));
    if (r->size_at > 0) TPP_TRY(put_size(k, r));
    return tpp_out_commit(&k->file);
}

tpp_status tpp_result_write(const char *path, const tpp_result *r)
{
    sink k = {0};
    TPP_TRY(tpp_out_open(&k.file, path));
    const tpp_status s = put_all(&k, r);
    tpp_gzip_discard(&k.gzip);
    tpp_out_discard(&k.file);
    return s;
}
