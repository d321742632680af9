/* The OpenCL side of device memory, for ops and nn/record.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TENSOR_TENSOR_INTERNAL_H
#define TPP_TENSOR_TENSOR_INTERNAL_H

#include "cl/cl_internal.h"
#include "tensor/tensor.h"

struct tpp_buffer {
    tpp_device *device;
    cl_mem mem;
    size_t bytes;
};

/* A new sub-buffer; the caller releases it. The offset must meet caps.base_align. */
TPP_MUST_CHECK tpp_status tpp_sub_buffer(cl_mem *out, const tpp_device *d, cl_mem root,
                                         size_t offset, size_t bytes);

#endif
