// SPDX-License-Identifier: Apache-2.0
// Sessions of one subject at once, as questions and events meet them.
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define POLICY                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n" \
    "  - {id: all, effect: allow}\n"                                  \
    "  - {id: wipe, effect: deny, actions: [WIPE]}\n"                 \
    "  - {id: end, effect: terminate, actions: [END]}\n"              \
    "  - {id: pay, effect: step_up, actions: [PAY], require: {strength: mfa}}\n" STRENGTHS
#define STRENGTHS                                                              \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n" \
    "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
#define LIMITS(NAME, MORE) \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: " NAME "}\n" MORE "\n"
#define ENDS LIMITS("one", "limits: {concurrent: 1, on_concurrent: end-oldest}")
#define WHY "session policy `one` allows a subject 1 session at once (`concurrent`)"

static void load(struct harness *h, const char *yaml)
{
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

// A question of alice's; `auth_ms` 0: says nothing of its authentication.
static const char *ask(struct harness *h, int64_t now_ms, const char *session, int64_t auth_ms,
                       const char *action)
{
    char text[1024], auth[64] = "";
    if (auth_ms != 0) {
        (void)snprintf(auth, sizeof auth, ", 'auth_time': %lld", (long long)(auth_ms / 1000));
    }
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '%s'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': '%s'%s}%s}}",
        strcmp(action, "PROBE") == 0 ? "GET" : action, session, auth,
        strcmp(action, "PROBE") == 0 ? ", 'purpose': 'probe'" : "");
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static const char *get(struct harness *h, int64_t now_ms, const char *session)
{
    return ask(h, now_ms, session, now_ms, "GET");
}

static const char *login(struct harness *h, int64_t now_ms, const char *session)
{
    static int number;
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': 'e%d', 'event': {'type': 'login', 'subject': {'type': 'user', 'id': 'alice'}, "
        "'context': {'session': {'id': '%s'}}, 'properties': {'amr': ['pwd']}}}",
        number++, session);
    harness_ask(h, now_ms, text);
    return harness_get(h, "event.recorded");
}

static enum session_state state_of(struct harness *h, const char *session)
{
    struct session_view view;
    return session_look(engine_sessions(h->engine), str_of(session), &view)
               ? (enum session_state)view.record.state
               : SESSION_NONE;
}

static const char *ref_of(struct harness *h, const char *session)
{
    static struct session_view view;
    cr_assert(session_look(engine_sessions(h->engine), str_of(session), &view));
    return view.ref;
}

Test(engine_room, refuses_where_the_policy_does_not_say_otherwise)
{
    struct harness h = {0};
    load(&h, POLICY LIMITS("one", "limits: {concurrent: 1}"));
    cr_expect_str_eq(get(&h, HARNESS_NOW, "s1"), "allow/policy");
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s2"), "deny/concurrent");
    cr_expect_str_eq(harness_get(&h, "context.reason"), WHY);
    cr_expect_str_eq(login(&h, HARNESS_NOW + MINUTE, "s3"), "false");
    cr_expect_str_eq(harness_get(&h, "event.code"), "concurrent");
    cr_expect_str_eq(harness_get(&h, "event.message"), WHY);
    cr_expect_eq(state_of(&h, "s2"), SESSION_NONE, "nothing is stored");
    cr_expect_eq(state_of(&h, "s3"), SESSION_NONE);
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s1"), "allow/policy", "the first goes on");
    cr_expect_str_eq(login(&h, HARNESS_NOW + MINUTE, "s1"), "true", "a login of a known session begins none");
    // One that is idle for longer than its limit lives no more.
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE + HOUR - 1000, "s2"), "deny/concurrent");
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE + HOUR, "s2"), "allow/policy");
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE + HOUR, "s1"), "terminate/expired");
    harness_fini(&h);
}

