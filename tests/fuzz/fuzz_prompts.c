/* Fuzz target: host/text/prompts.c.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "text/prompts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_prompts p = {0};
    if (tpp_prompts_read(&p, fuzz_file(0, data, size)) == TPP_OK) {
        for (size_t i = 0; i < p.count; i++)
            FUZZ_CHECK(p.structures[i].n_views <= TPP_MAX_VIEWS && p.structures[i].name != NULL);
        tpp_prompts_free(&p);
    }
    return 0;
}
