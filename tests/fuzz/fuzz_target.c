/* Fuzz target: host/infer/target.c, the same bytes as a prompts file in text and in YAML.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "infer/target.h"

#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

static void read_file(const char *path)
{
    tpp_targets t = {0};
    if (tpp_targets_read(&t, path, NULL) == TPP_OK)
        FUZZ_CHECK(t.count >= 1 && t.count <= TPP_MAX_TARGETS);
    else
        FUZZ_CHECK(t.count == 0);
    for (int i = 0; i < t.count; i++) {
        const tpp_target *x = &t.item[i];
        FUZZ_CHECK(x->name[0] != '\0' && strspn(x->name, letters) == strlen(x->name));
        FUZZ_CHECK(x->n_prompts >= 1 && x->n_prompts <= TPP_TARGET_MAX_PROMPTS);
        for (int k = 0; k < x->n_prompts; k++) FUZZ_CHECK(x->prompt[k][0] != '\0');
    }
    tpp_targets_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file(fuzz_named("prompts.txt", data, size));
    read_file(fuzz_named("prompts.yaml", data, size));
    return 0;
}
