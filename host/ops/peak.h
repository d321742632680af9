/* What a device can do at most, measured: the floor that other times are held against.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_PEAK_H
#define TPP_OPS_PEAK_H

#include "cl/device.h"

/* 10^9 floating-point operations a second of fused multiply-adds (two each); the best of several
 * runs, about a fifth of a second in all. */
TPP_MUST_CHECK tpp_status tpp_device_peak(tpp_device *d, double *gflops);

#endif
