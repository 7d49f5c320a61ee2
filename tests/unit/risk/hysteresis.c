// SPDX-License-Identifier: Apache-2.0
#include "risk/model.h"

#include "risk.h"

static struct risk_model *held_model(double hysteresis)
{
    static struct risk_model made;
    made = *model();
    made.hysteresis = hysteresis;
    model_derive(&made);
    return &made;
}

static struct risk_result score_with(const struct risk_model *with, struct risk_state *state,
                                     struct risk_input in)
{
    struct risk_result out;
    in.passed_strength = in.event == EVENT_STEP_UP_PASSED ? 1 : -1;
    risk_score(with, &in, state, NULL, &ARENA, false, &out);
    return out;
}

static struct risk_input finding(int64_t now_ms, double evidence)
{
    return (struct risk_input){
        .now_ms = now_ms, .counts = true, .event = EVENT_SIGNAL, .external_evidence = evidence};
}

static struct risk_result question(const struct risk_model *with, struct risk_state *state, int64_t now_ms,
                                   bool counts)
{
    return score_with(with, state, (struct risk_input){.now_ms = now_ms, .counts = counts});
}

// A session that another system's finding made high, told so.
static struct risk_state told_high(const struct risk_model *with)
{
    struct risk_state state = {0};
    (void)score_with(with, &state, finding(T0, 4.2));
    struct risk_result out = question(with, &state, T0 + SECOND, true);
    cr_assert_eq(out.level, RISK_HIGH, "%g", out.score);
    return state;
}

Test(risk_hysteresis, a_level_stays_until_the_score_is_well_below)
{
    const struct risk_model *with = held_model(5);
    struct risk_state state = told_high(with);
    int held = 0;
    enum risk_level was = RISK_HIGH;
    for (int64_t at = T0 + MINUTE; at < T0 + 3 * DAY; at += 10 * MINUTE) {
        struct risk_result out = question(with, &state, at, true);
        enum risk_level plain = risk_level_of(with, out.score);
        cr_assert(out.level >= plain && out.level <= was, "%g", out.score);
        cr_assert_eq(out.level, risk_level_of(with, out.score + 5), "a falling score, at %g", out.score);
        held += out.level > plain;
        was = out.level;
    }
    cr_expect_eq(was, RISK_LOW);
    cr_expect(held > 5, "held %d times", held);
}

Test(risk_hysteresis, a_probe_reads_and_does_not_tell)
{
    const struct risk_model *with = held_model(5);
    struct risk_state fresh = {0}, state;
    (void)score_with(with, &fresh, finding(T0, 4.2));
    state = fresh;
    cr_expect_eq(question(with, &state, T0 + SECOND, false).level, RISK_HIGH);
    cr_expect(memcmp(&state, &fresh, sizeof state) == 0);
    int64_t edge = 0;
    for (int64_t at = T0; edge == 0; at += MINUTE) { // where the score alone is medium
        edge = question(model(), &state, at, false).level == RISK_MEDIUM ? at : 0;
    }
    cr_expect_eq(question(with, &state, edge, false).level, RISK_MEDIUM, "nothing was told");
    state = told_high(with);
    cr_expect_eq(question(with, &state, edge, false).level, RISK_HIGH, "a probe sees what holds");
    cr_expect_eq(question(model(), &state, edge, false).level, RISK_MEDIUM, "a model without holds nothing");
    cr_expect_eq(question(model(), &state, edge, true).level, RISK_MEDIUM);
    cr_expect_eq(question(with, &state, edge, true).level, RISK_MEDIUM, "and it is forgotten");
}

// However often a falling score is looked at, by questions or by probes, the level is the same in the end.
Test(risk_hysteresis, it_does_not_matter_how_often_it_is_asked)
{
    const struct risk_model *with = held_model(12);
    for (int64_t span = HOUR; span < 3 * DAY; span += 37 * MINUTE) {
        struct risk_state once = told_high(with), often = once, probed = once;
        for (int part = 1; part < 8; part++) {
            (void)question(with, &often, T0 + SECOND + span / 8 * part, true);
            (void)question(with, &probed, T0 + SECOND + span / 8 * part, false);
        }
        struct risk_result a = question(with, &once, T0 + SECOND + span, true);
        struct risk_result b = question(with, &often, T0 + SECOND + span, true);
        struct risk_result c = question(with, &probed, T0 + SECOND + span, true);
        cr_assert(a.level == b.level && a.level == c.level && a.until_ms == b.until_ms);
        cr_assert(memcmp(&once, &probed, sizeof once) == 0, "a probe changes no bit");
        cr_assert(memcmp(&once, &often, sizeof once) == 0);
    }
}

