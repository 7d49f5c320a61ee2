// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include "base/num.h"

// Howard Hinnant's algorithm ("chrono-compatible low-level date algorithms"): March-based years in
// eras of 400 years.
int64_t time_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil time_civil(int64_t epoch_s)
{
    int64_t days = epoch_s / 86400 - (epoch_s % 86400 < 0);
    int64_t second = epoch_s - days * 86400;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil out = {
        .year = (int32_t)(yoe + era * 400 + (mp >= 10)),
        .month = (int32_t)(mp < 10 ? mp + 3 : mp - 9),
        .day = (int32_t)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int32_t)(second / 3600),
        .minute = (int32_t)(second / 60 % 60),
        .second = (int32_t)(second % 60),
        .weekday = (int32_t)(((days + 4) % 7 + 7) % 7),
    };
    out.yearday = (int32_t)(days - time_days(out.year, 1, 1));
    return out;
}

static bool leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const int32_t DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap(year) ? 29 : DAYS[month - 1];
}

// Exactly `count` digits at *at.
static bool digits(struct str s, size_t *at, size_t count, int32_t *out)
{
    int32_t value = 0;
    if (s.len - *at < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char c = s.at[*at + i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *at += count;
    *out = value;
    return true;
}

static bool literal(struct str s, size_t *at, char c)
{
    if (*at < s.len && (s.at[*at] == c || (c == 'T' && s.at[*at] == 't') || (c == 'Z' && s.at[*at] == 'z'))) {
        *at += 1;
        return true;
    }
    return false;
}

static bool fraction(struct str s, size_t *at, uint32_t *nanos)
{
    *nanos = 0;
    if (!literal(s, at, '.')) {
        return true;
    }
    uint32_t scale = 100000000;
    size_t first = *at;
    for (; *at < s.len && s.at[*at] >= '0' && s.at[*at] <= '9'; *at += 1) {
        *nanos += (uint32_t)(s.at[*at] - '0') * scale; // digits past the ninth add nothing
        scale /= 10;
    }
    return *at > first;
}

static bool zone(struct str s, size_t *at, int64_t *offset_s)
{
    *offset_s = 0;
    if (literal(s, at, 'Z')) {
        return true;
    }
    int sign = literal(s, at, '+') ? 1 : literal(s, at, '-') ? -1 : 0;
    int32_t hour = 0, minute = 0;
    if (sign == 0 || !digits(s, at, 2, &hour) || !literal(s, at, ':') || !digits(s, at, 2, &minute) ||
        hour > 23 || minute > 59) {
        return false;
    }
    *offset_s = sign * (hour * 3600 + minute * 60);
    return true;
}

bool time_parse(struct str s, int64_t *epoch_s, uint32_t *nanos)
{
    struct civil c = {0};
    size_t at = 0;
    uint32_t part = 0;
    int64_t offset = 0;
    bool read = digits(s, &at, 4, &c.year) && literal(s, &at, '-') && digits(s, &at, 2, &c.month) &&
                literal(s, &at, '-') && digits(s, &at, 2, &c.day) && literal(s, &at, 'T') &&
                digits(s, &at, 2, &c.hour) && literal(s, &at, ':') && digits(s, &at, 2, &c.minute) &&
                literal(s, &at, ':') && digits(s, &at, 2, &c.second) && fraction(s, &at, &part) &&
                zone(s, &at, &offset) && at == s.len;
    if (!read || c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > month_days(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59) {
        return false;
    }
    int64_t value =
        time_days(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 + c.second - offset;
    if (value < TIME_MIN_S || value > TIME_MAX_S) {
        return false;
    }
    *epoch_s = value;
    *nanos = part;
    return true;
}

void time_print(struct buf *out, int64_t epoch_s, uint32_t nanos)
{
    struct civil c = time_civil(epoch_s);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
    if (nanos != 0) {
        if (nanos % 1000000 == 0) {
            buf_printf(out, ".%03u", nanos / 1000000);
        } else if (nanos % 1000 == 0) {
            buf_printf(out, ".%06u", nanos / 1000);
        } else {
            buf_printf(out, ".%09u", nanos);
        }
    }
    buf_byte(out, 'Z');
}

void time_print_ms(struct buf *out, int64_t epoch_ms)
{
    int64_t rest_ms = (epoch_ms % TIME_MS_PER_S + TIME_MS_PER_S) % TIME_MS_PER_S;
    time_print(out, (epoch_ms - rest_ms) / TIME_MS_PER_S, (uint32_t)rest_ms * 1000000);
}

__extension__ typedef __int128 int128; // wide enough that no sum of nanoseconds overflows

static const struct {
    const char *name;
    size_t len;
    int64_t nanos;
} UNITS[] = {
    {"ns", 2, 1},
    {"us", 2, 1000},
    {"\xC2\xB5s", 3, 1000},
    {"\xCE\xBCs", 3, 1000},
    {"ms", 2, 1000000},
    {"s", 1, 1000000000},
    {"m", 1, 60 * INT64_C(1000000000)},
    {"h", 1, 3600 * INT64_C(1000000000)},
};

// Exact in 128 bits: a whole part, up to 18 decimals, a unit.
static bool duration_term(struct str s, size_t *at, int128 *sum)
{
    int128 whole = 0, part = 0, scale = 1;
    size_t first = *at, count = 0;
    for (; *at < s.len && s.at[*at] >= '0' && s.at[*at] <= '9'; *at += 1, count++) {
        whole = whole * 10 + (s.at[*at] - '0');
        if (whole > (int128)INT64_MAX) {
            return false;
        }
    }
    if (*at < s.len && s.at[*at] == '.') {
        *at += 1;
        for (; *at < s.len && s.at[*at] >= '0' && s.at[*at] <= '9'; *at += 1, count++) {
            if (scale < (int128)1000000000000000000) {
                part = part * 10 + (s.at[*at] - '0');
                scale *= 10;
            }
        }
    }
    if (count == 0 || *at == first) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        struct str unit = {UNITS[i].name, UNITS[i].len};
        // `m` must not take the first letter of `ms`.
        bool is_ms = UNITS[i].len == 1 && UNITS[i].name[0] == 'm' && *at + 1 < s.len && s.at[*at + 1] == 's';
        if (!is_ms && str_starts(str_sub(s, *at, s.len), unit)) {
            *at += unit.len;
            *sum += whole * UNITS[i].nanos + part * UNITS[i].nanos / scale;
            return true;
        }
    }
    return false;
}

bool time_duration_parse(struct str s, int64_t *seconds, int32_t *nanos)
{
    size_t at = 0;
    bool negative = s.len > 0 && s.at[0] == '-';
    at += s.len > 0 && (s.at[0] == '-' || s.at[0] == '+');
    int128 sum = 0;
    bool zero = str_eq(str_sub(s, at, s.len), STR("0"));
    if (at >= s.len) {
        return false;
    }
    while (!zero && at < s.len) {
        if (!duration_term(s, &at, &sum) || sum > (int128)INT64_MAX * 1000000000) {
            return false;
        }
    }
    sum = negative ? -sum : sum;
    *seconds = (int64_t)(sum / 1000000000);
    *nanos = (int32_t)(sum % 1000000000);
    return true;
}
