// SPDX-License-Identifier: Apache-2.0
// What somebody would try who wants an allow that should not be, or one that lasts too long.
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
#define ALLOW_ALL HEAD "  - {id: all, effect: allow}\n"
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define LIMITS(NAME, MORE) \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: " NAME "}\n" MORE "\n"
#define STRENGTHS                                                                                  \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"                     \
    "  - {name: password, proves: '\"pwd\" in session.amr'}\n  - {name: mfa, proves: '\"otp\" in " \
    "session.amr'}\n"

static void load(struct harness *h, const char *yaml)
{
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

// A question of alice's session `s1`; `auth_ms` 0: says nothing of its authentication.
static const char *ask(struct harness *h, int64_t now_ms, int64_t auth_ms, const char *path, const char *more)
{
    char text[1024], auth[64] = "";
    if (auth_ms != 0) {
        (void)snprintf(auth, sizeof auth, ", 'auth_time': %lld", (long long)(auth_ms / 1000));
    }
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': "
                   "{'type': 'route', "
                   "'id': '%s'}, 'context': {'session': {'id': 's1'%s}%s}}",
                   path, auth, more);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static const char *tell(struct harness *h, int64_t now_ms, const char *type, const char *session,
                        const char *more)
{
    static int number;
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{'request_id': 'e%d', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': "
                   "'alice'}, 'context': "
                   "{'session': {'id': 's1'%s}%s}}",
                   number++, type, session, more);
    harness_ask(h, now_ms, text);
    return harness_get(h, "event.recorded");
}

// ---- An end that is set stands ---------------------------------------------------------------------

static const char *const RENEWED[] = {
    LIMITS("a", "limits: {idle: 3h, absolute: 12h, reauthentication: 2h}"),
    LIMITS("a", "limits: {idle: 3h, absolute: 12h}")
        LIMITS("b", "limits: {absolute: 2h, on_absolute: step_up}"),
    // May be alice's or not: what is unsure must not lengthen what is certain.
    LIMITS("a", "limits: {idle: 3h, absolute: 12h}")
        LIMITS("b", "target: '\"teller\" in subject.roles'\nlimits: {reauthentication: 2h}"),
};

Test(engine_promises, a_passed_step_up_does_not_undo_the_end_of_an_absolute_limit)
{
    for (size_t i = 0; i < COUNT_OF(RENEWED); i++) {
        struct harness h = {0};
        char yaml[2048];
        (void)snprintf(yaml, sizeof yaml, "%s%s%s", ALLOW_ALL, STRENGTHS, RENEWED[i]);
        load(&h, yaml);
        cr_expect_str_eq(tell(&h, HARNESS_NOW, "login", "}", ", 'properties': {'amr': ['pwd']}"), "true");
        for (int hour = 1; hour < 12; hour++) {
            const int64_t now_ms = HARNESS_NOW + hour * HOUR;
            cr_expect_str_eq(ask(&h, now_ms, 0, "/a", ""), hour % 2 == 0 ? "step_up/expired" : "allow/policy",
                             "%zu: %d h", i, hour);
            if (hour % 2 == 0) {
                cr_expect_str_eq(tell(&h, now_ms, "step_up_passed", "}", ", 'properties': {'amr': ['otp']}"),
                                 "true");
                cr_expect_str_eq(ask(&h, now_ms + 1, 0, "/a", ""), "allow/policy", "%zu: %d h, renewed", i,
                                 hour);
            }
        }
        cr_expect_str_eq(ask(&h, HARNESS_NOW + 12 * HOUR, 0, "/a", ""), "terminate/expired", "%zu", i);
        harness_fini(&h);
    }
}

Test(engine_promises, nor_does_a_later_claim_of_a_session_without_an_issuer)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL LIMITS("a", "limits: {idle: 3h, absolute: 12h, reauthentication: 2h}"));
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy");
    for (int hour = 2; hour < 11; hour += 3) {
        const int64_t now_ms = HARNESS_NOW + hour * HOUR;
        cr_expect_str_eq(ask(&h, now_ms, HARNESS_NOW, "/a", ""), "step_up/expired", "%d h", hour);
        cr_expect_str_eq(ask(&h, now_ms + SECOND, now_ms + SECOND, "/a", ""), "allow/policy", "%d h", hour);
        cr_expect_str_eq(ask(&h, now_ms + HOUR, now_ms + SECOND, "/a", ""), "allow/policy", "%d h", hour);
    }
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 12 * HOUR, HARNESS_NOW + 12 * HOUR, "/a", ""),
                     "terminate/expired");
    harness_fini(&h);
}

