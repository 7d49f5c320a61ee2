// SPDX-License-Identifier: Apache-2.0
// A snapshot that is too old to decide by denies, ends nothing, and no answer outlives it.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char POLICY[] = HEAD(
    "Policy", "p") "rules:\n"
                   "  - {id: read, effect: allow, actions: [GET]}\n"
                   "  - {id: ask, effect: step_up, actions: [PUT], require: {strength: mfa}}\n"
                   "  - {id: end, effect: terminate, actions: [DELETE]}\n" HEAD(
                       "Strengths", "s") "levels: [{name: mfa, proves: 'false', ask: {acr_values: [a]}}]\n";

static void load(struct harness *h, int64_t expires_ms)
{
    struct engine_config config = {.key = {11, 22}, .id_prefix = 7};
    struct snapshot_file file = {.name = STR("p/p.yaml"), .text = STR("")};
    file.text = str_of(POLICY);
    struct snapshot_input input = {
        .files = &file, .file_count = 1, .now_ms = HARNESS_NOW, .expires_ms = expires_ms};
    AUTO(diags_fini) struct diags diags;
    struct snapshot *snapshot = NULL;
    h->peer = (struct peer){.name = STR("test"), .hash = 5, .grants = GRANT_ALL};
    arena_init(&h->arena, 0, 0);
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot);
    diags_render(&diags, &h->said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&h->said)));
    cr_assert_eq(engine_new(&config, &h->engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(h->engine, &h->worker), PDP_ERR_OK);
    engine_publish(h->engine, &snapshot);
}

static const char *ask(struct harness *h, const char *action, int64_t now_ms)
{
    char json[400];
    int len =
        snprintf(json, sizeof json,
                 "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': '%s'}, 'resource': "
                 "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': 's', 'auth_time': %lld}}}",
                 action, (long long)(HARNESS_NOW / 1000));
    cr_assert(len > 0 && (size_t)len < sizeof json);
    harness_ask(h, now_ms, json);
    return harness_effect(h);
}

#define LATER (HARNESS_NOW + 60000)

static const struct {
    const char *name;
    int64_t expires_ms;
    const char *action;
    int64_t now_ms;
    const char *answer;
} CASES[] = {
    {"never", 0, "GET", LATER, "allow/policy"},
    {"before", LATER, "GET", LATER - 1, "allow/policy"},
    {"at once", LATER, "GET", LATER, "deny/stale"},
    {"after", LATER, "GET", LATER + 1, "deny/stale"},
    {"asks for nothing", LATER, "PUT", LATER, "deny/stale"},
    {"ends nothing", LATER, "DELETE", LATER, "deny/stale"},
    {"ends it before", LATER, "DELETE", LATER - 1, "terminate/policy"},
};

Test(engine_expiry, denies_from_then_on)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct harness h = {0};
        load(&h, CASES[i].expires_ms);
        cr_expect_str_eq(ask(&h, "GET", HARNESS_NOW), "allow/policy", "%s: begins", CASES[i].name);
        const char *answer = ask(&h, CASES[i].action, CASES[i].now_ms);
        cr_expect_str_eq(answer, CASES[i].answer, "%s: %s", CASES[i].name, answer);
        harness_fini(&h);
    }
}

Test(engine_expiry, no_answer_outlives_it)
{
    struct harness h = {0};
    load(&h, LATER);
    cr_expect_str_eq(ask(&h, "GET", LATER - 5000), "allow/policy");
    const char *until = harness_get(&h, "context.valid.until");
    cr_expect(until[0] != '\0' && strtoll(until, NULL, 10) * 1000 <= LATER, "%s", until);
    harness_fini(&h);
}
