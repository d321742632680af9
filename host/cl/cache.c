/* Recognises cache entries by their names.
 * SPDX-License-Identifier: MIT */
#include "cl/cache.h"

#include <stdlib.h>
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
    static const char mark[] = ".tmp.", digits[] = "0123456789";
    if (strncmp(rest, mark, sizeof(mark) - 1) != 0) return false;
    const char *process = rest + sizeof(mark) - 1;
    const char *number = process + strspn(process, digits);
    if (number == process || number[0] != '.' || number[1] == '\0') return false;
    if (number[1 + strspn(number + 1, digits)] != '\0') return false;
    const long id = strtol(process, NULL, 10);
    if (id <= 0) return false;
    if (writer != NULL) *writer = id;
    return true;
}
