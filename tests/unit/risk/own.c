// SPDX-License-Identifier: Apache-2.0
// A model's own signals: where they lie, what they count, and what is left of them.
#include "risk/own.h"

#include "risk.h"
#include "risk/model.h"

#include <stdio.h>

#define HEAD \
    "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: ours}\nsignals: {step-up-failed: {}}\nown:\n"

static struct source SOURCE;

static const struct risk_model *read_model(struct arena *arena, const char *text)
{
    static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}, {"phishing-resistant", 18}};
    const struct risk_model *made = NULL;
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct diags diags;
    AUTO(buf_fini) struct buf said = {0};
    arena_init(arena, 0, 0);
    diags_init(&diags, 8);
    SOURCE = (struct source){STR("risk.yaml"), str_of(text)};
    cr_assert_eq(conf_parse(&SOURCE, arena, &diags, &docs, &count), PDP_ERR_OK);
    enum pdp_err err = risk_model_read(docs, count, NULL, STRENGTHS, 3, arena, &diags, &made);
    diags_render(&diags, &said);
    buf_byte(&said, '\0');
    cr_assert_eq(err, PDP_ERR_OK, "%s", (char *)said.at);
    diags_fini(&diags);
    return made;
}

static struct risk_result weigh(const struct risk_model *with, struct known *known, struct risk_input in)
{
    struct risk_result out;
    in.counts = true;
    in.passed_strength = in.event == EVENT_STEP_UP_PASSED ? 2 : -1;
    (void)model(); // for its arena
    risk_score(with, &in, &known->session, &known->user, &ARENA, true, &out);
    return out;
}

#define ONE HEAD "  - {id: bulk, when: 'true', evidence: 2, half_life: 1h, on_missing: "

static struct risk_result weigh_at(const struct risk_model *with, struct known *known, int64_t now_ms,
                                   bool yes)
{
    return weigh(with, known, (struct risk_input){.now_ms = now_ms, .own_yes = yes ? 1 : 0});
}

Test(risk_own, come_after_the_table)
{
    struct arena arena;
    const struct risk_model *with = read_model(
        &arena, ONE "skip}\n  - {id: other, when: 'true', evidence: 3, cap: 5, class: familiarity, "
                    "on_missing: deny, because: too much}\n");
    cr_expect_eq(risk_own_count(with), 2);
    cr_expect_eq(risk_own_count(model()), 0);
    cr_expect_eq(risk_signal_count(with), SIGNAL_COUNT + 2);
    cr_expect_eq(risk_signal_count(NULL), SIGNAL_COUNT);
    cr_expect(str_eq(risk_signal_name(with, SIGNAL_COUNT), STR("bulk")));
    cr_expect(str_eq(risk_signal_name(with, SIGNAL_COUNT + 1), STR("other")));
    cr_expect_eq(risk_signal_name(with, SIGNAL_COUNT + 2).len, 0);
    cr_expect_eq(risk_signal_name(NULL, SIGNAL_COUNT).len, 0);
    cr_expect_eq(risk_own_when(with, 0), UINT32_MAX, "no program");
    const struct signal_rule *bulk = &with->rules[SIGNAL_COUNT], *other = bulk + 1;
    cr_expect_eq(bulk->cap, 2, "its evidence where it is not given");
    cr_expect_eq(bulk->half_life_ms, HOUR);
    cr_expect_eq(other->cap, 5);
    cr_expect_eq(other->half_life_ms, HOUR, "where it is not given");
    cr_expect_eq(with->own[0].row.kind, SIGNAL_SESSION);
    cr_expect_eq(with->own[1].row.kind, SIGNAL_FAMILIARITY);
    cr_expect_geq(with->own[0].row.slot, 256);
    cr_expect_neq(with->own[0].row.slot, with->own[1].row.slot);
    arena_fini(&arena);
}

Test(risk_own, count_up_to_their_cap_and_fade)
{
    struct arena arena;
    const struct risk_model *with = read_model(&arena, ONE "skip}\n");
    struct known known = {0};
    struct risk_result r = weigh_at(with, &known, T0, false);
    cr_expect_eq(evidence(&r, "bulk"), 0);
    r = weigh_at(with, &known, T0 + SECOND, true);
    cr_expect_float_eq(evidence(&r, "bulk"), 2, 0.001);
    cr_expect_float_eq(r.hard, 2, 0.001);
    cr_expect(str_eq(r.signals[0].because, STR("`bulk` holds")));
    r = weigh_at(with, &known, T0 + 2 * SECOND, true);
    cr_expect_float_eq(evidence(&r, "bulk"), 2, 0.001, "no more than the cap");
    r = weigh_at(with, &known, T0 + HOUR + 2 * SECOND, false);
    cr_expect_float_eq(evidence(&r, "bulk"), 1, 0.001, "half of it is left after the half-life");
    arena_fini(&arena);
}

// Until when a level holds is told with them.
Test(risk_own, bound_how_long_a_level_holds)
{
    struct arena arena;
    struct known known = {0};
    const struct risk_model *with =
        read_model(&arena, HEAD "  - {id: bulk, when: 'true', evidence: 6, on_missing: skip}\n");
    struct risk_result r = weigh_at(with, &known, T0, true);
    cr_expect_eq(r.level, RISK_CRITICAL);
    cr_assert(r.until_ms > T0 && r.until_ms < T0 + DAY);
    r = weigh_at(with, &known, r.until_ms - 1, false);
    cr_expect_eq(r.level, RISK_CRITICAL);
    r = weigh_at(with, &known, T0 + DAY, false);
    cr_expect_eq(r.level, RISK_LOW);
    arena_fini(&arena);
}

