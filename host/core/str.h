/* A growing string, for messages, reports and generated source.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_STR_H
#define TPP_CORE_STR_H

#include "core/status.h"

#include <stddef.h>

/* Zero-initialise; `text` is NUL-terminated once anything was added. A failed allocation is
 * sticky in `status`, so a caller may add many times and look once. */
typedef struct tpp_str {
    char *text;
    size_t length, capacity;
    tpp_status status;
} tpp_str;

void tpp_str_add(tpp_str *s, const char *text, size_t length);
void tpp_str_format(tpp_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tpp_str_free(tpp_str *s);

/* Order of names as people count: runs of digits by their value, the rest by bytes; names that are
 * equal so far by bytes. As strcmp. */
int tpp_str_compare_natural(const char *a, const char *b);

/* Edit distance of two names, for "did you mean": at most 255. */
unsigned tpp_str_distance(const char *a, const char *b);

#endif
