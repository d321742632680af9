/* splitmix64 over a counter, keyed by FNV-1a of a name.
 * SPDX-License-Identifier: MIT */
#include "core/synth.h"

#include "core/table.h"

#include <string.h>

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15) /* 2^64 divided by the golden ratio */

uint64_t tpp_synth_key(const char *name, uint64_t seed)
{
    return tpp_fnv1a64(name, strlen(name)) ^ (seed * GOLDEN);
}

double tpp_synth_value(uint64_t key, uint64_t i)
{
    uint64_t z = key + (i + 1) * GOLDEN;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 40) / 8388608.0 - 1.0;
}
