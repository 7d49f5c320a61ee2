// SPDX-License-Identifier: Apache-2.0
// A session that goes on under other ids, and what becomes of the old ones.
#include "engine/engine.h"

#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define NOW HARNESS_NOW
#define POLICY                                                                   \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"            \
    "  - {id: all, effect: allow}\n"                                             \
    "  - {id: pay, effect: step_up, actions: [PAY], require: {strength: mfa}}\n" \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"   \
    "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
#define RENEWAL(MORE) \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: r}\nrenewal: {" MORE "}\n"

static struct harness begun(const char *yaml)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, yaml), "%s", (const char *)h.said.at);
    return h;
}

static const char *ask_as(struct harness *h, int64_t now_ms, const char *subject, const char *id,
                          const char *more)
{
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': '%s', 'auth_time': %lld}}%s}",
        subject, id, (long long)(NOW / 1000), more);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static const char *ask(struct harness *h, int64_t now_ms, const char *id)
{
    return ask_as(h, now_ms, "alice", id, "");
}

// What became of an event: `recorded`, `repeated`, or why it was refused.
static const char *tell_as(struct harness *h, int64_t now_ms, const char *request, const char *type,
                           const char *id, const char *properties)
{
    char text[1024], session[300] = "";
    if (id != NULL) {
        (void)snprintf(session, sizeof session, "'context': {'session': {'id': '%s'}}, ", id);
    }
    (void)snprintf(
        text, sizeof text,
        "{'request_id': '%s', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'alice'}, %s"
        "'properties': {%s}}}",
        request, type, session, properties);
    harness_ask(h, now_ms, text);
    return strcmp(harness_get(h, "event.repeated"), "true") == 0   ? "repeated"
           : strcmp(harness_get(h, "event.recorded"), "true") == 0 ? "recorded"
                                                                   : harness_get(h, "event.code");
}

static const char *tell(struct harness *h, int64_t now_ms, const char *type, const char *id,
                        const char *properties)
{
    static int number;
    char request[16];
    (void)snprintf(request, sizeof request, "e%d", number++);
    return tell_as(h, now_ms, request, type, id, properties);
}

static const char *rotate(struct harness *h, int64_t now_ms, const char *from, const char *to)
{
    char properties[300];
    (void)snprintf(properties, sizeof properties, "'new_id': '%s'", to);
    return tell(h, now_ms, "rotate", from, properties);
}

static struct session_record record_of(struct harness *h, const char *id)
{
    struct session_view view;
    cr_assert(session_look(engine_sessions(h->engine), str_of(id), &view), "%s", id);
    return view.record;
}

static const char *ref_of(struct harness *h, const char *id)
{
    static struct session_view view;
    cr_assert(session_look(engine_sessions(h->engine), str_of(id), &view), "%s", id);
    return view.ref;
}

Test(engine_rotate, goes_on_with_all_that_it_is)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(tell(&h, NOW, "login", "a", "'amr': ['pwd']"), "recorded");
    cr_expect_str_eq(ask(&h, NOW + SECOND, "a"), "allow/policy");
    const struct session_record was = record_of(&h, "a");
    char old_ref[32];
    (void)snprintf(old_ref, sizeof old_ref, "%s", ref_of(&h, "a"));
    cr_expect_str_eq(rotate(&h, NOW + MINUTE, "a", "b"), "recorded");
    cr_expect_str_eq(harness_get(&h, "session.ref"), ref_of(&h, "b"));
    cr_expect_str_eq(harness_get(&h, "session.replaces"), old_ref);
    cr_expect_str_eq(harness_get(&h, "session.id"), "", "who gave it knows it");
    const struct session_record is = record_of(&h, "b");
    cr_expect_eq(is.epoch, was.epoch + 1);
    cr_expect_eq(is.auth_time_ms, was.auth_time_ms);
    cr_expect_eq(is.first_seen_ms, was.first_seen_ms);
    cr_expect_eq(is.last_seen_ms, was.last_seen_ms, "a rotation is no sign of life");
    cr_expect_eq(is.requests, was.requests);
    cr_expect_eq(memcmp(is.proofs, was.proofs, sizeof is.proofs), 0);
    cr_expect_eq(memcmp(is.risk, was.risk, sizeof is.risk), 0);
    cr_expect_eq(record_of(&h, "a").state, SESSION_ROTATED);
    cr_expect_str_eq(ask(&h, NOW + MINUTE + SECOND, "b"), "allow/policy");
    harness_fini(&h);
}

