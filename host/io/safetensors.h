/* Named tensors in one file (safetensors): read through a read-only mapping, written as a stream.
 * What is read is trusted only after every length, offset and name was checked against the file.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_SAFETENSORS_H
#define TPP_IO_SAFETENSORS_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* Element types of the format, and their sizes in bytes. Those that tpp_safetensors_doubles does
 * not convert can be stored and listed all the same. */
/* clang-format off */
#define TPP_SAFETENSORS_MAP(X)                                                      \
    X(F64, 8) X(F32, 4) X(F16, 2) X(BF16, 2) X(I64, 8) X(I32, 4) X(I16, 2) X(I8, 1) \
    X(U64, 8) X(U32, 4) X(U16, 2) X(U8, 1) X(BOOL, 1) X(F8_E4M3, 1) X(F8_E5M2, 1)
/* clang-format on */
#define TPP_SAFETENSORS_ENUM(name, bytes) TPP_SAFETENSORS_##name,
typedef enum tpp_safetensors_dtype {
    TPP_SAFETENSORS_MAP(TPP_SAFETENSORS_ENUM) TPP_SAFETENSORS_DTYPE_COUNT
} tpp_safetensors_dtype;
#undef TPP_SAFETENSORS_ENUM

enum { TPP_SAFETENSORS_MAX_RANK = 8 };

/* "BF16", and bytes an element takes. */
const char *tpp_safetensors_dtype_text(tpp_safetensors_dtype type);
size_t tpp_safetensors_dtype_size(tpp_safetensors_dtype type);

/* One tensor of an open file; everything is borrowed until close. Rank 0 is one number. `bytes`
 * are little-endian and need not be aligned: use the conversions, or memcpy. */
typedef struct tpp_safetensors_tensor {
    const char *name;
    tpp_safetensors_dtype type;
    int rank;
    int64_t dims[TPP_SAFETENSORS_MAX_RANK]; /* row-major */
    int64_t count;                          /* product of dims */
    const void *bytes;
    size_t size;
} tpp_safetensors_tensor;

typedef struct tpp_safetensors tpp_safetensors;

/* Maps `path`. TPP_EIO: cannot be read; TPP_EFORMAT: the message says what is wrong with it.
 * A file that another process shortens while it is open faults, as every mapping does. */
TPP_MUST_CHECK tpp_status tpp_safetensors_open(tpp_safetensors **out, const char *path);
void tpp_safetensors_close(tpp_safetensors *f); /* NULL is fine */

/* Tensors in the order of their data. `i` from 0. */
size_t tpp_safetensors_count(const tpp_safetensors *f);
const tpp_safetensors_tensor *tpp_safetensors_get(const tpp_safetensors *f, size_t i);
const tpp_safetensors_tensor *tpp_safetensors_find(const tpp_safetensors *f, const char *name);

/* The file's text metadata, in the file's order. Borrowed until close. */
typedef struct tpp_safetensors_pair {
    const char *key, *value;
} tpp_safetensors_pair;
size_t tpp_safetensors_meta_count(const tpp_safetensors *f);
tpp_safetensors_pair tpp_safetensors_meta_get(const tpp_safetensors *f, size_t i);
const char *tpp_safetensors_meta(const tpp_safetensors *f, const char *key); /* NULL: absent */

/* All `count` elements as float: F32, F16, BF16, F64 (rounded; too large becomes infinite).
 * TPP_ESHAPE when the tensor has another count, TPP_EUNSUPPORTED for every other type. */
TPP_MUST_CHECK tpp_status tpp_safetensors_floats(const tpp_safetensors_tensor *t, float *out,
                                                 int64_t count);

/* The same as double, integers included (64-bit ones are rounded beyond 2^53). */
TPP_MUST_CHECK tpp_status tpp_safetensors_doubles(const tpp_safetensors_tensor *t, double *out,
                                                  int64_t count);

/* "[1,3600,256]" in a buffer of this thread; four results stay valid at a time. */
const char *tpp_safetensors_shape_text(const tpp_safetensors_tensor *t);

/* --- writing --- */

typedef struct tpp_safetensors_spec {
    const char *name;
    tpp_safetensors_dtype type;
    int rank;
    int64_t dims[TPP_SAFETENSORS_MAX_RANK];
} tpp_safetensors_spec;

typedef struct tpp_safetensors_writer tpp_safetensors_writer;

/* Starts `path` under a temporary name with the header of `n` tensors and `n_meta` pairs, none of
 * which is kept. Their data follow in this order. TPP_EUSAGE for a name that is empty, twice
 * there, or no UTF-8. */
TPP_MUST_CHECK tpp_status tpp_safetensors_begin(tpp_safetensors_writer **out, const char *path,
                                                const tpp_safetensors_spec *tensors, size_t n,
                                                const tpp_safetensors_pair *meta, size_t n_meta);

/* The next `size` bytes (little-endian) of tensor `name`, which has to be the one whose turn it
 * is; a tensor may come in several pieces. TPP_EUSAGE when it is another's turn or too much. */
TPP_MUST_CHECK tpp_status tpp_safetensors_append(tpp_safetensors_writer *w, const char *name,
                                                 const void *bytes, size_t size);

/* Puts the file in its place and frees `w`, whatever the result; TPP_EUSAGE when data are missing:
 * then, and after discard, nothing is left on disk. */
TPP_MUST_CHECK tpp_status tpp_safetensors_commit(tpp_safetensors_writer *w);
void tpp_safetensors_discard(tpp_safetensors_writer *w); /* NULL is fine */

#endif
