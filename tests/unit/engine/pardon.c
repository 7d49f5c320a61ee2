// SPDX-License-Identifier: Apache-2.0
// Pardons: evidence from before one counts nothing, evidence from after it counts as ever, and what was set
// aside counts again once the pardon is gone. A pardon loosens nothing else.
#include "engine/pardon.h"

#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW HARNESS_NOW
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static const char POLICY[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                             "  - {id: calm, effect: allow, when: 'risk.hard < 1.0'}\n";

static uint64_t put(struct harness *h, enum control_kind kind, const char *value, const char *signals,
                    int64_t at_ms, int64_t expires_ms)
{
    struct control *control = NULL;
    const char *why = NULL;
    struct control spec = {.target = {.kind = kind, .value = str_of(value)},
                           .pardon = true,
                           .effect = PDP_EFFECT_ALLOW,
                           .signals = str_of(signals),
                           .created_ms = at_ms,
                           .expires_ms = expires_ms,
                           .author = STR("alice"),
                           .reason = STR("false alarm")};
    enum pdp_err err = engine_control_make(h->engine, &spec, &control, &why);
    cr_assert_eq(err, PDP_ERR_OK, "%s", why != NULL ? why : pdp_err_text(err));
    cr_assert_eq(engine_controls_add(h->engine, &control, 1), PDP_ERR_OK);
    control_drop(&control);
    return spec.number;
}

static void take(struct harness *h, uint64_t number)
{
    struct control *was = NULL;
    cr_assert_eq(engine_control_remove(h->engine, number, &was), PDP_ERR_OK);
    control_drop(&was);
}

static void signal_of(struct harness *h, int64_t now_ms, const char *session, double evidence)
{
    static int number;
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{'request_id': 'e%d', 'event': {'type': 'signal', 'subject': {'type': 'user', 'id': "
                   "'alice'}, 'context': {'session': {'id': '%s'}}, 'properties': {'evidence': %g}}}",
                   number++, session, evidence);
    harness_ask(h, now_ms, text);
    cr_assert_str_eq(harness_get(h, "event.recorded"), "true");
}

// The evidence of other systems, in hundredths of a log-odd.
static int remembered(struct harness *h, int64_t now_ms, const char *session)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': "
                   "{'type': 'x', 'id': 'y'}, 'context': {'session': {'id': '%s', 'auth_time': %lld}}}",
                   session, (long long)(NOW / 1000));
    harness_ask(h, now_ms, text);
    const struct value *risk = value_get(value_get(&h->root, STR("context")), STR("risk"));
    const struct value *signals = value_get(risk, STR("signals"));
    for (uint32_t i = 0; signals != NULL && i < signals->n; i++) {
        const struct value *evidence = value_get(&signals->as.list[i], STR("evidence"));
        if (value_is_text(value_get(&signals->as.list[i], STR("id")), STR("external"))) {
            return (int)((evidence->kind == VALUE_DOUBLE ? evidence->as.d : (double)evidence->as.i) * 100 +
                         0.5);
        }
    }
    return 0;
}

static bool said(const struct harness *h, const char *text)
{
    return str_find(buf_view(&h->answer), str_of(text), 0) != SIZE_MAX;
}

static struct harness begun(void)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, POLICY), "%s", (const char *)h.said.at);
    cr_assert_eq(remembered(&h, NOW, "s1"), 0);
    return h;
}

Test(engine_pardon, what_was_before_counts_nothing_and_what_is_later_as_ever)
{
    struct harness h = begun();
    signal_of(&h, NOW + SECOND, "s1", 3);
    cr_expect_eq(remembered(&h, NOW + 2 * SECOND, "s1"), 300);
    cr_expect_str_eq(harness_effect(&h), "deny/no-rule");
    uint64_t number = put(&h, CONTROL_SUBJECT, "alice", "", NOW + 2 * SECOND, NOW + DAY);
    cr_expect_eq(remembered(&h, NOW + 3 * SECOND, "s1"), 0);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect(said(&h, "pardon/1 sets evidence from before it aside"));
    // Less than what was set aside, and yet it is remembered.
    signal_of(&h, NOW + 4 * SECOND, "s1", 2);
    cr_expect_eq(remembered(&h, NOW + 5 * SECOND, "s1"), 200);
    cr_expect(!said(&h, "pardon/1"), "nothing of before is left to be set aside");
    take(&h, number);
    cr_expect_eq(remembered(&h, NOW + 6 * SECOND, "s1"), 200);
    harness_fini(&h);
}

Test(engine_pardon, without_it_all_is_as_if_it_had_never_been)
{
    struct harness with = begun(), without = begun();
    signal_of(&with, NOW + SECOND, "s1", 3);
    signal_of(&without, NOW + SECOND, "s1", 3);
    uint64_t number = put(&with, CONTROL_ALL, "", "", NOW + 2 * SECOND, NOW + DAY);
    for (int i = 3; i < 10; i++) {
        cr_expect_eq(remembered(&with, NOW + i * SECOND, "s1"), 0);
        (void)remembered(&without, NOW + i * SECOND, "s1");
    }
    take(&with, number);
    int left = remembered(&without, NOW + HOUR, "s1");
    cr_expect(left > 0);
    cr_expect_eq(remembered(&with, NOW + HOUR, "s1"), left);
    harness_fini(&with);
    harness_fini(&without);
}

