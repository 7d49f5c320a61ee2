// SPDX-License-Identifier: Apache-2.0
#include "risk/recent.h"

#include "risk/model.h"

#include "risk.h"

#define EPOCH RECENT_EPOCH_MS
#define START (T0 / DAY * DAY)

static struct recent *made(void)
{
    struct recent *recent;
    cr_assert_eq(recent_new(&recent), PDP_ERR_OK);
    recent_turn(recent, START);
    return recent;
}

static void add(struct recent *recent, double score, int times)
{
    for (int i = 0; i < times; i++) {
        recent_add(recent, score);
    }
}

Test(risk_recent, what_is_added_counts_from_the_epoch_after_the_next)
{
    struct recent *r = made();
    cr_expect(isnan(recent_edge(r, 0.01)), "nothing was seen");
    add(r, 3.2, RECENT_LEAST);
    recent_turn(r, START + EPOCH);
    cr_expect(isnan(recent_edge(r, 0.01)), "some may still add to the epoch before");
    recent_turn(r, START + 2 * EPOCH);
    cr_expect_eq(recent_edge(r, 0.01), 3.5, "the lowest above all of them");
    cr_expect_eq(recent_until(START + 2 * EPOCH), START + 3 * EPOCH);
    cr_expect_eq(recent_until(START + 3 * EPOCH - 1), START + 3 * EPOCH);
    cr_expect_eq(recent_until(-1), 0);
    recent_free(&r);
    cr_expect_null(r);
    recent_free(&r);
}

Test(risk_recent, a_budget_is_never_overspent)
{
    struct recent *r = made();
    add(r, 3.2, 970);
    add(r, 20, 20);
    add(r, 45.9, 8);
    add(r, 100, 1);
    add(r, 250, 1);
    add(r, NAN, 50);
    recent_turn(r, START + 50 * EPOCH);
    cr_expect_eq(recent_edge(r, 0.03), 3.5);
    cr_expect_eq(recent_edge(r, 0.029), 20.5, "of those that score alike all are asked or none");
    cr_expect_eq(recent_edge(r, 0.01), 20.5);
    cr_expect_eq(recent_edge(r, 0.009), 46);
    cr_expect_eq(recent_edge(r, 0.001), 100, "even the highest are too many");
    recent_free(&r);
}

Test(risk_recent, halves_every_day_and_is_nothing_after_a_long_pause)
{
    struct recent *r = made();
    add(r, 3.2, 3 * RECENT_LEAST);
    recent_turn(r, START + 2 * EPOCH);
    recent_turn(r, START + DAY);
    cr_expect_eq(recent_edge(r, 0.01), 3.5);
    recent_turn(r, START + 2 * DAY);
    cr_expect(isnan(recent_edge(r, 0.01)), "a quarter is too few");
    recent_turn(r, START + 400 * DAY);
    cr_expect(isnan(recent_edge(r, 0)));
    recent_turn(r, START);
    recent_turn(r, INT64_MAX);
    cr_expect_eq(recent_until(INT64_MAX), INT64_MAX);
    recent_free(&r);
}

Test(risk_recent, medium_stays_between_least_and_high)
{
    struct recent *r = made();
    struct risk_model with = *model();
    cr_expect_eq(recent_medium(r, &with), 0, "no budget");
    with.budget = 0.01;
    with.least = 10;
    cr_expect_eq(recent_medium(r, &with), 30, "too few were seen");
    add(r, 3.2, 2000);
    recent_turn(r, START + 2 * EPOCH);
    cr_expect_eq(recent_medium(r, &with), 10, "a flood of low scores");
    add(r, 22, 60);
    recent_turn(r, START + 4 * EPOCH);
    cr_expect_eq(recent_medium(r, &with), 22.5);
    add(r, 99, 5000);
    recent_turn(r, START + 6 * EPOCH);
    cr_expect_eq(recent_medium(r, &with), 59, "a flood of high ones");
    recent_free(&r);
}

Test(risk_recent, outlives_its_bytes)
{
    struct recent *one = made(), *two = made();
    add(one, 40, 1500);
    recent_turn(one, START + EPOCH);
    add(one, 50, 1500);
    AUTO(buf_fini) struct buf bytes = {0};
    recent_save(one, &bytes);
    for (size_t cut = 0; cut < bytes.len; cut += 97) {
        cr_assert_eq(recent_load(two, (struct str){(char *)bytes.at, cut}), PDP_ERR_CORRUPT);
    }
    bytes.at[0] ^= 1;
    cr_expect_eq(recent_load(two, buf_view(&bytes)), PDP_ERR_CORRUPT);
    bytes.at[0] ^= 1;
    cr_assert_eq(recent_load(two, buf_view(&bytes)), PDP_ERR_OK);
    for (int64_t at = START; at < START + 2 * DAY; at += EPOCH) {
        recent_turn(one, at);
        recent_turn(two, at);
        double a = recent_edge(one, 0.6), b = recent_edge(two, 0.6);
        cr_assert(a == b || (isnan(a) && isnan(b)));
    }
    recent_free(&one);
    recent_free(&two);
}

// The threshold in force comes in; the model's own is as it was.
Test(risk_recent, the_threshold_in_force_is_the_one_that_is_given)
{
    struct risk_model with = *model();
    with.hysteresis = 2;
    model_derive(&with);
    for (double medium = 6; medium < 60; medium += 0.5) {
        struct risk_state state = {0};
        struct risk_result out;
        struct risk_input in = {.now_ms = T0,
                                .counts = true,
                                .event = EVENT_SIGNAL,
                                .external_evidence = 2.9,
                                .passed_strength = -1,
                                .medium = medium};
        risk_score(&with, &in, &state, NULL, &ARENA, false, &out);
        cr_assert_eq(out.level, out.score < medium ? RISK_LOW : RISK_MEDIUM, "%g at %g", out.score, medium);
        in.event = EVENT_NONE;
        risk_score(&with, &in, &state, NULL, &ARENA, false, &out);
        if (out.level == RISK_MEDIUM) {
            in.now_ms = out.until_ms - 1;
            risk_score(&with, &in, &state, NULL, &ARENA, false, &out);
            cr_assert_eq(out.level, RISK_MEDIUM);
            in.now_ms += 3 * SECOND;
            risk_score(&with, &in, &state, NULL, &ARENA, false, &out);
            cr_assert(out.level == RISK_LOW && out.score < medium - 2 && out.score > medium - 2.1,
                      "%d: %g at %g", (int)out.level, out.score, medium);
        }
    }
}