Test(engine_rotate, takes_the_old_id_for_a_while)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(rotate(&h, NOW + SECOND, "b", "c"), "recorded");
    cr_expect_str_eq(ask(&h, NOW + 10 * SECOND - 1, "a"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.ref"), ref_of(&h, "c"));
    cr_expect_str_eq(harness_get(&h, "context.session.state"), "active");
    cr_expect_eq(record_of(&h, "c").requests, 2, "it moves the session that goes on");
    cr_expect_eq(record_of(&h, "c").last_seen_ms, NOW + 10 * SECOND - 1);
    char until[32];
    (void)snprintf(until, sizeof until, "%lld", (long long)(NOW / 1000 + 11));
    cr_expect_str_eq(ask(&h, NOW + 10 * SECOND - 1, "b"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), until, "no answer outlives the overlap");
    cr_expect_str_eq(ask(&h, NOW + 10 * SECOND - 1, "c"), "allow/policy");
    harness_fini(&h);
}

Test(engine_rotate, ends_all_for_an_id_that_comes_too_late)
{
    static const char *const LATE[] = {"a", "b"};
    for (size_t i = 0; i < COUNT_OF(LATE); i++) {
        struct harness h = begun(POLICY);
        cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
        cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
        cr_expect_str_eq(rotate(&h, NOW, "b", "c"), "recorded");
        cr_expect_str_eq(ask_as(&h, NOW + 10 * SECOND, "alice", LATE[i], ""), "terminate/reused");
        cr_expect_str_eq(harness_get(&h, "context.session.state"), "terminated");
        static const char *const ALL[] = {"c", "b", "a"};
        for (size_t k = 0; k < COUNT_OF(ALL); k++) {
            cr_expect_str_eq(ask(&h, NOW + 11 * SECOND, ALL[k]), "terminate/terminated", "%s", ALL[k]);
            cr_expect_str_eq(harness_get(&h, "context.reason"),
                             "the session ended because an id was used that another one had replaced");
            cr_expect_str_eq(tell(&h, NOW + 12 * SECOND, "login", ALL[k], ""), "terminated", "%s", ALL[k]);
        }
        cr_expect_eq(record_of(&h, "c").end_code, PDP_CODE_REUSED);
        harness_fini(&h);
    }
}

Test(engine_rotate, makes_no_time_of_a_clock_that_steps_back)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(ask(&h, NOW + 20 * SECOND, "b"), "allow/policy");
    cr_expect_str_eq(ask(&h, NOW + SECOND, "a"), "terminate/reused");
    harness_fini(&h);
}

static const char *probe(struct harness *h, int64_t now_ms, const char *id)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'purpose': 'probe', 'session': {'id': '%s'}}}",
        id);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

Test(engine_rotate, ends_nothing_for_what_proves_nothing)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask_as(&h, NOW, "alice", "a", ", 'request_id': 'q1'"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(probe(&h, NOW + HOUR / 2, "a"), "deny/reused");
    // Asked in time, and sent again by a socket that got no answer.
    cr_expect_str_eq(ask_as(&h, NOW + HOUR / 2, "alice", "a", ", 'request_id': 'q1'"), "deny/reused");
    // What others find out about the session, by the id that they know.
    cr_expect_str_eq(tell(&h, NOW + HOUR / 2, "signal", "a", "'evidence': 0.5"), "recorded");
    cr_expect_str_eq(harness_get(&h, "session.ref"), ref_of(&h, "b"));
    cr_expect_str_eq(tell(&h, NOW + HOUR / 2, "login_failed", "a", ""), "recorded");
    cr_expect_str_eq(ask(&h, NOW + HOUR / 2, "b"), "allow/policy");
    // The same id with another question is no repeat.
    cr_expect_str_eq(ask_as(&h, NOW + HOUR / 2, "alice", "a", ", 'request_id': 'q1', 'x': 1"),
                     "terminate/reused");
    harness_fini(&h);
}