Test(engine_pardon, it_counts_again_once_it_has_expired)
{
    struct harness h = begun();
    signal_of(&h, NOW + SECOND, "s1", 3);
    (void)put(&h, CONTROL_ALL, "", "", NOW + 2 * SECOND, NOW + 60 * SECOND);
    cr_expect_eq(remembered(&h, NOW + 59 * SECOND, "s1"), 0);
    long long until_s = 0;
    (void)sscanf(harness_get(&h, "context.valid.until"), "%lld", &until_s);
    cr_expect(until_s * SECOND <= NOW + 60 * SECOND, "no gateway keeps it for longer: %lld", until_s);
    cr_expect_gt(remembered(&h, NOW + 60 * SECOND, "s1"), 200);
    harness_fini(&h);
}

Test(engine_pardon, only_what_it_names_for_certain)
{
    static const struct {
        enum control_kind kind;
        const char *value, *signals;
        bool pardons;
    } ROWS[] = {
        {CONTROL_SUBJECT, "bob", "", false},
        {CONTROL_SUBJECT, "alice", "external", true},
        {CONTROL_SUBJECT, "alice", "asn-change external", true},
        {CONTROL_SUBJECT, "alice", "asn-change", false},
        {CONTROL_SUBJECT, "alice", "step-up-passed", false},
        {CONTROL_COUNTRY, "DE", "", false}, // not known: it may be meant
        {CONTROL_ADDRESS, "203.0.113.7", "", false},
        {CONTROL_ROLE, "staff", "", false},
        {CONTROL_GATEWAY, "test", "", true},
    };
    struct harness h = begun();
    signal_of(&h, NOW + SECOND, "s1", 3);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        uint64_t number = put(&h, ROWS[i].kind, ROWS[i].value, ROWS[i].signals, NOW + 2 * SECOND, NOW + DAY);
        cr_expect_eq(remembered(&h, NOW + 3 * SECOND, "s1") == 0, ROWS[i].pardons, "%zu", i);
        take(&h, number);
    }
    harness_fini(&h);
}

// What is stored may be up to a second younger than its time says: that is not pardoned.
Test(engine_pardon, nothing_that_may_be_younger)
{
    struct harness h = begun();
    signal_of(&h, NOW + 1500, "s1", 3);
    uint64_t number = put(&h, CONTROL_ALL, "", "", NOW + 1999, NOW + DAY);
    cr_expect_gt(remembered(&h, NOW + 3 * SECOND, "s1"), 200);
    take(&h, number);
    (void)put(&h, CONTROL_ALL, "", "", NOW + 2000, NOW + DAY);
    cr_expect_eq(remembered(&h, NOW + 3 * SECOND, "s1"), 0);
    harness_fini(&h);
}

Test(engine_pardon, of_several_the_latest_counts)
{
    struct harness h = begun();
    signal_of(&h, NOW + SECOND, "s1", 3);
    (void)put(&h, CONTROL_ALL, "", "", NOW + 5 * SECOND, NOW + DAY);
    (void)put(&h, CONTROL_SUBJECT, "alice", "", NOW + 2 * SECOND, NOW + DAY);
    cr_expect_eq(remembered(&h, NOW + 6 * SECOND, "s1"), 0);
    cr_expect(said(&h, "pardon/1") && !said(&h, "pardon/2"));
    harness_fini(&h);
}

Test(engine_pardon, what_a_session_left_to_the_others_of_its_user)
{
    struct harness h = begun();
    signal_of(&h, NOW + SECOND, "s1", 6);
    (void)remembered(&h, NOW + 2 * SECOND, "s2");
    cr_expect(said(&h, "other-sessions"));
    (void)put(&h, CONTROL_SUBJECT, "alice", "", NOW + 5 * SECOND, NOW + DAY);
    (void)remembered(&h, NOW + 6 * SECOND, "s2");
    cr_expect(!said(&h, "other-sessions"));
    harness_fini(&h);
}

Test(engine_pardon, it_lifts_no_lock_and_brings_back_no_session)
{
    struct harness h = begun();
    struct control *lock = NULL;
    const char *why = NULL;
    struct control spec = {.target = {.kind = CONTROL_SUBJECT, .value = STR("alice")},
                           .effect = PDP_EFFECT_TERMINATE,
                           .created_ms = NOW,
                           .expires_ms = NOW + HOUR,
                           .author = STR("alice"),
                           .reason = STR("incident")};
    (void)put(&h, CONTROL_ALL, "", "", NOW + 5 * SECOND, NOW + DAY);
    cr_assert_eq(engine_control_make(h.engine, &spec, &lock, &why), PDP_ERR_OK);
    cr_assert_eq(engine_controls_add(h.engine, &lock, 1), PDP_ERR_OK);
    control_drop(&lock);
    (void)remembered(&h, NOW + 6 * SECOND, "s1");
    cr_expect_str_eq(harness_effect(&h), "terminate/locked");
    take(&h, spec.number);
    (void)remembered(&h, NOW + 7 * SECOND, "s1");
    cr_expect_str_eq(harness_effect(&h), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_pardon, signals_by_name)
{
    cr_expect_eq(pardon_bits(STR("")), UINT32_MAX);
    cr_expect_eq(pardon_bits(STR("nobody")), 0);
    uint32_t both = pardon_bits(STR("external asn-change"));
    cr_expect_eq(both, pardon_bits(STR("external")) | pardon_bits(STR("asn-change")));
    cr_expect_eq(__builtin_popcount(both), 2);
}
