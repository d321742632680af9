/* Kernel programs: embedded sources, real #include, build options, a cache in memory and on disk.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_PROGRAM_H
#define TPP_CL_PROGRAM_H

#include "cl/cl_internal.h"

typedef struct tpp_embedded_kernel {
    const char *name, *source;
} tpp_embedded_kernel;

/* Every file of cl_kernels/, ends with {0}. TPP_KERNEL_DIR in the environment reads from a folder
 * instead, for development. */
extern const tpp_embedded_kernel tpp_embedded_kernels[];

/* Hash of all embedded sources: two builds with the same kernels have the same. */
uint64_t tpp_kernels_hash(void);

/* A new kernel object of `file` (without ".cl") built with `options`; the caller releases it. The
 * program is built or loaded from the cache once per device and options. */
TPP_MUST_CHECK tpp_status tpp_kernel_open(cl_kernel *out, tpp_device *d, const char *file,
                                          const char *kernel, const char *options);

/* Releases the programs of a device; called by tpp_device_close. */
void tpp_programs_free(tpp_device *d);

#endif
