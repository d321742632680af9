/* Algorithms that a driver may compile wrongly are tried once on each device before a plan takes
 * them. What fails switches its whole family off there, with a warning.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_FIRST_USE_H
#define TPP_OPS_FIRST_USE_H

#include "ops/op.h"

/* Tries something on the device; may wait for it. *right: are the results? A failure counts as
 * wrong. */
typedef tpp_status tpp_first_check(tpp_device *d, const void *context, bool *right);

/* Is what `key` names right on this device? The first call with a key runs the check; a wrong one
 * sets *off, the flag of the family in d->caps, and warns: "FAMILY is not used". False without a
 * check where *off is set already. */
bool tpp_first_use(tpp_device *d, const char *family, const char *key, bool *off,
                   tpp_first_check *check, const void *context);

/* What is known of `key`: 0 nothing, 1 right, -1 wrong. NULL: out of memory. For tests to plant. */
int64_t *tpp_first_use_state(tpp_device *d, const char *key);

/* tpp_op_choose with the device's tuning, of algorithms that are right on it. */
tpp_choice tpp_op_choose_on(tpp_device *d, const tpp_op *op, const char *wanted, const tpp_call *c);

#endif
