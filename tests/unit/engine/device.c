// SPDX-License-Identifier: Apache-2.0
// Devices that an issuer asked to remember.
#include "engine/device.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NOW HARNESS_NOW
#define POLICY                                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"                 \
    "  - {id: known, effect: allow, when: device.remembered}\n"                       \
    "  - {id: cut, effect: terminate, actions: [CUT], terminate: {scope: subject}}\n" \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"        \
    "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
#define REMEMBER(TIME) \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: d}\ndevices: {remember: " TIME "}\n"

static struct harness begun(const char *yaml)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, yaml), "%s", (const char *)h.said.at);
    return h;
}

static const char *tell(struct harness *h, int64_t now_ms, const char *type, const char *id,
                        const char *device, const char *properties)
{
    static int number;
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{'request_id': 'e%d', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': "
                   "'alice'}, 'context': "
                   "{'session': {'id': '%s'}, 'device': {'fingerprint': '%s'}}, 'properties': {%s}}}",
                   number++, type, id, device, properties);
    harness_ask(h, now_ms, text);
    return strcmp(harness_get(h, "event.recorded"), "true") == 0 ? harness_get(h, "device.remembered_until")
                                                                 : harness_get(h, "event.code");
}

static const char *ask(struct harness *h, int64_t now_ms, const char *device, const char *action)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '%s'}, 'resource': "
                   "{'type': 'route', "
                   "'id': '/a'}, 'context': {'device': {'fingerprint': '%s'}}}",
                   action, device);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static const char *seconds(int64_t at_ms)
{
    static char text[2][32];
    static int turn;
    turn = !turn;
    (void)snprintf(text[turn], sizeof *text, "%lld", (long long)(at_ms / 1000));
    return text[turn];
}

Test(engine_device, is_remembered_until_its_very_second)
{
    struct harness h = begun(POLICY REMEMBER("30d"));
    cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"), "deny/no-rule");
    cr_expect_str_eq(tell(&h, NOW, "login", "s", "laptop", "'remember_device': true"),
                     seconds(NOW + 30 * DAY));
    cr_expect_str_eq(ask(&h, NOW + 30 * DAY - 1, "laptop", "GET"), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), seconds(NOW + 30 * DAY));
    cr_expect_str_eq(ask(&h, NOW + 30 * DAY, "laptop", "GET"), "deny/no-rule");
    cr_expect_str_eq(ask(&h, NOW, "phone", "GET"), "deny/no-rule");
    cr_expect_str_eq(ask(&h, NOW, "", "GET"), "deny/unsure", "which device is not known");
    h.peer.grants &= ~(uint32_t)GRANT_ASSERT_DEVICE;
    cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"), "deny/unsure", "nor believed");
    harness_fini(&h);
}

static const struct {
    const char *policy, *properties;
    int64_t want_ms; // after NOW; 0: not remembered, -1: refused
} WISHES[] = {
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': '12h'", 12 * HOUR},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': 3600", HOUR},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': '400d'", 30 * DAY},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': 9223372036854775807", 30 * DAY},
    {POLICY REMEMBER("30d"), "'remember_for': '12h'", 0},
    {POLICY REMEMBER("30d"), "'remember_device': false", 0},
    {POLICY REMEMBER("30d"), "'remember_device': null", 0},
    {POLICY, "'remember_device': true", 0},
    {POLICY REMEMBER("30d"), "'remember_device': 'yes'", -1},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': 0", -1},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': -5", -1},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': '-5h'", -1},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': 'long'", -1},
    {POLICY REMEMBER("30d"), "'remember_device': true, 'remember_for': 1.5", -1},
};

Test(engine_device, is_remembered_for_as_long_as_both_say)
{
    for (size_t i = 0; i < COUNT_OF(WISHES); i++) {
        struct harness h = begun(WISHES[i].policy);
        const char *want = WISHES[i].want_ms > 0    ? seconds(NOW + WISHES[i].want_ms)
                           : WISHES[i].want_ms == 0 ? ""
                                                    : "malformed";
        cr_expect_str_eq(tell(&h, NOW, "login", "s", "laptop", WISHES[i].properties), want, "%s",
                         WISHES[i].properties);
        cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"),
                         WISHES[i].want_ms > 0 ? "allow/policy" : "deny/no-rule", "%s", WISHES[i].properties);
        harness_fini(&h);
    }
}

Test(engine_device, is_remembered_by_a_step_up_that_proves_something)
{
    struct harness h = begun(POLICY REMEMBER("30d"));
    cr_expect_str_eq(tell(&h, NOW, "login", "s", "laptop", "'amr': ['pwd']"), "");
    cr_expect_str_eq(
        tell(&h, NOW, "step_up_passed", "s", "laptop", "'amr': ['pwd'], 'remember_device': true"), "");
    cr_expect_str_eq(tell(&h, NOW, "signal", "s", "laptop", "'remember_device': true"), "");
    cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"), "deny/no-rule");
    cr_expect_str_neq(
        tell(&h, NOW, "step_up_passed", "s", "laptop", "'amr': ['otp'], 'remember_device': true"), "");
    cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"), "allow/policy");
    cr_expect_str_eq(tell(&h, NOW, "login", "s2", "laptop", "'remember_device': false"), "");
    cr_expect_str_eq(ask(&h, NOW, "laptop", "GET"), "deny/no-rule", "and forgotten at a word");
    harness_fini(&h);
}