Test(engine_room, ends_the_oldest_where_the_policy_says_so)
{
    struct harness h = {0};
    load(&h, POLICY ENDS);
    cr_expect_str_eq(get(&h, HARNESS_NOW, "s1"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.ended"), "");
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s2"), "allow/policy");
    char want[64];
    (void)snprintf(want, sizeof want, "[\"%s\"]", ref_of(&h, "s1"));
    cr_expect_str_eq(harness_get(&h, "context.session.ended"), want);
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s1"), "terminate/terminated");
    cr_expect_str_eq(harness_get(&h, "context.reason"),
                     "the session ended because its subject began another");
    cr_expect_str_eq(login(&h, HARNESS_NOW + 2 * MINUTE, "s3"), "true");
    (void)snprintf(want, sizeof want, "[\"%s\"]", ref_of(&h, "s2"));
    cr_expect_str_eq(harness_get(&h, "session.ended"), want);
    cr_expect_eq(state_of(&h, "s2"), SESSION_TERMINATED);
    cr_expect_str_eq(login(&h, HARNESS_NOW + 2 * MINUTE, "s2"), "false", "absorbing, as any end");
    cr_expect_str_eq(get(&h, HARNESS_NOW + 3 * MINUTE, "s2"), "terminate/terminated");
    cr_expect_str_eq(get(&h, HARNESS_NOW + 3 * MINUTE, "s3"), "allow/policy");
    harness_fini(&h);
}

Test(engine_room, lets_nobody_end_another_session_who_is_not_let_in)
{
    struct harness h = {0};
    load(&h, POLICY ENDS);
    cr_expect_str_eq(login(&h, HARNESS_NOW, "s1"), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "s2", HARNESS_NOW + MINUTE, "WIPE"), "deny/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "s2", HARNESS_NOW + MINUTE, "END"), "deny/policy");
    cr_expect_eq(state_of(&h, "s2"), SESSION_NONE, "nothing is stored");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "s2", HARNESS_NOW + MINUTE, "PROBE"), "allow/policy");
    cr_expect_eq(state_of(&h, "s2"), SESSION_NONE, "a probe creates none");
    cr_expect_eq(state_of(&h, "s1"), SESSION_ACTIVE, "and ends none");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 2 * MINUTE, "old", HARNESS_NOW - HOUR, "GET"), "deny/concurrent");
    cr_expect_eq(state_of(&h, "s1"), SESSION_ACTIVE, "an older authentication displaces no newer one");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "s2", HARNESS_NOW + MINUTE, "PAY"), "step_up/policy");
    cr_expect_eq(state_of(&h, "s1"), SESSION_TERMINATED, "who is asked for more has begun");
    harness_fini(&h);
}

// Whoever may make up session ids could end everyone's sessions by naming them.
Test(engine_room, ends_no_session_for_one_that_is_less_vouched_for)
{
    struct harness h = {0};
    load(&h, POLICY LIMITS("one", "limits: {concurrent: 1, on_concurrent: end-oldest}\nfirst_sight: adopt"));
    cr_expect_str_eq(login(&h, HARNESS_NOW, "issued"), "true");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "made-up", 0, "GET"), "deny/concurrent");
    h.peer.grants = GRANT_ASK;
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "made-up", HARNESS_NOW + MINUTE, "GET"), "deny/concurrent",
                     "a claim that is not believed makes it no better");
    cr_expect_eq(state_of(&h, "issued"), SESSION_ACTIVE);
    h.peer.grants = GRANT_ALL;
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "told", HARNESS_NOW + MINUTE, "GET"), "allow/policy",
                     "a peer that may tell of authentications");
    cr_expect_eq(state_of(&h, "issued"), SESSION_TERMINATED);
    harness_fini(&h);
}

Test(engine_room, strangers_among_themselves)
{
    struct harness h = {0};
    load(&h, POLICY LIMITS("one", "limits: {concurrent: 1, on_concurrent: end-oldest}\nfirst_sight: adopt"));
    h.peer.grants = GRANT_ASK;
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "s1", 0, "GET"), "allow/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + MINUTE, "s2", 0, "GET"), "allow/policy");
    cr_expect_eq(state_of(&h, "s1"), SESSION_TERMINATED);
    h.peer.grants = GRANT_ALL;
    cr_expect_str_eq(login(&h, HARNESS_NOW + 2 * MINUTE, "s3"), "true");
    cr_expect_eq(state_of(&h, "s2"), SESSION_TERMINATED);
    harness_fini(&h);
}

#define TELLER "target: '\"teller\" in subject.roles'\n"

// It cannot be told whether alice is a teller.
static const char *const UNDECIDED[] = {
    LIMITS("one", TELLER "limits: {concurrent: 1, on_concurrent: end-oldest}"),
    LIMITS("one", TELLER "limits: {concurrent: 1, on_concurrent: refuse}"),
    LIMITS("one", TELLER "limits: {concurrent: 1, on_concurrent: end-oldest}")
        LIMITS("all", "limits: {concurrent: 9, on_concurrent: end-oldest}"),
};

