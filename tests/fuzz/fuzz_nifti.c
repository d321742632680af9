/* Fuzz target: host/io/nifti.c.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/nifti.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tpp_volume_options o = {.max_bytes = 1 << 18};
    tpp_volume v = {0};
    if (tpp_nifti_read(&v, fuzz_file(0, data, size), &o) != TPP_OK) return 0;
    fuzz_volume(&v);
    tpp_volume_free(&v);
    return 0;
}
