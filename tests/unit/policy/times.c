// SPDX-License-Identifier: Apache-2.0
// Rules that start and expire.
#include "unit/policy/fixture.h"

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define RULES HEAD("Policy", "p") "rules:\n"
#define NOON INT64_C(1795435200000) // 2026-11-23T12:00:00Z
#define HOUR INT64_C(3600000)

static const char FOLDER[] =
    RULES "  - {id: all, effect: allow}\n"
          "  - {id: later, effect: deny, actions: [GET], starts: 2026-11-23T12:00:00Z, expires: "
          "2026-11-23T15:00:00+01:00}\n"
          "  - {id: elsewhere, effect: deny, actions: [PUT], expires: 2026-11-23T12:00:00Z}\n"
          "  - {id: unsure, effect: deny, actions: [POST], starts: 2026-11-23T13:00:00Z, when: subject.x}\n"
          "  - {id: unsure-allow, effect: allow, actions: [TRACE], expires: 2026-11-23T13:00:00Z, when: "
          "subject.x}\n"
          "  - {id: not, effect: deny, actions: [HEAD], starts: 2026-11-23T13:00:00Z, when: 'action.name == "
          "\"GET\"'}\n";

static const struct {
    const char *action;
    int64_t now_ms;
    enum pdp_effect effect;
    int64_t until_ms; // of an allow
} CASES[] = {
    {"GET", NOON - HOUR, PDP_EFFECT_ALLOW, NOON},
    {"GET", NOON - 1, PDP_EFFECT_ALLOW, NOON},
    {"GET", NOON, PDP_EFFECT_DENY, 0},
    {"GET", NOON + 2 * HOUR - 1, PDP_EFFECT_DENY, 0},
    {"GET", NOON + 2 * HOUR, PDP_EFFECT_ALLOW, INT64_MAX},
    {"PUT", INT64_MIN, PDP_EFFECT_DENY, 0},
    {"PUT", NOON - 1, PDP_EFFECT_DENY, 0},
    {"PUT", NOON, PDP_EFFECT_ALLOW, INT64_MAX},
    {"PUT", INT64_MAX, PDP_EFFECT_ALLOW, INT64_MAX},
    {"POST", NOON, PDP_EFFECT_ALLOW, NOON + HOUR},
    {"POST", NOON + HOUR, PDP_EFFECT_DENY, 0},
    {"TRACE", NOON, PDP_EFFECT_ALLOW, INT64_MAX},
    {"HEAD", NOON, PDP_EFFECT_ALLOW, INT64_MAX},
};

static const struct fact ACTIONS[] = {{"action.name", {.kind = VALUE_STRING, .n = 4, .as.text = "HEAD"}}};

Test(policy_times, a_rule_counts_from_its_start_up_to_its_end_and_both_bound_the_answer)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(FOLDER));
    f.facts = ACTIONS;
    f.fact_count = COUNT_OF(ACTIONS);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct policy_question question = {.action = str_of(CASES[i].action), .path = STR("/a")};
        for (int unindexed = 0; unindexed < 2; unindexed++) {
            question.unindexed = unindexed != 0;
            f.now_ms = CASES[i].now_ms;
            struct policy_result result = fixture_ask(&f, &question);
            cr_expect_eq(result.effect, CASES[i].effect, "%zu: %s", i, CASES[i].action);
            bool same = result.effect != PDP_EFFECT_ALLOW || result.until_ms == CASES[i].until_ms;
            cr_expect(same, "%zu: %s: until %lld", i, CASES[i].action, (long long)result.until_ms);
        }
    }
}

static const struct {
    const char *text, *words; // words: a part of what is said
} REFUSED[] = {
    {RULES "  - {id: a, effect: deny, starts: 2026-11-23T12:00:00Z, expires: 2026-11-23T12:00:00Z}\n",
     "p.yaml:6:66: error: it expires before it starts\n"},
    {RULES "  - {id: a, effect: deny, starts: tomorrow}\n", "p.yaml:6:35: error: `starts` must be a time"},
    {RULES "  - {id: a, effect: deny, expires: ~}\n", "p.yaml:6:27: error: `expires` is empty"},
};

Test(policy_times, refuses_with_a_place)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(fixture_fini) struct fixture f;
        fixture_read(&f, str_of(REFUSED[i].text));
        cr_expect_neq(f.err, PDP_ERR_OK, "%zu", i);
        cr_expect(strstr((char *)f.words.at, REFUSED[i].words) != NULL, "%zu: got\n%s", i,
                  (char *)f.words.at);
    }
}
