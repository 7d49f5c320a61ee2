// SPDX-License-Identifier: Apache-2.0
#include "cel/within.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct tz *berlin(void)
{
    static char bytes[8192];
    struct tz *tz = NULL;
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert_eq(tz_new((struct str){bytes, len}, &tz), PDP_ERR_OK);
    return tz;
}

static int64_t at(const char *text)
{
    int64_t s = 0;
    uint32_t ns = 0;
    cr_assert(time_parse(str_of(text), &s, &ns), "%s", text);
    return s;
}

static const struct {
    const char *hours, *time;
    bool holds;
    const char *edge;
} CASES[] = {
    {"Mon-Fri 07:00-19:00", "2025-11-21T12:00:00+01:00", true, "2025-11-21T19:00:00+01:00"},
    {"Mon-Fri 07:00-19:00", "2025-11-21T19:00:00+01:00", false, "2025-11-24T07:00:00+01:00"},
    {"Mon-Fri 07:00-19:00", "2025-11-21T06:59:59+01:00", false, "2025-11-21T07:00:00+01:00"},
    // Crosses midnight: Friday's shift lasts into Saturday.
    {"Mon-Fri 22:00-06:00", "2025-11-22T03:00:00+01:00", true, "2025-11-22T06:00:00+01:00"},
    {"Mon-Fri 22:00-06:00", "2025-11-24T03:00:00+01:00", false, "2025-11-24T22:00:00+01:00"},
    // Two windows that touch are one.
    {"Mon 08:00-12:00, Mon 12:00-16:00", "2025-11-24T09:00:00+01:00", true, "2025-11-24T16:00:00+01:00"},
    {"Mon,Wed 08:00-12:00", "2025-11-26T08:00:00+01:00", true, "2025-11-26T12:00:00+01:00"},
    {"Mon 08:00-10:00, 14:00-16:00", "2025-11-24T14:30:00+01:00", true, "2025-11-24T16:00:00+01:00"},
    {"Fri-Mon 00:00-24:00", "2025-11-24T12:00:00+01:00", true, "2025-11-25T00:00:00+01:00"},
    {"Sat-Sun 10:00-11:00", "2025-11-23T10:30:00+01:00", true, "2025-11-23T11:00:00+01:00"},
    {"08:00-09:00", "2025-11-23T08:30:00+01:00", true, "2025-11-23T09:00:00+01:00"},
    // Always and never have no edge within nine days.
    {"daily 00:00-24:00", "2025-11-23T08:30:00+01:00", true, "2025-12-02T08:30:00+01:00"},
    // Clocks go forward at 02:00 on 30 March: 02:30 never comes, the window begins at 03:00.
    {"Sun 02:30-04:00", "2025-03-30T01:59:59+01:00", false, "2025-03-30T03:00:00+02:00"},
    // And back at 03:00 on 26 October: 02:30 comes twice.
    {"Sun 02:00-02:30", "2025-10-26T02:15:00+02:00", true, "2025-10-26T02:30:00+02:00"},
    {"Sun 02:00-02:30", "2025-10-26T02:45:00+02:00", false, "2025-10-26T02:00:00+01:00"},
    {"Sun 02:00-02:30", "2025-10-26T02:15:00+01:00", true, "2025-10-26T02:30:00+01:00"},
};

Test(cel_within, holds_and_turns)
{
    struct tz *tz = berlin();
    if (tz == NULL) {
        cr_skip_test("no time zones on this machine");
    }
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct window window;
        struct str why = {NULL, 0};
        cr_assert_eq(within_parse(str_of(CASES[i].hours), &window, &why), PDP_ERR_OK, "%s", CASES[i].hours);
        window.tz = tz;
        int64_t now = at(CASES[i].time), edge = within_edge(&window, now);
        cr_expect_eq(within_holds(&window, now), CASES[i].holds, "%s at %s", CASES[i].hours, CASES[i].time);
        cr_expect_eq(edge, at(CASES[i].edge), "%s at %s: %+lld s", CASES[i].hours, CASES[i].time,
                     (long long)(edge - at(CASES[i].edge)));
        for (int64_t t = now; t < edge; t += 1 + (edge - now) / 97) { // nothing changes before it
            cr_expect_eq(within_holds(&window, t), CASES[i].holds, "%s", CASES[i].hours);
        }
    }
    tz_free(&tz);
}

Test(cel_within, refuses_other_texts)
{
    static const char *const BAD[] = {"",
                                      "Mon",
                                      "Mon-Fri",
                                      "mon 07:00-08:00",
                                      "Mon 7:00-8:00",
                                      "Mon 07:00",
                                      "Mon 07:00-25:00",
                                      "Mon 24:00-25:00",
                                      "Mon 07:60-08:00",
                                      "Mon,",
                                      ",",
                                      "Mon 07:00-08:00,",
                                      "Mon-Foo 07:00-08:00",
                                      "Mon 07:00-08:00 x",
                                      "Mon-Tue-Wed 07:00-08:00",
                                      "Mon 07:00-08:00-09:00"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct window window;
        struct str why = {NULL, 0};
        cr_expect_neq(within_parse(str_of(BAD[i]), &window, &why), PDP_ERR_OK, "%s", BAD[i]);
        cr_expect_neq(why.len, 0);
    }
}
