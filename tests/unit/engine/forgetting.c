// SPDX-License-Identifier: Apache-2.0
// What was ended and then forgotten does not begin again, whoever asks and whatever limits hold by then.
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HOUR INT64_C(3600000)
#define RULES                                                                                       \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n" \
    "  - {id: end, effect: terminate, when: 'has(context.end)'}\n"
#define STAFF(ABSOLUTE)                                                                  \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: staff}\n"            \
    "target: has(subject.roles) && \"staff\" in subject.roles\nlimits: {idle: " ABSOLUTE \
    ", absolute: " ABSOLUTE "}\n"
#define EVERYONE(ABSOLUTE)                                                       \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: everyone}\n" \
    "limits: {idle: " ABSOLUTE ", absolute: " ABSOLUTE "}\n"

static const char *ask(struct harness *h, int64_t now_ms, int64_t auth_ms, const char *roles,
                       const char *more)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice', 'properties': {'roles': [%s]}}, 'action': "
                   "{'name': 'GET'}, "
                   "'resource': {'type': 'route', 'id': '/a'}, 'context': {'session': {'id': 's1', "
                   "'auth_time': %lld}%s}}",
                   roles, (long long)(auth_ms / 1000), more);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

static void sweep(struct harness *h, int64_t now_ms)
{
    for (int i = 0; i < 100; i++) {
        engine_tidy(h->engine, now_ms);
    }
}

Test(engine_forgetting, an_end_is_kept_for_the_longest_limit_that_anybody_may_have)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, RULES STAFF("168h")), "%s", (const char *)h.said.at);
    const int64_t auth_ms = HARNESS_NOW - HOUR;
    harness_ask(&h, HARNESS_NOW,
                "{'request_id': 'e', 'event': {'type': 'logout', 'subject': {'type': 'user', 'id': 'alice'}, "
                "'context': {'session': {'id': 's1'}}}}"); // says nothing of roles
    cr_assert_str_eq(harness_get(&h, "event.recorded"), "true");
    for (int64_t hours = 1; hours < 200; hours += 6) {
        sweep(&h, HARNESS_NOW + hours * HOUR);
        cr_expect_str_neq(ask(&h, HARNESS_NOW + hours * HOUR, auth_ms, "'staff'", ""), "allow/policy", "%d h",
                          (int)hours);
    }
    harness_fini(&h);
}

static const struct {
    const char *name, *more; // of the last question before all is forgotten
    const char *effect;
} ENDS[] = {
    {"ended by a rule", ", 'end': 1", "terminate/policy"},
    {"left alone", "", "allow/policy"},
};

Test(engine_forgetting, a_reload_with_longer_limits_revives_nothing)
{
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        struct harness h = {0};
        cr_assert(harness_load(&h, RULES), "%s", (const char *)h.said.at);
        const int64_t auth_ms = HARNESS_NOW - HOUR, later_ms = HARNESS_NOW + 72 * HOUR;
        cr_expect_str_eq(ask(&h, HARNESS_NOW, auth_ms, "", ""), "allow/policy");
        cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, auth_ms, "", ENDS[i].more), ENDS[i].effect);
        sweep(&h, later_ms);
        cr_assert(harness_load(&h, RULES EVERYONE("720h")), "%s", (const char *)h.said.at);
        cr_expect_str_eq(ask(&h, later_ms, auth_ms, "", ""), "deny/expired", "%s", ENDS[i].name);
        cr_expect_str_eq(ask(&h, later_ms, later_ms - HOUR, "", ""), "allow/policy", "one that began since");
        harness_fini(&h);
    }
}
