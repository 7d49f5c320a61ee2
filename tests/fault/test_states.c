// SPDX-License-Identifier: Apache-2.0
// Each named exceptional state, forced: it denies, says its code, is counted, and passes.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTE INT64_C(60000)
#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char ALLOW_ALL[] = HEAD("Policy", "p") "rules: [{id: all, effect: allow}]\n";

static void start(struct harness *h, uint64_t sessions_max, uint32_t creations_per_minute, const char *yaml)
{
    struct engine_config config = {.key = {11, 22},
                                   .id_prefix = 7,
                                   .sessions_max = sessions_max,
                                   .creations_per_minute = creations_per_minute};
    h->peer = (struct peer){.name = STR("test"), .hash = 5, .grants = GRANT_ALL};
    arena_init(&h->arena, 0, 0);
    cr_assert_eq(engine_new(&config, &h->engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(h->engine, &h->worker), PDP_ERR_OK);
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

static const char *ask(struct harness *h, int64_t now_ms, const char *session, const char *properties)
{
    char json[20000];
    char context[256] = "";
    if (session[0] != '\0') {
        snprintf(context, sizeof context, ", 'context': {'session': {'id': '%s', 'auth_time': 1795420800}}",
                 session);
    }
    int len =
        snprintf(json, sizeof json,
                 "{'subject': {'type': 'user', 'id': 'u-%s', 'properties': {%s}}, 'action': {'name': 'GET'}, "
                 "'resource': {'type': 'route', 'id': '/a'}%s}",
                 session, properties, context);
    cr_assert(len > 0 && (size_t)len < sizeof json);
    harness_ask(h, now_ms, json);
    return harness_effect(h);
}

static uint64_t counted(struct harness *h, enum pdp_code code)
{
    struct engine_counts counts;
    engine_count(h->engine, &counts);
    return counts.codes[code];
}

Test(fault_states, table_full)
{
    struct harness h = {0};
    char id[32];
    unsigned allowed = 0;
    start(&h, 64, 0, ALLOW_ALL);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "s%u", i);
        const char *effect = ask(&h, HARNESS_NOW, id, "");
        bool allow = strcmp(effect, "allow/policy") == 0;
        cr_expect(allow || strcmp(effect, "deny/overloaded") == 0, "%s", effect);
        allowed += allow;
    }
    cr_expect(allowed >= 32 && allowed <= 64, "%u", allowed);
    cr_expect_eq(counted(&h, PDP_CODE_OVERLOADED), 200 - allowed);
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, "s0", ""), "allow/policy", "who is in stays in");
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, "", ""), "allow/policy", "without a session nothing is stored");
    // A full table can still end a session, and what is ended stays ended.
    struct session_view view;
    bool known = false;
    cr_expect_eq(session_end(engine_sessions(h.engine), STR("s0"), PDP_CODE_LOCKED, HARNESS_NOW + 2,
                             HARNESS_NOW + 1000 * MINUTE, &view, &known),
                 PDP_ERR_OK);
    cr_expect(known);
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 3, "s0", ""), "terminate/terminated");
    harness_fini(&h);
}

Test(fault_states, creations_capped)
{
    struct harness h = {0};
    start(&h, 0, 2, ALLOW_ALL);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "allow/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "b", ""), "allow/policy");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "c", ""), "deny/overloaded");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "allow/policy");
    h.peer.hash = 6;
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "d", ""), "allow/policy", "each peer has its own");
    h.peer.hash = 5;
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 2 * MINUTE, "c", ""), "allow/policy");
    cr_expect_eq(counted(&h, PDP_CODE_OVERLOADED), 1);
    harness_fini(&h);
}

Test(fault_states, no_snapshot)
{
    struct harness h = {0};
    cr_expect_not(harness_load(&h, "kind: ["));
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "deny/stale");
    cr_expect_eq(counted(&h, PDP_CODE_STALE), 1);
    cr_assert(harness_load(&h, ALLOW_ALL));
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "allow/policy");
    harness_fini(&h);
}

Test(fault_states, no_geo)
{
    static const char *const NOWHERE[] = {"no/such/file.mmdb", "CMakeLists.txt", NULL};
    struct harness h = {0};
    cr_assert(
        harness_load_geo(
            &h,
            HEAD("Policy", "p") "rules:\n  - {id: all, effect: allow}\n  - {id: from, effect: terminate, "
                                "when: 'action.name == \"GET\" && geo.country == \"KP\"'}\n",
            NOWHERE),
        "%s", (const char *)h.said.at);
    cr_expect(strstr((const char *)h.said.at, "no/such/file.mmdb: warning: geo database not used: ") != NULL,
              "%s", (const char *)h.said.at);
    cr_expect(strstr((const char *)h.said.at, "CMakeLists.txt: warning: geo database not used: ") != NULL,
              "%s", (const char *)h.said.at);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "deny/unsure");
    cr_expect(strstr(harness_get(&h, "context.missing"), "`geo.country` is missing") != NULL);
    harness_fini(&h);
}

// Text that doubles with every variable, as far as may be loaded: a question of 16 KB would take 64 MB.
Test(fault_states, memory_of_one_message)
{
    struct harness h = {0};
    AUTO(buf_fini) struct buf yaml = {0}, text = {0};
    buf_printf(&yaml, HEAD("Policy", "p") "variables:\n  v0: subject.text + subject.text\n");
    for (int i = 1; i < 11; i++) {
        buf_printf(&yaml, "  v%d: vars.v%d + vars.v%d\n", i, i - 1, i - 1);
    }
    buf_printf(&yaml, "rules:\n  - {id: all, effect: allow}\n  - {id: long, effect: terminate, when: "
                      "'vars.v10 != \"x\"'}\n");
    buf_byte(&yaml, '\0');
    buf_printf(&text, "'text': '%016000d'", 0);
    buf_byte(&text, '\0');
    start(&h, 0, 0, (const char *)yaml.at);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", "'text': ''"), "deny/policy", "a first sight ends nothing");
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", (const char *)text.at), "deny/unsure");
    cr_expect(strstr(harness_get(&h, "context.missing"), "out of memory") != NULL ||
                  strstr(harness_get(&h, "context.missing"), "too much work") != NULL,
              STR_FMT, STR_ARG(buf_view(&h.answer)));
    cr_assert(harness_load(&h, ALLOW_ALL));
    cr_expect_str_eq(ask(&h, HARNESS_NOW + 1, "a", "'text': ''"), "allow/policy", "and it passes");
    harness_fini(&h);
}

// Many signals, rules and missing things: answers stay bounded and right.
Test(fault_states, thousands_of_deciding_rules)
{
    struct harness h = {0};
    AUTO(buf_fini) struct buf yaml = {0};
    buf_printf(&yaml, HEAD("Policy", "p") "rules:\n  - {id: all, effect: allow}\n");
    for (int i = 0; i < 5000; i++) {
        buf_printf(&yaml,
                   "  - {id: r%d, effect: terminate, when: 'subject.x%d == 1', obligations: [{type: t%d}]}\n",
                   i, i, i);
    }
    buf_byte(&yaml, '\0');
    start(&h, 0, 0, (const char *)yaml.at);
    cr_expect_str_eq(ask(&h, HARNESS_NOW, "a", ""), "deny/unsure");
    cr_expect_lt(h.answer.len, (size_t)1 << 20, "%zu bytes", h.answer.len);
    harness_fini(&h);
}
