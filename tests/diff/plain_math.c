// SPDX-License-Identifier: Apache-2.0
// The math extension.
#include "diff/plain.h"

#include <math.h>

static struct value of_uint(uint64_t u)
{
    return (struct value){.kind = VALUE_UINT, .as.u = u};
}

// Of numbers, or of one list of them: the first of those that none is beyond.
static struct value extreme(const struct value *args, size_t count, int beyond)
{
    bool list = count == 1 && args[0].kind == VALUE_LIST;
    const struct value *from = list ? args[0].as.list : args;
    size_t n = list ? args[0].n : count;
    struct value best = plain_error();
    for (size_t i = 0; i < n; i++) {
        bool number = from[i].kind == VALUE_INT || from[i].kind == VALUE_UINT || from[i].kind == VALUE_DOUBLE;
        int order = number && i > 0 ? plain_order(&from[i], &best) : beyond;
        if (!number || order == 2) {
            return plain_error();
        }
        best = order == beyond ? from[i] : best;
    }
    return best;
}

static struct value greatest(const struct value *args, size_t count)
{
    return extreme(args, count, 1);
}

static struct value least(const struct value *args, size_t count)
{
    return extreme(args, count, -1);
}

// ---- Of a double alone ----------------------------------------------------------------------------------

#define OF_DOUBLE(name, result)                                                       \
    static struct value name(const struct value *args, size_t count)                  \
    {                                                                                 \
        double d = args[count - 1].as.d;                                              \
        return count == 1 && args[0].kind == VALUE_DOUBLE ? (result) : plain_error(); \
    }
OF_DOUBLE(ceiled, value_double(ceil(d)))
OF_DOUBLE(floored, value_double(floor(d)))
OF_DOUBLE(rounded,
          value_double(d < 0 ? -floor(-d) - (-d - floor(-d) >= 0.5) : floor(d) + (d - floor(d) >= 0.5)))
OF_DOUBLE(cut, value_double(d < 0 ? ceil(d) : floor(d)))
OF_DOUBLE(is_nan, value_bool(d != d))
OF_DOUBLE(is_inf, value_bool(d == INFINITY || d == -INFINITY))
OF_DOUBLE(is_finite, value_bool(d - d == 0))
#undef OF_DOUBLE

// ---- Of any number --------------------------------------------------------------------------------------

static struct value root(const struct value *args, size_t count)
{
    const struct value *v = &args[count - 1];
    return v->kind == VALUE_INT      ? value_double(sqrt((double)v->as.i))
           : v->kind == VALUE_UINT   ? value_double(sqrt((double)v->as.u))
           : v->kind == VALUE_DOUBLE ? value_double(sqrt(v->as.d))
                                     : plain_error();
}

static struct value absolute(const struct value *args, size_t count)
{
    struct value v = args[count - 1];
    if (v.kind == VALUE_INT) {
        return v.as.i == INT64_MIN ? plain_error() : value_int(v.as.i < 0 ? -v.as.i : v.as.i);
    }
    v.as.d = v.kind == VALUE_DOUBLE ? fabs(v.as.d) : v.as.d;
    return v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE ? v : plain_error();
}

static struct value sign(const struct value *args, size_t count)
{
    const struct value *v = &args[count - 1];
    switch (v->kind) {
    case VALUE_INT:
        return value_int((v->as.i > 0) - (v->as.i < 0));
    case VALUE_UINT:
        return of_uint(v->as.u > 0);
    case VALUE_DOUBLE:
        return v->as.d != v->as.d ? *v : value_double((v->as.d > 0) - (v->as.d < 0));
    default:
        return plain_error();
    }
}

// ---- Bits -----------------------------------------------------------------------------------------------

static struct value bits(const struct value *a, uint64_t out)
{
    struct value v = *a;
    v.as.u = out;
    return v.kind == VALUE_INT || v.kind == VALUE_UINT ? v : plain_error();
}

static struct value two(const struct value *args, size_t count, uint64_t out)
{
    return count == 2 && args[0].kind == args[1].kind ? bits(args, out) : plain_error();
}

static struct value bit_and(const struct value *args, size_t count)
{
    return two(args, count, args[0].as.u & args[1].as.u);
}

static struct value bit_or(const struct value *args, size_t count)
{
    return two(args, count, args[0].as.u | args[1].as.u);
}

static struct value bit_xor(const struct value *args, size_t count)
{
    return two(args, count, args[0].as.u ^ args[1].as.u);
}

static struct value bit_not(const struct value *args, size_t count)
{
    return bits(&args[count - 1], ~args[0].as.u);
}

// One place a time; zeros come in from both sides, and a shift past the last bit leaves nothing.
static struct value shifted(const struct value *args, size_t count, bool left)
{
    uint64_t out = args[0].as.u;
    if (count != 2 || args[1].kind != VALUE_INT || args[1].as.i < 0) {
        return plain_error();
    }
    for (int64_t i = 0; i < args[1].as.i && out != 0; i++) {
        out = left ? out * 2 : out / 2;
    }
    return bits(args, out);
}

static struct value shift_left(const struct value *args, size_t count)
{
    return shifted(args, count, true);
}

static struct value shift_right(const struct value *args, size_t count)
{
    return shifted(args, count, false);
}

static const struct {
    const char *name;
    size_t takes; // 0: any number of them
    struct value (*code)(const struct value *args, size_t count);
} FUNCTIONS[] = {{"math.greatest", 0, greatest},
                 {"math.least", 0, least},
                 {"math.ceil", 1, ceiled},
                 {"math.floor", 1, floored},
                 {"math.round", 1, rounded},
                 {"math.trunc", 1, cut},
                 {"math.sqrt", 1, root},
                 {"math.abs", 1, absolute},
                 {"math.sign", 1, sign},
                 {"math.isNaN", 1, is_nan},
                 {"math.isInf", 1, is_inf},
                 {"math.isFinite", 1, is_finite},
                 {"math.bitAnd", 2, bit_and},
                 {"math.bitOr", 2, bit_or},
                 {"math.bitXor", 2, bit_xor},
                 {"math.bitNot", 1, bit_not},
                 {"math.bitShiftLeft", 2, shift_left},
                 {"math.bitShiftRight", 2, shift_right}};

struct value plain_math(struct str name, const struct value *args, size_t count)
{
    for (size_t i = 0; i < COUNT_OF(FUNCTIONS); i++) {
        if (str_eq(name, str_of(FUNCTIONS[i].name))) {
            bool right = count > 0 && (FUNCTIONS[i].takes == 0 || FUNCTIONS[i].takes == count);
            return right ? FUNCTIONS[i].code(args, count) : plain_error();
        }
    }
    return plain_error();
}