// ---- An issuer's old word is old -------------------------------------------------------------------

Test(engine_promises, a_login_is_as_old_as_the_issuer_says)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: fresh, effect: allow, when: 'now - session.auth_time < duration(\"15m\")'}\n"
                  "  - {id: old, effect: allow, when: 'resource.id == \"/old\"'}\n");
    char session[64];
    (void)snprintf(session, sizeof session, ", 'auth_time': %lld}",
                   (long long)((HARNESS_NOW - 3 * HOUR) / 1000));
    cr_expect_str_eq(tell(&h, HARNESS_NOW, "start", session, ""), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, 0, "/a", ""), "deny/no-rule");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 2, 0, "/old", ""), "allow/policy");
    for (int half = 1; half < 42; half++) { // of 24 hours, three were over before
        cr_expect_str_eq(ask(&h, HARNESS_NOW + half * HOUR / 2, 0, "/old", ""), "allow/policy");
    }
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 21 * HOUR, 0, "/old", ""), "terminate/expired");
    harness_fini(&h);
}

Test(engine_promises, a_login_of_long_ago_begins_nothing)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    char session[64];
    (void)snprintf(session, sizeof session, ", 'auth_time': %lld}",
                   (long long)((HARNESS_NOW - MINUTE) / 1000));
    cr_expect_str_eq(tell(&h, HARNESS_NOW, "login", session, ""), "true");
    cr_expect_str_eq(tell(&h, HARNESS_NOW + 1, "logout", "}", ""), "true");
    for (int i = 0; i < 100; i++) {
        engine_tidy(h.engine, HARNESS_NOW + 100 * HOUR);
    }
    cr_expect_str_eq(tell(&h, HARNESS_NOW + 100 * HOUR, "login", session, ""),
                     "false"); // sent once more, by whomever
    cr_expect_str_neq(ask(&h, HARNESS_NOW + 100 * HOUR, 0, "/a", ""), "allow/policy");
    harness_fini(&h);
}

Test(engine_promises, a_step_up_that_an_issuer_saw_passed_settles_what_was_asked)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow}\n  - {id: fresh, effect: step_up, require: {strength: mfa, "
                  "max_age: 15m}}\n" STRENGTHS);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""),
                     "step_up/policy"); // nobody has spoken of it yet
    cr_expect_str_eq(
        tell(&h, HARNESS_NOW + MINUTE, "step_up_passed", "}", ", 'properties': {'amr': ['pwd']}"), "true");
    cr_expect_str_eq(harness_get(&h, "session.state"), "challenged");
    cr_expect_str_eq(
        tell(&h, HARNESS_NOW + MINUTE, "step_up_passed", "}", ", 'properties': {'amr': ['otp']}"), "true");
    cr_expect_str_eq(harness_get(&h, "session.state"), "active");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 1, 0, "/a", ""), "allow/policy");
    harness_fini(&h);
}

#define FATIGUE                                                                                              \
    HEAD "  - {id: all, effect: allow}\n  - {id: key, effect: step_up, require: {strength: key, max_age: "   \
         "5m}, when: 'risk.level >= level(\"high\")'}\n  - {id: code, effect: step_up, require: {strength: " \
         "mfa, max_age: 5m}, when: 'risk.level >= level(\"medium\")'}\n" STRENGTHS                           \
         "  - {name: key, proves: '\"hwk\" in session.amr'}\n---\napiVersion: pdp/v1\nkind: RiskModel\n"     \
         "metadata: {name: r}\nprior: -2\nthresholds: {medium: 30, high: 60, critical: 99}\n"                \
         "signals: {step-up-failed: {evidence: %s}}\nstrengths: {mfa: 4, key: 6}\n" LIMITS(                  \
             "d", "devices: {remember: 30d}")

// What a session is asked for, and what settles it. Of a phone that asks until its owner gives in, a code is
// proved, and a key was asked.
static const struct {
    const char *evidence, *amr, *before, *after;
} PROOFS[] = {
    {"1.5", "otp", "step_up/policy", "allow/policy"}, {"1.5", "pwd", "step_up/policy", "step_up/policy"},
    {"3", "otp", "step_up/policy", "step_up/policy"}, {"3", "pwd", "step_up/policy", "step_up/policy"},
    {"3", "hwk", "step_up/policy", "allow/policy"},
};

