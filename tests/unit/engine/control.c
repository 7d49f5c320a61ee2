// SPDX-License-Identifier: Apache-2.0
// Controls in decisions: each kind and effect permits and denies, cut-offs come before repeats, nothing
// lifts.
#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static const char OPEN[] =
    "apiVersion: pdp/v1\n"
    "kind: Strengths\n"
    "metadata: {name: levels}\n"
    "levels:\n"
    "  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n"
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Policy\n"
    "metadata: {name: open}\n"
    "rules:\n"
    "  - {id: all, effect: allow}\n"
    "  - {id: never, effect: deny, when: 'action.name == \"DENY\"', reason: no}\n"
    "  - {id: ask, effect: step_up, when: 'action.name == \"ASK\"', require: {strength: mfa}}\n"
    "  - {id: end, effect: terminate, when: 'action.name == \"END\"'}\n";

static const char EXCEPTION[] = "---\n"
                                "apiVersion: pdp/v1\n"
                                "kind: Exception\n"
                                "metadata: {name: everything, owner: me, ticket: T-1}\n"
                                "lifts: [\"*\"]\n"
                                "when: 'true'\n"
                                "expires: 2030-01-01T00:00:00Z\n";

static uint64_t add(struct harness *h, struct control spec)
{
    struct control *control = NULL;
    const char *why = NULL;
    spec.author = STR("alice");
    spec.reason = spec.reason.len > 0 ? spec.reason : STR("incident 7");
    spec.created_ms = HARNESS_NOW - HOUR;
    spec.expires_ms = spec.expires_ms != 0 ? spec.expires_ms : HARNESS_NOW + DAY;
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
    cr_assert_eq(was->number, number);
    control_drop(&was);
}

static struct control lock_of(enum control_kind kind, struct str value, enum pdp_effect effect)
{
    return (struct control){.target = {.kind = kind, .value = value},
                            .effect = effect,
                            .strength = effect == PDP_EFFECT_STEP_UP ? STR("mfa") : (struct str){0}};
}

static void ask(struct harness *h, int64_t now_ms, const char *session, const char *action, const char *more)
{
    static char json[2048];
    snprintf(
        json, sizeof json,
        "{'tenant': 'acme', 'subject': {'type': 'user', 'id': 'alice', 'properties': {'roles': "
        "['hr', 'staff']}}, 'action': {'name': '%s'}, 'resource': {'type': 'route', 'id': '/x'}, "
        "'context': {'session': {'id': '%s', 'auth_time': %lld, 'amr': ['pwd']}, 'device': {'fingerprint': "
        "'fp-1', 'components': {'ja4': 't13d'}}, 'network': {'ip': '203.0.113.7'}%s}}",
        action, session, (long long)((HARNESS_NOW - HOUR) / 1000), more);
    harness_ask(h, now_ms, json);
}

static bool said(const struct harness *h, const char *text)
{
    return str_find(buf_view(&h->answer), str_of(text), 0) != SIZE_MAX;
}

#define EXPECT(h, text) cr_expect_str_eq(harness_effect(h), text, "line %d: %s", __LINE__, harness_effect(h))

static const struct {
    enum control_kind kind;
    struct str meets, misses;
} KINDS[] = {
    {CONTROL_ALL, {"", 0}, {NULL, 0}},
    {CONTROL_SUBJECT, {"alice", 5}, {"bob", 3}},
    {CONTROL_DEVICE, {"fp-1", 4}, {"fp-2", 4}},
    {CONTROL_ADDRESS, {"203.0.113.7", 11}, {"203.0.113.8", 11}},
    {CONTROL_PREFIX, {"203.0.113.0/24", 14}, {"203.0.112.0/24", 14}},
    {CONTROL_JA4, {"t13d", 4}, {"t12d", 4}},
    {CONTROL_ROLE, {"staff", 5}, {"admin", 5}},
    {CONTROL_GATEWAY, {"test", 4}, {"gw-2", 4}},
    {CONTROL_TENANT, {"acme", 4}, {"other", 5}},
};

