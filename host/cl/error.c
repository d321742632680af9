/* OpenCL error codes by name, and as statuses.
 * SPDX-License-Identifier: MIT */
#include "cl/cl_internal.h"
#include "core/str.h"

const char *tpp_cl_error_name(cl_int code)
{
#define CODE(name) \
    case name:     \
        return #name
    switch (code) {
        CODE(CL_SUCCESS);
        CODE(CL_DEVICE_NOT_FOUND);
        CODE(CL_DEVICE_NOT_AVAILABLE);
        CODE(CL_COMPILER_NOT_AVAILABLE);
        CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE);
        CODE(CL_OUT_OF_RESOURCES);
        CODE(CL_OUT_OF_HOST_MEMORY);
        CODE(CL_PROFILING_INFO_NOT_AVAILABLE);
        CODE(CL_MEM_COPY_OVERLAP);
        CODE(CL_BUILD_PROGRAM_FAILURE);
        CODE(CL_MISALIGNED_SUB_BUFFER_OFFSET);
        CODE(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
        CODE(CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
        CODE(CL_INVALID_VALUE);
        CODE(CL_INVALID_DEVICE);
        CODE(CL_INVALID_CONTEXT);
        CODE(CL_INVALID_COMMAND_QUEUE);
        CODE(CL_INVALID_MEM_OBJECT);
        CODE(CL_INVALID_BINARY);
        CODE(CL_INVALID_BUILD_OPTIONS);
        CODE(CL_INVALID_PROGRAM);
        CODE(CL_INVALID_PROGRAM_EXECUTABLE);
        CODE(CL_INVALID_KERNEL_NAME);
        CODE(CL_INVALID_KERNEL);
        CODE(CL_INVALID_ARG_INDEX);
        CODE(CL_INVALID_ARG_VALUE);
        CODE(CL_INVALID_ARG_SIZE);
        CODE(CL_INVALID_KERNEL_ARGS);
        CODE(CL_INVALID_WORK_DIMENSION);
        CODE(CL_INVALID_WORK_GROUP_SIZE);
        CODE(CL_INVALID_WORK_ITEM_SIZE);
        CODE(CL_INVALID_GLOBAL_OFFSET);
        CODE(CL_INVALID_EVENT_WAIT_LIST);
        CODE(CL_INVALID_EVENT);
        CODE(CL_INVALID_OPERATION);
        CODE(CL_INVALID_BUFFER_SIZE);
        CODE(CL_INVALID_GLOBAL_WORK_SIZE);
    default:
        return "an unnamed OpenCL error";
    }
#undef CODE
}

static tpp_status status_of(cl_int code)
{
    switch (code) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE:
        return TPP_EDEVMEM;
    case CL_OUT_OF_HOST_MEMORY:
        return TPP_ENOMEM;
    case CL_DEVICE_NOT_FOUND:
    case CL_DEVICE_NOT_AVAILABLE:
        return TPP_EDEVICE;
    default:
        return TPP_EOPENCL;
    }
}

tpp_status tpp_cl_fail(const tpp_device *d, cl_int code, const char *what)
{
    tpp_str recent = {0};
    for (unsigned i = 0; d != NULL && i < TPP_RECENT && i < d->recent_at; i++)
        tpp_str_format(&recent, "%s%s", i == 0 ? "; last kernels: " : " < ",
                       d->recent[(d->recent_at - 1 - i) % TPP_RECENT]);
    const tpp_status s = TPP_FAIL(
        status_of(code), "%s (%d) from %s on %s%s", tpp_cl_error_name(code), (int)code, what,
        d != NULL ? d->caps.name : "no device", recent.text != NULL ? recent.text : "");
    tpp_str_free(&recent);
    return s;
}