Test(engine_room, unsure_ends_no_session)
{
    for (size_t i = 0; i < COUNT_OF(UNDECIDED); i++) {
        struct harness h = {0};
        char yaml[2048];
        (void)snprintf(yaml, sizeof yaml, "%s%s", POLICY, UNDECIDED[i]);
        load(&h, yaml);
        cr_expect_str_eq(get(&h, HARNESS_NOW, "s1"), "allow/policy");
        cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s2"), "deny/unsure");
        cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`subject.roles` is missing\"]");
        cr_expect_str_eq(harness_get(&h, "context.reason"), WHY);
        cr_expect_str_eq(login(&h, HARNESS_NOW + MINUTE, "s3"), "false");
        cr_expect_str_eq(harness_get(&h, "event.code"), "unsure");
        cr_expect_str_eq(harness_get(&h, "missing"), "");
        cr_expect_str_eq(harness_get(&h, "event.missing"), "[\"`subject.roles` is missing\"]");
        cr_expect_eq(state_of(&h, "s1"), SESSION_ACTIVE);
        cr_expect_eq(state_of(&h, "s2"), SESSION_NONE);
        harness_fini(&h);
    }
}

Test(engine_room, a_lower_limit_strikes_with_the_next_session)
{
    struct harness h = {0};
    char id[16];
    load(&h, POLICY);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "s%d", i);
        cr_expect_str_eq(get(&h, HARNESS_NOW + i * MINUTE, id), "allow/policy");
    }
    load(&h, POLICY LIMITS("one", "limits: {concurrent: 2, on_concurrent: end-oldest}"));
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "s%d", i);
        cr_expect_str_eq(get(&h, HARNESS_NOW + 5 * MINUTE, id), "allow/policy", "%s: a reload ends nobody",
                         id);
    }
    cr_expect_str_eq(get(&h, HARNESS_NOW + 6 * MINUTE, "s5"), "allow/policy");
    for (int i = 0; i < 6; i++) {
        (void)snprintf(id, sizeof id, "s%d", i);
        cr_expect_eq(state_of(&h, id), i < 4 ? SESSION_TERMINATED : SESSION_ACTIVE, "%s", id);
    }
    harness_fini(&h);
}

Test(engine_room, a_number_that_refuses_stands_beside_one_that_ends)
{
    struct harness h = {0};
    load(&h, POLICY LIMITS("one", "limits: {concurrent: 1}")
                 LIMITS("two", "limits: {concurrent: 1, on_concurrent: end-oldest}"));
    cr_expect_str_eq(get(&h, HARNESS_NOW, "s1"), "allow/policy");
    cr_expect_str_eq(get(&h, HARNESS_NOW + MINUTE, "s2"), "deny/concurrent",
                     "of two with one number, refuse");
    cr_expect_eq(state_of(&h, "s1"), SESSION_ACTIVE);
    harness_fini(&h);
}

Test(engine_room, a_teller_at_two_desks)
{
    static const char ROLES[] =
        "{'subject': {'type': 'user', 'id': 'tom', 'properties': {'roles': ['teller']}}, "
        "'action': {'name': 'GET'}, 'resource': {'type': 'route', 'id': '/a'}, 'context': "
        "{'session': {'id': '%s', 'auth_time': %lld}}}";
    struct harness h = {0};
    char text[512];
    load(&h,
         POLICY LIMITS("teller", TELLER "limits: {idle: 15m, on_idle: step_up, absolute: 12h, on_absolute: "
                                        "terminate, concurrent: 1, on_concurrent: end-oldest}"));
    (void)snprintf(text, sizeof text, ROLES, "desk1", (long long)(HARNESS_NOW / 1000));
    harness_ask(&h, HARNESS_NOW, text);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    (void)snprintf(text, sizeof text, ROLES, "desk2", (long long)(HARNESS_NOW / 1000));
    harness_ask(&h, HARNESS_NOW + 20 * MINUTE, text);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_eq(state_of(&h, "desk1"), SESSION_TERMINATED, "idle asks, so it lived still");
    harness_fini(&h);
}

// The world in shadow has sessions of its own, and its answer is not told.
Test(engine_room, holds_beside_what_is_in_shadow)
{
    struct harness h = {0};
    char want[64];
    load(&h, POLICY ENDS "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: tried}\nshadow: true\n"
                         "rules: [{id: no, effect: deny}]\n");
    cr_expect_str_eq(login(&h, HARNESS_NOW, "s1"), "true");
    cr_expect_str_eq(login(&h, HARNESS_NOW + MINUTE, "s2"), "true");
    (void)snprintf(want, sizeof want, "[\"%s\"]", ref_of(&h, "s1"));
    cr_expect_str_eq(harness_get(&h, "session.ended"), want);
    cr_expect_str_eq(get(&h, HARNESS_NOW + 2 * MINUTE, "s3"), "allow/policy");
    (void)snprintf(want, sizeof want, "[\"%s\"]", ref_of(&h, "s2"));
    cr_expect_str_eq(harness_get(&h, "context.session.ended"), want);
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "deny");
    cr_expect_str_eq(get(&h, HARNESS_NOW + 2 * MINUTE, "s1"), "terminate/terminated");
    harness_fini(&h);
}
