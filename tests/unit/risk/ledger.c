// SPDX-License-Identifier: Apache-2.0
#include "risk/ledger.h"

#include "risk.h"

static double raise_at(uint16_t *value, uint32_t *at_s, double e, int64_t now_ms)
{
    return ledger_raise((struct ledger_pair){value, at_s, false}, e, ledger_clock(now_ms), HOUR);
}

static double left(uint16_t value, uint32_t at_s, int64_t now_ms)
{
    return ledger_left(value, at_s, ledger_clock(now_ms), HOUR);
}

Test(risk_ledger, is_refreshed_and_never_summed)
{
    uint16_t value = 0;
    uint32_t at_s = 0;
    cr_expect_eq(raise_at(&value, &at_s, 4, T0), 4);
    cr_expect_eq(left(value, at_s, T0 + HOUR), 2);
    cr_expect_eq(raise_at(&value, &at_s, 4, T0), 4, "twice is once");
    cr_expect_eq(raise_at(&value, &at_s, 1, T0 + HOUR), 2, "what is less than what is left loses");
    cr_expect_eq(left(value, at_s, T0 + 2 * HOUR), 1, "and does not make it younger");
    cr_expect_eq(raise_at(&value, &at_s, 3, T0 + HOUR), 3, "what is more wins");
    cr_expect_eq(left(value, at_s, T0 + 2 * HOUR), 1.5);
}

Test(risk_ledger, takes_no_nonsense)
{
    static const double ODD[] = {NAN, -INFINITY, -1, 0, -0.0, 1e-300};
    for (size_t i = 0; i < COUNT_OF(ODD); i++) {
        uint16_t value = 0;
        uint32_t at_s = 0;
        cr_expect_eq(raise_at(&value, &at_s, ODD[i], T0), 0);
        ledger_replace((struct ledger_pair){&value, &at_s, false}, ODD[i], T0);
        cr_expect_eq(left(value, at_s, T0), 0);
    }
    uint16_t value = 0;
    uint32_t at_s = 0;
    cr_expect_eq(raise_at(&value, &at_s, INFINITY, T0), LEDGER_MOST);
    cr_expect_eq(ledger_left(value, at_s, T0 + HOUR, 0), 0, "no half-life: gone at once");
    cr_expect_eq(ledger_left(value, at_s, T0 + HOUR, -5), 0);
}

Test(risk_ledger, knows_both_ends_of_time)
{
    static const int64_t ENDS[] = {INT64_MIN, -1, 0, (int64_t)UINT32_MAX * 1000, INT64_MAX};
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        uint16_t value = 0;
        uint32_t at_s = 0;
        cr_expect_eq(raise_at(&value, &at_s, 4, ENDS[i]), 4);
        cr_expect_eq(left(value, at_s, ENDS[i]), 4, "fades at once at %" PRId64, ENDS[i]);
        cr_expect_eq(left(value, at_s, INT64_MIN), 4, "a clock that steps back lowers nothing");
    }
}

// ModSecurity decays against the collection's last update in whole numbers: read often enough, it never
// cools. Here a pair that is read, or offered what loses, a thousand times an hour is what it is when left
// alone.
Test(risk_ledger, cools_however_often_it_is_looked_at)
{
    uint16_t alone = 0, busy = 0;
    uint32_t alone_s = 0, busy_s = 0;
    raise_at(&alone, &alone_s, 5, T0);
    raise_at(&busy, &busy_s, 5, T0);
    for (int64_t ms = 0; ms <= 10 * HOUR; ms += 3600) {
        raise_at(&busy, &busy_s, 0, T0 + ms);
        raise_at(&busy, &busy_s, 0.0005, T0 + ms);
        cr_assert_eq(left(busy, busy_s, T0 + ms), left(alone, alone_s, T0 + ms));
    }
    cr_expect(left(busy, busy_s, T0 + 10 * HOUR) < 0.005);
}

Test(risk_ledger, keeps_the_newest_reassurance)
{
    uint16_t value = 0;
    uint32_t at_s = 0;
    struct ledger_pair pair = {&value, &at_s, false};
    ledger_replace(pair, 3, T0);
    ledger_replace(pair, 1, T0 + MINUTE);
    cr_expect_eq(left(value, at_s, T0 + MINUTE), 1);
    ledger_replace(pair, 5, T0);
    cr_expect_eq(left(value, at_s, T0 + MINUTE), 1, "the older one comes too late");
    ledger_replace(pair, 4, T0 + MINUTE);
    cr_expect_eq(left(value, at_s, T0 + MINUTE), 1, "of one second the lesser, in either order");
}
