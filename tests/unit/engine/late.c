// SPDX-License-Identifier: Apache-2.0
// What has waited too long is refused early, and moves nothing.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char POLICY[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\n"
                             "rules:\n  - {id: read, effect: allow, actions: [GET]}\n";

static struct harness h;

static void begin(void)
{
    h = (struct harness){0};
    cr_assert(harness_load(&h, POLICY));
}

static void end(void)
{
    harness_fini(&h);
}

TestSuite(engine_late, .init = begin, .fini = end);

#define QUESTION(extra)                                                                                   \
    "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'resource': {'type': 'route', "  \
    "'id': '/a'}, 'request_id': 'r1', 'context': {'session': {'id': 's', 'auth_time': 1795420000}}" extra \
    "}"
#define EVENT                                                                                              \
    "{'request_id': 'e1', 'deadline_ms': 5, 'event': {'type': 'login', 'subject': {'type': 'user', 'id': " \
    "'u'}, 'context': {'session': {'id': 's2', 'auth_time': 1795420000}}, 'properties': {'acr': 'aal1'}}}"
#define BATCH                                                                                        \
    "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'deadline_ms': 50, "        \
    "'request_id': 'b1', 'evaluations': [{'resource': {'type': 'route', 'id': '/a'}}, {'resource': " \
    "{'type': 'route', 'id': '/b'}}]}"

static const struct {
    const char *name, *question;
    int64_t waited_ms, queue_ms;
    const char *answer, *retry_after, *status, *id;
} CASES[] = {
    {"in time", QUESTION(""), 200, 200, "allow/policy", "", "", "r1"},
    {"too late", QUESTION(""), 201, 200, "deny/overloaded", "201", "503", "r1"},
    {"a little too late", QUESTION(""), 3, 2, "deny/overloaded", "100", "503", "r1"},
    {"far too late", QUESTION(""), 99999, 200, "deny/overloaded", "10000", "503", "r1"},
    {"no limit", QUESTION(""), 99999, 0, "allow/policy", "", "", "r1"},
    {"before its deadline", QUESTION(", 'deadline_ms': 50"), 49, 0, "allow/policy", "", "", "r1"},
    {"at its deadline", QUESTION(", 'deadline_ms': 50"), 50, 0, "deny/overloaded", "", "503", "r1"},
    {"no deadline", QUESTION(", 'deadline_ms': null"), 50, 0, "allow/policy", "", "", "r1"},
    {"a deadline of none", QUESTION(", 'deadline_ms': 0"), 0, 0, "deny/malformed", "", "400", "r1"},
    {"a deadline in words", QUESTION(", 'deadline_ms': 'soon'"), 0, 0, "deny/malformed", "", "400", "r1"},
    {"a deadline with a fraction", QUESTION(", 'deadline_ms': 1.5"), 0, 0, "deny/malformed", "", "400", "r1"},
    {"a whole batch", BATCH, 51, 0, "deny/overloaded", "", "503", "b1"},
};

static uint64_t sessions(void)
{
    struct session_stats stats;
    session_stats(engine_sessions(h.engine), &stats);
    return stats.sessions;
}

Test(engine_late, refuses_what_waited_too_long)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        end();
        begin();
        worker_waited(h.worker, CASES[i].waited_ms, CASES[i].queue_ms);
        harness_ask(&h, HARNESS_NOW, CASES[i].question);
        cr_expect_str_eq(harness_effect(&h), CASES[i].answer, "%s", CASES[i].name);
        cr_expect_str_eq(harness_get(&h, "context.retry_after"), CASES[i].retry_after, "%s", CASES[i].name);
        cr_expect_str_eq(harness_get(&h, "context.error.status"), CASES[i].status, "%s", CASES[i].name);
        cr_expect_str_eq(harness_get(&h, "context.request_id"), CASES[i].id, "%s", CASES[i].name);
        bool judged = strcmp(CASES[i].answer, "allow/policy") == 0;
        cr_expect_eq(sessions(), judged ? 1u : 0u, "%s", CASES[i].name);
        struct engine_counts counts;
        engine_count(h.engine, &counts);
        cr_expect_eq(counts.questions, 1u, "%s", CASES[i].name);
        cr_expect_eq(counts.effects[judged ? PDP_EFFECT_ALLOW : PDP_EFFECT_DENY], 1u, "%s", CASES[i].name);
    }
}

Test(engine_late, events_are_heard_however_late)
{
    worker_waited(h.worker, 100000, 200);
    harness_ask(&h, HARNESS_NOW, EVENT);
    cr_expect_str_eq(harness_get(&h, "event.recorded"), "true");
    cr_expect_eq(sessions(), 1u);
}

Test(engine_late, is_said_of_one_message_only)
{
    worker_waited(h.worker, 201, 200);
    harness_ask(&h, HARNESS_NOW, QUESTION(""));
    cr_expect_str_eq(harness_effect(&h), "deny/overloaded");
    harness_ask(&h, HARNESS_NOW, QUESTION(""));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
}

Test(engine_late, a_repeat_with_less_time_left_is_a_repeat)
{
    harness_ask(&h, HARNESS_NOW, QUESTION(", 'deadline_ms': 500"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW + 300, QUESTION(", 'deadline_ms': 200"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.repeated"), "true");
}