Test(engine_control, each_kind_meets_and_misses)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN), "%s", (char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        const char *kind = control_kind_name(KINDS[i].kind);
        uint64_t number = 0;
        if (KINDS[i].misses.at != NULL) {
            number = add(&h, lock_of(KINDS[i].kind, KINDS[i].misses, PDP_EFFECT_DENY));
            ask(&h, HARNESS_NOW, "s1", "GET", "");
            cr_expect_str_eq(harness_effect(&h), "allow/policy", "%s misses: %s", kind, harness_effect(&h));
            take(&h, number);
        }
        number = add(&h, lock_of(KINDS[i].kind, KINDS[i].meets, PDP_EFFECT_DENY));
        ask(&h, HARNESS_NOW, "s1", "GET", "");
        cr_expect_str_eq(harness_effect(&h), "deny/locked", "%s meets: %s", kind, harness_effect(&h));
        cr_expect_str_eq(harness_get(&h, "context.reason"), "incident 7");
        take(&h, number);
        ask(&h, HARNESS_NOW, "s1", "GET", "");
        cr_expect_str_eq(harness_effect(&h), "allow/policy", "%s gone: %s", kind, harness_effect(&h));
    }
    harness_fini(&h);
}

Test(engine_control, what_is_missing_is_unsure_and_ends_nothing)
{
    static const struct {
        enum control_kind kind;
        struct str value;
        const char *lacks;
    } MISSING[] = {
        {CONTROL_ADDRESS, {"192.0.2.1", 9}, "`network.ip`"},
        {CONTROL_PREFIX, {"192.0.2.0/24", 12}, "`network.ip`"},
        {CONTROL_ASN, {"AS3320", 6}, "`geo.asn`"},
        {CONTROL_COUNTRY, {"DE", 2}, "`geo.country`"},
        {CONTROL_DEVICE, {"x", 1}, "`device.fingerprint`"},
        {CONTROL_JA4, {"x", 1}, "`device.components.ja4`"},
        {CONTROL_ROLE, {"x", 1}, "`subject.roles`"},
        {CONTROL_TENANT, {"x", 1}, "`tenant`"},
    };
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    for (size_t i = 0; i < COUNT_OF(MISSING); i++) {
        uint64_t number = add(&h, lock_of(MISSING[i].kind, MISSING[i].value, PDP_EFFECT_TERMINATE));
        harness_ask(
            &h, HARNESS_NOW,
            "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
            "'x', 'id': 'y'}, 'context': {'session': {'id': 's1', 'auth_time': 1795417200}}}");
        cr_expect_str_eq(harness_effect(&h), "deny/unsure", "%s: %s", MISSING[i].lacks, harness_effect(&h));
        cr_expect(said(&h, MISSING[i].lacks), "%s", MISSING[i].lacks);
        take(&h, number);
    }
    // No session is ended, and one of no session is about none.
    uint64_t session = add(&h, lock_of(CONTROL_SESSION, STR("s_0123456789abcdef01234567"), PDP_EFFECT_DENY));
    harness_ask(
        &h, HARNESS_NOW,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'x', 'id': 'y'}}");
    EXPECT(&h, "allow/policy");
    take(&h, session);
    harness_fini(&h);
}

