/* What values a volume or a picture holds.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_STATISTICS_H
#define TPP_IO_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

enum { TPP_MAX_LABELS = 256 };

typedef struct tpp_statistics {
    int64_t count; /* of finite values; 0: everything below is 0 too */
    double min, max;
    double low, high; /* 0.5th and 99.5th percentile of the finite values, between ranks linear */
    bool are_labels;  /* whole numbers alone, TPP_MAX_LABELS different ones at most */
    int n_labels;
    struct {
        int64_t value, count;
    } label[TPP_MAX_LABELS]; /* rising; filled if are_labels */
} tpp_statistics;

/* Reads the values several times and copies none. */
void tpp_statistics_of(tpp_statistics *out, const float *values, int64_t count);

/* How many values are finite and, with `skip_zeros`, not 0; and percentile p (0 to 100) of those,
 * linear between neighbouring ranks, as numpy's default (0: there are none). */
int64_t tpp_values_count(const float *values, int64_t count, bool skip_zeros);
double tpp_values_percentile(const float *values, int64_t count, bool skip_zeros, double p);

#endif
