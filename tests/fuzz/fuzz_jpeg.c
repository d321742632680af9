/* Fuzz target: host/io/jpeg.c.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/jpeg.h"

enum { PIXELS = 1 << 20 }; /* more would only be slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    tpp_picture_head head = {0};
    tpp_image image = {0};
    const tpp_status known = tpp_jpeg_read_head(&head, path);
    if (known == TPP_OK && (int64_t)head.width * head.height > PIXELS) return 0;
    const tpp_status s = tpp_jpeg_read(&image, path);
    fuzz_picture(known, &head, s, &image);
    return 0;
}
