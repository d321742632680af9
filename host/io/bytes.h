/* Numbers from and to the bytes of a file, in the file's order whatever the host's is.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_BYTES_H
#define TPP_IO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An unsigned number of `size` (1 to 8) bytes. The loop becomes one load, or a load and a swap. */
static inline uint64_t tpp_bytes_get(const uint8_t *p, size_t size, bool big)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) v |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
    return v;
}

static inline void tpp_bytes_put(uint8_t *p, uint64_t v, size_t size, bool big)
{
    for (size_t i = 0; i < size; i++) p[i] = (uint8_t)(v >> 8 * (big ? size - 1 - i : i));
}

/* Bits as IEEE 754 numbers. */
static inline float tpp_bits_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline double tpp_bits_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

#endif
