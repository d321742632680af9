/* Gathers named tensors whose number and shapes are not known beforehand, and writes them as one
 * safetensors file. The values wait on disk, not in memory.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_DUMP_H
#define TPP_INFER_DUMP_H

#include "core/shape.h"
#include "core/status.h"
#include "io/safetensors.h"

#include <stdio.h>

/* Zero-initialise; close in any state. */
typedef struct tpp_dump {
    char *path;
    FILE *spool; /* little-endian floats, in order; has no name on disk */
    tpp_safetensors_spec *specs;
    char **names;
    size_t count;
} tpp_dump;

TPP_MUST_CHECK tpp_status tpp_dump_open(tpp_dump *d, const char *path);

/* Adds a tensor as F32. */
TPP_MUST_CHECK tpp_status tpp_dump_add(tpp_dump *d, const char *name, const double *values,
                                       const tpp_shape *shape);

/* Writes the file, whole or not at all. */
TPP_MUST_CHECK tpp_status tpp_dump_write(tpp_dump *d);
void tpp_dump_close(tpp_dump *d);

#endif
