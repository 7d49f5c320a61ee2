// SPDX-License-Identifier: Apache-2.0
// A user is forgotten: what was learned goes, what ended stays ended.
#include "engine/forget.h"

#include "engine/worker.h"
#include "risk/profile.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HOUR INT64_C(3600000)
#define NOW HARNESS_NOW
#define POLICY                                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"                 \
    "  - {id: known, effect: allow, when: device.remembered}\n"                       \
    "  - {id: all, effect: allow, actions: [LOOK]}\n"                                 \
    "  - {id: soon, effect: deny, actions: [NEVER], shadow: true}\n"                  \
    "  - {id: cut, effect: terminate, actions: [CUT], terminate: {scope: subject}}\n" \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: d}\ndevices: {remember: 30d}\n"

static struct harness h;

static void begin(void)
{
    h = (struct harness){0};
    cr_assert(harness_load(&h, POLICY), "%s", (const char *)h.said.at);
}

static const char *ask(int64_t now_ms, const char *session, const char *action)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '%s'}, 'resource': "
        "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': '%s', 'auth_time': "
        "'2026-11-23T07:59:00Z'}, 'network': {'ip': '203.0.113.7'}, 'device': {'fingerprint': 'f'}}}",
        action, session);
    harness_ask(&h, now_ms, text);
    return harness_effect(&h);
}

static void login(int64_t now_ms, const char *session)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': 'e-%s', 'event': {'type': 'login', 'subject': {'type': 'user', 'id': 'alice'}, "
        "'context': {'session': {'id': '%s'}, 'network': {'ip': '203.0.113.7'}, 'device': "
        "{'fingerprint': 'f'}}, 'properties': {'amr': ['pwd'], 'remember_device': true}}}",
        session, session);
    harness_ask(&h, now_ms, text);
    cr_assert_str_eq(harness_get(&h, "event.recorded"), "true");
}

static struct session_key key_of(const struct session_table *table)
{
    return session_key_of(table, 0, STR(""), STR("user"), STR("alice"), STR(""));
}

static struct user_record look(struct session_table *table)
{
    struct user_record record;
    size_t count = 0;
    struct session_key key = key_of(table);
    cr_assert(session_user_look(table, &key, &record, NULL, 0, &count));
    return record;
}

static size_t values_of(const struct user_record *record)
{
    struct risk_user user;
    struct profile_entry entries[USER_VALUES];
    memcpy(&user, record->risk, sizeof user);
    return profile_list(&user, NOW, entries);
}

// A week at a place, and suspicion that another session left.
static void teach(void *unused, struct user_record *record)
{
    (void)unused;
    struct risk_user user;
    memcpy(&user, record->risk, sizeof user);
    for (int64_t day = 0; day < 7; day++) {
        struct profile_context context;
        const struct sighting seen = {.country = 'D' << 8 | 'E',
                                      .asn = 3320,
                                      .flags = SIGHT_HAS_IP | SIGHT_HAS_FINGERPRINT,
                                      .fingerprint = 9};
        profile_read(&seen, NOW - day * 24 * HOUR, &context);
        profile_learn(&user, NULL, &context);
    }
    user.marks[2] = (struct user_mark){.tag = 999, .at_s = NOW / 1000, .value = 4096};
    memcpy(record->risk, &user, sizeof user);
}

static struct session_table *shadow_of(void)
{
    return atomic_load(&h.engine->current)->shadow->sessions;
}

static void learn(void)
{
    uint64_t seq = 0;
    struct session_key key = key_of(h.engine->sessions), shadow = key_of(shadow_of());
    cr_assert(session_user_change(h.engine->sessions, &key, teach, NULL, &seq));
    cr_assert(session_user_change(shadow_of(), &shadow, teach, NULL, &seq));
}

