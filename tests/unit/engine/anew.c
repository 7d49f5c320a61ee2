// SPDX-License-Identifier: Apache-2.0
#include "engine/anew.h"

#include "engine/keep.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char POLICIES[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n"
    "  - {id: often, effect: deny, when: counters.reads > 2.0}\n"
    "  - {id: known, effect: step_up, when: session.requests > 2, require: {strength: mfa}}\n"
    "  - {id: tried, effect: deny, when: risk.score > 90.0, shadow: true}\n"
    "  - {id: all, effect: allow}\n"
    "---\napiVersion: pdp/v1\nkind: Counter\nmetadata: {name: reads}\nkey: [subject.id]\nwindow: 1h\n"
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: all}\n"
    "levels: [{name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}]\n";

// A life of sessions, failures and proofs; its answers go to `out`.
static void live(struct harness *harness, struct buf *out)
{
    char text[600];
    for (int i = 0; i < 40; i++) {
        int64_t now_ms = HARNESS_NOW + i * INT64_C(120000);
        bool event = i % 5 == 0;
        snprintf(
            text, sizeof text,
            event
                ? "{'event': {'type': '%s', 'subject': {'type': 'user', 'id': 'u%d'}, 'context': {'session': "
                  "{'id': 's%d', 'auth_time': 1795420800}, 'network': {'ip': '203.0.113.%d'}}, "
                  "'properties': {'acr': 'aal1', 'amr': ['pwd']}}, 'request_id': 'r%d'}"
                : "{'subject': {'type': '%s', 'id': 'u%d'}, 'action': {'name': 'GET'}, 'resource': "
                  "{'type': 'route', 'id': '/x'}, 'context': {'session': {'id': 's%d', 'auth_time': "
                  "1795420800}, 'network': {'ip': '203.0.113.%d'}}, 'request_id': 'r%d', 'explain': 'full'}",
            !event        ? "user"
            : i % 10 == 0 ? "login"
                          : "login_failed",
            i % 3, i % 3, i % 7, i);
        harness_ask(harness, now_ms, text);
        // All but the number of the decision and of the policies' publication.
        buf_str(out, str_of(harness_effect(harness)));
        buf_printf(out, " %s", harness_get(harness, "context.risk.score"));
        buf_printf(out, " %s", harness_get(harness, "context.risk.signals"));
        buf_printf(out, " %s", harness_get(harness, "context.shadow"));
        buf_printf(out, " %s %s\n", harness_get(harness, "event"), harness_get(harness, "session"));
    }
}

Test(engine_anew, answers_as_an_engine_that_was_just_made)
{
    struct harness harness = {0};
    struct buf first = {0}, again = {0}, third = {0};
    cr_assert(harness_load(&harness, POLICIES), "%.*s", (int)harness.said.len, (const char *)harness.said.at);
    live(&harness, &first);
    live(&harness, &again);
    cr_expect_not(str_eq(buf_view(&first), buf_view(&again)), "nothing was there to be forgotten");
    cr_assert_eq(engine_anew(harness.engine), PDP_ERR_OK);
    live(&harness, &third);
    cr_expect(str_eq(buf_view(&first), buf_view(&third)), "%.*s\n---\n%.*s", (int)first.len,
              (const char *)first.at, (int)third.len, (const char *)third.at);
    buf_fini(&first);
    buf_fini(&again);
    buf_fini(&third);
    harness_fini(&harness);
}

// What is kept besides sessions: sources, the population, recent scores.
static void keep(struct harness *harness, struct buf *out)
{
    buf_clear(out);
    cr_assert_eq(engine_keep(harness->engine, out), PDP_ERR_OK);
}

Test(engine_anew, forgets_what_is_kept_besides_sessions)
{
    struct harness harness = {0};
    struct buf fresh = {0}, used = {0}, anew = {0}, answers = {0};
    cr_assert(harness_load(&harness, POLICIES));
    keep(&harness, &fresh);
    for (int round = 0; round < 2; round++) {
        live(&harness, &answers);
        keep(&harness, &used);
        cr_expect_not(str_eq(buf_view(&fresh), buf_view(&used)));
        cr_assert_eq(engine_anew(harness.engine), PDP_ERR_OK);
        keep(&harness, &anew);
        cr_expect(str_eq(buf_view(&fresh), buf_view(&anew)));
    }
    buf_fini(&fresh);
    buf_fini(&used);
    buf_fini(&anew);
    buf_fini(&answers);
    harness_fini(&harness);
}

Test(engine_anew, forgets_thousands_and_nothing)
{
    struct harness harness = {0};
    char text[400];
    cr_assert(harness_load(&harness, POLICIES));
    cr_assert_eq(engine_anew(harness.engine), PDP_ERR_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3000; i++) {
            snprintf(
                text, sizeof text,
                "{'subject': {'type': 'user', 'id': 'u%d'}, 'action': {'name': 'GET'}, 'resource': {'type': "
                "'route', 'id': '/x'}, 'context': {'session': {'id': 's%d', 'auth_time': 1795420800}}}",
                i, i);
            harness_ask(&harness, HARNESS_NOW, text);
            cr_assert_str_eq(harness_effect(&harness), "allow/policy", "%d", i);
        }
        struct session_stats stats;
        session_stats(engine_sessions(harness.engine), &stats);
        cr_expect_eq(stats.sessions, 3000);
        cr_assert_eq(engine_anew(harness.engine), PDP_ERR_OK);
        session_stats(engine_sessions(harness.engine), &stats);
        cr_expect_eq(stats.sessions, 0);
    }
    harness_fini(&harness);
}
