// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>

#define HEAD "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
#define ALLOW_ALL HEAD "  - {id: all, effect: allow}\n"
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

// A question of alice's session `s1`, authenticated at HARNESS_NOW; ID is the request id, MORE goes into
// context.
#define ASK(ID, PATH, MORE)                                                                  \
    "{'request_id': '" ID                                                                    \
    "', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': " \
    "{'type': 'route', 'id': '" PATH                                                         \
    "'}, 'context': {'session': {'id': 's1', 'auth_time': 1795420800} " MORE "}}"
#define EVENT(ID, TYPE, MORE)                                    \
    "{'request_id': '" ID "', 'event': {'type': '" TYPE          \
    "', 'subject': {'type': 'user', 'id': 'alice'}, 'context': " \
    "{'session': {'id': 's1'}} " MORE "}}"

static void load(struct harness *h, const char *yaml)
{
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

static void expect(struct harness *h, int64_t now_ms, const char *json, const char *effect)
{
    harness_ask(h, now_ms, json);
    cr_expect_str_eq(harness_effect(h), effect, "%s\n" STR_FMT, json, STR_ARG(buf_view(&h->answer)));
}

Test(engine_decide, answers_as_the_protocol_says)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow, reason: everybody may}\n");
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "decision"), "true");
    cr_expect_str_eq(harness_get(&h, "context.rule"), "p/all");
    cr_expect_str_eq(harness_get(&h, "context.reason"), "everybody may");
    cr_expect_str_eq(harness_get(&h, "context.session.state"), "active");
    cr_expect(strstr(harness_get(&h, "context.snapshot"), "sha256:") != NULL);
    cr_expect(strlen(harness_get(&h, "context.risk.score")) > 0);
    cr_expect(strlen(harness_get(&h, "context.decision_id")) > 0);
    harness_fini(&h);
}

Test(engine_decide, a_terminated_session_never_gets_an_allow_again)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow}\n  - {id: end, effect: terminate, when: 'action.name == "
                  "\"DELETE\"'}\n");
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    const char *end =
        "{'request_id': 'r2', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'DELETE'}, "
        "'resource': {'type': 'route', 'id': '/a'}, 'context': {'session': {'id': 's1'}}}";
    expect(&h, HARNESS_NOW + 1, end, "terminate/policy");
    expect(&h, HARNESS_NOW + 2, ASK("r1", "/a", ""),
           "terminate/terminated"); // the repeat of what was allowed
    expect(&h, HARNESS_NOW + 3, end, "terminate/terminated");
    expect(&h, HARNESS_NOW - HOUR, ASK("r3", "/a", ""), "terminate/terminated"); // the clock steps back
    harness_ask(&h, HARNESS_NOW + 4, EVENT("e1", "login", ", 'properties': {'amr': ['hwk']}"));
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "false");
    expect(&h, HARNESS_NOW + 5, ASK("r4", "/a", ""), "terminate/terminated");
    load(&h, ALLOW_ALL); // nor after a reload
    expect(&h, HARNESS_NOW + 6, ASK("r5", "/a", ""), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_decide, a_terminate_on_first_sight_denies_and_stores_nothing)
{
    struct harness h = {0};
    load(&h, HEAD
         "  - {id: all, effect: allow}\n  - {id: end, effect: terminate, when: 'resource.id == \"/bad\"'}\n");
    expect(&h, HARNESS_NOW, ASK("r1", "/bad", ""), "deny/policy");
    expect(&h, HARNESS_NOW, ASK("r2", "/a", ""), "allow/policy");
    harness_fini(&h);
}

Test(engine_decide, a_repeat_moves_nothing_and_the_same_id_for_another_question_is_an_error)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    struct session_view before, after;
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    cr_assert(session_look(engine_sessions(h.engine), STR("s1"), &before));
    expect(&h, HARNESS_NOW + 500, ASK("r1", "/a", ""), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.repeated"), "true");
    expect(&h, HARNESS_NOW + 600, ASK("r1", "/other", ""), "deny/malformed");
    cr_assert(session_look(engine_sessions(h.engine), STR("s1"), &after));
    cr_expect_eq(memcmp(&before.record, &after.record, sizeof before.record), 0, "the record moved");
    cr_expect_eq(after.record.requests, 1u);
    harness_fini(&h);
}

Test(engine_decide, a_remembered_allow_is_no_ticket)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow}\n  - {id: later, effect: deny, when: 'now > "
                  "timestamp(\"2026-11-23T08:30:00Z\")'}\n");
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 31 * MINUTE, ASK("r1", "/a", ""), "deny/policy");
    harness_fini(&h);
}

