/* What a look at a new device is made of, beside selftest and bench: checks at first use of every
 * family, and a report that names nobody.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_DOCTOR_H
#define TPP_INFER_DOCTOR_H

#include "cl/device.h"

#include <jansson.h>

/* Lets every algorithm that is checked before its first use be checked, on the first calls of its
 * op that it takes, whether plans of this device would take it or not. What is wrong is switched
 * off: caps, tpp_device_given_up. */
TPP_MUST_CHECK tpp_status tpp_doctor_first_uses(tpp_device *d);

/* Takes out of every text in `j` what tells of its user: paths in `home` become "(home)" up to the
 * next blank, quote, colon or comma; `user` as a whole word becomes "(user)". Either may be NULL.
 * TPP_ENOMEM. */
TPP_MUST_CHECK tpp_status tpp_doctor_scrub(json_t *j, const char *home, const char *user);

#endif
