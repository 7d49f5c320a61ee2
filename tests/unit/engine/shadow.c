// SPDX-License-Identifier: Apache-2.0
// Two worlds: what is in shadow touches nothing, and is judged as if it were enforced.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
// Without what compares with everybody: how common a thing is was learned from what was answered, and the
// world in which the shadow is enforced answers otherwise.
#define SIGNALS                                                                                    \
    "---\napiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: r}\nsignals:\n"                    \
    "  fingerprint-change: {on_missing: skip}\n  agent-change: {on_missing: skip}\n"               \
    "  tool-agent: {on_missing: skip}\n  request-rate: {}\n  step-up-failed: {}\n  external: {}\n" \
    "  other-sessions: {}\n"
#define STRENGTHS HEAD("Strengths", "s") "levels: [{name: mfa, proves: '\"otp\" in session.amr'}]\n"
#define ALLOW HEAD("Policy", "base") "rules:\n  - {id: ok, effect: allow}\n"
#define MINUTE INT64_C(60000)

static const char *ask_as(struct harness *h, int64_t now_ms, unsigned id, const char *session,
                          const char *path)
{
    char json[512];
    snprintf(
        json, sizeof json,
        "{'request_id': 'r%u', 'explain': 'full', 'subject': {'type': 'user', 'id': 'alice'}, 'action': "
        "{'name': 'GET'}, 'resource': {'type': 'route', 'id': '%s'}, 'context': {'session': {'id': '%s', "
        "'auth_time': 1795420000}}}",
        id, path, session);
    harness_ask(h, now_ms, json);
    return harness_effect(h);
}

static const char *send(struct harness *h, int64_t now_ms, unsigned id, const char *type, const char *amr)
{
    char json[512];
    snprintf(json, sizeof json,
             "{'request_id': 'e%u', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'alice'}, "
             "'context': {'session': {'id': 'one', 'auth_time': 1795420000, 'acr': 'aal2', 'amr': [%s]}}}}",
             id, type, amr);
    harness_ask(h, now_ms, json);
    return harness_get(h, "event.recorded");
}

#define SHADOW(h) harness_get(h, "context.shadow.effect")

Test(engine_shadow, ends_a_session_in_shadow_alone)
{
    struct harness h = {0};
    cr_assert(harness_load(
        &h, ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: terminate, when: "
                                        "'resource.id == \"/x\"'}\n"));
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 1, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "allow");
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 2, "one", "/x"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "terminate");
    cr_expect_str_eq(harness_get(&h, "context.shadow.rule"), "new/x");
    cr_expect_str_eq(harness_get(&h, "context.session.state"), "active");
    // There it is over for good; here it goes on.
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 3, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "terminate");
    cr_expect_str_eq(harness_get(&h, "context.shadow.code"), "terminated");
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 4, "two", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "allow", "another session is another");
    harness_fini(&h);
}

Test(engine_shadow, hears_of_events)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, STRENGTHS ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: mfa, "
                                                                     "effect: step_up, require: {strength: "
                                                                     "mfa, max_age: 1h}}\n"));
    cr_expect_str_eq(send(&h, HARNESS_NOW, 1, "login", "'pwd'"), "true");
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 1, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "step_up");
    cr_expect_str_eq(send(&h, HARNESS_NOW + MINUTE, 2, "step_up_passed", "'otp'"), "true");
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW + MINUTE, 2, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "allow");
    harness_fini(&h);
}

Test(engine_shadow, begins_with_what_was_known)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, ALLOW));
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 1, "one", "/"), "allow/policy");
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 2, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "", "nothing is in shadow");
    cr_assert(harness_load(&h,
                           ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: many, effect: deny, "
                                                       "when: session.requests >= 2}\n"));
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 3, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "deny");
    harness_fini(&h);
}

