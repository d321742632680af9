/* Device memory over cl_mem.
 * SPDX-License-Identifier: MIT */
#include "tensor/tensor.h"

#include "core/mem.h"
#include "tensor/tensor_internal.h"

#include <stdarg.h>
#include <stdio.h>

tpp_status tpp_buffer_open(tpp_buffer **out, tpp_device *d, size_t bytes)
{
    tpp_buffer *b = NULL;
    cl_int code = CL_SUCCESS;
    if (bytes == 0) bytes = 4;
    if (bytes <= d->caps.max_alloc) bytes = (bytes + 3) / 4 * 4; /* fills are by 32-bit words */
    if (bytes > d->caps.max_alloc)
        return TPP_FAIL(TPP_EDEVMEM, "%.1f MB wanted in one buffer, %s gives at most %.1f MB",
                        (double)bytes / 1e6, d->caps.name, (double)d->caps.max_alloc / 1e6);
    if (d->bytes > d->caps.global_mem || bytes > d->caps.global_mem - d->bytes)
        return TPP_FAIL(TPP_EDEVMEM, "%.1f MB wanted beside %.1f MB in use, %s has %.1f MB",
                        (double)bytes / 1e6, (double)d->bytes / 1e6, d->caps.name,
                        (double)d->caps.global_mem / 1e6);
    TPP_NEW(b, 1);
    b->device = d;
    b->bytes = bytes;
    b->mem = clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code == CL_SUCCESS) {
        const cl_uint zero = 0;
        code = clEnqueueFillBuffer(d->compute, b->mem, &zero, sizeof(zero), 0, 4, 0, NULL, NULL);
    }
    if (code != CL_SUCCESS) {
        tpp_buffer_close(b);
        return TPP_FAIL(TPP_EDEVMEM, "%.1f MB could not be had on %s (%s)", (double)bytes / 1e6,
                        d->caps.name, tpp_cl_error_name(code));
    }
    d->counts.buffers++;
    d->bytes += bytes;
    *out = b;
    return TPP_OK;
}

tpp_status tpp_buffer_open_for(tpp_buffer **out, tpp_device *d, size_t bytes, const char *format,
                               ...)
{
    char what[256];
    va_list args;
    const tpp_status s = tpp_buffer_open(out, d, bytes);
    if (s == TPP_OK) return TPP_OK;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return TPP_FAIL(s, "%s: %s", what, tpp_error());
}

void tpp_buffer_close(tpp_buffer *b)
{
    if (b == NULL) return;
    /* The last made first: NVIDIA's driver (580) crashes when sub-buffers that overlap and were
     * used go in another order. */
    while (b->n_regions > 0) (void)clReleaseMemObject(b->region[--b->n_regions].mem);
    tpp_free(b->region);
    if (b->mem != NULL) {
        (void)clReleaseMemObject(b->mem);
        b->device->bytes -= b->bytes < b->device->bytes ? b->bytes : b->device->bytes;
    }
    tpp_free(b);
}

size_t tpp_buffer_bytes(const tpp_buffer *b)
{
    return b->bytes;
}

size_t tpp_device_bytes(const tpp_device *d)
{
    return d->bytes;
}

tpp_status tpp_buffer_write(tpp_buffer *b, size_t offset, const void *from, size_t bytes)
{
    tpp_device *d = b->device;
    if (bytes == 0) return TPP_OK;
    d->counts.bytes_up += bytes;
    d->counts.waits++;
    TPP_CL(d,
           clEnqueueWriteBuffer(d->compute, b->mem, CL_TRUE, offset, bytes, from, 0, NULL, NULL));
    return TPP_OK;
}

tpp_status tpp_buffer_read(const tpp_buffer *b, size_t offset, void *to, size_t bytes)
{
    tpp_device *d = b->device;
    if (bytes == 0) return TPP_OK;
    d->counts.bytes_down += bytes;
    d->counts.waits++;
    TPP_CL(d, clEnqueueReadBuffer(d->compute, b->mem, CL_TRUE, offset, bytes, to, 0, NULL, NULL));
    return TPP_OK;
}

tpp_status tpp_buffer_copy(tpp_buffer *to, size_t to_offset, const tpp_buffer *from,
                           size_t from_offset, size_t bytes)
{
    tpp_device *d = to->device;
    if (bytes == 0) return TPP_OK;
    TPP_CL(d, clEnqueueCopyBuffer(d->compute, from->mem, to->mem, from_offset, to_offset, bytes, 0,
                                  NULL, NULL));
    return TPP_OK;
}

tpp_status tpp_buffer_fill(tpp_buffer *b, uint32_t pattern)
{
    tpp_device *d = b->device;
    TPP_CL(d, clEnqueueFillBuffer(d->compute, b->mem, &pattern, sizeof(pattern), 0, b->bytes, 0,
                                  NULL, NULL));
    return TPP_OK;
}

tpp_status tpp_sub_buffer(cl_mem *out, tpp_buffer *root, size_t offset, size_t bytes)
{
    const cl_buffer_region region = {.origin = offset, .size = bytes};
    cl_int code = CL_SUCCESS;
    for (int i = 0; i < root->n_regions; i++) {
        if (root->region[i].offset != offset || root->region[i].bytes != bytes) continue;
        *out = root->region[i].mem;
        return TPP_OK;
    }
    if (root->n_regions == root->capacity) {
        const int capacity = root->capacity * 2 + 16;
        tpp_region *grown = tpp_realloc(root->region, (size_t)capacity, sizeof(*grown));
        if (grown == NULL) return TPP_ENOMEM;
        root->region = grown;
        root->capacity = capacity;
    }
    *out = clCreateSubBuffer(root->mem, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region,
                             &code);
    if (code != CL_SUCCESS) return tpp_cl_fail(root->device, code, "clCreateSubBuffer");
    root->region[root->n_regions++] = (tpp_region){offset, bytes, *out};
    return TPP_OK;
}
