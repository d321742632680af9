/* Names of the files that the cache of compiled kernels is made of.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_CACHE_H
#define TPP_CL_CACHE_H

#include <stdbool.h>

/* After 64 lower-case hexadecimal digits. */
#define TPP_CACHE_SUFFIX ".clbin"

/* Is `name` (no path) that of an entry, or of one that was being written when a program ended? In
 * the second case *writer is the process that wrote it, else 0. `writer` may be NULL. */
bool tpp_cache_is_entry(const char *name, long *writer);

#endif
