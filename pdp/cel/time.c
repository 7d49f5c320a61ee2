// SPDX-License-Identifier: Apache-2.0
// HOT
// Points in time and durations: their parts, and when comparisons with now turn.
#include "base/num.h"
#include "cel/frame.h"
#include "cel/lib.h"
#include "cel/tz.h"

enum {
    NANOS = 1000000000
};

bool time_to_nanos(const struct value *duration, int64_t *nanos)
{
    int64_t part = (int64_t)duration->n;
    bool negative = duration->as.i < 0 || duration->flag != 0;
    return num_mul(duration->as.i, (int64_t)NANOS, nanos) && num_add(*nanos, negative ? -part : part, nanos);
}

struct value time_of_nanos(int64_t nanos)
{
    int64_t part = nanos % NANOS;
    return (struct value){.kind = VALUE_DURATION,
                          .flag = nanos < 0 && nanos > -NANOS, // a zero has no sign of its own
                          .n = (uint32_t)(part < 0 ? -part : part),
                          .as.i = nanos / NANOS};
}

// right - left in whole milliseconds, and what is left over, 0 to 999,999 ns. false: out of range.
static bool gap(const struct value *left, const struct value *right, int64_t *ms, int64_t *rest)
{
    int64_t seconds = 0, nanos = 0, a = 0, b = 0;
    if (left->kind == VALUE_TIMESTAMP && right->kind == VALUE_TIMESTAMP) {
        seconds = right->as.i - left->as.i; // both within 14 digits
        nanos = (int64_t)right->n - (int64_t)left->n;
    } else if (left->kind == VALUE_DURATION && right->kind == VALUE_DURATION) {
        if (!time_to_nanos(left, &a) || !time_to_nanos(right, &b)) {
            return false;
        }
        seconds = b / NANOS - a / NANOS;
        nanos = b % NANOS - a % NANOS;
    } else {
        return false;
    }
    *ms = seconds * 1000 + nanos / 1000000;
    *rest = nanos % 1000000;
    if (*rest < 0) {
        *rest += 1000000;
        (*ms)--;
    }
    return true;
}

int64_t time_crossing(const struct value *left, const struct value *right, enum func_id func, int side)
{
    int64_t ms = 0, rest = 0;
    if (side == 0 || !gap(side > 0 ? left : right, side > 0 ? right : left, &ms, &rest)) {
        return INT64_MAX;
    }
    // The side that moves catches up after ms and rest; then it is equal for an instant, then ahead.
    int64_t meet = ms + (rest > 0);
    int64_t past = ms + 1;
    bool turns_past = side > 0 ? func == F_LE || func == F_GT : func == F_LT || func == F_GE;
    if (func == F_EQ || func == F_NE) {
        return meet > 0 ? meet : past > 0 ? past : INT64_MAX;
    }
    int64_t turn = turns_past ? past : meet;
    return turn > 0 ? turn : INT64_MAX;
}

static bool local(struct cel_frame *f, const struct value *args, uint32_t count, struct civil *out)
{
    int64_t until = 0, seconds = args[0].as.i;
    if (count == 2) {
        struct str name = value_text(&args[1]);
        uint64_t at = 0;
        int32_t offset = 0;
        if (map_get(&f->program->zone_map, name, &at)) {
            offset = tz_offset(f->program->zones[at], seconds, &until);
        } else if (!tz_parse_fixed(name, &offset)) {
            return false;
        }
        seconds += offset;
    }
    *out = time_civil(seconds);
    return true;
}

enum part {
    YEAR,
    MONTH,
    DATE,
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    DAY_OF_YEAR,
    HOURS,
    MINUTES,
    SECONDS,
    MILLIS
};

static struct value of_duration(const struct value *args, enum part part, enum func_id func)
{
    switch (part) {
    case HOURS:
        return value_int(args[0].as.i / 3600);
    case MINUTES:
        return value_int(args[0].as.i / 60);
    case SECONDS:
        return value_int(args[0].as.i);
    case MILLIS: {
        int64_t ms = args[0].n / 1000000;
        return value_int(args[0].as.i < 0 || args[0].flag != 0 ? -ms : ms);
    }
    default:
        return frame_no_overload(func, args, 1);
    }
}

static struct value part_of(struct cel_frame *f, const struct value *args, uint32_t count, enum part part,
                            enum func_id func)
{
    struct civil c;
    if (args[0].kind == VALUE_DURATION && count == 1) {
        return of_duration(args, part, func);
    }
    if (args[0].kind != VALUE_TIMESTAMP || (count == 2 && args[1].kind != VALUE_STRING)) {
        return frame_no_overload(func, args, count);
    }
    if (!local(f, args, count, &c)) {
        return frame_error(CEL_ERROR_CONVERT, func);
    }
    const int64_t parts[] = {
        [YEAR] = c.year,
        [MONTH] = c.month - 1,
        [DATE] = c.day,
        [DAY_OF_MONTH] = c.day - 1,
        [DAY_OF_WEEK] = c.weekday,
        [DAY_OF_YEAR] = c.yearday,
        [HOURS] = c.hour,
        [MINUTES] = c.minute,
        [SECONDS] = c.second,
        [MILLIS] = args[0].n / 1000000,
    };
    return value_int(parts[part]);
}

#define ACCESSOR(name, part, func)                                                       \
    struct value name(struct cel_frame *frame, const struct value *args, uint32_t count) \
    {                                                                                    \
        return part_of(frame, args, count, part, func);                                  \
    }
ACCESSOR(time_year, YEAR, F_YEAR)
ACCESSOR(time_month, MONTH, F_MONTH)
ACCESSOR(time_date, DATE, F_DATE)
ACCESSOR(time_day_of_month, DAY_OF_MONTH, F_DAY_OF_MONTH)
ACCESSOR(time_day_of_week, DAY_OF_WEEK, F_DAY_OF_WEEK)
ACCESSOR(time_day_of_year, DAY_OF_YEAR, F_DAY_OF_YEAR)
ACCESSOR(time_hours, HOURS, F_HOURS)
ACCESSOR(time_minutes, MINUTES, F_MINUTES)
ACCESSOR(time_seconds, SECONDS, F_SECONDS)
ACCESSOR(time_millis, MILLIS, F_MILLIS)
