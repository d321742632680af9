/* Reference backward of an op against central differences of its reference forward, in double.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_GRADIENT_H
#define TPP_TESTS_GRADIENT_H

#include "ops/check.h"

typedef struct gradient {
    const tpp_op *forward, *backward;
    tpp_case c;                /* of forward; in[0] of backward is dy */
    const void *backward_attr; /* NULL: the case's */
    int passed_on[TPP_MAX_IN]; /* backward's in[1 + k] is forward's in[passed_on[k]]; -1 ends */
    int first, outputs;        /* backward's out[k] is the gradient of forward's in[first + k] */
} gradient;

/* With L = sum(dy y), backward must give dL/dx for every element; fails the running test. */
void gradient_check(const gradient *g);

#endif
