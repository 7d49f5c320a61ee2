// SPDX-License-Identifier: Apache-2.0
// Ids that are made here: told once, never twice.
#include "engine/issue.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define NOW HARNESS_NOW
#define POLICY "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n"
#define LIMITS(MORE) "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: l}\nlimits: {" MORE "}\n"

static struct harness begun(const char *yaml)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, yaml), "%s", (const char *)h.said.at);
    return h;
}

// Returns the code, or `recorded`.
static const char *tell(struct harness *h, int64_t now_ms, const char *request, const char *type,
                        const char *session, const char *properties)
{
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': '%s', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'alice'}, 'context': "
        "{'session': {%s}}, 'properties': {%s}}}",
        request, type, session, properties);
    harness_ask(h, now_ms, text);
    return strcmp(harness_get(h, "event.recorded"), "true") == 0 ? "recorded" : harness_get(h, "event.code");
}

static const char *question(struct harness *h, int64_t now_ms, const char *id)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': "
                   "{'type': 'route', "
                   "'id': '/a'}, 'context': {'session': {'id': '%s'}}}",
                   id);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static uint64_t live(struct harness *h)
{
    struct session_stats stats;
    session_stats(engine_sessions(h->engine), &stats);
    return stats.sessions;
}

static struct str copy_id(struct harness *h, char room[static 64])
{
    (void)snprintf(room, 64, "%s", harness_get(h, "session.id"));
    return str_of(room);
}

Test(engine_issue, begins_a_session_with_an_id_of_its_own)
{
    struct harness h = begun(POLICY);
    char first[64], second[64], line[256];
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true"), "recorded");
    cr_expect_eq(copy_id(&h, first).len, ISSUE_ID_TEXT);
    cr_expect_eq(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                 ISSUE_ID_TEXT);
    cr_expect_str_eq(first, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                     "all bytes in their order, no padding");
    (void)snprintf(line, sizeof line,
                   "__Host-session=%s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400", first);
    cr_expect_str_eq(harness_get(&h, "session.set_cookie"), line);
    cr_expect_str_eq(question(&h, NOW, first), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.id"), "", "told once");
    cr_expect_str_eq(tell(&h, NOW, "r2", "start", "", "'mint': true"), "recorded");
    cr_expect_eq(copy_id(&h, second).len, ISSUE_ID_TEXT);
    cr_expect_str_neq(first, second);
    cr_expect_eq(live(&h), 2);
    harness_fini(&h);
}

Test(engine_issue, writes_the_cookie_that_was_asked_for)
{
    struct harness h = begun(POLICY LIMITS("absolute: 2h"));
    char id[64], line[256];
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "'auth_time': 1795420000",
                          "'mint': true, 'cookie': '__Host-sid', 'same_site': 'Strict'"),
                     "recorded");
    (void)copy_id(&h, id);
    (void)snprintf(line, sizeof line, "__Host-sid=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d",
                   id, 1795420000 + 7200 - (int)(NOW / 1000));
    cr_expect_str_eq(harness_get(&h, "session.set_cookie"), line, "what is left of the limit");
    (void)snprintf(line, sizeof line, "'id': '%s'", id);
    cr_expect_str_eq(
        tell(&h, NOW + HOUR / 2, "r2", "rotate", line, "'mint': true, 'cookie': 'sid', 'same_site': 'None'"),
        "recorded");
    (void)copy_id(&h, id);
    (void)snprintf(line, sizeof line, "__Host-sid=%s; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=%d",
                   id, 1795420000 + 5400 - (int)(NOW / 1000));
    cr_expect_str_eq(harness_get(&h, "session.set_cookie"), line);
    cr_expect_str_eq(question(&h, NOW + HOUR / 2, id), "allow/policy");
    cr_expect_eq(live(&h), 1);
    harness_fini(&h);
}

