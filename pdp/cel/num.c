// SPDX-License-Identifier: Apache-2.0
// HOT
// Arithmetic of all kinds that have one; overflow is an error, never a wrong number.
#include "base/num.h"

#include "base/time.h"
#include "cel/frame.h"
#include "cel/lib.h"

#include <math.h>

static struct value overflow(void)
{
    return frame_error(CEL_ERROR_OVERFLOW, 0);
}

static struct value of_uint(uint64_t u)
{
    return (struct value){.kind = VALUE_UINT, .as.u = u};
}

// Both kinds in one number, for a switch over pairs.
#define PAIR(a, b) ((a)*VALUE_KIND_COUNT + (b))

static int pair(const struct value *args)
{
    return PAIR(args[0].kind, args[1].kind);
}

struct value num_neg(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t n = 0;
    (void)frame;
    switch (args[0].kind) {
    case VALUE_INT:
        return num_sub((int64_t)0, args[0].as.i, &n) ? value_int(n) : overflow();
    case VALUE_DOUBLE:
        return value_double(-args[0].as.d);
    case VALUE_DURATION:
        return time_to_nanos(&args[0], &n) && num_sub((int64_t)0, n, &n) ? time_of_nanos(n) : overflow();
    default:
        return frame_no_overload(F_NEG, args, count);
    }
}

static struct value join_text(struct cel_frame *f, const struct value *a, const struct value *b)
{
    struct value error;
    if (a->n == 0 || b->n == 0) {
        return a->n == 0 ? *b : *a;
    }
    if ((uint64_t)a->n + b->n > UINT32_MAX) {
        return overflow();
    }
    char *text = frame_alloc(f, (size_t)a->n + b->n, 1, &error);
    if (text == NULL) {
        return error;
    }
    memcpy(text, a->as.text, a->n);
    memcpy(text + a->n, b->as.text, b->n);
    struct value joined = value_str((struct str){text, (size_t)a->n + b->n});
    joined.kind = a->kind;
    return joined;
}

static struct value join_lists(struct cel_frame *f, const struct value *a, const struct value *b)
{
    struct value error;
    if (a->n == 0 || b->n == 0) {
        return a->n == 0 ? *b : *a;
    }
    if ((uint64_t)a->n + b->n > UINT32_MAX) {
        return overflow();
    }
    size_t n = (size_t)a->n + b->n;
    struct value *list = frame_alloc(f, n * sizeof *list, _Alignof(struct value), &error);
    if (list == NULL) {
        return error;
    }
    memcpy(list, a->as.list, a->n * sizeof *list);
    memcpy(list + a->n, b->as.list, b->n * sizeof *list);
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)n, .as.list = list};
}

// A point in time and nanoseconds; years 1 to 9999.
static struct value move_time(const struct value *time, int64_t nanos)
{
    const int64_t second = 1000000000;
    int64_t s = time->as.i + nanos / second;
    int64_t n = (int64_t)time->n + nanos % second;
    s += n < 0 ? -1 : n >= second;
    n += n < 0 ? second : n >= second ? -second : 0;
    if (s < TIME_MIN_S || s > TIME_MAX_S) {
        return overflow();
    }
    return (struct value){.kind = VALUE_TIMESTAMP, .n = (uint32_t)n, .as.i = s};
}

static struct value add_time(const struct value *time, const struct value *duration, bool minus)
{
    int64_t nanos = 0;
    if (!time_to_nanos(duration, &nanos) || (minus && !num_sub((int64_t)0, nanos, &nanos))) {
        return overflow();
    }
    return move_time(time, nanos);
}

static struct value sub_times(const struct value *a, const struct value *b)
{
    int64_t s = 0, n = 0, rest = (int64_t)a->n - (int64_t)b->n;
    if (!num_sub(a->as.i, b->as.i, &s)) {
        return overflow();
    }
    // Both of one sign, so that only a result that is too long overflows, not a part of it.
    int64_t borrow = s > 0 && rest < 0 ? 1 : s < 0 && rest > 0 ? -1 : 0;
    bool fits = num_mul(s - borrow, (int64_t)1000000000, &n) && num_add(n, rest + borrow * 1000000000, &n);
    return fits ? time_of_nanos(n) : overflow();
}

static struct value add_durations(const struct value *a, const struct value *b, bool minus)
{
    int64_t x = 0, y = 0;
    bool fits =
        time_to_nanos(a, &x) && time_to_nanos(b, &y) && (minus ? num_sub(x, y, &x) : num_add(x, y, &x));
    return fits ? time_of_nanos(x) : overflow();
}

