/* What a device can do at most, measured: the floor that other times are held against.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_PEAK_H
#define TPP_OPS_PEAK_H

#include "cl/device.h"

/* 0: not known. */
typedef struct tpp_peaks {
    double gflops;   /* 10^9 floating-point operations a second */
    double copy_gbs; /* 10^9 bytes a second, read and written ones both counted */
} tpp_peaks;

/* Fused multiply-adds (two operations each); the best of several runs, about a fifth of a second in
 * all. TPP_EOPENCL when the device does not report times. */
TPP_MUST_CHECK tpp_status tpp_device_peak(tpp_device *d, double *gflops);

/* Copies an array that no cache holds (256 MB, less where the device is small: then a cache may
 * help); the best of several runs. */
TPP_MUST_CHECK tpp_status tpp_device_copy_peak(tpp_device *d, double *gbs);

/* Measures both and keeps what is better than `best` has; machines are shared, so a run is measured
 * before and after, and the better one counts. */
TPP_MUST_CHECK tpp_status tpp_device_peaks(tpp_device *d, tpp_peaks *best);

#endif
