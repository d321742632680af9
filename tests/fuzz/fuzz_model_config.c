/* Fuzz target: host/config/. The input is a model's configuration and, behind a zero byte, lines of
 * "key=value" that override it. What was read is the same when it is written and read again.
 * SPDX-License-Identifier: MIT */
#include "config/model_config.h"
#include "core/mem.h"
#include "core/str.h"
#include "fuzz.h"

#include <string.h>

enum { OVERRIDES = 16 };

static void read_again(const struct tpp_model_config *c)
{
    struct tpp_model_config back = {0};
    tpp_str text = {0}, same = {0};
    FUZZ_CHECK(tpp_model_config_check(c) == TPP_OK);
    FUZZ_CHECK(tpp_schema_dump(&tpp_model_schema, c, &text) == TPP_OK);
    const char *path = fuzz_file(1, (const uint8_t *)text.text, text.length);
    FUZZ_CHECK(tpp_model_config_read(&back, path, NULL, 0) == TPP_OK);
    FUZZ_CHECK(tpp_schema_dump(&tpp_model_schema, &back, &same) == TPP_OK);
    FUZZ_CHECK(strcmp(same.text, text.text) == 0);
    tpp_str_free(&text);
    tpp_str_free(&same);
}

/* Lines of `text`, which is cut into them. */
static size_t split(const char *list[OVERRIDES], char *text)
{
    size_t n = 0;
    for (char *p = text, *end = NULL; p != NULL && n < OVERRIDES; p = end) {
        end = strchr(p, '\n');
        if (end != NULL) *end++ = '\0';
        if (*p != '\0') list[n++] = p;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *overrides[OVERRIDES];
    struct tpp_model_config c = {0};
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t n = zero != NULL ? (size_t)(zero - data) : size;
    char *text = tpp_calloc(size - n + 1, 1);
    FUZZ_CHECK(text != NULL);
    if (zero != NULL) memcpy(text, zero + 1, size - n - 1);
    const size_t count = split(overrides, text);
    if (tpp_model_config_read(&c, fuzz_file(0, data, n), overrides, count) == TPP_OK)
        read_again(&c);
    tpp_free(text);
    return 0;
}
