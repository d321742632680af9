/* Fuzz target: host/infer/golden.c. The input is the JSON header of a safetensors file and, behind
 * a zero byte, its data; the length before the header is put there here.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "infer/golden.h"
#include "io/bytes.h"

#include <math.h>
#include <string.h>

static void check_items(const tpp_golden *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const tpp_expected *x = &g->items[i];
        FUZZ_CHECK(x->name[0] != '\0' && strlen(x->name) < TPP_GOLDEN_MAX_NAME && x->step >= 1);
        FUZZ_CHECK((x->values != NULL) == (x->count > 0));
        for (int64_t k = 0; k < x->count; k++) FUZZ_CHECK(isfinite(x->values[k]));
    }
}

/* Every id is one of the vocabulary. */
static void check_prompts(const tpp_golden *g)
{
    int32_t ids[TPP_GOLDEN_MAX_TOKENS];
    FUZZ_CHECK(g->n_prompts >= 1 && g->n_prompts <= TPP_GOLDEN_MAX_PROMPTS);
    for (int i = 0; i < g->n_prompts; i++) {
        tpp_golden_prompt(ids, g, i);
        for (int k = 0; k < g->length[i]; k++)
            FUZZ_CHECK(ids[k] >= 0 && ids[k] < g->config.text.vocab);
    }
}

/* A run that holds each item's values fails where the file's own shapes do not fit them. */
static void compare(const tpp_golden *g)
{
    tpp_golden_report r = {0};
    FUZZ_CHECK(tpp_golden_report_init(&r, g) == TPP_OK);
    for (size_t i = 0; i < g->count; i++) {
        const tpp_expected *x = &g->items[i];
        const tpp_traced t = {x->name, x->values, {.rank = 1, .d = {x->count}}};
        if (x->count > 0) FUZZ_CHECK(tpp_golden_sink(&r, &t) == TPP_OK);
    }
    tpp_golden_report_finish(&r);
    FUZZ_CHECK((size_t)r.passed + (size_t)r.failed == g->count);
    tpp_golden_report_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LENGTH = 8 };
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t n = zero != NULL ? (size_t)(zero - data) : size;
    const size_t rest = zero != NULL ? size - n - 1 : 0;
    uint8_t *file = tpp_calloc(LENGTH + n + rest, 1);
    FUZZ_CHECK(file != NULL);
    tpp_bytes_put(file, n, LENGTH, false);
    if (n > 0) memcpy(file + LENGTH, data, n);
    if (rest > 0) memcpy(file + LENGTH + n, zero + 1, rest);
    tpp_golden g = {0};
    if (tpp_golden_read(&g, fuzz_file(0, file, LENGTH + n + rest)) == TPP_OK) {
        check_items(&g);
        check_prompts(&g);
        compare(&g);
        tpp_golden_free(&g);
    }
    tpp_free(file);
    return 0;
}
