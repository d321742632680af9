/* Device memory: buffers, tensors as views on them, upload and download.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TENSOR_TENSOR_H
#define TPP_TENSOR_TENSOR_H

#include "cl/device.h"
#include "core/shape.h"
#include "core/status.h"

/* One allocation on the device. */
typedef struct tpp_buffer tpp_buffer;

/* TPP_EDEVMEM when the device cannot give it: says how much was wanted of how much. The memory is
 * touched at once, because drivers allocate late. Contents are arbitrary. */
TPP_MUST_CHECK tpp_status tpp_buffer_open(tpp_buffer **out, tpp_device *d, size_t bytes);
/* The same; a failure's message begins with what the buffer is for. */
TPP_MUST_CHECK tpp_status tpp_buffer_open_for(tpp_buffer **out, tpp_device *d, size_t bytes,
                                              const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tpp_buffer_close(tpp_buffer *b);
size_t tpp_buffer_bytes(const tpp_buffer *b);

/* Bytes of all buffers that are open on a device now. */
size_t tpp_device_bytes(const tpp_device *d);

/* Blocking transfers of a whole buffer or its first `bytes`; for set-up and tests. */
TPP_MUST_CHECK tpp_status tpp_buffer_write(tpp_buffer *b, size_t offset, const void *from,
                                           size_t bytes);
TPP_MUST_CHECK tpp_status tpp_buffer_read(const tpp_buffer *b, size_t offset, void *to,
                                          size_t bytes);

/* Enqueues a copy on the compute queue, without waiting. */
TPP_MUST_CHECK tpp_status tpp_buffer_copy(tpp_buffer *to, size_t to_offset, const tpp_buffer *from,
                                          size_t from_offset, size_t bytes);

/* Fills with a 32-bit pattern (NaN: 0x7fc00000), for tests. */
TPP_MUST_CHECK tpp_status tpp_buffer_fill(tpp_buffer *b, uint32_t pattern);

#endif
