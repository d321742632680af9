/* Monotonic time.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_CLOCK_H
#define TPP_CORE_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double tpp_clock_seconds(void);

#endif