Test(engine_forget, what_was_learned_goes_in_both_worlds)
{
    begin();
    login(NOW, "one");
    cr_assert_str_eq(ask(NOW + 1, "one", "GET"), "allow/policy");
    learn();
    struct user_record was = look(h.engine->sessions);
    cr_assert_geq(values_of(&was), 4U);
    cr_assert_geq((values_of(&(struct user_record){0})), 0U);

    struct engine_forgotten forgotten;
    cr_assert(engine_forget_user(h.engine, STR(""), STR("user"), STR("alice"), false, &forgotten));
    cr_expect_eq(forgotten.values, values_of(&was));
    cr_expect_eq(forgotten.devices, 0U);
    struct session_table *worlds[] = {h.engine->sessions, shadow_of()};
    for (size_t i = 0; i < COUNT_OF(worlds); i++) {
        struct user_record is = look(worlds[i]);
        struct risk_user user;
        memcpy(&user, is.risk, sizeof user);
        cr_expect_eq(values_of(&is), 0U, "world %zu", i);
        cr_expect_eq(user.total, 0);
        cr_expect_eq(user.marks[2].value, 4096, "what other sessions left stays");
        cr_expect(is.last.lat_deg != is.last.lat_deg && is.last.flags == 0 && is.last.asn == 0,
                  "no last place");
        cr_expect_eq(is.last.at_ms, NOW + 1, "but when, by which things grow old");
        cr_expect_eq(is.first_seen_ms, was.first_seen_ms);
        cr_expect_eq(is.live_sessions, 1U);
    }
    cr_expect_str_eq(ask(NOW + 2, "one", "GET"), "allow/policy", "the device is still remembered");
    harness_fini(&h);
}

Test(engine_forget, devices_go_where_that_is_ordered)
{
    begin();
    login(NOW, "one");
    cr_assert_str_eq(ask(NOW + 1, "one", "GET"), "allow/policy");
    struct engine_forgotten forgotten;
    cr_assert(engine_forget_user(h.engine, STR(""), STR("user"), STR("alice"), true, &forgotten));
    cr_expect_eq(forgotten.devices, 1U);
    struct user_record is = look(h.engine->sessions);
    cr_expect_eq(is.devices[0].fingerprint, 0U, "it was never seen");
    cr_expect_str_eq(ask(NOW + 2, "one", "GET"), "deny/no-rule");
    cr_expect_str_eq(ask(NOW + 3, "one", "LOOK"), "allow/policy", "the session goes on");
    harness_fini(&h);
}

Test(engine_forget, what_ended_stays_ended)
{
    begin();
    login(NOW, "one");
    login(NOW, "two");
    cr_assert_str_eq(ask(NOW + 1, "one", "LOOK"), "allow/policy");
    cr_assert_str_eq(ask(NOW + 2, "one", "CUT"), "terminate/policy");
    uint32_t cutoff_s = look(h.engine->sessions).cutoff_s;
    cr_assert_neq(cutoff_s, 0U);
    struct engine_forgotten forgotten;
    cr_assert(engine_forget_user(h.engine, STR(""), STR("user"), STR("alice"), true, &forgotten));
    cr_expect_eq(look(h.engine->sessions).cutoff_s, cutoff_s);
    const char *const SESSIONS[] = {"one", "two", "three"}; // ended, cut off, and one from before the cut
    for (size_t i = 0; i < COUNT_OF(SESSIONS); i++) {
        const char *effect = ask(NOW + 3, SESSIONS[i], "LOOK");
        cr_expect(strncmp(effect, "allow", 5) != 0, "%s: %s", SESSIONS[i], effect);
    }
    harness_fini(&h);
}

Test(engine_forget, nobody_is_not_known)
{
    begin();
    login(NOW, "one");
    struct engine_forgotten forgotten = {.values = 7};
    cr_expect_not(engine_forget_user(h.engine, STR("acme"), STR("user"), STR("alice"), true, &forgotten));
    cr_expect_not(engine_forget_user(h.engine, STR(""), STR("service"), STR("alice"), true, &forgotten));
    cr_expect_eq(forgotten.values, 0U);
    cr_expect_neq(look(h.engine->sessions).devices[0].fingerprint, 0U);
    harness_fini(&h);
}
