/* The ring of staging buffers.
 * SPDX-License-Identifier: MIT */
#include "tensor/ring.h"

#include "core/mem.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { PIECE_ALIGN = 64 };

/* One direction of a slot: pinned host memory (mapped for good), device memory, last events. */
typedef struct stage {
    cl_mem pinned;
    uint8_t *host;
    tpp_buffer *device;
    cl_event moved;  /* by the transfer queue */
    cl_event copied; /* by the compute queue */
} stage;

typedef struct slot {
    stage up, down;
} slot;

struct tpp_ring {
    tpp_device *device;
    slot *slot;
    int slots;
    size_t bytes_up, bytes_down;
};

static tpp_status open_stage(stage *s, tpp_device *d, size_t bytes)
{
    cl_int code = CL_SUCCESS;
    if (bytes == 0) bytes = PIECE_ALIGN;
    TPP_TRY(tpp_buffer_open_for(&s->device, d, bytes, "staging of a frame"));
    s->pinned =
        clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
    if (code != CL_SUCCESS) return tpp_cl_fail(d, code, "clCreateBuffer (pinned)");
    s->host = clEnqueueMapBuffer(d->transfer, s->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                 bytes, 0, NULL, NULL, &code);
    if (code != CL_SUCCESS) return tpp_cl_fail(d, code, "clEnqueueMapBuffer");
    return TPP_OK;
}

static void close_stage(stage *s, tpp_device *d)
{
    if (s->moved != NULL) (void)clReleaseEvent(s->moved);
    if (s->copied != NULL) (void)clReleaseEvent(s->copied);
    if (s->host != NULL)
        (void)clEnqueueUnmapMemObject(d->transfer, s->pinned, s->host, 0, NULL, NULL);
    if (s->pinned != NULL) (void)clReleaseMemObject(s->pinned);
    tpp_buffer_close(s->device);
}

tpp_status tpp_ring_open(tpp_ring **out, tpp_device *d, int slots, size_t bytes_up,
                         size_t bytes_down)
{
    tpp_status s = TPP_OK;
    tpp_ring *r = NULL;
    TPP_NEW(r, 1);
    r->device = d;
    r->slots = slots;
    r->bytes_up = bytes_up;
    r->bytes_down = bytes_down;
    TPP_NEW_OR(done, s, r->slot, slots);
    for (int i = 0; i < slots; i++) {
        TPP_TRY_OR(done, s, open_stage(&r->slot[i].up, d, bytes_up));
        TPP_TRY_OR(done, s, open_stage(&r->slot[i].down, d, bytes_down));
    }
    *out = r;
    r = NULL;
done:
    tpp_ring_close(r);
    return s;
}

void tpp_ring_close(tpp_ring *r)
{
    if (r == NULL) return;
    (void)clFinish(r->device->compute);
    (void)clFinish(r->device->transfer);
    for (int i = 0; r->slot != NULL && i < r->slots; i++) {
        close_stage(&r->slot[i].up, r->device);
        close_stage(&r->slot[i].down, r->device);
    }
    (void)clFinish(r->device->transfer);
    tpp_free(r->slot);
    tpp_free(r);
}

size_t tpp_ring_bytes(const tpp_ring *r)
{
    return (size_t)r->slots * (r->bytes_up + r->bytes_down);
}

/* Puts a new event in the place of an old one. */
static void replace_event(cl_event *held, cl_event fresh)
{
    if (*held != NULL) (void)clReleaseEvent(*held);
    *held = fresh;
}

tpp_status tpp_ring_up(tpp_ring *r, int slot_index, const void *from, tpp_piece to)
{
    tpp_device *d = r->device;
    stage *s = &r->slot[slot_index].up;
    cl_event event = NULL;
    if (to.bytes > r->bytes_up)
        return TPP_FAIL(TPP_EINTERNAL, "ring: %zu bytes up, slots hold %zu", to.bytes, r->bytes_up);
    memcpy(s->host, from, to.bytes);
    const cl_uint waits = s->copied != NULL; /* the slot's last upload must have left it */
    TPP_CL(d, clEnqueueWriteBuffer(d->transfer, s->device->mem, CL_FALSE, 0, to.bytes, s->host,
                                   waits, waits ? &s->copied : NULL, &event));
    replace_event(&s->moved, event);
    TPP_CL(d, clFlush(d->transfer));
    TPP_CL(d, clEnqueueCopyBuffer(d->compute, s->device->mem, to.buffer->mem, 0, to.offset,
                                  to.bytes, 1, &s->moved, &event));
    replace_event(&s->copied, event);
    d->counts.bytes_up += to.bytes;
    return TPP_OK;
}

tpp_status tpp_ring_down(tpp_ring *r, int slot_index, const tpp_piece *from, int count)
{
    tpp_device *d = r->device;
    stage *s = &r->slot[slot_index].down;
    cl_event event = NULL;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (at + from[i].bytes > r->bytes_down)
            return TPP_FAIL(TPP_EINTERNAL, "ring: slots hold %zu bytes down", r->bytes_down);
        const cl_uint waits = s->moved != NULL;
        TPP_CL(d,
               clEnqueueCopyBuffer(d->compute, from[i].buffer->mem, s->device->mem, from[i].offset,
                                   at, from[i].bytes, waits, waits ? &s->moved : NULL, &event));
        replace_event(&s->copied, event);
        at += (from[i].bytes + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
        d->counts.bytes_down += from[i].bytes;
    }
    TPP_CL(d, clFlush(d->compute));
    TPP_CL(d, clEnqueueReadBuffer(d->transfer, s->device->mem, CL_FALSE, 0, at, s->host, 1,
                                  &s->copied, &event));
    replace_event(&s->moved, event);
    TPP_CL(d, clFlush(d->transfer));
    return TPP_OK;
}

tpp_status tpp_ring_take(tpp_ring *r, int slot_index, const uint8_t **out)
{
    tpp_device *d = r->device;
    const stage *s = &r->slot[slot_index].down;
    if (s->moved == NULL) return TPP_FAIL(TPP_EINTERNAL, "ring: nothing was brought down");
    d->counts.waits++;
    TPP_CL(d, clWaitForEvents(1, &s->moved));
    *out = s->host;
    return TPP_OK;
}
