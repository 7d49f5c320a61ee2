// SPDX-License-Identifier: Apache-2.0
// Sources: what fails from one speaks against what comes from it, against nobody else, and against no user.
#include "engine/keep.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW HARNESS_NOW
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

static const char POLICY[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                             "  - {id: all, effect: allow}\n";

static void load(struct harness *h)
{
    *h = (struct harness){0};
    cr_assert(harness_load(h, POLICY), STR_FMT, STR_ARG(buf_view(&h->said)));
}

static void event(struct harness *h, int64_t now_ms, const char *type, const char *user, const char *session,
                  const char *ip, const char *request_id)
{
    static unsigned number;
    char text[700], drawn[32];
    (void)snprintf(drawn, sizeof drawn, "e%u", number++);
    (void)snprintf(
        text, sizeof text,
        "{'request_id': '%s', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': '%s'}, 'context': "
        "{'network': {'ip': '%s'}, 'session': {'id': '%s'}}}}",
        request_id[0] != '\0' ? request_id : drawn, type, user, ip, session);
    harness_ask(h, now_ms, text);
    cr_assert_str_eq(harness_get(h, "event.recorded"), "true", STR_FMT, STR_ARG(buf_view(&h->answer)));
}

static void fail(struct harness *h, int64_t now_ms, unsigned user, const char *ip)
{
    char name[32];
    (void)snprintf(name, sizeof name, "u%u", user);
    event(h, now_ms, "login_failed", name, "-", ip, "");
}

static void login(struct harness *h, int64_t now_ms, unsigned user, const char *ip)
{
    char name[32], session[32];
    (void)snprintf(name, sizeof name, "u%u", user);
    (void)snprintf(session, sizeof session, "s%u", user);
    event(h, now_ms, "login", name, session, ip, "");
}

static void ask(struct harness *h, int64_t now_ms, const char *user, const char *session, const char *ip,
                bool vouched)
{
    char text[700], auth[64] = "";
    if (vouched) {
        (void)snprintf(auth, sizeof auth, ", 'auth_time': %lld", (long long)(NOW / 1000));
    }
    (void)snprintf(
        text, sizeof text,
        "{'explain': 'full', 'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': 'GET'}, 'resource': "
        "{'type': 'x', 'id': 'y'}, 'context': {'network': {'ip': '%s'}, 'session': {'id': '%s'%s}}}",
        user, ip, session, auth);
    harness_ask(h, now_ms, text);
}

// Why the last answer names the signal; empty where it does not.
static struct str because(const struct harness *h, const char *signal)
{
    const struct value *risk = value_get(value_get(&h->root, STR("context")), STR("risk"));
    const struct value *signals = value_get(risk, STR("signals"));
    for (uint32_t i = 0; signals != NULL && i < signals->n; i++) {
        const struct value *why = value_get(&signals->as.list[i], STR("because"));
        if (value_is_text(value_get(&signals->as.list[i], STR("id")), str_of(signal))) {
            return why != NULL ? value_text(why) : STR("?");
        }
    }
    return (struct str){0};
}

#define BECAUSE(h, signal, text) \
    cr_expect(str_eq(because(h, signal), STR(text)), "%s: `" STR_FMT "`", signal, STR_ARG(because(h, signal)))

// A first failure and a wait, after which successes are counted too.
static int64_t stuff(struct harness *h, int64_t at, const char *ip)
{
    fail(h, at, 0, ip);
    at += 6 * SECOND;
    for (unsigned n = 0; n < 60; n++) {
        fail(h, at + n, n < 57 ? n : 0, ip);
    }
    for (unsigned n = 0; n < 9; n++) {
        login(h, at + n, 1000 + n % 3, ip);
    }
    return at + 10 * SECOND;
}

Test(engine_feed, what_fails_speaks_against_its_source_alone)
{
    struct harness h;
    load(&h);
    int64_t at = stuff(&h, NOW, "203.0.113.9");
    ask(&h, at, "alice", "sa", "203.0.113.77", true);
    BECAUSE(&h, "source-failures", "61 of 70 logins from 203.0.113.0/24 failed in 10 min, 57 subjects");
    BECAUSE(&h, "source-subjects", "57 subjects failed to log in from 203.0.113.0/24 in 10 min, 3 did not");
    cr_expect_eq(because(&h, "source-sessions").len, 0);
    // Elsewhere nobody is worse off: not one that failed, not one that logged in from there.
    ask(&h, at, "u5", "s5", "198.51.100.7", true);
    cr_expect_eq(because(&h, "source-failures").len, 0);
    cr_expect_eq(because(&h, "source-subjects").len, 0);
    // Nor there once the window is over, but for what a session remembers.
    ask(&h, at + 15 * MINUTE, "bob", "sb", "203.0.113.78", true);
    cr_expect_eq(because(&h, "source-subjects").len, 0);
    ask(&h, at + 15 * MINUTE, "alice", "sa", "203.0.113.77", true);
    BECAUSE(&h, "source-subjects", "15 min ago, fading");
    harness_fini(&h);
}

Test(engine_feed, ids_that_are_nobodys_speak_against_their_source)
{
    struct harness h;
    load(&h);
    for (unsigned n = 0; n < 40; n++) {
        char id[32];
        (void)snprintf(id, sizeof id, "guess-%u", n);
        ask(&h, NOW, "alice", id, "2001:db8:1::9", false);
        cr_assert_str_eq(harness_effect(&h), "deny/unsure");
        ask(&h, NOW, "alice", id, "2001:db8:1::9", false); // again: it is one
    }
    ask(&h, NOW + 10 * SECOND, "alice", "sa", "2001:db8:1:2::7", true);
    BECAUSE(&h, "source-sessions", "40 session ids from 2001:db8:1::/48 were refused in 10 min, 0 were good");
    for (unsigned n = 0; n < 20; n++) {
        char id[32];
        (void)snprintf(id, sizeof id, "good-%u", n);
        ask(&h, NOW + 10 * SECOND, "alice", id, "2001:db8:1::9", true);
        ask(&h, NOW + 10 * SECOND, "alice", id, "2001:db8:1::9", true);
    }
    ask(&h, NOW + 20 * SECOND, "bob", "sb", "2001:db8:1:2::7", true);
    cr_expect_eq(because(&h, "source-sessions").len, 0, "beside as many that are good they are nothing");
    harness_fini(&h);
}

// What was good and is over is no stranger's.
Test(engine_feed, sessions_that_are_over_say_nothing)
{
    struct harness h;
    load(&h);
    for (unsigned n = 0; n < 40; n++) {
        char name[32], id[32];
        (void)snprintf(name, sizeof name, "u%u", n);
        (void)snprintf(id, sizeof id, "s%u", n);
        login(&h, NOW, n, "203.0.113.9");
        event(&h, NOW, "logout", name, id, "203.0.113.9", "");
        ask(&h, NOW + 1, name, id, "203.0.113.9", true);
        cr_assert_str_eq(harness_effect(&h), "terminate/terminated");
    }
    ask(&h, NOW + 10 * SECOND, "alice", "sa", "203.0.113.77", true);
    cr_expect_eq(because(&h, "source-sessions").len, 0);
    harness_fini(&h);
}

Test(engine_feed, a_repeat_and_a_probe_move_nothing)
{
    struct harness h;
    load(&h);
    for (unsigned n = 0; n < 100; n++) {
        event(&h, NOW, "login_failed", "alice", "-", "203.0.113.9", "the-same");
        harness_ask(&h, NOW,
                    "{'explain': 'full', 'subject': {'type': 'user', 'id': 'a'}, 'action': {'name': 'GET'}, "
                    "'resource': {'type': 'x', 'id': 'y'}, 'context': {'purpose': 'probe', 'network': {'ip': "
                    "'203.0.113.9'}, "
                    "'session': {'id': 'guess'}}}");
    }
    struct buf bytes = {0};
    cr_assert_eq(engine_keep(h.engine, &bytes), PDP_ERR_OK);
    size_t once = bytes.len;
    buf_fini(&bytes);
    harness_fini(&h);
    load(&h);
    event(&h, NOW, "login_failed", "alice", "-", "203.0.113.9", "the-same");
    cr_assert_eq(engine_keep(h.engine, &bytes), PDP_ERR_OK);
    cr_expect_eq(bytes.len, once);
    buf_fini(&bytes);
    harness_fini(&h);
}

// ---- Innocents -----------------------------------------------------------------------------------

static const char *const SIGNALS[] = {"source-failures", "source-subjects", "source-sessions"};

static void is_innocent(struct harness *h, int64_t at, const char *what, const char *ip)
{
    ask(h, at, "somebody", what, ip, true);
    for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
        cr_expect_eq(because(h, SIGNALS[i]).len, 0, "%s: " STR_FMT, what, STR_ARG(because(h, SIGNALS[i])));
    }
}

