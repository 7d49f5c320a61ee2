// SPDX-License-Identifier: Apache-2.0
// Signals of a RiskModel's own, from a condition that reads a counter to the answer.
#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>

#include <stdio.h>

#define SECOND INT64_C(1000)
#define MODEL(more)                                                                                          \
    "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: m}\nprior: -3\nsignals: {external: {}}\nown:\n"   \
    "  - {id: bulk-export, when: 'counters.exported > 500.0', evidence: 6, half_life: 2h, because: a bulk, " \
    "on_missing: " more "}\n---\n"
#define COUNTER                                                                                      \
    "apiVersion: pdp/v1\nkind: Counter\nmetadata: {name: exported}\nkey: [subject.id]\nwindow: 1h\n" \
    "add: context.rows\n---\n"
#define ALL "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n"
#define REST COUNTER ALL "  - {id: risky, effect: deny, when: 'risk.level >= level(\"high\")'}\n"

static void load(struct harness *h, const char *yaml)
{
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

static void ask(struct harness *h, int64_t at_ms, const char *rows, const char *effect)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'export'}, 'resource': "
                   "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': 's1', 'auth_time': "
                   "1795420800}, 'rows': %s}}",
                   rows);
    harness_ask(h, HARNESS_NOW + at_ms, text);
    cr_expect_str_eq(harness_effect(h), effect, "%s\n" STR_FMT, rows, STR_ARG(buf_view(&h->answer)));
}

static bool says(const struct harness *h, const char *text)
{
    return str_find(buf_view(&h->answer), str_of(text), 0) != SIZE_MAX;
}

Test(engine_own, a_counter_raises_the_risk_and_the_session_remembers)
{
    struct harness h = {0};
    load(&h, MODEL("skip") REST);
    ask(&h, 0, "100", "allow/policy");
    cr_expect(!says(&h, "bulk-export"));
    ask(&h, SECOND, "1000", "deny/policy");
    cr_expect(says(&h, "bulk-export"));
    ask(&h, 2 * SECOND, "1", "deny/policy"); // the refused one did not count, but it is remembered
    cr_expect(says(&h, "bulk-export"));
    load(&h, MODEL("skip") REST);
    ask(&h, 3 * SECOND, "1", "deny/policy");
    harness_fini(&h);
}

Test(engine_own, an_unsure_condition_is_as_the_model_says)
{
    static const struct {
        const char *yaml, *effect;
        bool said;
    } ROWS[] = {{MODEL("skip") REST, "allow/policy", false},
                {MODEL("score") REST, "deny/policy", true},
                {MODEL("deny") COUNTER ALL, "deny/unsure", true}};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct harness h = {0};
        load(&h, ROWS[i].yaml);
        ask(&h, 0, "'many'", ROWS[i].effect);
        cr_expect_eq(says(&h, "bulk-export"), ROWS[i].said, "%zu" STR_FMT, i, STR_ARG(buf_view(&h.answer)));
        harness_fini(&h);
    }
}

Test(engine_own, a_pardon_of_its_name_sets_it_aside)
{
    struct harness h = {0};
    load(&h, MODEL("skip") REST);
    ask(&h, 0, "1000", "deny/policy");
    struct control *control = NULL;
    const char *why = NULL;
    struct control spec = {.target = {.kind = CONTROL_ALL, .value = STR("")},
                           .pardon = true,
                           .effect = PDP_EFFECT_ALLOW,
                           .signals = STR("bulk-export"),
                           .created_ms = HARNESS_NOW + 2 * SECOND,
                           .expires_ms = HARNESS_NOW + 900 * SECOND,
                           .author = STR("alice"),
                           .reason = STR("false alarm")};
    cr_assert_eq(engine_control_make(h.engine, &spec, &control, &why), PDP_ERR_OK);
    cr_assert_eq(engine_controls_add(h.engine, &control, 1), PDP_ERR_OK);
    control_drop(&control);
    ask(&h, 5 * SECOND, "1", "allow/policy");
    ask(&h, 6 * SECOND, "1000", "deny/policy"); // what comes after it counts
    harness_fini(&h);
}
