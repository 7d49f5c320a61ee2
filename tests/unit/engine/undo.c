// SPDX-License-Identifier: Apache-2.0
// What a peer said between two times counts no longer; what others said does.
#include "engine/undo.h"

#include "engine/quarantine.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define T0 HARNESS_NOW
#define POLICY                                                                                   \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"                            \
    "  - {id: get, effect: allow, actions: [GET]}\n"                                             \
    "  - {id: put, effect: allow, actions: [PUT]}\n"                                             \
    "  - {id: proved, effect: step_up, actions: [PUT], require: {strength: mfa, max_age: 6h}}\n" \
    "  - {id: known, effect: allow, actions: [DEV], when: device.remembered}\n"                  \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"                   \
    "  - {name: pwd, proves: '\"pwd\" in session.amr'}\n"                                        \
    "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"                                        \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: d}\ndevices: {remember: 30d}\n"

static struct harness begun(void)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, POLICY), "%s", (const char *)h.said.at);
    return h;
}

static void by(struct harness *h, const char *peer)
{
    h->peer.name = str_of(peer);
    h->peer.hash = session_hash(engine_sessions(h->engine), str_of(peer));
}

static const char *ask(struct harness *h, int64_t now_ms, const char *id, const char *action)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '%s'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': '%s'}, 'device': {'fingerprint': 'fp'}}}",
        action, id);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static void claim(struct harness *h, int64_t now_ms, const char *id, int64_t auth_ms, const char *effect)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': '%s', 'auth_time': %lld, 'amr': ['pwd']}}}",
        id, (long long)(auth_ms / SECOND));
    harness_ask(h, now_ms, text);
    cr_expect_str_eq(harness_effect(h), effect, "%s", id);
}

static void tell(struct harness *h, int64_t now_ms, const char *type, const char *id, const char *properties)
{
    static int number;
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': 'u%d', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'alice'}, "
        "'context': {'session': {'id': '%s'}, 'device': {'fingerprint': 'fp'}}, 'properties': {%s}}}",
        number++, type, id, properties);
    harness_ask(h, now_ms, text);
    cr_expect_str_eq(harness_get(h, "event.recorded"), "true", "%s of %s", type, id);
}

static void quarantine(struct harness *h, const char *peer, int64_t at_ms, int64_t since_ms)
{
    uint64_t seq = 0;
    struct quarantined who = {
        .peer = str_of(peer), .by = STR("ann"), .reason = STR("stolen"), .at_ms = at_ms};
    cr_assert_eq(engine_quarantine_add(h->engine, &who, since_ms, &seq), PDP_ERR_OK);
}

static void release(struct harness *h, const char *peer, int64_t now_ms)
{
    uint64_t seq = 0;
    cr_assert_eq(engine_quarantine_remove(h->engine, str_of(peer), now_ms, &seq), PDP_ERR_OK);
}

#define LOGIN "'amr': ['pwd']"
#define STRONG "'amr': ['pwd', 'otp']"

Test(engine_undo, a_session_on_its_word_must_be_vouched_for_anew)
{
    struct harness h = begun();
    by(&h, "bad");
    tell(&h, T0, "login", "before", STRONG);
    tell(&h, T0 + 10 * MINUTE, "login", "since", STRONG);
    // An old auth_time is its word, too: when it said so is what counts.
    tell(&h, T0 + 10 * MINUTE, "login", "lied", STRONG);
    by(&h, "good");
    tell(&h, T0 + 10 * MINUTE, "login", "others", STRONG);
    quarantine(&h, "bad", T0 + 20 * MINUTE, T0 + 5 * MINUTE);
    int64_t now = T0 + 21 * MINUTE;
    cr_expect_str_eq(ask(&h, now, "before", "PUT"), "allow/policy");
    cr_expect_str_eq(ask(&h, now, "others", "PUT"), "allow/policy");
    cr_expect_str_eq(ask(&h, now, "since", "GET"), "step_up/expired");
    cr_expect_str_eq(ask(&h, now, "since", "PUT"), "step_up/expired");
    // Its end does not bring that back; what it says from now on counts.
    release(&h, "bad", now);
    by(&h, "bad");
    cr_expect_str_eq(ask(&h, now + MINUTE, "since", "GET"), "step_up/expired");
    tell(&h, now + MINUTE, "login", "since", LOGIN);
    cr_expect_str_eq(ask(&h, now + MINUTE, "since", "GET"), "allow/policy");
    cr_expect_str_eq(ask(&h, now + MINUTE, "since", "PUT"), "step_up/policy");
    by(&h, "good");
    cr_expect_str_eq(ask(&h, now + MINUTE, "lied", "GET"), "step_up/expired");
    tell(&h, now + MINUTE, "step_up_passed", "lied", STRONG);
    cr_expect_str_eq(ask(&h, now + MINUTE, "lied", "PUT"), "allow/policy");
    harness_fini(&h);
}