Test(engine_promises, a_proof_that_falls_short_of_what_was_asked_makes_nothing_good)
{
    for (size_t i = 0; i < COUNT_OF(PROOFS); i++) {
        struct harness h = {0};
        char yaml[2048], proof[128];
        (void)snprintf(yaml, sizeof yaml, FATIGUE, PROOFS[i].evidence);
        (void)snprintf(proof, sizeof proof, ", 'properties': {'amr': ['%s'], 'remember_device': true}",
                       PROOFS[i].amr);
        load(&h, yaml);
        cr_expect_str_eq(tell(&h, HARNESS_NOW, "login", "}", ", 'properties': {'amr': ['pwd']}"), "true");
        cr_expect_str_eq(ask(&h, HARNESS_NOW + SECOND, 0, "/a", ""), "allow/policy");
        cr_expect_str_eq(tell(&h, HARNESS_NOW + MINUTE, "step_up_failed", "}", ""), "true");
        cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 1, 0, "/a", ""), PROOFS[i].before, "%zu", i);
        cr_expect_str_eq(
            tell(&h, HARNESS_NOW + 2 * MINUTE, "step_up_passed", "}, 'device': {'fingerprint': 'f'}", proof),
            "true");
        bool remembers = strcmp(harness_get(&h, "device.remembered_until"), "") != 0;
        cr_expect_eq(remembers, strcmp(PROOFS[i].after, "allow/policy") == 0, "%zu", i);
        cr_expect_str_eq(ask(&h, HARNESS_NOW + 2 * MINUTE + 1, 0, "/a", ""), PROOFS[i].after, "%zu", i);
        harness_fini(&h);
    }
}

// A key is asked on one path, a code on another, where the thief goes next.
#define ELSEWHERE                                                                                        \
    HEAD "  - {id: all, effect: allow}\n  - {id: key, effect: step_up, resources: [/admin], require: "   \
         "{strength: key, max_age: 5m}, when: 'risk.level >= level(\"high\")'}\n  - {id: code, effect: " \
         "step_up, resources: [/mail], require: {strength: mfa, max_age: 1s}}\n" STRENGTHS               \
         "  - {name: key, proves: '\"hwk\" in session.amr'}\n---\napiVersion: pdp/v1\nkind: RiskModel\n" \
         "metadata: {name: r}\nprior: -2\nthresholds: {medium: 30, high: 60, critical: 99}\n"            \
         "signals: {step-up-failed: {evidence: 3}}\nstrengths: {mfa: 4, key: 6}\n"

Test(engine_promises, what_asks_for_less_takes_back_nothing_that_was_asked)
{
    struct harness h = {0};
    load(&h, ELSEWHERE);
    cr_expect_str_eq(tell(&h, HARNESS_NOW, "login", "}", ", 'properties': {'amr': ['pwd']}"), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + SECOND, 0, "/admin", ""), "allow/policy");
    cr_expect_str_eq(tell(&h, HARNESS_NOW + MINUTE, "step_up_failed", "}", ""), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 1, 0, "/admin", ""), "step_up/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 2, 0, "/mail", ""), "step_up/policy");
    cr_expect_str_eq(
        tell(&h, HARNESS_NOW + MINUTE + 3, "step_up_passed", "}", ", 'properties': {'amr': ['otp']}"),
        "true");
    cr_expect_str_eq(harness_get(&h, "session.state"), "challenged");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 4, 0, "/mail", ""), "allow/policy", "this it proves");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 5, 0, "/admin", ""), "step_up/policy");
    cr_expect_str_eq(
        tell(&h, HARNESS_NOW + MINUTE + 6, "step_up_passed", "}", ", 'properties': {'amr': ['hwk']}"),
        "true");
    cr_expect_str_eq(harness_get(&h, "session.state"), "active");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE + 7, 0, "/admin", ""), "allow/policy");
    harness_fini(&h);
}

// ---- How long an answer holds ----------------------------------------------------------------------

static int64_t until(struct harness *h)
{
    long long seconds = 0;
    return sscanf(harness_get(h, "context.valid.until"), "%lld", &seconds) == 1 ? seconds * SECOND : 0;
}

