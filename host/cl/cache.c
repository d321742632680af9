/* Recognises cache entries by their names.
 * SPDX-License-Identifier: MIT */
#include "cl/cache.h"

#include <stdio.h>
#include <string.h>

bool tpp_cache_is_entry(const char *name, long *writer)
{
    enum { DIGITS = 64 };
    const size_t suffix = sizeof(TPP_CACHE_SUFFIX) - 1;
    if (writer != NULL) *writer = 0;
    if (strspn(name, "0123456789abcdef") != DIGITS ||
        strncmp(name + DIGITS, TPP_CACHE_SUFFIX, suffix) != 0)
        return false;
    const char *rest = name + DIGITS + suffix;
    if (*rest == '\0') return true;
    /* tpp_out_open's temporary: ".tmp.PROCESS.NUMBER" */
    long process = 0;
    unsigned number = 0;
    int end = 0;
    if (sscanf(rest, ".tmp.%ld.%u%n", &process, &number, &end) != 2 || rest[end] != '\0' ||
        process <= 0)
        return false;
    if (writer != NULL) *writer = process;
    return true;
}
