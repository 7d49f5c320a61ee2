// SPDX-License-Identifier: Apache-2.0
// Our own logarithm, exponential and trigonometry: the same bits on every machine and compiler.
// Built with contraction off from +, -, *, / and sqrt, which IEEE 754 fixes. NaN in gives NaN out.
#ifndef BASE_FMATH_H
#define BASE_FMATH_H

#include "base/err.h"

// Within 2 units in the last place of the true value over the whole range; overflow gives infinity,
// underflow gives 0 (subnormals are not produced).
double fmath_exp(double x);
double fmath_exp2(double x);
double fmath_log(double x);   // x <= 0: NaN, 0: -infinity
double fmath_sin(double rad); // |rad| <= 1e5, beyond: NaN
double fmath_cos(double rad);
double fmath_asin(double x); // outside [-1, 1]: NaN
double fmath_sqrt(double x);
// 1 / (1 + exp(-x)), exact at the ends, monotonic.
double fmath_sigmoid(double x);
// Distance over a sphere of 6371.0088 km (haversine). Degrees in; NaN where one is NaN.
double fmath_great_circle_km(double lat1_deg, double lon1_deg, double lat2_deg, double lon2_deg);
// value · 2^(−Δ/h): the decayed value. Δ below 0 counts as 0; h <= 0 gives 0 for Δ > 0.
double fmath_decay(double value, int64_t elapsed_ms, int64_t half_life_ms);

#endif
