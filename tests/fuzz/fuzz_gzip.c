/* Fuzz target: host/io/gzip.c, and host/io/inflate.c from the byte on that the first one says.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/gzip.h"
#include "io/inflate.h"

#include <stdbool.h>

enum { LIMIT = 1 << 20, STEP = 1000 };

static void read_gzip(const char *path)
{
    uint8_t bytes[STEP];
    tpp_gzip *g = NULL;
    if (tpp_gzip_open(&g, path) != TPP_OK) return;
    const uint64_t bound = tpp_gzip_bound(g);
    uint64_t all = 0;
    for (size_t got = STEP; got == STEP && all < LIMIT; all += got)
        if (tpp_gzip_read(g, bytes, STEP, &got) != TPP_OK) break;
    FUZZ_CHECK(all <= bound + STEP);
    tpp_gzip_close(g);
}

static void read_inflate(const char *path, uint64_t offset, bool begin)
{
    uint8_t bytes[STEP];
    tpp_inflate *f = NULL;
    if (tpp_inflate_open(&f, path, offset) != TPP_OK) return;
    if (begin) FUZZ_CHECK(tpp_inflate_begin(f) == TPP_OK);
    const uint64_t bound = tpp_inflate_bound(f);
    uint64_t all = 0;
    for (size_t got = STEP; got == STEP && all < LIMIT; all += got)
        if (tpp_inflate_read(f, bytes, STEP, &got) != TPP_OK) break;
    FUZZ_CHECK(all <= bound + STEP);
    tpp_inflate_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    const char *path = fuzz_file(0, data + 1, size - 1);
    read_gzip(path);
    read_inflate(path, data[0] >> 1, (data[0] & 1) != 0);
    return 0;
}
