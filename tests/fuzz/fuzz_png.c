/* Fuzz target: host/io/png.c.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/image.h"
#include "io/png.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_image image = {0};
    uint64_t sum = 0;
    if (tpp_png_read(&image, fuzz_file(0, data, size)) != TPP_OK) return 0;
    FUZZ_CHECK(image.channels == 1 || image.channels == 3);
    const size_t n = (size_t)image.width * (size_t)image.height * (size_t)image.channels;
    /* All of them are there. */
    for (size_t i = 0; i < n; i++) sum += image.deep != NULL ? image.deep[i] : image.pixels[i];
    FUZZ_CHECK(sum <= (uint64_t)UINT16_MAX * n);
    tpp_image_free(&image);
    return 0;
}
