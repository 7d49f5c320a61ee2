// SPDX-License-Identifier: Apache-2.0
// HOT
// The math extension.
#include "base/fmath.h"
#include "cel/frame.h"
#include "cel/lib.h"

#include <math.h>

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_UINT || v->kind == VALUE_DOUBLE;
}

// The number of a list, or the one number, that is most (`sign` 1) or least (-1); the first of equals. NaN
// has no order: beside other numbers it is an error, wherever it stands.
static struct value extreme(struct cel_frame *f, const struct value *args, int sign, enum func_id func)
{
    const struct value *list = args;
    uint32_t count = 1;
    if (args[0].kind == VALUE_LIST) {
        list = args[0].as.list;
        count = args[0].n;
    }
    if (count == 0 || !frame_spend(f, count)) {
        return frame_no_overload(func, args, 1);
    }
    const struct value *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_number(&list[i])) {
            return frame_no_overload(func, &list[i], 1);
        }
        int order = best == NULL ? sign : cmp_order(&list[i], best);
        if (order == 2) {
            return frame_error(CEL_ERROR_OVERFLOW, 0);
        }
        if (order == 2) {
            return frame_error(CEL_ERROR_OVERFLOW, 0);
        }
        best = order == sign ? &list[i] : best;
    }
    return *best;
}

struct value math_greatest(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)count;
    return extreme(frame, args, 1, F_MATH_MAX);
}

struct value math_least(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)count;
    return extreme(frame, args, -1, F_MATH_MIN);
}

#define DOUBLE_FUNCTION(name, result, func)                                                    \
    struct value name(struct cel_frame *frame, const struct value *args, uint32_t count)       \
    {                                                                                          \
        (void)frame;                                                                           \
        double x = args[0].as.d;                                                               \
        return args[0].kind == VALUE_DOUBLE ? (result) : frame_no_overload(func, args, count); \
    }

// Exact, so the same bits everywhere. Beyond 2^52 a double has no fraction; NaN and infinity stay.
static double whole_part(double x)
{
    return fabs(x) < 4503599627370496.0 ? copysign((double)(int64_t)x, x) : x;
}

static double floor_of(double x)
{
    double whole = whole_part(x);
    return whole > x ? whole - 1 : whole;
}

static double ceil_of(double x)
{
    return -floor_of(-x);
}

// A half goes away from zero.
static double round_of(double x)
{
    double whole = whole_part(x);
    return fabs(x - whole) >= 0.5 ? whole + copysign(1, x) : whole;
}

DOUBLE_FUNCTION(math_ceil, value_double(ceil_of(x)), F_MATH_CEIL)
DOUBLE_FUNCTION(math_floor, value_double(floor_of(x)), F_MATH_FLOOR)
DOUBLE_FUNCTION(math_round, value_double(round_of(x)), F_MATH_ROUND)
DOUBLE_FUNCTION(math_trunc, value_double(whole_part(x)), F_MATH_TRUNC)
DOUBLE_FUNCTION(math_is_nan, value_bool(isnan(x)), F_MATH_NAN)
DOUBLE_FUNCTION(math_is_inf, value_bool(isinf(x)), F_MATH_INF)
DOUBLE_FUNCTION(math_is_finite, value_bool(isfinite(x)), F_MATH_FINITE)

struct value math_sqrt(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (!is_number(&args[0])) {
        return frame_no_overload(F_MATH_SQRT, args, count);
    }
    struct value x = conv_double(frame, args, 1);
    return value_double(fmath_sqrt(x.as.d));
}

struct value math_abs(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    switch (args[0].kind) {
    case VALUE_INT:
        return args[0].as.i < 0 ? num_neg(frame, args, 1) : args[0];
    case VALUE_UINT:
        return args[0];
    case VALUE_DOUBLE:
        return value_double(fabs(args[0].as.d));
    default:
        return frame_no_overload(F_MATH_ABS, args, count);
    }
}

struct value math_sign(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    switch (args[0].kind) {
    case VALUE_INT:
        return value_int((args[0].as.i > 0) - (args[0].as.i < 0));
    case VALUE_UINT:
        return (struct value){.kind = VALUE_UINT, .as.u = args[0].as.u > 0};
    case VALUE_DOUBLE:
        return isnan(args[0].as.d) ? args[0] : value_double((args[0].as.d > 0) - (args[0].as.d < 0));
    default:
        return frame_no_overload(F_MATH_SIGN, args, count);
    }
}

static bool same_whole(const struct value *args)
{
    return args[0].kind == args[1].kind && (args[0].kind == VALUE_INT || args[0].kind == VALUE_UINT);
}

static struct value with_bits(const struct value *of, uint64_t bits)
{
    struct value v = *of;
    v.as.u = bits;
    return v;
}

#define BIT_FUNCTION(name, op, func)                                                     \
    struct value name(struct cel_frame *frame, const struct value *args, uint32_t count) \
    {                                                                                    \
        (void)frame;                                                                     \
        return same_whole(args) ? with_bits(&args[0], args[0].as.u op args[1].as.u)      \
                                : frame_no_overload(func, args, count);                  \
    }
BIT_FUNCTION(math_bit_and, &, F_BIT_AND)
BIT_FUNCTION(math_bit_or, |, F_BIT_OR)
BIT_FUNCTION(math_bit_xor, ^, F_BIT_XOR)

struct value math_bit_not(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value both[2] = {args[0], args[0]};
    (void)frame;
    return same_whole(both) ? with_bits(&args[0], ~args[0].as.u) : frame_no_overload(F_BIT_NOT, args, count);
}

static struct value shifted(const struct value *args, uint32_t count, bool left, enum func_id func)
{
    if ((args[0].kind != VALUE_INT && args[0].kind != VALUE_UINT) || args[1].kind != VALUE_INT) {
        return frame_no_overload(func, args, count);
    }
    if (args[1].as.i < 0) {
        return frame_error(CEL_ERROR_OVERFLOW, 0);
    }
    if (args[1].as.i > 63) {
        return with_bits(&args[0], 0);
    }
    // A right shift is one of bits: it does not keep the sign.
    return with_bits(&args[0], left ? args[0].as.u << args[1].as.i : args[0].as.u >> args[1].as.i);
}

struct value math_bit_left(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return shifted(args, count, true, F_BIT_LEFT);
}

struct value math_bit_right(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return shifted(args, count, false, F_BIT_RIGHT);
}
