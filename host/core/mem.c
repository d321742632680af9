/* Host memory: one allocator, counted, with an injected failure for tests.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t allocations;
static atomic_int_fast64_t fail_after = -1;

bool tpp_mul_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

static bool must_fail(void)
{
    if (atomic_load(&fail_after) < 0) return false;
    return atomic_fetch_sub(&fail_after, 1) == 0;
}

static bool checked_size(size_t count, size_t size, size_t *bytes)
{
    if (tpp_mul_size(count, size, bytes) && *bytes <= PTRDIFF_MAX && !must_fail()) {
        if (*bytes == 0) *bytes = 1;
        atomic_fetch_add(&allocations, 1);
        return true;
    }
    (void)TPP_FAIL(TPP_ENOMEM, "no memory for %zu items of %zu bytes", count, size);
    return false;
}

void *tpp_calloc(size_t count, size_t size)
{
    size_t bytes = 0;
    if (!checked_size(count, size, &bytes)) return NULL;
    void *p = calloc(1, bytes);
    if (p == NULL) (void)TPP_FAIL(TPP_ENOMEM, "no memory for %zu bytes", bytes);
    return p;
}

void *tpp_realloc(void *old, size_t count, size_t size)
{
    size_t bytes = 0;
    if (!checked_size(count, size, &bytes)) return NULL;
    void *p = realloc(old, bytes);
    if (p == NULL) (void)TPP_FAIL(TPP_ENOMEM, "no memory for %zu bytes", bytes);
    return p;
}

char *tpp_strndup(const char *text, size_t length)
{
    char *copy = tpp_calloc(length + 1, 1);
    if (copy != NULL) memcpy(copy, text, length);
    return copy;
}

char *tpp_strdup(const char *text)
{
    return tpp_strndup(text, strlen(text));
}

void tpp_free(void *p)
{
    free(p);
}

uint64_t tpp_alloc_count(void)
{
    return atomic_load(&allocations);
}

void tpp_alloc_fail_after(int64_t n)
{
    atomic_store(&fail_after, n);
}

tpp_status tpp_grow(void *array, int count, int *capacity, size_t size)
{
    if (count < *capacity) return TPP_OK;
    const int more = *capacity * 2 + 64;
    void *old = NULL;
    memcpy(&old, array, sizeof(old)); /* `array` is the address of a pointer of any type */
    void *grown = tpp_realloc(old, (size_t)more, size);
    if (grown == NULL) return TPP_ENOMEM;
    memcpy(array, &grown, sizeof(grown));
    *capacity = more;
    return TPP_OK;
}