Test(engine_rotate, is_told_of_late_ids_by_events_too)
{
    static const char *const EVENTS[] = {"start", "login", "step_up_passed", "step_up_failed", "rotate"};
    for (size_t i = 0; i < COUNT_OF(EVENTS); i++) {
        struct harness h = begun(POLICY);
        cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
        cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
        cr_expect_str_eq(tell(&h, NOW + MINUTE, EVENTS[i], "a", "'new_id': 'x'"), "reused", "%s", EVENTS[i]);
        cr_expect_str_eq(
            harness_get(&h, "event.message"),
            "an id was used that another one had replaced: the session is over, by all of its ids");
        cr_expect_str_eq(ask(&h, NOW + MINUTE, "b"), "terminate/terminated", "%s", EVENTS[i]);
        harness_fini(&h);
    }
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(tell(&h, NOW + MINUTE, "logout", "a", ""), "recorded",
                     "a logout is one, by whatever id");
    cr_expect_eq(record_of(&h, "b").end_code, PDP_CODE_TERMINATED);
    cr_expect_eq(record_of(&h, "a").state, SESSION_TERMINATED);
    harness_fini(&h);
}

Test(engine_rotate, moves_nothing_twice)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(tell_as(&h, NOW, "r1", "rotate", "a", "'new_id': 'b'"), "recorded");
    cr_expect_str_eq(tell_as(&h, NOW, "r1", "rotate", "a", "'new_id': 'b'"), "repeated");
    cr_expect_str_eq(tell_as(&h, NOW + HOUR / 2, "r1", "rotate", "a", "'new_id': 'b'"), "repeated",
                     "however late: a socket sends again");
    cr_expect_str_eq(tell_as(&h, NOW, "r1", "rotate", "a", "'new_id': 'c'"), "malformed");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "repeated", "another request_id, the same ids");
    cr_expect_str_eq(rotate(&h, NOW, "a", "c"), "reused");
    cr_expect_str_eq(harness_get(&h, "event.message"), "the id was replaced already, by another one");
    cr_expect_str_eq(ask(&h, NOW, "b"), "allow/policy");
    cr_expect_eq(record_of(&h, "b").epoch, 2);
    harness_fini(&h);
}

static const struct {
    const char *name, *id, *properties, *code;
} REFUSED[] = {
    {"unknown", "nobody", "'new_id': 'x'", "unsure"},
    {"terminated", "dead", "'new_id': 'x'", "terminated"},
    {"in use", "a", "'new_id': 'other'", "fixation"},
    {"a tombstone's", "a", "'new_id': 'dead'", "fixation"},
    {"its own", "a", "'new_id': 'a'", "fixation"},
    {"none", "a", "'x': 1", "malformed"},
    {"null", "a", "'new_id': null", "malformed"},
    {"empty", "a", "'new_id': ''", "malformed"},
    {"no text", "a", "'new_id': 7", "malformed"},
    {"both", "a", "'new_id': 'x', 'mint': true", "malformed"},
    {"no old id", NULL, "'new_id': 'x'", "malformed"},
    {"no truth", "a", "'mint': 'yes'", "malformed"},
};

