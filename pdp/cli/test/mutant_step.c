// SPDX-License-Identifier: Apache-2.0
// What lies next to a value: numbers, durations, times, names in an order.
#include "base/time.h"
#include "cli/test/mutant_inner.h"

#include <stdlib.h>

#define YEAR_S (INT64_C(365) * 24 * 3600)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// ---- Numbers ----------------------------------------------------------------------------------------

// `12.50` as 1250 and two digits behind the point; false where it is anything else.
static bool read_decimal(struct str text, int64_t *value, uint32_t *behind)
{
    bool point = false;
    *value = 0;
    *behind = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '.' && !point) {
            point = true;
        } else if (is_digit(text.at[i]) && *value < INT64_C(100000000000000000)) {
            *value = *value * 10 + (text.at[i] - '0');
            *behind += point ? 1 : 0;
        } else {
            return false;
        }
    }
    return text.len > 0 && text.at[text.len - 1] != '.' && text.at[0] != '.';
}

// A step is one of the last digit that says something: 60 and 60.0 become 61, 0.25 becomes 0.26.
static int64_t step_of(int64_t value, uint32_t behind)
{
    int64_t whole = 1;
    for (uint32_t i = 0; i < behind; i++) {
        whole *= 10;
    }
    return value % whole == 0 ? whole : 1;
}

static struct str print_decimal(struct arena *arena, int64_t value, uint32_t behind, const char *tail)
{
    const char *sign = value < 0 ? "-" : "";
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t whole = 1;
    for (uint32_t i = 0; i < behind; i++) {
        whole *= 10;
    }
    if (behind == 0) {
        return arena_printf(arena, "%s%llu%s", sign, (unsigned long long)rest, tail);
    }
    return arena_printf(arena, "%s%llu.%0*llu%s", sign, (unsigned long long)(rest / whole), (int)behind,
                        (unsigned long long)(rest % whole), tail);
}

struct str find_step_number(struct arena *arena, struct str text, bool up)
{
    int64_t value = 0;
    uint32_t behind = 0;
    bool is_unsigned = text.len > 0 && (text.at[text.len - 1] == 'u' || text.at[text.len - 1] == 'U');
    struct str digits = str_sub(text, 0, text.len - (is_unsigned ? 1 : 0));
    bool negative = digits.len > 0 && digits.at[0] == '-';
    digits = negative ? str_trim(str_sub(digits, 1, digits.len)) : digits;
    if (!read_decimal(digits, &value, &behind) || behind > 15) {
        return (struct str){0};
    }
    value = negative ? -value : value;
    value += up ? step_of(value, behind) : -step_of(value, behind);
    return is_unsigned && value < 0 ? (struct str){0}
                                    : print_decimal(arena, value, behind, is_unsigned ? "u" : "");
}

// ---- Durations --------------------------------------------------------------------------------------

static const struct {
    const char *name;
    int64_t ms;
} UNITS[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

// The unit that a duration ends in, or COUNT_OF(UNITS).
static size_t last_unit(struct str text)
{
    size_t from = text.len;
    while (from > 0 && !is_digit(text.at[from - 1])) {
        from--;
    }
    struct str name = str_sub(text, from, text.len - from);
    size_t unit = 0;
    while (unit < COUNT_OF(UNITS) && !str_eq(name, str_of(UNITS[unit].name))) {
        unit++;
    }
    return from > 0 ? unit : COUNT_OF(UNITS);
}

// The largest unit that says it without a rest, but no days: CEL has none.
static struct str print_duration(struct arena *arena, int64_t ms, bool days)
{
    size_t unit = days ? 0 : 1;
    while (unit + 1 < COUNT_OF(UNITS) && ms % UNITS[unit].ms != 0) {
        unit++;
    }
    return arena_printf(arena, "%lld%s", (long long)(ms / UNITS[unit].ms), UNITS[unit].name);
}

// One of the smallest unit that is written; where only one is, one of the next smaller goes.
struct str find_step_duration(struct arena *arena, struct str text, bool up)
{
    int64_t ms = 0;
    size_t unit = last_unit(text);
    if (unit == COUNT_OF(UNITS) || !conf_duration(text, &ms) || ms <= 0) {
        return (struct str){0};
    }
    unit += !up && ms == UNITS[unit].ms && unit + 1 < COUNT_OF(UNITS) ? 1 : 0;
    ms += up ? UNITS[unit].ms : -UNITS[unit].ms;
    return ms > 0 ? print_duration(arena, ms, false) : (struct str){0};
}

struct str find_double_duration(struct arena *arena, struct str text)
{
    int64_t ms = 0;
    size_t unit = last_unit(text);
    if (unit == COUNT_OF(UNITS) || !conf_duration(text, &ms) || ms <= 0 || ms > INT64_MAX / 2) {
        return (struct str){0};
    }
    return print_duration(arena, ms * 2, UNITS[unit].name[0] == 'd');
}

struct str find_step_year(struct arena *arena, struct str text, bool up)
{
    int64_t epoch_s = 0;
    uint32_t nanos = 0;
    AUTO(buf_fini) struct buf out = {0};
    if (!time_parse(text, &epoch_s, &nanos)) {
        return (struct str){0};
    }
    time_print(&out, epoch_s + (up ? YEAR_S : -YEAR_S), nanos);
    return arena_str(arena, buf_view(&out), NULL);
}

// ---- Names in an order ------------------------------------------------------------------------------

struct str find_step_name(const struct str *names, size_t count, struct str name, bool up)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(names[i], name) && (up ? i + 1 < count : i > 0)) {
            return names[up ? i + 1 : i - 1];
        }
    }
    return (struct str){0};
}
