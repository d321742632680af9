/* Numbers of 16 bits (IEEE 754 binary16) on the host: for checks, element by element.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_HALF_H
#define TPP_OPS_HALF_H

#include <stdint.h>

/* The nearest half of a finite number, ties to even. */
double tpp_half_round(double v);

/* Bits of a number that a half holds, infinities aside. */
uint16_t tpp_half_bits(double v);

double tpp_half_value(uint16_t bits);

#endif
