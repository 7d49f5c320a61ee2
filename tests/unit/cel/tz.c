// SPDX-License-Identifier: Apache-2.0
#include "cel/tz.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static size_t read_zone(const char *name, char *bytes, size_t room)
{
    char path[128];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t len = fread(bytes, 1, room, file);
    fclose(file);
    return len;
}

static const struct {
    const char *zone, *time;
    int32_t offset_s;
} CASES[] = {
    {"Europe/Berlin", "2025-01-15T12:00:00Z", 3600},
    {"Europe/Berlin", "2025-07-15T12:00:00Z", 7200},
    {"Europe/Berlin", "2025-03-30T00:59:59Z", 3600},
    {"Europe/Berlin", "2025-03-30T01:00:00Z", 7200},
    {"Europe/Berlin", "2025-10-26T00:59:59Z", 7200},
    {"Europe/Berlin", "2025-10-26T01:00:00Z", 3600},
    {"Europe/Berlin", "2099-07-01T00:00:00Z", 7200},
    {"Europe/Berlin", "1800-01-01T00:00:00Z", 3208},
    {"America/St_Johns", "2025-01-01T00:00:00Z", -12600},
    {"Asia/Kathmandu", "2025-01-01T00:00:00Z", 20700},
    {"Australia/Sydney", "2060-01-01T00:00:00Z", 39600},
    {"Australia/Sydney", "2060-07-01T00:00:00Z", 36000},
    {"America/New_York", "2050-03-13T06:59:59Z", -18000},
    {"America/New_York", "2050-03-13T07:00:00Z", -14400},
};

Test(cel_tz, offsets_are_those_of_the_files)
{
    static char bytes[16384];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct tz *tz = NULL;
        int64_t s = 0, until = 0;
        uint32_t ns = 0;
        size_t len = read_zone(CASES[i].zone, bytes, sizeof bytes);
        if (len == 0) {
            cr_skip_test("no time zones on this machine");
        }
        cr_assert_eq(tz_new((struct str){bytes, len}, &tz), PDP_ERR_OK, "%s", CASES[i].zone);
        cr_assert(time_parse(str_of(CASES[i].time), &s, &ns));
        cr_expect_eq(tz_offset(tz, s, &until), CASES[i].offset_s, "%s at %s: %d", CASES[i].zone,
                     CASES[i].time, tz_offset(tz, s, &until));
        cr_expect_gt(until, s);
        if (until != INT64_MAX && until - s > 1) {
            int64_t later = 0;
            cr_expect_eq(tz_offset(tz, until - 1, &later), CASES[i].offset_s);
            cr_expect_eq(later, until);
        }
        tz_free(&tz);
    }
}

Test(cel_tz, every_prefix_of_a_file_is_refused)
{
    static char bytes[16384];
    size_t len = read_zone("Europe/Berlin", bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        struct tz *tz = NULL;
        char *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        cr_expect_neq(tz_new((struct str){exact, cut}, &tz), PDP_ERR_OK, "%zu bytes", cut);
        tz_free(&tz);
        free(exact);
    }
}

Test(cel_tz, broken_files_never_crash)
{
    static char bytes[16384], broken[16384];
    size_t len = read_zone("Europe/Berlin", bytes, sizeof bytes);
    for (size_t i = 0; i < len * 3; i++) {
        struct tz *tz = NULL;
        int64_t until = 0;
        memcpy(broken, bytes, len);
        broken[i % len] = (char)(i / len == 0 ? 0xff : i / len == 1 ? 0x7f : bytes[i % len] + 1);
        if (tz_new((struct str){broken, len}, &tz) == PDP_ERR_OK) {
            tz_offset(tz, 1763800000, &until);
            tz_offset(tz, INT64_C(4000000000), &until);
        }
        tz_free(&tz);
    }
}

Test(cel_tz, fixed_offsets)
{
    static const struct {
        const char *text;
        bool is;
        int32_t offset_s;
    } FIXED[] = {
        {"UTC", true, 0},      {"Z", true, 0},       {"+01:00", true, 3600},     {"-02:30", true, -9000},
        {"02:00", true, 7200}, {"+1:00", false, 0},  {"+19:00", false, 0},       {"+01:60", false, 0},
        {"", false, 0},        {"+0a:00", false, 0}, {"Europe/Berlin", false, 0}};
    for (size_t i = 0; i < COUNT_OF(FIXED); i++) {
        int32_t offset = 0;
        cr_expect_eq(tz_parse_fixed(str_of(FIXED[i].text), &offset), FIXED[i].is, "%s", FIXED[i].text);
        cr_expect(!FIXED[i].is || offset == FIXED[i].offset_s, "%s", FIXED[i].text);
    }
}
