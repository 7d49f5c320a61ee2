// SPDX-License-Identifier: Apache-2.0
// Logouts of all sessions of a subject, and of a session whose subject is not told.
#include "engine/logout.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND INT64_C(1000)
#define NOW HARNESS_NOW
#define POLICY "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n"
#define AT(ms) ((long long)((ms) / 1000))

static struct harness begun(const char *yaml)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, yaml), "%s", (const char *)h.said.at);
    return h;
}

// Returns the code, or `recorded`.
static const char *logout(struct harness *h, int64_t now_ms, const char *request, const char *inside)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "{'request_id': '%s', 'event': {'type': 'logout'%s}}", request, inside);
    harness_ask(h, now_ms, text);
    if (strcmp(harness_get(h, "event.recorded"), "true") == 0) {
        return "recorded";
    }
    const char *code = harness_get(h, "event.code");
    return code[0] != '\0' ? code : harness_get(h, "context.error.field");
}

// A question of `subject` about session `id`, authenticated at auth_ms.
static const char *question(struct harness *h, int64_t now_ms, const char *subject, const char *id,
                            int64_t auth_ms)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': '%s', 'auth_time': %lld}}}",
        subject, id, AT(auth_ms));
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

#define ALICE ", 'subject': {'type': 'user', 'id': 'alice'}"
#define ALL ", 'properties': {'all': true}"
#define SESSION(id) ", 'context': {'session': {'id': '" id "'}}"

Test(engine_logout, of_all_ends_what_was_and_nothing_that_comes)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    cr_expect_str_eq(question(&h, NOW, "alice", "a2", NOW), "allow/policy");
    cr_expect_str_eq(question(&h, NOW, "bob", "b1", NOW), "allow/policy");
    int64_t then = NOW + 10 * SECOND;
    cr_expect_str_eq(logout(&h, then, "r1", ALICE ALL), "recorded");
    cr_expect_str_eq(harness_get(&h, "session.ref"), "", "it is about none");
    cr_expect_str_eq(question(&h, then, "alice", "a1", NOW), "terminate/terminated");
    cr_expect_str_eq(question(&h, then, "alice", "a2", NOW), "terminate/terminated");
    cr_expect_str_eq(question(&h, then, "alice", "a3", NOW), "deny/terminated", "never seen, and before it");
    cr_expect_str_eq(question(&h, then, "bob", "b1", NOW), "allow/policy");
    then += SECOND;
    cr_expect_str_eq(question(&h, then, "alice", "a4", then), "allow/policy", "a new authentication");
    cr_expect_str_eq(question(&h, then, "alice", "a1", then), "terminate/terminated", "and an old id");
    harness_fini(&h);
}

Test(engine_logout, of_all_also_of_one_who_was_never_seen)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(logout(&h, NOW, "r1", ALICE ALL), "recorded");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "a1", NOW - SECOND), "deny/terminated");
    cr_expect_str_eq(question(&h, NOW + 2 * SECOND, "alice", "a2", NOW + SECOND), "allow/policy");
    cr_expect_str_eq(logout(&h, NOW + 3 * SECOND, "r1", ALICE ALL), "recorded", "once more is once more");
    cr_expect_str_eq(question(&h, NOW + 4 * SECOND, "alice", "a2", NOW + SECOND), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_logout, of_all_in_the_shadow_world_too)
{
    struct harness h =
        begun(POLICY "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: new}\nshadow: true\n"
                     "rules:\n  - {id: b, effect: deny, resources: ['/b']}\n");
    static const char ASK[] =
        "{'explain': 'full', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, "
        "'resource': {'type': "
        "'route', 'id': '/a'}, 'context': {'session': {'id': 'a1', 'auth_time': 1795420800}}}";
    harness_ask(&h, NOW, ASK);
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "allow");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r1", ALICE ALL), "recorded");
    harness_ask(&h, NOW + SECOND, ASK);
    cr_expect_str_eq(harness_effect(&h), "terminate/terminated");
    // Who is authenticated behind it begins in both worlds.
    cr_expect_str_eq(question(&h, NOW + 2 * SECOND, "alice", "a2", NOW + SECOND), "allow/policy");
    harness_fini(&h);
}

Test(engine_logout, needs_no_subject_where_it_names_the_session)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    cr_expect_str_eq(question(&h, NOW, "alice", "a2", NOW), "allow/policy");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r1", SESSION("a1")), "recorded");
    cr_expect_str_eq(harness_get(&h, "session.state"), "terminated");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "a1", NOW), "terminate/terminated");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "a2", NOW), "allow/policy");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r1", SESSION("a1")), "recorded", "once more");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r2", SESSION("new")), "recorded", "never seen");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "new", NOW), "terminate/terminated",
                     "and can never begin");
    harness_fini(&h);
}

Test(engine_logout, ends_a_session_by_an_id_that_it_had)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    harness_ask(&h, NOW,
                "{'request_id': 'r0', 'event': {'type': 'rotate'" ALICE SESSION(
                    "a1") ", 'properties': {'new_id': 'a2'}}}");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r1", SESSION("a1")), "recorded");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "a2", NOW), "terminate/terminated");
    harness_fini(&h);
}

Test(engine_logout, of_another_tenant_is_not_heard)
{
    struct harness h = begun(POLICY);
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    char ref[64];
    (void)snprintf(ref, sizeof ref, "%s", harness_get(&h, "context.session.ref"));
    cr_expect_str_eq(logout(&h, NOW, "r1", ", 'tenant': 'acme'" SESSION("a1")), "fixation");
    char inside[128];
    (void)snprintf(inside, sizeof inside, ", 'context': {'session': {'id': '%s'}}", ref);
    cr_expect_str_eq(logout(&h, NOW, "r2", inside), "malformed", "a reference is no secret");
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    harness_fini(&h);
}

Test(engine_logout, refuses_what_is_not_clear)
{
    static const struct {
        const char *inside, *says;
    } REFUSED[] = {
        {ALICE, "malformed"},
        {ALICE ", 'properties': {'all': false}", "malformed"},
        {ALICE ", 'properties': {'all': 1}", "malformed"},
        {ALICE SESSION("a1") ", 'properties': {'all': 'yes'}", "malformed"},
        {ALICE SESSION("a1") ALL, "malformed"},
        {ALL, "subject"},
        {"", "subject"},
        {", 'subject': {'type': 'user'}" SESSION("a1"), "subject.id"},
        {", 'subject': {'id': 'alice'}" SESSION("a1"), "subject.type"},
    };
    struct harness h = begun(POLICY);
    cr_expect_str_eq(question(&h, NOW, "alice", "a1", NOW), "allow/policy");
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        cr_expect_str_eq(logout(&h, NOW + SECOND, "r", REFUSED[i].inside), REFUSED[i].says, "%s",
                         REFUSED[i].inside);
    }
    harness_ask(&h, NOW, "{'request_id': 'x', 'event': {'type': 'login'" SESSION("a9") "}}");
    cr_expect_str_eq(harness_get(&h, "context.error.field"), "subject", "other events need one");
    h.peer.grants &= ~(uint32_t)GRANT_ISSUE;
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r", ALICE ALL), "event.type", "the grant `issue`");
    cr_expect_str_eq(logout(&h, NOW + SECOND, "r", SESSION("a1")), "event.type", "the grant `issue`");
    cr_expect_str_eq(question(&h, NOW + SECOND, "alice", "a1", NOW), "allow/policy");
    harness_fini(&h);
}