struct value num_add_values(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t i = 0;
    uint64_t u = 0;
    switch (pair(args)) {
    case PAIR(VALUE_INT, VALUE_INT):
        return num_add(args[0].as.i, args[1].as.i, &i) ? value_int(i) : overflow();
    case PAIR(VALUE_UINT, VALUE_UINT):
        return num_add(args[0].as.u, args[1].as.u, &u) ? of_uint(u) : overflow();
    case PAIR(VALUE_DOUBLE, VALUE_DOUBLE):
        return value_double(args[0].as.d + args[1].as.d);
    case PAIR(VALUE_STRING, VALUE_STRING):
    case PAIR(VALUE_BYTES, VALUE_BYTES):
        return join_text(frame, &args[0], &args[1]);
    case PAIR(VALUE_LIST, VALUE_LIST):
        return join_lists(frame, &args[0], &args[1]);
    case PAIR(VALUE_TIMESTAMP, VALUE_DURATION):
        return add_time(&args[0], &args[1], false);
    case PAIR(VALUE_DURATION, VALUE_TIMESTAMP):
        return add_time(&args[1], &args[0], false);
    case PAIR(VALUE_DURATION, VALUE_DURATION):
        return add_durations(&args[0], &args[1], false);
    default:
        return frame_no_overload(F_ADD, args, count);
    }
}

struct value num_sub_values(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t i = 0;
    uint64_t u = 0;
    (void)frame;
    switch (pair(args)) {
    case PAIR(VALUE_INT, VALUE_INT):
        return num_sub(args[0].as.i, args[1].as.i, &i) ? value_int(i) : overflow();
    case PAIR(VALUE_UINT, VALUE_UINT):
        return num_sub(args[0].as.u, args[1].as.u, &u) ? of_uint(u) : overflow();
    case PAIR(VALUE_DOUBLE, VALUE_DOUBLE):
        return value_double(args[0].as.d - args[1].as.d);
    case PAIR(VALUE_TIMESTAMP, VALUE_TIMESTAMP):
        return sub_times(&args[0], &args[1]);
    case PAIR(VALUE_TIMESTAMP, VALUE_DURATION):
        return add_time(&args[0], &args[1], true);
    case PAIR(VALUE_DURATION, VALUE_DURATION):
        return add_durations(&args[0], &args[1], true);
    default:
        return frame_no_overload(F_SUB, args, count);
    }
}

struct value num_mul_values(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t i = 0;
    uint64_t u = 0;
    (void)frame;
    switch (pair(args)) {
    case PAIR(VALUE_INT, VALUE_INT):
        return num_mul(args[0].as.i, args[1].as.i, &i) ? value_int(i) : overflow();
    case PAIR(VALUE_UINT, VALUE_UINT):
        return num_mul(args[0].as.u, args[1].as.u, &u) ? of_uint(u) : overflow();
    case PAIR(VALUE_DOUBLE, VALUE_DOUBLE):
        return value_double(args[0].as.d * args[1].as.d);
    default:
        return frame_no_overload(F_MUL, args, count);
    }
}

static struct value by_zero(void)
{
    return frame_error(CEL_ERROR_DIVIDE, 0);
}

struct value num_div_values(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    switch (pair(args)) {
    case PAIR(VALUE_INT, VALUE_INT):
        if (args[1].as.i == 0) {
            return by_zero();
        }
        if (args[0].as.i == INT64_MIN && args[1].as.i == -1) {
            return overflow();
        }
        return value_int(args[0].as.i / args[1].as.i);
    case PAIR(VALUE_UINT, VALUE_UINT):
        return args[1].as.u == 0 ? by_zero() : of_uint(args[0].as.u / args[1].as.u);
    case PAIR(VALUE_DOUBLE, VALUE_DOUBLE): {
        double by = args[1].as.d;
        if (by == 0) { // IEEE 754, spelt out: dividing by zero is undefined in C
            double top = args[0].as.d;
            bool negative = signbit(top) != signbit(by);
            return value_double(top == 0 || isnan(top) ? NAN : negative ? -INFINITY : INFINITY);
        }
        return value_double(args[0].as.d / by);
    }
    default:
        return frame_no_overload(F_DIV, args, count);
    }
}

struct value num_mod_values(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    switch (pair(args)) {
    case PAIR(VALUE_INT, VALUE_INT):
        if (args[1].as.i == 0) {
            return by_zero();
        }
        if (args[1].as.i == -1) {
            return args[0].as.i == INT64_MIN ? overflow() : value_int(0);
        }
        return value_int(args[0].as.i % args[1].as.i);
    case PAIR(VALUE_UINT, VALUE_UINT):
        return args[1].as.u == 0 ? by_zero() : of_uint(args[0].as.u % args[1].as.u);
    default:
        return frame_no_overload(F_MOD, args, count);
    }
}
