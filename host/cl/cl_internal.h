/* What the files of host/cl, host/tensor and host/ops share of a device: real OpenCL handles.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_CL_INTERNAL_H
#define TPP_CL_CL_INTERNAL_H

#define CL_TARGET_OPENCL_VERSION 120
#include "cl/device.h"
#include "core/table.h"

#include <CL/cl.h>
#include <pthread.h>

enum { TPP_RECENT = 16 };

struct tpp_device {
    tpp_caps caps;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue compute, transfer; /* both in order */
    tpp_table programs;                 /* source name + options -> a built program */
    pthread_mutex_t lock;               /* guards `programs` */
    const char *recent[TPP_RECENT];     /* names of the last kernels enqueued, a ring */
    unsigned recent_at;
    tpp_device_counts counts;
    tpp_device_use use;
    char given_up[512];
    size_t bytes; /* of all open buffers */
    bool profiling;
    bool replays;         /* steps run as command buffers where they can */
    tpp_table first_uses; /* of ops/first_use.h */
    bool has_tuning;      /* it was decided, if only that there is none */
    void *tuning;         /* of ops/tuning.h; owned */
    void (*close_tuning)(void *);
};

/* CL_... name of an error code. */
const char *tpp_cl_error_name(cl_int code);

/* Turns an OpenCL code into a status with a message; `what` says what was tried. */
tpp_status tpp_cl_fail(const tpp_device *d, cl_int code, const char *what);

#define TPP_CL(device, call)                                                 \
    do {                                                                     \
        const cl_int code_ = (call);                                         \
        if (code_ != CL_SUCCESS) return tpp_cl_fail((device), code_, #call); \
    } while (0)

#endif
