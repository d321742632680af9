/* cl_khr_command_buffer, through the platform's own functions.
 * SPDX-License-Identifier: MIT */
#include "cl/replay.h"

#include "core/mem.h"

#include <CL/cl_ext.h>
#include <string.h>

typedef struct functions {
    clCreateCommandBufferKHR_fn create;
    clFinalizeCommandBufferKHR_fn finalize;
    clReleaseCommandBufferKHR_fn release;
    clEnqueueCommandBufferKHR_fn enqueue;
    clCommandNDRangeKernelKHR_fn kernel;
} functions;

struct tpp_replay {
    tpp_device *device;
    functions f;
    cl_command_buffer_khr buffer;
};

/* A function of the extension, of any type of pointer to functions; false: there is none. */
static bool find(void *out, const tpp_device *d, const char *name)
{
    void *const f = clGetExtensionFunctionAddressForPlatform(d->platform, name);
    memcpy(out, &f, sizeof(f));
    return f != NULL;
}

static tpp_status find_functions(functions *f, const tpp_device *d)
{
    cl_device_command_buffer_capabilities_khr can = 0;
    if (!d->caps.command_buffers)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s has no command buffers", d->caps.name);
    TPP_CL(d, clGetDeviceInfo(d->id, CL_DEVICE_COMMAND_BUFFER_CAPABILITIES_KHR, sizeof(can), &can,
                              NULL));
    if ((can & CL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE_KHR) == 0)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s runs a command buffer once at a time", d->caps.name);
    if (find(&f->create, d, "clCreateCommandBufferKHR") &&
        find(&f->finalize, d, "clFinalizeCommandBufferKHR") &&
        find(&f->release, d, "clReleaseCommandBufferKHR") &&
        find(&f->enqueue, d, "clEnqueueCommandBufferKHR") &&
        find(&f->kernel, d, "clCommandNDRangeKernelKHR"))
        return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s lacks functions of command buffers", d->caps.platform);
}

tpp_status tpp_replay_open(tpp_replay **out, tpp_device *d)
{
    const cl_command_buffer_properties_khr properties[] = {
        CL_COMMAND_BUFFER_FLAGS_KHR, CL_COMMAND_BUFFER_SIMULTANEOUS_USE_KHR, 0};
    functions f = {NULL};
    tpp_replay *r = NULL;
    cl_int code = CL_SUCCESS;
    TPP_TRY(find_functions(&f, d));
    TPP_NEW(r, 1);
    r->device = d;
    r->f = f;
    r->buffer = f.create(1, &d->compute, properties, &code);
    *out = r;
    TPP_CL(d, code);
    return TPP_OK;
}

void tpp_replay_close(tpp_replay *r)
{
    if (r == NULL) return;
    if (r->buffer != NULL) (void)r->f.release(r->buffer);
    tpp_free(r);
}

tpp_status tpp_replay_add(tpp_replay *r, cl_kernel kernel, cl_uint axes, const size_t *offset,
                          const size_t *global, const size_t *local)
{
    TPP_CL(r->device, r->f.kernel(r->buffer, NULL, NULL, kernel, axes, offset, global, local, 0,
                                  NULL, NULL, NULL));
    return TPP_OK;
}

tpp_status tpp_replay_finish(tpp_replay *r)
{
    TPP_CL(r->device, r->f.finalize(r->buffer));
    return TPP_OK;
}

tpp_status tpp_replay_run(tpp_replay *r)
{
    TPP_CL(r->device, r->f.enqueue(0, NULL, r->buffer, 0, NULL, NULL));
    return TPP_OK;
}
