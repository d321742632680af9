/* Versions: of the library, of the interface, and of the structs that cross it.
 * SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <string.h>

#ifndef TPP_VERSION
#define TPP_VERSION "unversioned"
#endif

int tpp_api_version(void)
{
    return TPP_API_VERSION;
}

const char *tpp_version(void)
{
    return TPP_VERSION;
}

static tpp_status size_of(size_t *size, const void *theirs, size_t least, const char *type)
{
    if (theirs == NULL) return TPP_FAIL(TPP_EUSAGE, "%s: NULL", type);
    memcpy(size, theirs, sizeof(*size));
    if (*size >= least) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "%s: its size is given as %zu; set it to sizeof(%s)", type, *size,
                    type);
}

tpp_status tpp_api_read(void *ours, size_t size, const void *theirs, size_t least, const char *type)
{
    size_t given = 0;
    TPP_TRY(size_of(&given, theirs, least, type));
    for (size_t i = size; i < given; i++)
        if (((const unsigned char *)theirs)[i] != 0)
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "%s: a member is set that this library (%s) does not know", type,
                            TPP_VERSION);
    memset(ours, 0, size);
    memcpy(ours, theirs, given < size ? given : size);
    return TPP_OK;
}

tpp_status tpp_api_write(void *theirs, const void *ours, size_t size, size_t least,
                         const char *type)
{
    size_t given = 0;
    TPP_TRY(size_of(&given, theirs, least, type));
    unsigned char *to = theirs;
    const size_t known = given < size ? given : size, head = sizeof(given);
    memcpy(to + head, (const unsigned char *)ours + head, known - head);
    memset(to + known, 0, given - known);
    return TPP_OK;
}
