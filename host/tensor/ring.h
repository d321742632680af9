/* Uploads and downloads that overlap with compute: a ring of staging buffers between the host and
 * two in-order queues.
 *
 * A frame takes the ring's next slot: `up` copies host bytes into pinned memory, sends them on the
 * transfer queue and has the compute queue copy them to where kernels read; `down` does the way
 * back. Neither waits. `take` waits for the one event that says a slot's bytes are on the host.
 * A slot may be used again after its bytes were taken.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TENSOR_RING_H
#define TPP_TENSOR_RING_H

#include "tensor/tensor.h"

typedef struct tpp_ring tpp_ring;

/* A piece of device memory. */
typedef struct tpp_piece {
    tpp_buffer *buffer;
    size_t offset, bytes;
} tpp_piece;

TPP_MUST_CHECK tpp_status tpp_ring_open(tpp_ring **out, tpp_device *d, int slots, size_t bytes_up,
                                        size_t bytes_down);
void tpp_ring_close(tpp_ring *r);
size_t tpp_ring_bytes(const tpp_ring *r); /* on the device */

/* Sends `from` (copied before it returns) to `to`; at most `bytes_up` bytes. */
TPP_MUST_CHECK tpp_status tpp_ring_up(tpp_ring *r, int slot, const void *from, tpp_piece to);

/* Once the compute queue is through with what it has: brings the pieces, one after another, each at
 * a multiple of 64 bytes. */
TPP_MUST_CHECK tpp_status tpp_ring_down(tpp_ring *r, int slot, const tpp_piece *from, int count);

/* Waits until the bytes of the slot's last `down` are here; they stay until the slot's next. */
TPP_MUST_CHECK tpp_status tpp_ring_take(tpp_ring *r, int slot, const uint8_t **out);

#endif