Test(engine_control, effects_join_by_severity)
{
    static const struct {
        const char *action;
        enum pdp_effect lock;
        const char *gives, *rule;
    } JOINS[] = {
        {"GET", PDP_EFFECT_DENY, "deny/locked", "lock/1"},
        {"GET", PDP_EFFECT_STEP_UP, "step_up/locked", "lock/1"},
        {"GET", PDP_EFFECT_TERMINATE, "terminate/locked", "lock/1"},
        {"DENY", PDP_EFFECT_DENY, "deny/locked", "lock/1"},
        {"DENY", PDP_EFFECT_STEP_UP, "deny/policy", "open/never"},
        {"ASK", PDP_EFFECT_STEP_UP, "step_up/locked", "lock/1"},
        {"ASK", PDP_EFFECT_DENY, "deny/locked", "lock/1"},
        {"END", PDP_EFFECT_DENY, "terminate/policy", "open/end"},
        {"END", PDP_EFFECT_TERMINATE, "terminate/locked", "lock/1"},
    };
    for (size_t i = 0; i < COUNT_OF(JOINS); i++) {
        struct harness h = {0};
        cr_assert(harness_load(&h, OPEN));
        ask(&h, HARNESS_NOW, "s1", "GET", ""); // no first sight any more
        add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), JOINS[i].lock));
        ask(&h, HARNESS_NOW, "s1", JOINS[i].action, "");
        cr_expect_str_eq(harness_effect(&h), JOINS[i].gives, "%zu: %s", i, harness_effect(&h));
        cr_expect_str_eq(harness_get(&h, "context.rule"), JOINS[i].rule, "%zu: %s", i,
                         harness_get(&h, "context.rule"));
        harness_fini(&h);
    }
}

Test(engine_control, nothing_lifts_a_lock)
{
    static char both[sizeof OPEN + sizeof EXCEPTION];
    struct harness h = {0};
    snprintf(both, sizeof both, "%s%s", OPEN, EXCEPTION);
    cr_assert(harness_load(&h, both), "%s", (char *)h.said.at);
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "allow/policy");
    add(&h, lock_of(CONTROL_ALL, STR(""), PDP_EFFECT_DENY));
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "deny/locked");
    harness_fini(&h);
}

Test(engine_control, a_lock_ends_and_holds_for_new_sessions)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "allow/policy");
    uint64_t number = add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_TERMINATE));
    ask(&h, HARNESS_NOW, "s2", "GET", ""); // a stranger ends nothing that nobody has begun
    EXPECT(&h, "deny/locked");
    ask(&h, HARNESS_NOW, "s1", "GET", ", 'purpose': 'probe'");
    EXPECT(&h, "deny/locked");
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "terminate/locked");
    take(&h, number);
    ask(&h, HARNESS_NOW, "s1", "GET", ""); // a tombstone is for good
    EXPECT(&h, "terminate/terminated");
    ask(&h, HARNESS_NOW, "s2", "GET", "");
    EXPECT(&h, "allow/policy");
    harness_fini(&h);
}

Test(engine_control, a_step_up_lock_is_proved_as_any)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    struct control lock = lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_STEP_UP);
    lock.max_age_s = 600;
    lock.message = STR("please confirm that it is you");
    add(&h, lock);
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "step_up/locked");
    cr_expect_str_eq(harness_get(&h, "context.require.strength"), "mfa");
    cr_expect_str_eq(harness_get(&h, "context.require.max_age"), "600");
    cr_expect_str_eq(harness_get(&h, "context.message"), "please confirm that it is you");
    harness_ask(&h, HARNESS_NOW,
                "{'request_id': 'e1', 'event': {'type': 'step_up_passed', 'subject': {'type': 'user', 'id': "
                "'alice'}, "
                "'context': {'session': {'id': 's1'}}, 'properties': {'amr': ['otp']}}, 'tenant': 'acme'}");
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true");
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "allow/policy");
    ask(&h, HARNESS_NOW + 601000, "s1", "GET", "");
    EXPECT(&h, "step_up/locked");
    lock.strength = STR("retina"); // not known to these policies
    add(&h, lock);
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "deny/unsure");
    harness_fini(&h);
}

Test(engine_control, a_lock_expires)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    struct control lock = lock_of(CONTROL_ALL, STR(""), PDP_EFFECT_DENY);
    lock.expires_ms = HARNESS_NOW + 1000;
    add(&h, lock);
    ask(&h, HARNESS_NOW + 999, "s1", "GET", "");
    EXPECT(&h, "deny/locked");
    ask(&h, HARNESS_NOW + 1000, "s1", "GET", "");
    EXPECT(&h, "allow/policy");
    engine_tidy(h.engine, HARNESS_NOW + 1000);
    cr_expect_eq(engine_controls_count(h.engine), 0);
    harness_fini(&h);
}