Test(engine_decide, a_session_id_of_another_subject_is_fixation_and_ends_it)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 1,
           "{'subject': {'type': 'user', 'id': 'mallory'}, 'action': {'name': 'GET'}, 'resource': {'type': "
           "'route', 'id': "
           "'/a'}, 'context': {'session': {'id': 's1', 'auth_time': 1795420800}}}",
           "terminate/fixation");
    expect(&h, HARNESS_NOW + 2, ASK("r2", "/a", ""), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_decide, first_sight_needs_a_recent_authentication)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL);
    const char *without =
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': 's1'}}}";
    expect(&h, HARNESS_NOW, without, "deny/unsure");
    cr_expect(strstr(harness_get(&h, "context.missing"), "session.auth_time") != NULL);
    expect(&h, HARNESS_NOW + 25 * HOUR, ASK("r1", "/a", ""), "deny/expired");
    expect(&h, HARNESS_NOW - 2 * MINUTE, ASK("r2", "/a", ""), "deny/unsure"); // auth_time lies ahead
    expect(&h, HARNESS_NOW, ASK("r3", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 1, without, "allow/policy"); // known by now
    harness_fini(&h);
}

Test(engine_decide, limits_of_time_end_a_session)
{
    struct harness h = {0};
    load(&h, ALLOW_ALL "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: s}\n"
                       "limits: {idle: 15m, on_idle: terminate, absolute: 1h, on_absolute: terminate}\n");
    expect(&h, HARNESS_NOW, ASK("r1", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 14 * MINUTE, ASK("r2", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 30 * MINUTE, ASK("r3", "/a", ""), "terminate/expired");
    expect(&h, HARNESS_NOW + 31 * MINUTE, ASK("r4", "/a", ""), "terminate/expired");
    expect(&h, HARNESS_NOW, ASK("r5", "/a", ""), "terminate/expired");
    harness_fini(&h);
}

#define STRENGTHS                                                                                     \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"                        \
    "  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n"             \
    "  - {name: mfa, proves: '\"otp\" in session.amr || session.acr == \"aal2\"', ask: {acr_values: " \
    "[aal2]}}\n"

Test(engine_decide, a_step_up_is_asked_for_proved_and_asked_for_again)
{
    struct harness h = {0};
    load(&h, HEAD "  - {id: all, effect: allow}\n"
                  "  - {id: fresh, effect: step_up, require: {strength: mfa, max_age: 15m}}\n" STRENGTHS);
    harness_ask(&h, HARNESS_NOW, EVENT("e1", "login", ", 'properties': {'acr': 'aal1', 'amr': ['pwd']}"));
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true", STR_FMT, STR_ARG(buf_view(&h.answer)));
    expect(&h, HARNESS_NOW + 1, ASK("r1", "/a", ""), "step_up/policy");
    cr_expect_str_eq(harness_get(&h, "context.require.strength"), "mfa");
    cr_expect_str_eq(harness_get(&h, "context.require.max_age"), "900");
    cr_expect_str_eq(harness_get(&h, "context.require.acr_values"), "[\"aal2\"]");
    cr_expect_str_eq(harness_get(&h, "context.session.state"), "challenged");
    // What a question claims does not win against the issuer's record.
    expect(&h, HARNESS_NOW + 2,
           "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
           "'route', 'id': "
           "'/a'}, 'context': {'session': {'id': 's1', 'auth_time': 1795420802, 'acr': 'aal2', 'amr': "
           "['otp']}}}",
           "step_up/policy");
    harness_ask(&h, HARNESS_NOW + MINUTE, EVENT("e2", "step_up_passed", ", 'properties': {'amr': ['otp']}"));
    cr_expect_str_eq(harness_get(&h, "session.state"), "active", STR_FMT, STR_ARG(buf_view(&h.answer)));
    expect(&h, HARNESS_NOW + 2 * MINUTE, ASK("r3", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 15 * MINUTE, ASK("r4", "/a", ""), "allow/policy");
    expect(&h, HARNESS_NOW + 17 * MINUTE, ASK("r5", "/a", ""), "step_up/policy");
    harness_fini(&h);
}

Test(engine_decide, a_terminate_of_the_subject_ends_what_was_authenticated_before)
{
    struct harness h = {0};
    load(&h, HEAD
         "  - {id: all, effect: allow}\n"
         "  - {id: end, effect: terminate, terminate: {scope: subject}, when: 'action.name == \"FIRE\"'}\n");
#define OF(SESSION, AUTH, ACTION)                                              \
    "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '" ACTION \
    "'}, 'resource': {'type': 'thing', 'id': "                                 \
    "'x'}, 'context': {'session': {'id': '" SESSION "', 'auth_time': " AUTH "}}}"
    expect(&h, HARNESS_NOW, OF("one", "1795420790", "GET"), "allow/policy");
    expect(&h, HARNESS_NOW, OF("two", "1795420790", "GET"), "allow/policy");
    expect(&h, HARNESS_NOW + 500, OF("two", "1795420790", "FIRE"), "terminate/policy");
    expect(&h, HARNESS_NOW + 1000, OF("one", "1795420790", "GET"), "terminate/terminated"); // known
    expect(&h, HARNESS_NOW + 1000, OF("three", "1795420790", "GET"), "deny/terminated");    // not seen before
    expect(&h, HARNESS_NOW + 1000, OF("one", "1795420801", "GET"), "terminate/terminated"); // a later claim
    expect(&h, HARNESS_NOW + 2000, OF("four", "1795420802", "GET"), "allow/policy");        // signed in again
    harness_ask(&h, HARNESS_NOW + 3000, EVENT("e9", "login", ", 'properties': {'amr': ['pwd']}"));
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true");
    harness_fini(&h);
}
