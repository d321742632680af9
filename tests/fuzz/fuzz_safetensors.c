/* Fuzz target: host/io/safetensors.c.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "io/safetensors.h"

static void read_all(const tpp_safetensors *f)
{
    for (size_t i = 0; i < tpp_safetensors_count(f); i++) {
        const tpp_safetensors_tensor *t = tpp_safetensors_get(f, i);
        FUZZ_CHECK(tpp_safetensors_find(f, t->name) == t);
        FUZZ_CHECK(t->size == (size_t)t->count * tpp_safetensors_dtype_size(t->type));
        (void)tpp_safetensors_shape_text(t);
        double *values = tpp_calloc((size_t)t->count, sizeof *values);
        FUZZ_CHECK(values != NULL);
        /* A type that the one does not turn into numbers the other does not either. */
        if (tpp_safetensors_floats(t, (float *)values, t->count) == TPP_OK)
            FUZZ_CHECK(tpp_safetensors_doubles(t, values, t->count) == TPP_OK);
        tpp_free(values);
    }
    for (size_t i = 0; i < tpp_safetensors_meta_count(f); i++)
        FUZZ_CHECK(tpp_safetensors_meta(f, tpp_safetensors_meta_get(f, i).key) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_safetensors *f = NULL;
    if (tpp_safetensors_open(&f, fuzz_file(0, data, size)) != TPP_OK) return 0;
    read_all(f);
    tpp_safetensors_close(f);
    return 0;
}