Test(engine_rotate, refuses)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(ask(&h, NOW, "other"), "allow/policy");
    cr_expect_str_eq(tell(&h, NOW, "logout", "dead", ""), "recorded");
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        cr_expect_str_eq(tell(&h, NOW, "rotate", REFUSED[i].id, REFUSED[i].properties), REFUSED[i].code, "%s",
                         REFUSED[i].name);
    }
    char properties[400];
    (void)snprintf(properties, sizeof properties, "'new_id': '%0256d'", 7);
    cr_expect_str_eq(tell(&h, NOW, "rotate", "a", properties), "malformed", "256 bytes");
    h.peer.grants &= ~(uint32_t)GRANT_ISSUE;
    cr_expect_str_eq(rotate(&h, NOW, "a", "x"), "", "only who may issue");
    h.peer.grants = GRANT_ALL;
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_eq(record_of(&h, "a").epoch, 1, "nothing moved");
    cr_expect_str_eq(rotate(&h, NOW, "a", "x"), "recorded", "and it can be, yet");
    harness_fini(&h);
}

Test(engine_rotate, keeps_a_challenge)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(tell(&h, NOW, "login", "a", "'amr': ['pwd']"), "recorded");
    harness_ask(
        &h, NOW,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'PAY'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': 'a'}}}");
    cr_expect_str_eq(harness_effect(&h), "step_up/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(harness_get(&h, "session.state"), "challenged");
    cr_expect_str_eq(tell(&h, NOW, "step_up_passed", "a", "'amr': ['otp']"), "recorded",
                     "by the old id, in time");
    cr_expect_eq(record_of(&h, "b").state, SESSION_ACTIVE);
    harness_fini(&h);
}

Test(engine_rotate, counts_as_one_session)
{
    struct harness h = begun(POLICY "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: one}\n"
                                    "limits: {concurrent: 2}\n");
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(rotate(&h, NOW, "b", "c"), "recorded");
    cr_expect_str_eq(ask(&h, NOW, "second"), "allow/policy");
    cr_expect_str_eq(ask(&h, NOW, "third"), "deny/concurrent");
    harness_fini(&h);
}

Test(engine_rotate, belongs_to_its_subject)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(ask_as(&h, NOW + SECOND, "mallory", "a", ""), "terminate/fixation");
    cr_expect_str_eq(ask(&h, NOW + SECOND, "b"), "terminate/terminated");
    cr_expect_str_eq(ask(&h, NOW + SECOND, "a"), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_rotate, says_when_an_id_is_due)
{
    struct harness h = begun(POLICY RENEWAL("every: 1h, overlap: 2m"));
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.renew"), "");
    for (int64_t at_ms = NOW; at_ms < NOW + HOUR; at_ms += 10 * MINUTE) {
        cr_expect_str_eq(ask(&h, at_ms, "a"), "allow/policy"); // not idle
    }
    char until[32];
    (void)snprintf(until, sizeof until, "%lld", (long long)((NOW + HOUR) / 1000));
    cr_expect_str_eq(ask(&h, NOW + HOUR - MINUTE, "a"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.renew"), "");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), until, "no answer is kept past that time");
    cr_expect_str_eq(ask(&h, NOW + HOUR, "a"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.renew"), "true");
    cr_expect_str_eq(rotate(&h, NOW + HOUR, "a", "b"), "recorded");
    cr_expect_str_eq(ask(&h, NOW + HOUR, "b"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.renew"), "");
    cr_expect_str_eq(ask(&h, NOW + HOUR + 2 * MINUTE - 1, "a"), "allow/policy", "the overlap of the policy");
    cr_expect_str_eq(harness_get(&h, "context.session.renew"), "", "who has the old one is not told");
    cr_expect_str_eq(ask(&h, NOW + HOUR + 2 * MINUTE, "a"), "terminate/reused");
    harness_fini(&h);
}

Test(engine_rotate, has_the_same_ids_in_shadow)
{
    struct harness h =
        begun(POLICY "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: q}\nshadow: true\nrules:\n"
                     "  - {id: end, effect: terminate, actions: [GET], when: resource.id == \"/end\"}\n"
                     "  - {id: all, effect: allow}\n");
    static const char *const END =
        "{'explain': 'full', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': "
        "'GET'}, 'resource': {'type': 'route', 'id': '%s'}, 'context': {'session': {'id': "
        "'%s', 'auth_time': 1795420800}}}";
    char text[512];
    (void)snprintf(text, sizeof text, END, "/a", "a");
    harness_ask(&h, NOW, text);
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "allow");
    (void)snprintf(text, sizeof text, END, "/end", "a");
    harness_ask(&h, NOW, text);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "terminate");
    cr_expect_str_eq(rotate(&h, NOW, "a", "b"), "recorded");
    cr_expect_str_eq(rotate(&h, NOW, "b", "c"), "recorded");
    static const char *const IDS[] = {"c", "b", "a"};
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        (void)snprintf(text, sizeof text, END, "/a", IDS[i]);
        harness_ask(&h, NOW, text);
        cr_expect_str_eq(harness_effect(&h), "allow/policy");
        cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "terminate", "it is over there: %s",
                         IDS[i]);
    }
    // One that lives there goes on there.
    cr_expect_str_eq(ask(&h, NOW, "d"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW, "d", "e"), "recorded");
    (void)snprintf(text, sizeof text, END, "/a", "e");
    harness_ask(&h, NOW, text);
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "allow");
    harness_fini(&h);
}

// ---- Families --------------------------------------------------------------------------------------

static void family_of(struct harness *h, const char *id, char out[static 32])
{
    struct session_view view;
    cr_assert(session_look(engine_sessions(h->engine), str_of(id), &view), "%s", id);
    control_family_print(engine_sessions(h->engine), &view.record, out);
}

Test(engine_rotate, a_family_is_all_that_came_of_one_beginning)
{
    struct harness h = begun(POLICY);
    char a[32], b[32], c[32], other[32];
    cr_expect_str_eq(ask(&h, NOW, "a"), "allow/policy");
    cr_expect_str_eq(ask(&h, NOW + 1, "other"), "allow/policy");
    cr_expect_str_eq(rotate(&h, NOW + SECOND, "a", "b"), "recorded");
    family_of(&h, "a", a);
    family_of(&h, "b", b);
    family_of(&h, "other", other);
    cr_expect_str_eq(a, b);
    cr_expect_str_neq(a, other);

    struct control *lock = NULL, *was = NULL;
    const char *why = NULL;
    struct control spec = {.target = {.kind = CONTROL_FAMILY, .value = str_of(a)},
                           .effect = PDP_EFFECT_DENY,
                           .created_ms = NOW,
                           .expires_ms = NOW + HOUR,
                           .author = STR("alice"),
                           .reason = STR("incident")};
    cr_assert_eq(engine_control_make(h.engine, &spec, &lock, &why), PDP_ERR_OK, "%s", why);
    cr_assert_eq(engine_controls_add(h.engine, &lock, 1), PDP_ERR_OK);
    cr_expect_str_eq(ask(&h, NOW + 2 * SECOND, "b"), "deny/locked");
    cr_expect_str_eq(ask(&h, NOW + 2 * SECOND, "a"), "deny/locked", "an old id in its overlap");
    cr_expect_str_eq(ask(&h, NOW + 2 * SECOND, "other"), "allow/policy");
    cr_expect_str_eq(ask_as(&h, NOW + 2 * SECOND, "bob", "bobs", ""), "allow/policy");
    cr_assert_eq(engine_control_remove(h.engine, lock->number, &was), PDP_ERR_OK);
    control_drop(&was);

    cr_expect_str_eq(rotate(&h, NOW + 3 * SECOND, "b", "c"), "recorded");
    family_of(&h, "c", c);
    cr_expect_str_eq(a, c);
    cr_assert_eq(engine_controls_add(h.engine, &lock, 1), PDP_ERR_OK);
    cr_expect_str_eq(ask(&h, NOW + 4 * SECOND, "c"), "deny/locked", "it was made before this id was");
    control_drop(&lock);
    harness_fini(&h);
}
