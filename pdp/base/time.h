// SPDX-License-Identifier: Apache-2.0
// Calendar arithmetic without a clock: proleptic Gregorian, UTC, no leap seconds.
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/buf.h"

#define TIME_MS_PER_S INT64_C(1000)
#define TIME_MIN_S INT64_C(-62135596800) // 0001-01-01T00:00:00Z
#define TIME_MAX_S INT64_C(253402300799) // 9999-12-31T23:59:59Z

struct civil {
    int32_t year;
    int32_t month, day;           // 1..12, 1..31
    int32_t hour, minute, second; // 0..23, 0..59, 0..59
    int32_t weekday, yearday;     // 0 is Sunday; 0 is 1 January
};

// Days since 1970-01-01 of a date, and back. Any year that fits.
int64_t time_days(int32_t year, int32_t month, int32_t day);
struct civil time_civil(int64_t epoch_s);

// RFC 3339 (`2026-11-22T20:33:00.5+01:00`, `Z`), whole text: seconds since 1970 and nanoseconds.
// false where it is none or lies outside years 1 to 9999.
bool time_parse(struct str s, int64_t *epoch_s, uint32_t *nanos);
// RFC 3339 in UTC with as many of 0, 3, 6 or 9 decimals as it takes.
void time_print(struct buf *out, int64_t epoch_s, uint32_t nanos);
// The same of milliseconds since 1970, which may lie before.
void time_print_ms(struct buf *out, int64_t epoch_ms);

// `15m`, `1h30m`, `250ms`, `-1.5h`: Go's and CEL's form (h m s ms us ns). false on syntax or overflow.
bool time_duration_parse(struct str s, int64_t *seconds, int32_t *nanos);

#endif
