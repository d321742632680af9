/* Order statistics of a sorted copy.
 * SPDX-License-Identifier: MIT */
#include "infer/samples.h"

#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Share p of the way through rising values. */
static double quantile(const double *sorted, int count, double p)
{
    const double rank = p * (count - 1);
    const int below = (int)rank, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
}

double tpp_samples_median(double *values, int count)
{
    assert(count > 0);
    qsort(values, (size_t)count, sizeof(*values), compare_doubles);
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

tpp_status tpp_samples_summarise(tpp_samples_summary *out, const double *values, int count)
{
    assert(count > 0);
    double *sorted = NULL, sum = 0, squares = 0;
    TPP_NEW(sorted, count);
    memcpy(sorted, values, (size_t)count * sizeof(*sorted));
    qsort(sorted, (size_t)count, sizeof(*sorted), compare_doubles);
    for (int i = 0; i < count; i++) sum += sorted[i];
    const double mean = sum / count;
    for (int i = 0; i < count; i++) squares += (sorted[i] - mean) * (sorted[i] - mean);
    *out = (tpp_samples_summary){.median = quantile(sorted, count, 0.5),
                                 .mean = mean,
                                 .stddev = count > 1 ? sqrt(squares / (count - 1)) : 0,
                                 .min = sorted[0],
                                 .max = sorted[count - 1],
                                 .p90 = quantile(sorted, count, 0.9)};
    tpp_free(sorted);
    return TPP_OK;
}
