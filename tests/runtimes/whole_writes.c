/* A preloaded stand-in for oclgrind --uninitialized: every write of the host covers its buffer.
 *
 * Oclgrind 21.10 keeps one shadow per buffer that says which bytes were written, and makes it anew,
 * with the size of the write, at every write of the host. A write at an offset then lies outside
 * its own shadow, and whatever reads the buffer later is reported. Here a write, fill or copy of a
 * part becomes a write of the whole buffer, of which only that part changes: the same bytes, with a
 * shadow that fits. What the host never wrote counts as written too; there the NaN that the tests
 * fill memory with tells. Private and local memory are watched as before.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef cl_int write_function(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *,
                              cl_uint, const cl_event *, cl_event *);
typedef cl_int read_function(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint,
                             const cl_event *, cl_event *);

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort(); /* nothing to stand in for */
    return found;
}

/* The buffer that `m` is part of, and where it starts there. */
static cl_mem root_of(cl_mem m, size_t *offset)
{
    cl_mem root = NULL;
    *offset = 0;
    (void)clGetMemObjectInfo(m, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof(root), &root, NULL);
    if (root == NULL) return m;
    (void)clGetMemObjectInfo(m, CL_MEM_OFFSET, sizeof(*offset), offset, NULL);
    return root;
}

static char *whole(cl_command_queue q, cl_mem m, size_t *bytes, cl_uint n, const cl_event *events)
{
    read_function *read = (read_function *)next("clEnqueueReadBuffer");
    (void)clGetMemObjectInfo(m, CL_MEM_SIZE, sizeof(*bytes), bytes, NULL);
    char *all = malloc(*bytes);
    if (all == NULL || read(q, m, CL_TRUE, 0, *bytes, all, n, events, NULL) != CL_SUCCESS) abort();
    return all;
}

static cl_int write_whole(cl_command_queue q, cl_mem m, size_t bytes, char *all, cl_event *event)
{
    write_function *write = (write_function *)next("clEnqueueWriteBuffer");
    const cl_int code = write(q, m, CL_TRUE, 0, bytes, all, 0, NULL, event);
    free(all);
    return code;
}

cl_int clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t size,
                            const void *from, cl_uint n, const cl_event *events, cl_event *event)
{
    size_t start = 0, bytes = 0;
    (void)wait;
    m = root_of(m, &start);
    char *all = whole(q, m, &bytes, n, events);
    memcpy(all + start + at, from, size);
    return write_whole(q, m, bytes, all, event);
}

cl_int clEnqueueFillBuffer(cl_command_queue q, cl_mem m, const void *pattern, size_t each,
                           size_t at, size_t size, cl_uint n, const cl_event *events,
                           cl_event *event)
{
    size_t start = 0, bytes = 0;
    m = root_of(m, &start);
    char *all = whole(q, m, &bytes, n, events);
    for (size_t i = 0; i + each <= size; i += each) memcpy(all + start + at + i, pattern, each);
    return write_whole(q, m, bytes, all, event);
}

cl_int clEnqueueCopyBuffer(cl_command_queue q, cl_mem from, cl_mem to, size_t from_at, size_t to_at,
                           size_t size, cl_uint n, const cl_event *events, cl_event *event)
{
    size_t from_start = 0, to_start = 0, from_bytes = 0, to_bytes = 0;
    from = root_of(from, &from_start);
    to = root_of(to, &to_start);
    char *source = whole(q, from, &from_bytes, n, events), *all = whole(q, to, &to_bytes, 0, NULL);
    memcpy(all + to_start + to_at, source + from_start + from_at, size);
    free(source);
    return write_whole(q, to, to_bytes, all, event);
}