Test(engine_shadow, is_forgotten_when_something_else_is_in_shadow)
{
    static const char X[] =
        ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: terminate, "
                                    "when: 'resource.id == \"/x\"'}\n";
    static const char X_AND_MORE[] =
        ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: terminate, when: 'resource.id "
                                    "== \"/x\"'}\n" HEAD("Policy", "more") "rules:\n  - {id: no, effect: "
                                                                           "deny, when: 'resource.id == "
                                                                           "\"/no\"'}\n";
    static const char Y[] =
        ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: terminate, "
                                    "when: 'resource.id == \"/y\"'}\n";
    struct harness h = {0};
    cr_assert(harness_load(&h, X));
    (void)ask_as(&h, HARNESS_NOW, 0, "one", "/"); // a first sight ends nothing
    (void)ask_as(&h, HARNESS_NOW, 1, "one", "/x");
    cr_assert(harness_load(&h, X_AND_MORE));
    (void)ask_as(&h, HARNESS_NOW, 2, "one", "/");
    cr_expect_str_eq(SHADOW(&h), "terminate", "the same is in shadow");
    cr_assert(harness_load(&h, Y));
    cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 3, "one", "/"), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "allow", "another rule has ended nothing yet");
    harness_fini(&h);
}

Test(engine_shadow, moves_nothing_for_probes_and_repeats)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: "
                                                           "terminate, when: 'session.requests >= 2'}\n"));
    for (int i = 0; i < 5; i++) {
        cr_expect_str_eq(ask_as(&h, HARNESS_NOW, 1, "one", "/"), "allow/policy");
        cr_expect_str_eq(SHADOW(&h), "allow", "repeat %d", i);
    }
    for (int i = 0; i < 5; i++) {
        harness_ask(&h, HARNESS_NOW,
                    "{'explain': 'full', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': "
                    "'GET'}, 'resource': {'type': 'route', 'id': '/'}, 'context': {'purpose': 'probe', "
                    "'session': {'id': 'one', 'auth_time': 1795420000}}}");
        cr_expect_str_eq(SHADOW(&h), "allow", "probe %d", i);
    }
    harness_fini(&h);
}

Test(engine_shadow, is_told_in_short_only_where_it_differs)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: deny, "
                                                           "when: 'resource.id == \"/x\"'}\n"));
    harness_ask(&h, HARNESS_NOW,
                "{'subject': {'type': 'user', 'id': 'a'}, 'action': {'name': 'GET'}, 'resource': {'type': "
                "'doc', 'id': '/'}}");
    cr_expect_str_eq(SHADOW(&h), "");
    harness_ask(&h, HARNESS_NOW,
                "{'subject': {'type': 'user', 'id': 'a'}, 'action': {'name': 'GET'}, 'resource': {'type': "
                "'doc', 'id': '/x'}}");
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_str_eq(SHADOW(&h), "deny");
    harness_fini(&h);
}

Test(engine_shadow, counts_what_would_have_been)
{
    struct harness h = {0};
    struct engine_counts counts;
    struct engine_shadow_rule rules[4];
    uint32_t cursor = 0;
    cr_assert(harness_load(&h, ALLOW HEAD("Policy", "new") "shadow: true\nrules:\n  - {id: x, effect: deny, "
                                                           "when: 'resource.id == \"/x\"'}\n  - {id: y, "
                                                           "effect: deny, when: 'resource.id == \"/y\"'}\n"));
    for (unsigned i = 0; i < 6; i++) {
        (void)ask_as(&h, HARNESS_NOW, i, "one", i % 3 == 0 ? "/x" : "/");
    }
    engine_count(h.engine, &counts);
    cr_expect_eq(counts.shadow[PDP_EFFECT_ALLOW][PDP_EFFECT_DENY], 2U);
    cr_expect_eq(counts.shadow[PDP_EFFECT_ALLOW][PDP_EFFECT_ALLOW], 4U);
    cr_expect_eq(counts.questions, 6U, "a question is one question");
    cr_assert_eq(engine_shadow_rules(h.engine, h.worker, &cursor, rules, 4), 2U);
    cr_expect_str_eq(rules[0].name, "new/x");
    cr_expect_eq(rules[0].hits, 2U);
    cr_expect_eq(rules[1].hits, 0U);
    harness_fini(&h);
}

