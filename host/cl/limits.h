/* Makes a device say less of itself: TPP_LIMITS, for tests of small devices on a large one.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_LIMITS_H
#define TPP_CL_LIMITS_H

#include "cl/device.h"

/* Lowers capabilities by "group=64,local=16384,alloc=67108864,subgroups=0,half=0"; a number that is
 * above what the device has changes nothing. NULL or "": none. TPP_EUSAGE: an unknown or repeated
 * name, or a value that is no number; `caps` may then be changed in part. */
TPP_MUST_CHECK tpp_status tpp_limits_apply(tpp_caps *caps, const char *text);

#endif
