/* Counter-based synthetic numbers: the same in any language, so weights and inputs of the golden
 * files need not be shipped. Rule: shared reference, README, "Synthetic numbers".
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_SYNTH_H
#define TPP_CORE_SYNTH_H

#include <stdint.h>

/* The stream of `name` and `seed`. */
uint64_t tpp_synth_key(const char *name, uint64_t seed);

/* Value i (from 0) of a stream: in [-1, 1), exact in 24 bits. */
double tpp_synth_value(uint64_t key, uint64_t i);

#endif
