/* Shapes and element types of tensors.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_SHAPE_H
#define TPP_CORE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TPP_MAX_RANK 4

/* Element type of storage. Arithmetic is in float whatever the storage (decision 1). */
#define TPP_DTYPE_MAP(X)            X(F32, 4) X(F16, 2) X(I32, 4) X(U8, 1)
#define TPP_DTYPE_ENUM(name, bytes) TPP_##name,
typedef enum tpp_dtype { TPP_DTYPE_MAP(TPP_DTYPE_ENUM) TPP_DTYPE_COUNT } tpp_dtype;
#undef TPP_DTYPE_ENUM

/* Row-major; d[rank-1] is contiguous. Rank 0 is a tensor that is not there. */
typedef struct tpp_shape {
    int rank;
    int64_t d[TPP_MAX_RANK];
} tpp_shape;

#define TPP_SHAPE(...) \
    ((tpp_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/* The same as an initialiser, for static tables. */
#define TPP_DIMS(...)                                              \
    {                                                              \
        (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
        {                                                          \
            __VA_ARGS__                                            \
        }                                                          \
    }

size_t tpp_dtype_size(tpp_dtype type);
const char *tpp_dtype_text(tpp_dtype type);

/* Number of elements; 0 for rank 0 and for a negative axis, at most INT64_MAX. */
int64_t tpp_shape_count(const tpp_shape *s);

/* Size of the last axis, and product of all others: the matrix that token-major ops see. */
int64_t tpp_shape_cols(const tpp_shape *s);
int64_t tpp_shape_rows(const tpp_shape *s);

bool tpp_shape_equal(const tpp_shape *a, const tpp_shape *b);

/* "[1,3600,256]" in a buffer of this thread; four results stay valid at a time. */
const char *tpp_shape_text(const tpp_shape *s);

#endif