Test(engine_undo, only_what_it_proved_is_proved_no_longer)
{
    struct harness h = begun();
    by(&h, "good");
    tell(&h, T0, "login", "s", LOGIN);
    tell(&h, T0, "login", "t", LOGIN);
    by(&h, "bad");
    tell(&h, T0 + 10 * MINUTE, "step_up_passed", "s", STRONG);
    by(&h, "good");
    tell(&h, T0 + 10 * MINUTE, "step_up_passed", "t", STRONG);
    cr_expect_str_eq(ask(&h, T0 + 11 * MINUTE, "s", "PUT"), "allow/policy");
    quarantine(&h, "bad", T0 + 20 * MINUTE, T0 + 5 * MINUTE);
    for (int i = 0; i < 2; i++) { // it is written through, and still so
        cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "s", "PUT"), "step_up/policy");
        cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "s", "GET"), "allow/policy");
        cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "t", "PUT"), "allow/policy");
    }
    tell(&h, T0 + 22 * MINUTE, "step_up_passed", "s", STRONG);
    cr_expect_str_eq(ask(&h, T0 + 22 * MINUTE, "s", "PUT"), "allow/policy");
    harness_fini(&h);
}

Test(engine_undo, who_proved_more_is_not_forgotten_over_another)
{
    struct harness h = begun();
    by(&h, "good");
    tell(&h, T0, "login", "s", LOGIN);
    by(&h, "bad");
    tell(&h, T0 + 10 * MINUTE, "step_up_passed", "s", STRONG);
    by(&h, "good");
    tell(&h, T0 + 11 * MINUTE, "step_up_passed", "s", "'amr': ['pwd']");
    tell(&h, T0 + 12 * MINUTE, "rotate", "s", "'new_id': 'z'");
    quarantine(&h, "bad", T0 + 20 * MINUTE, T0 + 5 * MINUTE);
    cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "z", "PUT"), "step_up/policy");
    cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "z", "GET"), "allow/policy");
    harness_fini(&h);
}

Test(engine_undo, ids_that_it_gave_and_sessions_that_it_merely_claimed)
{
    struct harness h = begun();
    by(&h, "good");
    tell(&h, T0, "login", "a", LOGIN);
    by(&h, "bad");
    tell(&h, T0 + 10 * MINUTE, "rotate", "a", "'new_id': 'b'");
    claim(&h, T0 + 10 * MINUTE, "c", T0, "allow/policy");
    quarantine(&h, "bad", T0 + 20 * MINUTE, T0 + 5 * MINUTE);
    by(&h, "good");
    cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "b", "GET"), "step_up/expired");
    claim(&h, T0 + 21 * MINUTE, "c", T0, "step_up/expired");            // the same claim
    claim(&h, T0 + 21 * MINUTE, "c", T0 + 21 * MINUTE, "allow/policy"); // of a login since
    claim(&h, T0 + 22 * MINUTE, "c", T0 + 21 * MINUTE, "allow/policy");
    harness_fini(&h);
}

