// SPDX-License-Identifier: Apache-2.0
// Checked and saturating arithmetic. The checked ones return false and leave *out alone on overflow.
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/err.h"

#define num_add(a, b, out) (!__builtin_add_overflow((a), (b), (out)))
#define num_sub(a, b, out) (!__builtin_sub_overflow((a), (b), (out)))
#define num_mul(a, b, out) (!__builtin_mul_overflow((a), (b), (out)))

static inline int64_t num_add_sat(int64_t a, int64_t b)
{
    int64_t sum = 0;
    return num_add(a, b, &sum) ? sum : (a < 0 ? INT64_MIN : INT64_MAX);
}

static inline int64_t num_sub_sat(int64_t a, int64_t b)
{
    int64_t sum = 0;
    return num_sub(a, b, &sum) ? sum : (a < 0 ? INT64_MIN : INT64_MAX);
}

static inline int64_t num_mul_sat(int64_t a, int64_t b)
{
    int64_t product = 0;
    return num_mul(a, b, &product) ? product : ((a < 0) == (b < 0) ? INT64_MAX : INT64_MIN);
}

static inline int64_t num_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t num_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
