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

/* Which of the cases. */
typedef struct tpp_selftest_choice {
    const char *algorithm; /* NULL: all */
    int most;              /* of the first cases of each op and algorithm; 0: all */
    double limit_s;        /* no case is begun after so long; 0: no end */
} tpp_selftest_choice;

/* Combinations that did not run: the device does not take them; there was no time. */
typedef struct tpp_selftest_passed_over {
    int unsupported, left_out;
    int halves; /* those that ran with operands stored as half */
} tpp_selftest_passed_over;

/* Runs what the device supports, and where an algorithm takes half storage that too ("CASE half").
 * Trouble with the device in a case is that case's failure. */
TPP_MUST_CHECK tpp_status tpp_selftest_ops(tpp_device *device, const tpp_selftest_choice *choice,
                                           tpp_selftest_sink *sink, void *context,
                                           tpp_selftest_passed_over *over);

#endif
