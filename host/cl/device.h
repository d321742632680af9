/* OpenCL devices: choice by the user, capabilities, quirks. Above this folder a device is a handle.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_DEVICE_H
#define TPP_CL_DEVICE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tpp_device tpp_device;

/* Facts of a device that algorithms are chosen by; never its vendor. */
typedef struct tpp_caps {
    char name[128], vendor[128], driver[128], platform[128], version[128];
    bool is_gpu, is_cpu;
    /* Bytes. TPP_DEVICE_MEMORY_MB in the environment (millions of bytes) lowers the first two. */
    size_t global_mem, max_alloc, local_mem;
    size_t base_align; /* of sub-buffers, bytes */
    size_t max_group;
    size_t max_groups; /* work-groups along the second and third axis of a range */
    int compute_units;
    int shared_by;    /* compute units that share a local memory: EUs of an Intel GPU; else 1 */
    bool large_grf;   /* a kernel may ask for twice the registers (Intel's Xe-HPG and later) */
    int least_lanes;  /* of the sub-groups that a kernel may ask for (Intel's GPUs); 0: of none */
    int vector_width; /* floats of a native vector: 4, 8 or 16 */
    /* Extensions, or what a later version of OpenCL has of them. TPP_LIMITS (cl/limits.h) lowers
     * max_group, local_mem, the memory and these. */
    bool sub_groups, half, int64, command_buffers;
    int sub_group_std;     /* OpenCL C that has their functions, times 10; 12: cl_intel_subgroups */
    bool no_arg_info;      /* quirk: argument names are not reported, launches go unchecked */
    bool no_program_cache; /* quirk: the driver's binaries cannot be loaded again */
    bool no_prefetch;      /* quirk: its compiler ends the process at a prefetch builtin */
    bool local_twice;      /* quirk: says that kernels take twice their local memory */
    bool no_clblast;       /* quirk: the driver cannot run CLBlast */
    bool no_tile;          /* found wrong at first use: the `tile` products */
    bool no_sub_groups;    /* found wrong at first use: sums over sub-groups */
    bool no_large_grf;     /* and twice the registers */
} tpp_caps;

/* `spec`: "auto" or NULL (a GPU if there is one, else a CPU), an index as `tpp devices` prints it,
 * or part of the name of a device or platform, else of a version ("pocl"), letter case aside.
 * Platforms without a device are passed over.
 * TPP_EDEVICE: none fits; the message lists what there is. */
TPP_API TPP_MUST_CHECK tpp_status tpp_device_open(tpp_device **out, const char *spec);

/* What decides how a GPU is planned for. */
typedef struct tpp_pose {
    const char *name;
    size_t max_group, local_mem;               /* local_mem in bytes */
    int compute_units, shared_by, least_lanes; /* as in tpp_caps */
} tpp_pose;

/* From here on the device says that it is this GPU, so plans are made as for it; its times mean
 * nothing any more. Before anything else is opened on it. TPP_EUNSUPPORTED: kernels for that GPU
 * could not be recorded here, as this device has smaller work-groups or less local memory. */
TPP_MUST_CHECK tpp_status tpp_device_pose(tpp_device *d, const tpp_pose *as);

/* Waits for the device, then frees everything. NULL is fine. */
TPP_API void tpp_device_close(tpp_device *d);

const tpp_caps *tpp_device_caps(const tpp_device *d);

/* Every device of every platform, in index order; the caller frees *out with tpp_free. */
TPP_MUST_CHECK tpp_status tpp_device_list(tpp_caps **out, int *count);

/* Blocks until all work given to the device is done; names the last kernels when it failed. */
TPP_MUST_CHECK tpp_status tpp_device_finish(tpp_device *d);

/* Events of a frame that must not happen often: counted so that tests and bench can hold them. */
typedef struct tpp_device_counts {
    uint64_t launches, buffers, finishes, waits, bytes_up, bytes_down;
} tpp_device_counts;
tpp_device_counts tpp_device_count(const tpp_device *d);

/* The most that kernels recorded on the device took so far. */
typedef struct tpp_device_use {
    size_t group, local_bytes;
    bool sub_groups;
} tpp_device_use;
tpp_device_use tpp_device_used(const tpp_device *d);

/* What was switched off at first use and why, a line each; "": nothing. */
const char *tpp_device_given_up(const tpp_device *d);

/* A program of the device: how long it took to get, and whether from the cache on disk. */
typedef struct tpp_program_build {
    char file[64];
    const char *options; /* the device's */
    double ms;
    bool cached;
} tpp_program_build;

/* Program i, from 0, in the order of their first use; false past the last. */
bool tpp_program_at(const tpp_device *d, int i, tpp_program_build *out);

/* Does any kernel of this build hold the text? */
bool tpp_kernels_mention(const char *text);

#endif
