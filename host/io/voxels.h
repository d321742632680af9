/* Numbers of a file as voxels: the types that every format shares, and their place in a volume.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VOXELS_H
#define TPP_IO_VOXELS_H

#include "io/volume.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tpp_voxel_type {
    const char *name;
    size_t size;      /* bytes of a number: 1, 2, 4 or 8 */
    double low, high; /* what it can hold */
    /* Turns `n` numbers at `p` into slope * number + intercept. */
    void (*convert)(float *out, const uint8_t *p, size_t n, bool big, double slope,
                    double intercept);
} tpp_voxel_type;

/* By name, such as "int16"; NULL: there is none. */
const tpp_voxel_type *tpp_voxel_type_find(const char *name);

/* A voxel in a file: `inner` numbers, one after another, of which `kept` from `first` on are
 * wanted. They are channels, or time points where time is the file's fastest axis. */
typedef struct tpp_voxel_layout {
    const tpp_voxel_type *type;
    bool big; /* byte order */
    size_t inner, first, kept;
} tpp_voxel_layout;

/* Puts the `n` voxels at `p` into v->voxels from voxel `at` on, scaled, and counts those that are
 * no numbers. */
void tpp_voxels_put(tpp_volume *v, const tpp_voxel_layout *l, int64_t at, const uint8_t *p,
                    size_t n);

#endif