Test(engine_feed, a_crowd_of_which_some_fail_is_a_crowd)
{
    struct harness h;
    load(&h);
    int64_t at = NOW;
    // A thousand people behind one egress in the morning, one of twenty with a wrong password first.
    for (unsigned n = 0; n < 1000; n++, at += 300) {
        if (n % 20 == 0) {
            fail(&h, at, n, "203.0.113.9");
        }
        login(&h, at + 100, n, "203.0.113.9");
    }
    is_innocent(&h, at + 10 * SECOND, "corporate egress", "203.0.113.9");
    // Everybody's password has expired: each fails, and then does not.
    for (unsigned n = 0; n < 200; n++, at += 1000) {
        fail(&h, at, n, "198.51.100.9");
        fail(&h, at + 1, n, "198.51.100.9");
        login(&h, at + 2, n, "198.51.100.9");
    }
    is_innocent(&h, at + 10 * SECOND, "passwords expired", "198.51.100.9");
    // One program with an old password, beside twenty people.
    fail(&h, at, 0, "192.0.2.9");
    at += 10 * SECOND;
    for (unsigned n = 0; n < 600; n++, at += 100) {
        fail(&h, at, 0, "192.0.2.9");
        if (n % 30 == 0) {
            login(&h, at, n, "192.0.2.9");
        }
    }
    is_innocent(&h, at + 10 * SECOND, "an old password", "192.0.2.9");
    // Somebody at home who has forgotten it.
    for (unsigned n = 0; n < 30; n++, at += SECOND) {
        fail(&h, at, 7, "192.0.3.9");
    }
    is_innocent(&h, at + 10 * SECOND, "forgotten", "192.0.3.9");
    harness_fini(&h);
}

// One's own account, however often: it counts a few times.
Test(engine_feed, is_not_washed_out_by_one_account_that_logs_in)
{
    struct harness h;
    load(&h);
    int64_t at = stuff(&h, NOW, "203.0.113.9");
    for (unsigned n = 0; n < 2000; n++) {
        char session[32];
        (void)snprintf(session, sizeof session, "mine-%u", n);
        event(&h, at + n, "login", "mallory", session, "203.0.113.9", "");
    }
    ask(&h, at + 10 * SECOND, "alice", "sa", "203.0.113.77", true);
    cr_expect_neq(because(&h, "source-failures").len, 0);
    BECAUSE(&h, "source-subjects", "57 subjects failed to log in from 203.0.113.0/24 in 10 min, 4 did not");
    harness_fini(&h);
}
