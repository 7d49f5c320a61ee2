// SPDX-License-Identifier: Apache-2.0
#include "risk.h"

// `count` questions, `gap_ms` apart, from `*now` on; the last one's result.
static struct risk_result burst(struct known *known, int64_t *now, int count, int64_t gap_ms)
{
    struct sighting anchor = berlin(T0);
    struct risk_result out = {0};
    for (int i = 0; i < count; i++) {
        out = ask(known, *now, &anchor, &anchor);
        *now += gap_ms;
    }
    return out;
}

static const struct {
    const char *name;
    int count;
    int64_t gap_ms;
    bool speaks;
} CASES[] = {
    {"a page with a hundred parts", 100, 10, false},
    {"a hundred parts in a hundred milliseconds", 100, 1, false},
    {"a person, for hours", 5000, 2000, false},
    {"an application that polls", 5000, 1000, false},
    {"twenty a second, for a minute", 1200, 50, true},
    {"five a second, for minutes", 2000, 200, true},
    {"a thousand within one millisecond", 1000, 0, false},
    {"a clock that stands, then runs back", 1000, -5, false},
};

Test(risk_rate, tells_scripts_from_pages)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct known known = {0};
        int64_t now = T0;
        struct risk_result out = burst(&known, &now, CASES[i].count, CASES[i].gap_ms);
        cr_expect_eq(evidence(&out, "request-rate") > 0, CASES[i].speaks, "%s: %g", CASES[i].name,
                     evidence(&out, "request-rate"));
        cr_expect(evidence(&out, "request-rate") <= 3, "capped");
    }
}

Test(risk_rate, counts_an_instant_once_and_a_probe_never)
{
    struct known known = {0}, once;
    struct sighting anchor = berlin(T0);
    ask(&known, T0, &anchor, &anchor);
    ask(&known, T0 + 1, &anchor, &anchor);
    once = known;
    cr_expect(known.session.cusum > 1.5f);
    ask(&known, T0 + 1, &anchor, &anchor);
    ask(&known, T0, &anchor, &anchor);
    cr_expect_eq(memcmp(&known, &once, sizeof known), 0);
    score(&known, (struct risk_input){.now_ms = T0 + 5, .seen = &anchor, .anchor = &anchor});
    cr_expect_eq(memcmp(&known, &once, sizeof known), 0);
    score(&known, (struct risk_input){.now_ms = T0 + 5, .counts = true, .event = EVENT_SIGNAL});
    cr_expect_eq(known.session.cusum, once.session.cusum, "an event is no request");
}

Test(risk_rate, cools_down)
{
    struct known known = {0};
    int64_t now = T0;
    struct risk_result out = burst(&known, &now, 100000, 10);
    cr_expect(evidence(&out, "request-rate") > 2.9);
    out = burst(&known, &now, 60, 5000);
    cr_expect(evidence(&out, "request-rate") < 2.9);
    cr_expect_eq(known.session.cusum, 0, "the sum has a bound: however long the storm was");
    out = burst(&known, &now, 60, 60 * SECOND);
    cr_expect(evidence(&out, "request-rate") < 0.1);
}