Test(risk_hysteresis, the_level_stays_until_it_is_said_to)
{
    const struct risk_model *with = held_model(7);
    struct risk_state state = told_high(with);
    int exact = 0;
    for (int64_t at = T0 + MINUTE; at < T0 + 3 * DAY; at += 23 * MINUTE) {
        bool counts = at / MINUTE % 3 == 0;
        struct risk_result out = question(with, &state, at, counts);
        cr_assert(out.until_ms >= at);
        int64_t until = out.until_ms < T0 + 30 * DAY ? out.until_ms : T0 + 30 * DAY;
        for (int part = 1; part <= 4; part++) {
            struct risk_state copy = state;
            int64_t then = at + (until - at) / 4 * part;
            cr_assert_eq(question(with, &copy, then, part % 2 == 0).level, out.level, "from %g", out.score);
        }
        if (counts && out.level > RISK_LOW) {
            struct risk_state copy = state;
            cr_assert_lt(question(with, &copy, until + 2 * SECOND, true).level, out.level, "at %g",
                         out.score);
            exact++;
        }
    }
    cr_expect(exact > 10, "the lowered edge is the one that is told of: %d", exact);
}

// What was told and no longer holds holds again where reassurance fades before anybody was told otherwise.
Test(risk_hysteresis, a_rise_to_what_was_told_is_foreseen)
{
    const struct risk_model *with = held_model(28);
    struct risk_state state = told_high(with);
    const int64_t later = T0 + 60 * DAY; // nothing is left of the finding
    (void)score_with(with, &state, finding(later, -6));
    struct risk_result out = question(with, &state, later + MINUTE, false);
    cr_assert_eq(out.level, RISK_LOW, "%g", out.score);
    cr_assert_lt(out.until_ms, later + 10 * DAY);
    cr_expect_eq(question(with, &state, out.until_ms, false).level, RISK_LOW);
    cr_expect_eq(question(with, &state, later + 10 * DAY, false).level, RISK_MEDIUM);
}

Test(risk_hysteresis, a_proof_holds_no_level)
{
    const struct risk_model *with = held_model(29);
    struct risk_state state = told_high(with);
    struct risk_input in = {.now_ms = T0 + MINUTE, .counts = true, .event = EVENT_STEP_UP_PASSED};
    struct risk_result out = score_with(with, &state, in);
    cr_expect_eq(out.level, risk_level_of(with, out.score));
    out = question(with, &state, T0 + 2 * MINUTE, true);
    cr_expect_eq(out.level, risk_level_of(with, out.score), "%g", out.score);
}

Test(risk_hysteresis, what_is_pardoned_holds_no_level)
{
    const struct risk_model *with = held_model(28);
    struct risk_state state = {0};
    (void)score_with(with, &state, finding(T0, 2.9)); // 38: medium
    cr_assert_eq(question(with, &state, T0 + SECOND, true).level, RISK_MEDIUM);
    struct risk_pardons pardons;
    for (size_t i = 0; i < RISK_SIGNALS_MAX; i++) {
        pardons.at_ms[i] = T0 + HOUR;
    }
    struct risk_input in = {.now_ms = T0 + 2 * HOUR, .counts = false, .pardons = &pardons};
    cr_expect_eq(score_with(with, &state, in).level, RISK_LOW);
}

Test(risk_hysteresis, any_bytes_are_a_valid_state)
{
    const struct risk_model *with = held_model(20);
    struct risk_state state = {.begun = 0xff, .last_ms = T0};
    struct risk_result out = question(with, &state, T0 + HOUR, true);
    cr_expect_eq(out.level, RISK_LOW, "3.2 is below all that is lowered: %g", out.score);
    cr_expect_eq(state.begun, STATE_BEGUN);
}