Test(engine_device, is_forgotten_with_the_sessions_of_its_user)
{
    struct harness h = begun(POLICY REMEMBER("30d"));
    cr_expect_str_neq(tell(&h, NOW, "login", "s", "laptop", "'remember_device': true"), "");
    harness_ask(&h, NOW + HOUR / 2,
                "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'CUT'}, 'resource': "
                "{'type': 'route', "
                "'id': '/a'}, 'context': {'session': {'id': 's'}, 'device': {'fingerprint': 'phone'}}}");
    cr_expect_str_eq(harness_effect(&h), "terminate/policy");
    cr_expect_str_eq(ask(&h, NOW + HOUR, "laptop", "GET"), "deny/no-rule");
    cr_expect_str_neq(tell(&h, NOW + HOUR, "login", "s2", "laptop", "'remember_device': true"), "");
    cr_expect_str_eq(ask(&h, NOW + HOUR, "laptop", "GET"), "allow/policy", "but not for ever");
    harness_fini(&h);
}

Test(engine_device, makes_nothing_of_a_clock_that_steps_back)
{
    struct harness h = begun(POLICY REMEMBER("1h"));
    cr_expect_str_neq(tell(&h, NOW, "login", "s", "laptop", "'remember_device': true"), "");
    cr_expect_str_eq(tell(&h, NOW + 2 * HOUR, "login", "s2", "phone", ""), "");
    cr_expect_str_eq(ask(&h, NOW + HOUR / 2, "laptop", "GET"), "deny/no-rule");
    harness_fini(&h);
}

Test(engine_device, gives_way_after_those_that_are_not_remembered)
{
    struct harness h = begun(POLICY REMEMBER("30d"));
    char id[16], device[16];
    cr_expect_str_neq(tell(&h, NOW, "login", "s", "laptop", "'remember_device': true"), "");
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof id, "s%d", i);
        (void)snprintf(device, sizeof device, "d%d", i);
        cr_expect_str_eq(tell(&h, NOW + (i + 1) * SECOND, "login", id, device, ""), "");
    }
    cr_expect_str_eq(ask(&h, NOW + HOUR / 2, "laptop", "GET"), "allow/policy",
                     "strangers do not push it out");
    for (int i = 0; i < USER_DEVICES; i++) {
        (void)snprintf(id, sizeof id, "r%d", i);
        (void)snprintf(device, sizeof device, "m%d", i);
        cr_expect_str_neq(tell(&h, NOW + (i + 30) * SECOND, "login", id, device, "'remember_device': true"),
                          "");
    }
    cr_expect_str_eq(ask(&h, NOW + HOUR / 2, "laptop", "GET"), "deny/no-rule",
                     "eight that are do: the oldest goes");
    cr_expect_str_eq(ask(&h, NOW + HOUR / 2, "m0", "GET"), "allow/policy");
    harness_fini(&h);
}

// A browser's update at another address, in a session that began with the components given.
static double updated(struct harness *h, const char *id, const char *browser)
{
    static const char *const ADDRESSES[2] = {"203.0.113.7", "198.51.100.9"};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        (void)snprintf(
            text, sizeof text,
            "{'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': 'GET'}, 'resource': {'type': "
            "'route', 'id': '/a'}, 'explain': 'full', 'context': {'session': {'id': '%s', 'auth_time': "
            "%lld}, 'network': {'ip': '%s'}, 'device': {'fingerprint': 'f%zu', 'components': {'gpu': "
            "'M2', 'os': 'macOS', 'browser': '%s%zu'}}}}",
            id, id, (long long)(NOW / 1000), ADDRESSES[i], i, browser, i);
        harness_ask(h, NOW + (int64_t)i * SECOND, text);
    }
    const char *score = harness_get(h, "context.risk.score");
    cr_assert(strlen(score) > 0);
    return atof(score);
}

// Components can take suspicion away: only a peer that may tell of devices is believed.
Test(engine_device, components_are_believed_of_whom_may_assert_them)
{
    struct harness h = begun(POLICY "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: s}\n"
                                    "first_sight: adopt\n");
    cr_expect_lt(updated(&h, "s1", "Safari "), 10);
    h.peer.grants &= ~(uint32_t)GRANT_ASSERT_DEVICE;
    cr_expect_gt(updated(&h, "s2", "Safari "), 80);
    h.peer.grants |= (uint32_t)GRANT_ASSERT_DEVICE;
    cr_expect_lt(updated(&h, "s3", "Safari "), 10);
    harness_fini(&h);
}

Test(engine_device, conditions_read_what_an_agent_says)
{
    struct harness h =
        begun("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
              "  - {id: new, effect: allow, when: device.class == \"mobile\" && device.version >= 120}\n");
    static const struct {
        const char *agent, *effect;
    } CASES[] = {
        {"Mozilla/5.0 (Linux; Android 10; K) Chrome/120.0.0.0 Mobile Safari/537.36", "allow/policy"},
        {"Mozilla/5.0 (Linux; Android 10; K) Chrome/119.0.0.0 Mobile Safari/537.36", "deny/no-rule"},
        {"Mozilla/5.0 (Linux; Android 10; K) Chrome/120.0.0.0 Safari/537.36", "deny/no-rule"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", "deny/unsure"},
        {"", "deny/unsure"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "{'subject': {'type': 'user', 'id': 'a'}, 'action': {'name': 'GET'}, 'resource': {'type': "
            "'route', 'id': '/a'}, 'context': {'device': {'user_agent': '%s'}}}",
            CASES[i].agent);
        harness_ask(&h, NOW, text);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%s", CASES[i].agent);
    }
    harness_fini(&h);
}