Test(engine_promises, an_answer_that_read_the_score_is_not_kept_while_the_score_moves)
{
    static const char *const CONDITIONS[] = {"risk.score < 90.0", "risk.hard < 50.0",
                                             "size(risk.signals) < 50", "!(\"x\" in risk.signals)"};
    for (size_t i = 0; i < COUNT_OF(CONDITIONS); i++) {
        struct harness h = {0};
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, HEAD "  - {id: some, effect: allow, when: '%s'}\n", CONDITIONS[i]);
        load(&h, yaml);
        cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy", "%s", CONDITIONS[i]);
        cr_expect(until(&h) > HARNESS_NOW, "nothing is known of it: the score stands still");
        cr_expect_str_eq(tell(&h, HARNESS_NOW, "signal", "}", ", 'properties': {'evidence': -2}"), "true");
        cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, 0, "/a", ""), "allow/policy", "%s", CONDITIONS[i]);
        cr_expect_eq(until(&h), 0, "%s: reassurance fades, the score rises", CONDITIONS[i]);
        harness_fini(&h);
    }
}

Test(engine_promises, an_answer_is_not_kept_past_the_age_of_a_list_that_it_asked)
{
    struct harness h = {0};
    load(&h,
         HEAD "  - {id: some, effect: allow, when: '!(subject.id in lists.leavers)'}\n"
              "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers}\ntype: string\nentries: [bob]\n"
              "updated: 2026-11-23T07:00:00Z\nmax_age: 62m\n");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy");
    cr_expect(until(&h) > HARNESS_NOW && until(&h) <= HARNESS_NOW + 2 * MINUTE + SECOND, "%lld",
              (long long)(until(&h) - HARNESS_NOW));
    cr_expect_str_neq(ask(&h, HARNESS_NOW + 2 * MINUTE + SECOND, 0, "/a", ""), "allow/policy");
    harness_fini(&h);
}

// ---- What a peer only asks about -------------------------------------------------------------------

Test(engine_promises, an_event_is_no_probe)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy");
    (void)tell(&h, HARNESS_NOW + 1, "logout", "}, 'purpose': 'probe'", "");
    cr_expect_str_neq(harness_get(&h, "event.recorded"), "true", STR_FMT, STR_ARG(buf_view(&h.answer)));
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 2, 0, "/a", ""), "allow/policy", "a probe ended it");
    harness_fini(&h);
}

Test(engine_promises, an_answer_tells_of_no_session_that_was_not_stored)
{
    struct harness h = {0};
    load(&h, HEAD
         "  - {id: all, effect: allow}\n  - {id: end, effect: terminate, when: 'resource.id == \"/bad\"'}\n");
    static const struct {
        const char *path, *more, *effect;
    } CASES[] = {{"/a", ", 'purpose': 'probe'", "allow/policy"}, {"/bad", "", "deny/policy"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, CASES[i].path, CASES[i].more), CASES[i].effect);
        cr_expect_str_eq(harness_get(&h, "context.session.state"), "", "%zu", i);
        struct session_view view;
        cr_expect_not(session_look(engine_sessions(h.engine), STR("s1"), &view));
    }
    harness_fini(&h);
}

// ---- What conditions read --------------------------------------------------------------------------

Test(engine_promises, what_a_session_policy_read_first_is_not_what_rules_read_later)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: some, effect: allow, when: 'now - session.started < duration(\"1m\")'}\n"
                  "  - {id: old, effect: allow, when: 'now - session.last_seen > duration(\"1m\") && "
                  "resource.id == \"/x\"'}\n" LIMITS(
                      "a", "target: now - session.started < duration(\"1h\") && session.last_seen == now\n"
                           "limits: {absolute: 8h}"));
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy");
    harness_fini(&h);
    load(&h,
         HEAD "  - {id: old, effect: allow, when: 'now - session.started > duration(\"1m\")'}\n" LIMITS(
             "a", "target: session.started > timestamp(\"2020-01-01T00:00:00Z\")\nlimits: {absolute: 8h}"));
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "deny/no-rule", "it began just now");
    harness_fini(&h);
}

Test(engine_promises, a_session_policy_cannot_ask_for_what_is_not_known_yet)
{
    static const char *const TARGETS[] = {"risk.level > level(\"low\")", "risk.score > 1.0",
                                          "travel.kmh > 900.0"};
    for (size_t i = 0; i < COUNT_OF(TARGETS); i++) {
        struct harness h = {0};
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, ALLOW_ALL LIMITS("a", "target: '%s'\nlimits: {absolute: 8h}"),
                       TARGETS[i]);
        cr_expect_not(harness_load(&h, yaml), "%s", TARGETS[i]);
        harness_fini(&h);
    }
}

// ---- Peers without a grant -------------------------------------------------------------------------

