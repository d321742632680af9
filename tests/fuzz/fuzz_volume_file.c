/* Fuzz target: host/io/volume_file.c, which finds out what a file is.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/volume_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tpp_volume_options o = {.max_bytes = 1 << 18, .time = -1};
    const char *path = fuzz_file(0, data, size);
    tpp_volume v = {0};
    const bool is_volume = tpp_volume_is(path);
    if (tpp_volume_read(&v, path, &o) != TPP_OK) return 0;
    FUZZ_CHECK(is_volume);
    tpp_volume_free(&v);
    return 0;
}
