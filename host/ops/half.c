/* Halves by frexp and ldexp.
 * SPDX-License-Identifier: MIT */
#include "ops/half.h"

#include <math.h>

/* 11 bits, or 24 places behind the point if that is less. */
double tpp_half_round(double v)
{
    int exponent = 0;
    (void)frexp(v, &exponent);
    const int last = exponent - 11 > -24 ? exponent - 11 : -24;
    return ldexp(nearbyint(ldexp(v, -last)), last);
}

uint16_t tpp_half_bits(double v)
{
    int exponent = 0;
    const double part = fabs(frexp(v, &exponent)); /* in [0.5, 1) */
    const unsigned sign = signbit(v) ? 0x8000u : 0u;
    if (exponent < -13) return (uint16_t)(sign | (unsigned)ldexp(fabs(v), 24));
    return (uint16_t)(sign | (unsigned)(exponent + 14) << 10 |
                      ((unsigned)ldexp(part, 11) & 0x3ffu));
}

double tpp_half_value(uint16_t bits)
{
    const int exponent = (bits >> 10) & 0x1f, part = bits & 0x3ff;
    double v = exponent == 0 ? ldexp(part, -24) : ldexp(part + 1024, exponent - 25);
    if (exponent == 0x1f) v = part == 0 ? INFINITY : NAN;
    return (bits & 0x8000) != 0 ? -v : v;
}
