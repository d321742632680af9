/* Fuzz target: host/io/png.c. Checksums are put right after a change, or nearly no change would get
 * past them.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/bytes.h"
#include "io/png.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    tpp_picture_head head = {0};
    tpp_image any = {0}, shallow = {0};
    const tpp_status known = tpp_png_read_head(&head, path);
    const tpp_status s = tpp_png_read_any(&any, path);
    FUZZ_CHECK((tpp_png_read(&shallow, path) == TPP_OK) == (s == TPP_OK && any.deep == NULL));
    fuzz_picture(known, &head, s, &any);
    tpp_image_free(&shallow);
    return 0;
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION /* clang's, with libFuzzer */

/* libFuzzer's own, and the function that it looks for. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    enum { SIGNATURE = 8, AROUND = 12, ONE_IN = 16 };
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % ONE_IN == 0) return size;
    for (size_t at = SIGNATURE; at < size && size - at >= AROUND;) {
        const size_t length = (size_t)tpp_bytes_get(data + at, 4, true);
        if (length > size - at - AROUND) break;
        const uLong crc = crc32(0, data + at + 4, (uInt)length + 4);
        tpp_bytes_put(data + at + 8 + length, crc, 4, true);
        at += length + AROUND;
    }
    return size;
}

#endif
