/* Fuzz target: host/io/yaml.c.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "io/yaml.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_yaml y = {0};
    if (tpp_yaml_parse(&y, (const char *)data, size, "input") == TPP_OK)
        for (size_t i = 0; i < y.count; i++) {
            FUZZ_CHECK(strlen(y.items[i].key) <= TPP_YAML_MAX_KEY);
            for (size_t k = 0; k < y.items[i].count; k++)
                FUZZ_CHECK(strlen(y.items[i].value[k]) <= TPP_YAML_MAX_VALUE);
        }
    tpp_yaml_free(&y);
    return 0;
}
