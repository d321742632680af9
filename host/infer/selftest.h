/* Every op of the registry on a device against its reference, case by case.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_SELFTEST_H
#define TPP_INFER_SELFTEST_H

#include "cl/device.h"
#include "core/status.h"

#include <stdbool.h>

typedef struct tpp_selftest_case {
    const char *op, *name, *algorithm;
    bool passed;
    double error, tolerance;
    const char *why; /* of a failure */
} tpp_selftest_case;

typedef void tpp_selftest_sink(void *context, const tpp_selftest_case *c);

/* TPP_EUSAGE, with the names that there are, when no op has algorithm `name`; NULL is fine. */
TPP_MUST_CHECK tpp_status tpp_algorithm_check(const char *name);

/* Name of algorithm i, from 0, of all that ops have; NULL past the last. */
const char *tpp_algorithm_name(int i);

/* Runs what the device supports; `algorithm` NULL: all. Trouble with the device in a case is that
 * case's failure. *unsupported: combinations passed over. */
TPP_MUST_CHECK tpp_status tpp_selftest_ops(tpp_device *device, const char *algorithm,
                                           tpp_selftest_sink *sink, void *context,
                                           int *unsupported);

#endif