Test(engine_issue, tells_no_id_twice)
{
    struct harness h = begun(POLICY);
    char id[64], session[80];
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true"), "recorded");
    (void)copy_id(&h, id);
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true"), "malformed");
    cr_expect_str_eq(harness_get(&h, "session.id"), "");
    cr_expect_str_eq(
        harness_get(&h, "event.message"),
        "this request_id was answered with an id before, which is told once; if that was lost, ask with "
        "another request_id");
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true, 'cookie': 'other'"), "malformed");
    cr_expect_eq(live(&h), 1, "and begins no second session");
    (void)snprintf(session, sizeof session, "'id': '%s'", id);
    cr_expect_str_eq(tell(&h, NOW, "r2", "rotate", session, "'mint': true"), "recorded");
    cr_expect_str_eq(tell(&h, NOW, "r2", "rotate", session, "'mint': true"), "malformed");
    cr_expect_str_eq(harness_get(&h, "session.id"), "");
    cr_expect_str_eq(tell(&h, NOW + HOUR / 2, "r2", "rotate", session, "'mint': true"), "malformed",
                     "nor later");
    cr_expect_eq(live(&h), 1, "a repeat is no theft");
    cr_expect_str_eq(tell(&h, NOW, "r3", "rotate", session, "'mint': true"), "reused");
    // After its end too, and as long as it is among the last eight.
    cr_expect_str_eq(tell(&h, NOW, "r4", "logout", session, ""), "recorded");
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true"), "malformed");
    for (int i = 0; i < USER_MINTED; i++) {
        char request[16];
        (void)snprintf(request, sizeof request, "m%d", i);
        cr_expect_str_eq(tell(&h, NOW, request, "start", "", "'mint': true"), "recorded");
        cr_expect_str_eq(tell(&h, NOW, request, "start", "", "'mint': true"), "malformed");
    }
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "", "'mint': true"), "recorded",
                     "as a repeat of a question");
    h.peer.hash++;
    cr_expect_str_eq(tell(&h, NOW, "m7", "start", "", "'mint': true"), "recorded",
                     "ids of requests are a peer's own");
    harness_fini(&h);
}

static const struct {
    const char *name, *type, *session, *properties;
} REFUSED[] = {
    {"an id besides", "start", "'id': 'x'", "'mint': true"},
    {"a login", "login", "", "'mint': true"},
    {"a logout", "logout", "'id': 'x'", "'mint': true"},
    {"no truth", "start", "", "'mint': 1"},
    {"not asked for", "start", "", "'mint': false"},
    {"a name with a blank", "start", "", "'mint': true, 'cookie': 'a b'"},
    {"a name that ends", "start", "", "'mint': true, 'cookie': 'a=b'"},
    {"a second attribute", "start", "", "'mint': true, 'cookie': 'a;Domain'"},
    {"a line break", "start", "", "'mint': true, 'cookie': 'a\\r\\nSet-Cookie'"},
    {"a NUL", "start", "", "'mint': true, 'cookie': 'a\\u0000'"},
    {"no name", "start", "", "'mint': true, 'cookie': ''"},
    {"only the prefix", "start", "", "'mint': true, 'cookie': '__Host-'"},
    {"a name that is none", "start", "", "'mint': true, 'cookie': ['a']"},
    {"a long name", "start", "",
     "'mint': true, 'cookie': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
    {"another site", "start", "", "'mint': true, 'same_site': 'lax'"},
    {"no site", "start", "", "'mint': true, 'same_site': true"},
};

Test(engine_issue, refuses)
{
    struct harness h = begun(POLICY);
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        cr_expect_str_eq(tell(&h, NOW, "r1", REFUSED[i].type, REFUSED[i].session, REFUSED[i].properties),
                         "malformed", "%s", REFUSED[i].name);
        cr_expect_str_eq(harness_get(&h, "session.set_cookie"), "", "%s", REFUSED[i].name);
    }
    cr_expect_eq(live(&h), 0);
    harness_fini(&h);
}

Test(engine_issue, changes_nothing_without_random_bytes)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(tell(&h, NOW, "r1", "login", "'id': 'a'", ""), "recorded");
    harness_cannot_draw = true;
    cr_expect_str_eq(tell(&h, NOW, "r2", "start", "", "'mint': true"), "overloaded");
    cr_expect_str_eq(tell(&h, NOW, "r3", "rotate", "'id': 'a'", "'mint': true"), "overloaded");
    cr_expect_eq(live(&h), 1);
    harness_cannot_draw = false;
    cr_expect_str_eq(tell(&h, NOW, "r2", "start", "", "'mint': true"), "recorded",
                     "what was refused was not answered");
    cr_expect_str_eq(tell(&h, NOW, "r3", "rotate", "'id': 'a'", "'mint': true"), "recorded");
    harness_fini(&h);
}

Test(engine_issue, is_held_to_the_limits_of_a_beginning)
{
    struct harness h = begun(POLICY LIMITS("concurrent: 1, absolute: 1h"));
    cr_expect_str_eq(tell(&h, NOW, "r1", "start", "'auth_time': 1795410000", "'mint': true"), "expired");
    cr_expect_str_eq(tell(&h, NOW, "r2", "start", "", "'mint': true"), "recorded");
    cr_expect_str_eq(tell(&h, NOW, "r3", "start", "", "'mint': true"), "concurrent");
    cr_expect_str_eq(harness_get(&h, "session.id"), "");
    harness_fini(&h);
}
