/* Checked host memory: sizes that cannot overflow, failures that carry a message.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_MEM_H
#define TPP_CORE_MEM_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b; false when that overflows. */
bool tpp_mul_size(size_t a, size_t b, size_t *out);

/* Zeroed memory for `count` items of `size` bytes; NULL with a message (TPP_ENOMEM) when there is
 * none or the product overflows. A count of 0 gives a pointer that may be freed. */
void *tpp_calloc(size_t count, size_t size);

/* Grows or shrinks; new bytes are not cleared. NULL leaves `old` as it was. */
void *tpp_realloc(void *old, size_t count, size_t size);

/* Makes room for one more element of `size` bytes in a doubling array. */
tpp_status tpp_grow(void *array, int count, int *capacity, size_t size);

/* A copy of `text`, or of its first `length` bytes. */
char *tpp_strdup(const char *text);
char *tpp_strndup(const char *text, size_t length);

void tpp_free(void *p);

/* Allocations made so far by this process: a frame loop must not move it. */
uint64_t tpp_alloc_count(void);

/* For tests: the allocation after `n` further ones fails (n = 0: the next); negative: never. */
void tpp_alloc_fail_after(int64_t n);

/* *p = new zeroed array, or the caller returns TPP_ENOMEM. */
#define TPP_NEW(p, count)                                \
    do {                                                 \
        (p) = tpp_calloc((size_t)(count), sizeof(*(p))); \
        if ((p) == NULL) return TPP_ENOMEM;              \
    } while (0)
#define TPP_NEW_OR(label, s, p, count)                   \
    do {                                                 \
        (p) = tpp_calloc((size_t)(count), sizeof(*(p))); \
        if ((p) == NULL) {                               \
            (s) = TPP_ENOMEM;                            \
            goto label;                                  \
        }                                                \
    } while (0)

#endif
