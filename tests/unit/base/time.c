// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    bool valid;
    int64_t epoch_s;
    uint32_t nanos;
} TIMES[] = {
    {"1970-01-01T00:00:00Z", true, 0, 0},
    {"2026-11-22T20:33:00.5+01:00", true, 1795375980, 500000000},
    {"0001-01-01T00:00:00Z", true, TIME_MIN_S, 0},
    {"9999-12-31T23:59:59.999999999Z", true, TIME_MAX_S, 999999999},
    {"2024-02-29t12:00:00z", true, 1709208000, 0},
    {"2023-02-29T12:00:00Z", false, 0, 0},
    {"2023-13-01T00:00:00Z", false, 0, 0},
    {"2023-01-01T24:00:00Z", false, 0, 0},
    {"2023-01-01T00:00:60Z", false, 0, 0},
    {"2023-01-01T00:00:00", false, 0, 0},
    {"2023-01-01 00:00:00Z", false, 0, 0},
    {"2023-01-01T00:00:00.Z", false, 0, 0},
    {"2023-01-01T00:00:00+1:00", false, 0, 0},
    {"2023-01-01T00:00:00+24:00", false, 0, 0},
    {"0001-01-01T00:00:00+01:00", false, 0, 0},
    {"2023-01-01T00:00:00Zx", false, 0, 0},
    {"", false, 0, 0},
};

Test(base_time, reads_rfc3339)
{
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        int64_t epoch_s = -7;
        uint32_t nanos = 7;
        bool valid = time_parse(str_of(TIMES[i].text), &epoch_s, &nanos);
        cr_expect_eq(valid, TIMES[i].valid, "%s", TIMES[i].text);
        if (valid && TIMES[i].valid) {
            cr_expect_eq(epoch_s, TIMES[i].epoch_s, "%s: %lld", TIMES[i].text, (long long)epoch_s);
            cr_expect_eq(nanos, TIMES[i].nanos, "%s: %u", TIMES[i].text, nanos);
        }
    }
}

Test(base_time, prints_what_it_reads)
{
    static const int64_t STEPS[] = {TIME_MIN_S, -86401, -1, 0, 951782400, 1709208000, TIME_MAX_S};
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct buf text = {0};
        int64_t epoch_s = 0;
        uint32_t nanos = 0;
        time_print(&text, STEPS[i], 120000000);
        cr_expect(time_parse(buf_view(&text), &epoch_s, &nanos), STR_FMT, STR_ARG(buf_view(&text)));
        cr_expect_eq(epoch_s, STEPS[i]);
        cr_expect_eq(nanos, 120000000u);
        buf_fini(&text);
    }
}

Test(base_time, prints_milliseconds_before_1970_too)
{
    static const struct {
        int64_t ms;
        const char *text;
    } CASES[] = {{1, "1970-01-01T00:00:00.001Z"},
                 {0, "1970-01-01T00:00:00Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {-1000, "1969-12-31T23:59:59Z"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf text = {0};
        time_print_ms(&text, CASES[i].ms);
        cr_expect(str_eq(buf_view(&text), str_of(CASES[i].text)), STR_FMT, STR_ARG(buf_view(&text)));
        buf_fini(&text);
    }
}

Test(base_time, walks_the_calendar_day_by_day)
{
    int32_t weekday = 4; // 1970-01-01 was a Thursday
    for (int64_t day = 0; day < 146097; day++) {
        struct civil c = time_civil(day * 86400 + 3661);
        cr_assert_eq(time_days(c.year, c.month, c.day), day);
        cr_assert_eq(c.weekday, weekday);
        cr_assert(c.hour == 1 && c.minute == 1 && c.second == 1);
        weekday = (weekday + 1) % 7;
    }
}

static const struct {
    const char *text;
    bool valid;
    int64_t seconds;
    int32_t nanos;
} DURATIONS[] = {
    {"15m", true, 900, 0},
    {"1h30m", true, 5400, 0},
    {"250ms", true, 0, 250000000},
    {"-1.5h", true, -5400, 0},
    {"-0.5s", true, 0, -500000000},
    {"1us", true, 0, 1000},
    {"0", true, 0, 0},
    {"1.000000001s", true, 1, 1},
    {"", false, 0, 0},
    {"-", false, 0, 0},
    {"1", false, 0, 0},
    {"1d", false, 0, 0},
    {"m", false, 0, 0},
    {".s", false, 0, 0},
    {"1h ", false, 0, 0},
    {"99999999999999999999s", false, 0, 0},
    {"9223372036854775807h", false, 0, 0},
};

Test(base_time, reads_durations)
{
    for (size_t i = 0; i < COUNT_OF(DURATIONS); i++) {
        int64_t seconds = 0;
        int32_t nanos = 0;
        bool valid = time_duration_parse(str_of(DURATIONS[i].text), &seconds, &nanos);
        cr_expect_eq(valid, DURATIONS[i].valid, "%s", DURATIONS[i].text);
        if (valid && DURATIONS[i].valid) {
            cr_expect(seconds == DURATIONS[i].seconds && nanos == DURATIONS[i].nanos, "%s: %lld %d",
                      DURATIONS[i].text, (long long)seconds, nanos);
        }
    }
}
