/* GPUs as their vendors' data sheets have them: for floors of devices that are not here.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_DEVICE_MODEL_H
#define TPP_INFER_DEVICE_MODEL_H

#include <stddef.h>

/* Microseconds from the start of one kernel to that of the next in an in-order queue, whatever they
 * do. An assumption, the same for all: on a Radeon RX 7900 a node of a HIP graph was measured
 * at 3.9 (ROCm/rocm-systems#10834), a queue without graphs takes more. */
#define TPP_LAUNCH_US 4.0

typedef struct tpp_device_model {
    const char *name, *title;
    double gflops;     /* 10^9 float operations a second, vector units, a multiply-add is two */
    double memory_gbs; /* 10^9 bytes a second */
    int compute_units, shared_by, least_lanes; /* as in tpp_caps: as an OpenCL driver tells */
    size_t max_group, local_mem; /* as an OpenCL driver reports them; local_mem in bytes */
    const char *source;
} tpp_device_model;

/* Model i, from 0; NULL past the last. */
const tpp_device_model *tpp_device_model_at(int i);

/* Its name, for tables of options; NULL past the last. */
const char *tpp_device_model_name(int i);

/* NULL: none is called so. */
const tpp_device_model *tpp_device_model_find(const char *name);

#endif