// ---- Generated: the enforced world is as if nothing were in shadow, the shadow world as if all were
// enforced ----

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static unsigned chance(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static const char *const WHENS[] = {"resource.id == \"/x\"",
                                    "resource.id != \"/y\"",
                                    "session.requests >= 3",
                                    "risk.score > 4.0",
                                    "device.managed",
                                    "subject.level > 2",
                                    "device.tool",
                                    "session.last_seen < now - duration(\"5m\")",
                                    "session.state == \"challenged\"",
                                    "device.first_seen < now"};
static const char *const EFFECTS[] = {"allow", "deny", "terminate",
                                      "step_up, require: {strength: mfa, max_age: 10m}"};
static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
static const char *const PATHS[] = {"/", "/x", "/y"};
static const char *const AGENTS[] = {"Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "curl/8.0",
                                     "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0"};

enum {
    POLICIES = 3,
    RULES = 3
};

struct folders {
    struct buf shadowed, without, enforced;
};

static void put_all(struct folders *f, const char *text)
{
    buf_str(&f->shadowed, str_of(text));
    buf_str(&f->without, str_of(text));
    buf_str(&f->enforced, str_of(text));
}

static void put_rules(struct folders *f, bool policy_shadowed)
{
    bool any = false;
    for (unsigned r = 0; r < RULES; r++) {
        char rule[256];
        bool shadowed = chance(3) == 0 && (r + 1 < RULES || any);
        snprintf(rule, sizeof rule, "  - {id: r%u, when: '%s', effect: %s", r, WHENS[chance(COUNT_OF(WHENS))],
                 EFFECTS[chance(COUNT_OF(EFFECTS))]);
        buf_printf(&f->shadowed, "%s%s}\n", rule, shadowed ? ", shadow: true" : "");
        buf_printf(&f->enforced, "%s}\n", rule);
        if (!shadowed && !policy_shadowed) {
            buf_printf(&f->without, "%s}\n", rule);
        }
        any = any || !shadowed;
    }
}

static void put_folders(struct folders *f)
{
    buf_clear(&f->shadowed);
    buf_clear(&f->without);
    buf_clear(&f->enforced);
    put_all(f, STRENGTHS ALLOW SIGNALS);
    for (unsigned p = 0; p < POLICIES; p++) {
        char head[256];
        bool shadowed = chance(3) == 0;
        snprintf(head, sizeof head,
                 "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", p,
                 ALGORITHMS[chance(COUNT_OF(ALGORITHMS))]);
        buf_printf(&f->shadowed, "%s%srules:\n", head,
                   shadowed ? "rollout: {percent: 0, rest: shadow}\n" : "");
        buf_printf(&f->enforced, "%srules:\n", head);
        if (!shadowed) {
            buf_printf(&f->without, "%srules:\n", head);
        }
        put_rules(f, shadowed);
    }
    buf_byte(&f->shadowed, '\0');
    buf_byte(&f->without, '\0');
    buf_byte(&f->enforced, '\0');
}

static void put_message(char *json, size_t size, unsigned number)
{
    unsigned session = chance(3);
    const char *device = chance(3) == 0 ? "'fingerprint': 'other', " : "'fingerprint': 'own', ";
    if (chance(6) == 0) {
        static const char *const TYPES[] = {"login", "step_up_passed", "step_up_failed", "logout"};
        snprintf(
            json, size,
            "{'request_id': 'm%u', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'u%u'}, "
            "'context': {'session': {'id': 's%u', 'auth_time': 1795420000, 'acr': 'aal2', 'amr': ['%s']}}}}",
            number, TYPES[chance(chance(4) == 0 ? 4 : 3)], session % 2, session,
            chance(2) == 0 ? "otp" : "pwd");
        return;
    }
    snprintf(
        json, size,
        "{'request_id': 'm%u', 'explain': 'full', 'subject': {'type': 'user', 'id': 'u%u', 'properties': "
        "{'level': %u}}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', 'id': '%s'}, 'context': "
        "{'session': {'id': 's%u', 'auth_time': 1795420000, 'amr': ['pwd']}, 'device': {%s'user_agent': "
        "'%s'%s}%s}}",
        chance(10) == 0 && number > 0 ? number - 1 : number, session % 2, chance(5),
        PATHS[chance(COUNT_OF(PATHS))], session, device, AGENTS[chance(COUNT_OF(AGENTS))],
        chance(2) == 0 ? ", 'managed': true" : "", chance(12) == 0 ? ", 'purpose': 'probe'" : "");
}

static const char *const SAID[] = {"decision",           "context.effect",        "context.code",
                                   "context.rule",       "context.rules",         "context.risk.score",
                                   "context.risk.level", "context.missing",       "context.require",
                                   "context.reason",     "context.session.state", "context.session.epoch",
                                   "context.valid",      "event.recorded",        "event.code",
                                   "risk.score",         "context.error"};

static void same(struct harness *a, const char *at, struct harness *b, const char *other, const char *why,
                 const char *yaml)
{
    char one[1024];
    snprintf(one, sizeof one, "%s", harness_get(a, at));
    cr_expect_str_eq(one, harness_get(b, other), "%s: `%s` is %s, not %s\n%s", why, at, one,
                     harness_get(b, other), yaml);
}

// Over in fact, the session is not judged in shadow any more; what the third engine still does with it is
// compared with nothing.
static void run(struct folders *f, unsigned *compared)
{
    struct harness shadowed = {0}, without = {0}, enforced = {0};
    const char *yaml = (const char *)f->shadowed.at;
    cr_assert(harness_load(&shadowed, yaml), STR_FMT "\n%s", STR_ARG(buf_view(&shadowed.said)), yaml);
    cr_assert(harness_load(&without, (const char *)f->without.at));
    cr_assert(harness_load(&enforced, (const char *)f->enforced.at));
    bool apart = false;
    for (unsigned i = 0; i < 40; i++) {
        char json[1024];
        int64_t now_ms = HARNESS_NOW + (int64_t)i * (int64_t)chance(4) * MINUTE / 2 + i;
        put_message(json, sizeof json, i);
        harness_ask(&shadowed, now_ms, json);
        harness_ask(&without, now_ms, json);
        harness_ask(&enforced, now_ms, json);
        for (size_t s = 0; s < COUNT_OF(SAID); s++) {
            same(&shadowed, SAID[s], &without, SAID[s], json, yaml);
        }
        bool judged = harness_get(&shadowed, "context.shadow.effect")[0] != '\0';
        if (judged && !apart) {
            (*compared)++;
            same(&shadowed, "context.shadow.effect", &enforced, "context.effect", json, yaml);
            same(&shadowed, "context.shadow.code", &enforced, "context.code", json, yaml);
            same(&shadowed, "context.shadow.rule", &enforced, "context.rule", json, yaml);
            same(&shadowed, "context.shadow.score", &enforced, "context.risk.score", json, yaml);
        }
        // From here on the worlds have heard of different things.
        bool over = strcmp(harness_get(&shadowed, "context.effect"), "terminate") == 0;
        bool event = harness_get(&shadowed, "event.type")[0] != '\0';
        bool refused = strcmp(harness_get(&shadowed, "event.recorded"), "false") == 0;
        apart = apart || over || refused || (!event && !judged);
    }
    harness_fini(&shadowed);
    harness_fini(&without);
    harness_fini(&enforced);
}

Test(engine_shadow, touches_nothing_and_judges_as_if_enforced, .timeout = 200)
{
    struct folders f = {0};
    unsigned compared = 0;
    for (int i = 0; i < 150; i++) {
        put_folders(&f);
        run(&f, &compared);
    }
    cr_expect_gt(compared, 1000U, "%u answers were compared", compared);
    buf_fini(&f.shadowed);
    buf_fini(&f.without);
    buf_fini(&f.enforced);
}
