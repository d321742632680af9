/* The golden model inside the program: for builtin_golden.c and golden.c.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BUILTIN_GOLDEN_H
#define TPP_INFER_BUILTIN_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

typedef struct tpp_builtin_tensor {
    const char *name, *shape; /* "64x8x8" */
    int64_t step, count;      /* every step-th value of the flattened tensor */
    const double *values;
    double stats[3]; /* of the whole tensor: mean, mean magnitude, largest magnitude */
} tpp_builtin_tensor;

typedef struct tpp_builtin_key {
    const char *key, *value; /* of the reference's configuration */
} tpp_builtin_key;

extern const tpp_builtin_key tpp_builtin_keys[];
extern const size_t tpp_builtin_key_count;
extern const tpp_builtin_tensor tpp_builtin_tensors[];
extern const size_t tpp_builtin_tensor_count;

#endif
