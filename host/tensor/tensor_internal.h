/* The OpenCL side of device memory, for ops and nn/record.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TENSOR_TENSOR_INTERNAL_H
#define TPP_TENSOR_TENSOR_INTERNAL_H

#include "cl/cl_internal.h"
#include "tensor/tensor.h"

/* Bytes [offset, offset + bytes) of a buffer. */
typedef struct tpp_region {
    size_t offset, bytes;
    cl_mem mem;
} tpp_region;

struct tpp_buffer {
    tpp_device *device;
    cl_mem mem;
    size_t bytes;
    tpp_region *region; /* its sub-buffers, in the order they were made */
    int n_regions, capacity;
};

/* The sub-buffer of a region, one for all that ask; it is the buffer's, and goes with it. The
 * offset must meet caps.base_align. */
TPP_MUST_CHECK tpp_status tpp_sub_buffer(cl_mem *out, tpp_buffer *root, size_t offset,
                                         size_t bytes);

#endif