static struct control cut_of(enum control_kind kind, struct str value, int64_t before_ms)
{
    return (struct control){.cut_off = true,
                            .target = {.kind = kind, .value = value},
                            .effect = PDP_EFFECT_TERMINATE,
                            .before_ms = before_ms};
}

Test(engine_control, a_cut_off_ends_known_and_unknown_and_beats_repeats)
{
    static const struct {
        enum control_kind kind;
        struct str value;
    } SCOPES[] = {{CONTROL_ALL, {"", 0}},
                  {CONTROL_SUBJECT, {"alice", 5}},
                  {CONTROL_TENANT, {"acme", 4}},
                  {CONTROL_GATEWAY, {"test", 4}},
                  {CONTROL_ADDRESS, {"203.0.113.7", 11}}};
    for (size_t i = 0; i < COUNT_OF(SCOPES); i++) {
        struct harness h = {0};
        cr_assert(harness_load(&h, OPEN));
        ask(&h, HARNESS_NOW, "s1", "GET", "");
        EXPECT(&h, "allow/policy");
        add(&h, cut_of(SCOPES[i].kind, SCOPES[i].value, HARNESS_NOW));
        ask(&h, HARNESS_NOW, "s2", "GET", ""); // authenticated before, never seen
        EXPECT(&h, "deny/terminated");
        ask(&h, HARNESS_NOW, "s1", "GET", "");
        EXPECT(&h, "terminate/terminated");
        cr_expect_str_eq(harness_get(&h, "context.rule"), "cutoff/1");
        ask(&h, HARNESS_NOW, "s1", "GET", "");
        EXPECT(&h, "terminate/terminated");
        harness_fini(&h);
    }
}

Test(engine_control, a_cut_off_lets_later_logins_begin)
{
    static const char LOGIN[] =
        "{'request_id': '%s', 'tenant': 'acme', 'event': {'type': 'login', 'subject': {'type': 'user', 'id': "
        "'alice'}, "
        "'context': {'session': {'id': '%s', 'auth_time': %lld}}, 'properties': {'amr': ['pwd']}}}";
    static char json[1024];
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    add(&h, cut_of(CONTROL_SUBJECT, STR("alice"), HARNESS_NOW));
    snprintf(json, sizeof json, LOGIN, "e1", "s1", (long long)(HARNESS_NOW / 1000 - 1));
    harness_ask(&h, HARNESS_NOW, json);
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "false");
    cr_expect_str_eq(harness_get(&h, "event.code"), "terminated");
    snprintf(json, sizeof json, LOGIN, "e2", "s1", (long long)(HARNESS_NOW / 1000));
    harness_ask(&h, HARNESS_NOW, json);
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true");
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "allow/policy");
    add(&h, cut_of(CONTROL_SUBJECT, STR("alice"), HARNESS_NOW + 1000));
    harness_ask(&h, HARNESS_NOW, json); // the same event again: not even that
    cr_expect_str_eq(harness_get(&h, "event.code"), "terminated");
    harness_fini(&h);
}

Test(engine_control, an_unsure_cut_off_ends_nothing)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    uint64_t number = add(&h, cut_of(CONTROL_COUNTRY, STR("DE"), HARNESS_NOW));
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "deny/unsure");
    cr_expect(said(&h, "geo.country"));
    take(&h, number);
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "allow/policy");
    harness_fini(&h);
}