// A later model that puts it in another place finds what the earlier one stored; one without it finds
// nothing.
Test(risk_own, outlive_a_reload)
{
    struct arena arena, later, none;
    struct known known = {0};
    (void)weigh_at(read_model(&arena, ONE "skip}\n"), &known, T0, true);
    const struct risk_model *moved =
        read_model(&later, HEAD "  - {id: first, when: 'true', evidence: 1, on_missing: skip}\n"
                                "  - {id: bulk, when: 'true', evidence: 2, on_missing: skip}\n");
    struct risk_result r = weigh_at(moved, &known, T0 + SECOND, false);
    cr_expect_float_eq(evidence(&r, "bulk"), 2, 0.01);
    cr_expect_eq(evidence(&r, "first"), 0);
    r = weigh_at(read_model(&none, HEAD "  []\n"), &known, T0 + SECOND, false);
    cr_expect_eq(r.signal_count, 0);
    arena_fini(&arena);
    arena_fini(&later);
    arena_fini(&none);
}

Test(risk_own, unsure_is_as_on_missing_says)
{
    static const struct {
        const char *text;
        double evidence;
        bool deny;
    } ROWS[] = {{ONE "skip}\n", 0, false}, {ONE "score}\n", 2, false}, {ONE "deny}\n", 0, true}};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct arena arena;
        struct known known = {0};
        const struct risk_model *with = read_model(&arena, ROWS[i].text);
        struct risk_result r = weigh(with, &known, (struct risk_input){.now_ms = T0, .own_unsure = 1});
        cr_expect_float_eq(evidence(&r, "bulk"), ROWS[i].evidence, 0.001, "%zu", i);
        cr_expect_eq(r.deny, ROWS[i].deny, "%zu", i);
        cr_expect(!r.deny || str_eq(r.missing, STR("bulk")));
        cr_expect(r.signal_count == 0 ||
                  str_eq(r.signals[0].because, STR("whether `bulk` holds cannot be told")));
        arena_fini(&arena);
    }
}

Test(risk_own, what_is_familiar_ends_nothing)
{
    static const struct {
        const char *kind;
        double hard;
    } ROWS[] = {{"session", 2}, {"source", 2}, {"external", 2}, {"familiarity", 0}};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char text[512];
        struct arena arena;
        struct known known = {0};
        (void)snprintf(text, sizeof text, ONE "skip, class: %s, because: 'too much'}\n", ROWS[i].kind);
        struct risk_result r = weigh_at(read_model(&arena, text), &known, T0, true);
        cr_expect_float_eq(evidence(&r, "bulk"), 2, 0.001, "%s", ROWS[i].kind);
        cr_expect_float_eq(r.hard, ROWS[i].hard, 0.001, "%s", ROWS[i].kind);
        cr_expect(str_eq(r.signals[0].because, STR("too much")));
        arena_fini(&arena);
    }
}

Test(risk_own, muted_and_pardoned_by_their_number)
{
    struct arena arena;
    struct known known = {0};
    const struct risk_model *with = read_model(&arena, ONE "skip}\n");
    struct risk_result r = weigh(
        with, &known, (struct risk_input){.now_ms = T0, .own_yes = 1, .muted = UINT32_C(1) << SIGNAL_COUNT});
    cr_expect_eq(evidence(&r, "bulk"), 0);
    r = weigh_at(with, &known, T0, true);
    cr_expect_gt(evidence(&r, "bulk"), 1);
    struct risk_pardons pardons;
    for (size_t i = 0; i < RISK_SIGNALS_MAX; i++) {
        pardons.at_ms[i] = i == SIGNAL_COUNT ? T0 + MINUTE : INT64_MIN;
    }
    r = weigh(with, &known, (struct risk_input){.now_ms = T0 + HOUR, .pardons = &pardons});
    cr_expect_eq(evidence(&r, "bulk"), 0);
    cr_expect_eq(r.pardoned, UINT32_C(1) << SIGNAL_COUNT);
    arena_fini(&arena);
}

// What a proof verifies is the user's own; what came from elsewhere is not.
Test(risk_own, a_proof_takes_away_what_the_session_showed)
{
    static const struct {
        const char *kind;
        bool stays;
    } ROWS[] = {{"session", false}, {"external", true}};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char text[512];
        struct arena arena;
        struct known known = {0};
        (void)snprintf(text, sizeof text, ONE "skip, class: %s}\n", ROWS[i].kind);
        const struct risk_model *with = read_model(&arena, text);
        (void)weigh_at(with, &known, T0, true);
        struct risk_result r =
            weigh(with, &known, (struct risk_input){.now_ms = T0 + SECOND, .event = EVENT_STEP_UP_PASSED});
        cr_expect_eq(evidence(&r, "bulk") > 0, ROWS[i].stays, "%s", ROWS[i].kind);
        arena_fini(&arena);
    }
}

// Where all places of a session are taken, the weakest gives way: for that their half-lives must be known.
Test(risk_own, keep_their_places_by_what_is_left)
{
    struct arena arena;
    struct known known = {0};
    const struct risk_model *with = read_model(&arena, ONE "skip}\n");
    for (size_t i = 0; i < STATE_ENTRIES; i++) { // of signals that are no more
        known.session.entries[i] = (struct risk_entry){(uint16_t)(200 + i), 2048, (uint32_t)(T0 / 1000)};
    }
    (void)weigh_at(with, &known, T0, true);
    struct risk_result r = weigh_at(with, &known, T0 + SECOND, false);
    cr_expect_gt(evidence(&r, "bulk"), 1.9);
    arena_fini(&arena);
}
