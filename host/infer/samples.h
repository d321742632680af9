/* What repeated measurements say: the middle and the spread.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SAMPLES_H
#define TPP_INFER_SAMPLES_H

#include "core/status.h"

/* In the unit of the samples. `stddev` is that of a sample (n - 1), 0 of one; `p90` lies between
 * ranks linearly, as numpy's default. */
typedef struct tpp_samples_summary {
    double median, mean, stddev, min, max, p90;
} tpp_samples_summary;

/* Of `count` values, 1 or more; they keep their order. */
TPP_MUST_CHECK tpp_status tpp_samples_summarise(tpp_samples_summary *out, const double *values,
                                                int count);

/* Sorts `values`, of which there is 1 or more: the middle, the mean of the middle two if even. */
double tpp_samples_median(double *values, int count);

#endif