Test(engine_promises, a_peer_that_may_not_assert_a_device_has_none)
{
    static const char *const CONDITIONS[] = {"device.fingerprint == \"f\"",
                                             "device.components.os == \"x\"",
                                             "now - device.first_seen >= duration(\"0s\")",
                                             "device.managed",
                                             "context.device.fingerprint == \"f\"",
                                             "context[subject.id] == 1 || true"};
    for (size_t i = 0; i < COUNT_OF(CONDITIONS); i++) {
        for (int may = 0; may < 2; may++) {
            struct harness h = {0};
            char yaml[512];
            (void)snprintf(yaml, sizeof yaml, HEAD "  - {id: some, effect: allow, when: '%s'}\n",
                           CONDITIONS[i]);
            load(&h, yaml);
            h.peer.grants = may != 0 ? GRANT_ALL : GRANT_ALL & ~(uint32_t)GRANT_ASSERT_DEVICE;
            const char *is =
                ask(&h, HARNESS_NOW, HARNESS_NOW, "/a",
                    ", 'device': {'fingerprint': 'f', 'managed': true, 'components': {'os': 'x'}}");
            bool open = may != 0 || i == COUNT_OF(CONDITIONS) - 1;
            cr_expect_str_eq(is, open ? "allow/policy" : "deny/unsure", "%s", CONDITIONS[i]);
            harness_fini(&h);
        }
    }
}

Test(engine_promises, roles_and_other_properties_are_believed_apart)
{
    static const struct {
        const char *when;
        uint32_t without;
        bool open;
    } CASES[] = {
        {"\"dba\" in subject.roles", 0, true},
        {"\"dba\" in subject.roles", GRANT_ASSERT_SUBJECT, true},
        {"\"dba\" in subject.roles", GRANT_ASSERT_ROLES, false},
        {"\"dba\" in subject.properties.roles", GRANT_ASSERT_ROLES, false},
        {"subject[\"roles\"] == [\"dba\"]", GRANT_ASSERT_ROLES, false},
        {"subject.level == 3", GRANT_ASSERT_ROLES, true},
        {"subject.level == 3", GRANT_ASSERT_SUBJECT, false},
        {"subject.properties.exists(k, k == \"roles\")", GRANT_ASSERT_ROLES, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct harness h = {0};
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, HEAD "  - {id: some, effect: allow, when: '%s'}\n", CASES[i].when);
        load(&h, yaml);
        h.peer.grants = GRANT_ALL & ~CASES[i].without;
        harness_ask(&h, HARNESS_NOW,
                    "{'subject': {'type': 'user', 'id': 'alice', 'properties': {'roles': ['dba'], 'level': "
                    "3}}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', 'id': '/a'}}");
        cr_expect_eq(strcmp(harness_effect(&h), "allow/policy") == 0, CASES[i].open, "%s without %x: %s",
                     CASES[i].when, CASES[i].without, harness_effect(&h));
        harness_fini(&h);
    }
}

// ---- Batches ---------------------------------------------------------------------------------------

Test(engine_promises, where_an_item_ends_the_session_no_other_speaks_of_an_allow)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow, message: welcome, obligations: [{type: log}]}\n"
                  "  - {id: end, effect: terminate, message: goodbye, when: 'resource.id == \"/bad\"'}\n");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, HARNESS_NOW, "/a", ""), "allow/policy");
    harness_ask(&h, HARNESS_NOW + 1,
                "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'context': "
                "{'session': {'id': 's1'}}, "
                "'evaluations': [{'resource': {'type': 'route', 'id': '/a'}}, {'resource': {'type': 'route', "
                "'id': '/bad'}}, "
                "{'resource': {'type': 'route', 'id': '/a'}}]}");
    const struct value *list = value_get(&h.root, STR("evaluations"));
    cr_assert(list != NULL && list->kind == VALUE_LIST && list->n == 3, STR_FMT,
              STR_ARG(buf_view(&h.answer)));
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *context = value_get(&list->as.list[i], STR("context"));
        const struct value *state = value_path(context, STR("session.state")),
                           *message = value_get(context, STR("message"));
        const struct value *obligations = value_get(context, STR("obligations"));
        cr_expect(value_is_text(value_get(context, STR("effect")), STR("terminate")), "%u", i);
        cr_expect(state != NULL && value_is_text(state, STR("terminated")), "%u", i);
        cr_expect(message == NULL || !value_is_text(message, STR("welcome")), "%u", i);
        cr_expect(obligations == NULL || obligations->n == 0, "%u", i);
    }
    harness_fini(&h);
}