Test(engine_control, locks_refuse_logins)
{
    static const char LOGIN[] = "{'request_id': 'e1', 'tenant': 'acme', 'event': {'type': 'login', "
                                "'subject': {'type': 'user', 'id': 'alice'}, "
                                "'context': {'session': {'id': 's1'}}, 'properties': {'amr': ['pwd']}}}";
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    uint64_t number = add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_DENY));
    harness_ask(&h, HARNESS_NOW, LOGIN);
    cr_expect_str_eq(harness_get(&h, "event.code"), "locked");
    take(&h, number);
    number = add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_STEP_UP));
    harness_ask(&h, HARNESS_NOW, LOGIN);
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true");
    take(&h, number);
    (void)add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_TERMINATE));
    harness_ask(&h, HARNESS_NOW, LOGIN); // a repeat, and yet
    cr_expect_str_eq(harness_get(&h, "event.code"), "locked");
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "terminate/terminated");
    harness_fini(&h);
}

static struct control mute_of(enum control_kind kind, struct str value)
{
    return (struct control){.target = {.kind = kind, .value = value}, .effect = PDP_EFFECT_ALLOW};
}

Test(engine_control, a_muted_rule_is_not_there_and_stays_so_over_a_reload)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "deny/policy");
    uint64_t number = add(&h, mute_of(CONTROL_RULE, STR("open/never")));
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "allow/policy");
    ask(&h, HARNESS_NOW, "s1", "ASK", "");
    EXPECT(&h, "step_up/policy");
    cr_assert(harness_load(&h, OPEN));
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "allow/policy");
    take(&h, number);
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "deny/policy");
    (void)add(&h, mute_of(CONTROL_RULE, STR("open"))); // the whole policy: nothing allows either
    ask(&h, HARNESS_NOW, "s1", "GET", "");
    EXPECT(&h, "deny/no-rule");
    harness_fini(&h);
}

Test(engine_control, a_mute_is_no_lock_and_loosens_none)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, OPEN));
    (void)add(&h, mute_of(CONTROL_RULE, STR("open/never")));
    (void)add(&h, mute_of(CONTROL_GEO, STR("")));
    (void)add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), PDP_EFFECT_DENY));
    ask(&h, HARNESS_NOW, "s1", "DENY", "");
    EXPECT(&h, "deny/locked");
    harness_fini(&h);
}

// Order does not matter, and a lock never loosens: every answer is as strict with more locks as without.
Test(engine_control, locks_only_restrict_in_any_order)
{
    static const enum pdp_effect EFFECTS[] = {PDP_EFFECT_DENY, PDP_EFFECT_STEP_UP, PDP_EFFECT_TERMINATE};
    static const char *const ACTIONS[] = {"GET", "DENY", "ASK", "END", "NONE"};
    for (size_t mask = 0; mask < 8; mask++) {
        for (size_t a = 0; a < COUNT_OF(ACTIONS); a++) {
            char first[64] = "";
            int plain = 0;
            for (int order = 0; order < 2; order++) {
                struct harness h = {0};
                cr_assert(harness_load(&h, OPEN));
                ask(&h, HARNESS_NOW, "s1", "GET", "");
                ask(&h, HARNESS_NOW, "probe", ACTIONS[a], "");
                plain = strncmp(harness_effect(&h), "allow", 5) != 0;
                for (size_t i = 0; i < 3; i++) {
                    size_t at = order == 0 ? i : 2 - i;
                    if ((mask >> at & 1) != 0) {
                        (void)add(&h, lock_of(CONTROL_SUBJECT, STR("alice"), EFFECTS[at]));
                    }
                }
                ask(&h, HARNESS_NOW, "s1", ACTIONS[a], "");
                const char *effect = harness_get(&h, "context.effect");
                cr_expect(!plain || strcmp(effect, "allow") != 0);
                cr_expect((mask & 4) == 0 || strcmp(effect, "terminate") == 0);
                cr_expect((mask & 1) == 0 || strcmp(effect, "deny") == 0 || strcmp(effect, "terminate") == 0);
                cr_expect(mask == 0 || strcmp(effect, "allow") != 0);
                cr_expect(order == 0 || strcmp(first, effect) == 0, "%s %s", first, effect);
                snprintf(first, sizeof first, "%s", effect);
                harness_fini(&h);
            }
        }
    }
}