Test(engine_undo, devices_are_forgotten)
{
    struct harness h = begun();
    by(&h, "bad");
    tell(&h, T0, "login", "s", LOGIN ", 'remember_device': true");
    quarantine(&h, "bad", T0 + 20 * MINUTE, T0 + 5 * MINUTE);
    by(&h, "good");
    cr_expect_str_eq(ask(&h, T0 + 21 * MINUTE, "s", "DEV"), "allow/policy", "it was remembered before");
    release(&h, "bad", T0 + 22 * MINUTE);
    quarantine(&h, "bad", T0 + 23 * MINUTE, T0);
    cr_expect_str_eq(ask(&h, T0 + 24 * MINUTE, "s", "DEV"), "step_up/expired");
    tell(&h, T0 + 25 * MINUTE, "login", "s", LOGIN);
    cr_expect_str_eq(ask(&h, T0 + 25 * MINUTE, "s", "DEV"), "deny/no-rule");
    tell(&h, T0 + 26 * MINUTE, "login", "s", LOGIN ", 'remember_device': true");
    cr_expect_str_eq(ask(&h, T0 + 26 * MINUTE, "s", "DEV"), "allow/policy");
    harness_fini(&h);
}

static void count(void *user, const struct quarantined *who)
{
    *(size_t *)user = who->at_ms == 0 ? who->span_count : 100 + who->span_count;
}

Test(engine_undo, spans_meet_and_stay_few)
{
    struct harness h = begun();
    size_t spans = 0;
    quarantine(&h, "bad", T0, T0 - MINUTE);
    quarantine(&h, "bad", T0, T0 - 2 * MINUTE);
    engine_quarantine_each(h.engine, count, &spans);
    cr_expect_eq(spans, 101, "those that meet are one: %zu", spans);
    for (int i = 1; i < 20; i++) {
        int64_t at = T0 + i * 10 * MINUTE;
        release(&h, "bad", at);
        quarantine(&h, "bad", at + 5 * MINUTE, at + 4 * MINUTE);
    }
    engine_quarantine_each(h.engine, count, &spans);
    cr_expect_eq(spans, 100 + QUARANTINE_SPANS, "%zu", spans);
    release(&h, "bad", T0 + 900 * MINUTE);
    engine_quarantine_each(h.engine, count, &spans);
    cr_expect_eq(spans, QUARANTINE_SPANS, "%zu", spans);
    cr_expect_not(engine_quarantined(h.engine, STR("bad")));
    // What has been over for longer than any session lives is not kept.
    quarantine(&h, "bad", T0 + INT64_C(500) * 24 * 60 * MINUTE, T0 + INT64_C(499) * 24 * 60 * MINUTE);
    engine_quarantine_each(h.engine, count, &spans);
    cr_expect_eq(spans, 101, "%zu", spans);
    harness_fini(&h);
}

Test(engine_undo, a_row_is_read_back_or_refused)
{
    static const struct {
        const char *row;
        bool right;
        size_t spans;
    } ROWS[] = {
        {"5\n3\nannwhy", true, 100},
        {"5 1-2\n3\nannwhy", true, 101},
        {"0 1-2 7-9223372036854775807\n3\nannwhy", true, 2},
        {"5 1-2-3\n3\nannwhy", false, 0},
        {"5 2-1\n3\nannwhy", false, 0},
        {"5 0-1\n3\nannwhy", false, 0},
        {"5 \n3\nannwhy", false, 0},
        {" 1-2\n3\nannwhy", false, 0},
        {"5 1-2 1-2 1-2 1-2 1-2 1-2 1-2 1-2 1-2\n3\nannwhy", false, 0},
        {"5 1-2\n9\nannwhy", false, 0},
        {"5 1-2", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct harness h = begun();
        size_t spans = 0;
        enum pdp_err err = engine_quarantine_load(h.engine, STR("peer/bad"), str_of(ROWS[i].row));
        cr_expect_eq(err, ROWS[i].right ? PDP_ERR_OK : PDP_ERR_CORRUPT, "%s", ROWS[i].row);
        engine_quarantine_each(h.engine, count, &spans);
        cr_expect_eq(spans, ROWS[i].spans, "%s: %zu", ROWS[i].row, spans);
        cr_expect_eq(engine_quarantine_load_end(h.engine), PDP_ERR_OK);
        harness_fini(&h);
    }
}