Test(engine_promises, an_event_that_is_null_is_missing)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    harness_ask(&h, HARNESS_NOW,
                "{'event': null, 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, "
                "'resource': {'type': "
                "'route', 'id': '/a'}}");
    cr_expect_str_eq(harness_effect(&h), "allow/policy", STR_FMT, STR_ARG(buf_view(&h.answer)));
    harness_fini(&h);
}

Test(engine_promises, a_service_is_never_asked_to_authenticate_again)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL LIMITS("a", "limits: {idle: 15m, on_idle: step_up, absolute: 8h}"));
    const char *question =
        "{'subject': {'type': 'service', 'id': 'backup'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': 's2', 'auth_time': 1795420800}}}";
    harness_ask(&h, HARNESS_NOW, question);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW + 16 * MINUTE, question);
    cr_expect_str_eq(harness_effect(&h), "deny/cannot-step-up");
    harness_fini(&h);
}

Test(engine_promises, a_clock_that_steps_back_makes_no_proof_fresh_again)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow}\n  - {id: fresh, effect: step_up, require: {strength: mfa, "
                  "max_age: 15m}}\n" STRENGTHS);
    cr_expect_str_eq(tell(&h, HARNESS_NOW, "login", "}", ", 'properties': {'amr': ['pwd', 'otp']}"), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 10 * MINUTE, 0, "/a", ""), "allow/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 16 * MINUTE, 0, "/a", ""), "step_up/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 11 * MINUTE, 0, "/a", ""), "step_up/policy");
    harness_fini(&h);
}

// ---- Reloads ---------------------------------------------------------------------------------------

Test(engine_promises, a_verdict_outlives_the_reload_that_comes_after_it)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow, reason: everybody may}\n");
    struct arena arena;
    arena_init(&arena, 0, 0);
    struct value root = {0};
    struct fault fault = {0};
    struct str question =
        STR("{\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\"}, "
            "\"resource\": {\"type\": \"thing\", \"id\": \"x\"}}");
    cr_assert_eq(wire_decode(wire_form_of(question), question, &arena, &root, &fault), PDP_ERR_OK, "%s",
                 fault.what);
    struct verdict verdict;
    engine_decide(h.worker, &h.peer, &root, HARNESS_NOW, &verdict);
    load(&h, HEAD "  - {id: other, effect: allow, reason: another}\n");
    engine_tidy(h.engine, HARNESS_NOW);
    cr_expect(str_eq(verdict.rule, STR("p/all")), STR_FMT, STR_ARG(verdict.rule));
    cr_expect(str_eq(verdict.reason, STR("everybody may")));
    arena_fini(&arena);
    harness_fini(&h);
}

// ---- Times at their ends ---------------------------------------------------------------------------

Test(engine_promises, times_at_their_ends_are_refused_or_judged)
{
    static const char *const TIMES[] = {
        "9223372036854775807",        "253402300800000",       "253402300799999", "100000000000",
        "'9999-12-31T23:59:59.999Z'", "'0001-01-01T00:00:00Z'"};
    static const char *const AUTHS[] = {"-62135596800", "0", "253402300799", "1795420800"};
    for (size_t i = 0; i < COUNT_OF(TIMES) * COUNT_OF(AUTHS); i++) {
        struct harness h = {0};
        load(&h, HEAD
             "  - {id: some, effect: allow, when: 'within(now, \"Mon-Fri 07:00-19:00\", \"UTC\") || "
             "now.getFullYear() > 0 || now - session.started < duration(\"1h\")'}\n"
             "  - {id: fresh, effect: step_up, require: {strength: mfa, max_age: 15m}}\n" STRENGTHS LIMITS(
                 "a", "limits: {absolute: 8h}\nfirst_sight: adopt"));
        h.peer.grants = GRANT_ALL | GRANT_SIMULATE;
        for (int again = 0; again < 3; again++) {
            char text[1024];
            (void)snprintf(text, sizeof text,
                           "{'at': %s, 'request': {'subject': {'type': 'user', 'id': 'alice'}, 'action': "
                           "{'name': 'GET'}, "
                           "'resource': {'type': 'route', 'id': '/a'}, 'context': {'network': {'ip': "
                           "'192.0.2.1'}, 'session': "
                           "{'id': 's1', 'auth_time': %s, 'amr': ['otp']}}}}",
                           TIMES[i % COUNT_OF(TIMES)], AUTHS[i / COUNT_OF(TIMES)]);
            harness_ask(&h, HARNESS_NOW, text);
            cr_expect(strlen(harness_effect(&h)) > 1);
        }
        harness_fini(&h);
    }
}
