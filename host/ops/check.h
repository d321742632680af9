/* The check that every algorithm of every op must pass on every device: against the float64
 * reference, from NaN-filled memory, inside guard words, twice with equal bits.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_CHECK_H
#define TPP_OPS_CHECK_H

#include "ops/op.h"

typedef struct tpp_check {
    bool supported; /* false: not on this device, or there is no such variant */
    bool passed;
    double error, tolerance; /* largest |got - want| / largest |want|, of all outputs */
    char why[256];           /* what failed */
} tpp_check;

/* Runs one case with one algorithm and its parameters number `variant`. The status tells of trouble
 * with the device only; a wrong result is in `out`. */
TPP_MUST_CHECK tpp_status tpp_check_run(tpp_check *out, tpp_device *d, const tpp_op *op,
                                        const tpp_case *c, const tpp_algorithm *a, int variant);

/* How a case is run. */
typedef struct tpp_check_how {
    int variant;
    const tpp_params *params; /* instead of a variant; NULL: none */
    /* Float operands to store as half, as tpp_algorithm.halves has them; inputs are rounded before
     * the reference sees them. */
    unsigned halves;
    unsigned pitches; /* inputs whose rows lie apart, as tpp_algorithm.pitches has them */
} tpp_check_how;

/* Of the largest magnitude, for results that are stored as half: of their 11 bits, rounding alone
 * takes up to 4.9e-4 (twice that where a device rounds towards zero). */
#define TPP_HALF_TOLERANCE 2e-3

/* tpp_check_run in full. */
TPP_MUST_CHECK tpp_status tpp_check_as(tpp_check *out, tpp_device *d, const tpp_op *op,
                                       const tpp_case *c, const tpp_algorithm *a,
                                       const tpp_check_how *how);

/* Input i of a case, as the check fills it: values as doubles in new memory of the caller. */
TPP_MUST_CHECK tpp_status tpp_case_input(double **out, const tpp_op *op, const tpp_case *c, int i);

#endif
