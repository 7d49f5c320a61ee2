// SPDX-License-Identifier: Apache-2.0
// A budget of step-ups: medium begins where few enough recent questions score.
#include "engine/worker.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW (HARNESS_NOW / RECENT_EPOCH_MS * RECENT_EPOCH_MS)

static const char MODEL[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n---\n"
    "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: m}\nprior: -3.4\n"
    "signals: {external: {}, anonymous-network: {on_missing: score, missing_evidence: 2}}\n"
    "thresholds: {%s, high: 60, critical: 85}\n";

static void load(struct harness *h, const char *medium)
{
    char text[600];
    *h = (struct harness){0};
    (void)snprintf(text, sizeof text, MODEL, medium);
    cr_assert(harness_load(h, text), STR_FMT, STR_ARG(buf_view(&h->said)));
}

// The level of a question that scores 3, or 20 where it does not say from where it comes.
static struct str ask(struct harness *h, int64_t now_ms, unsigned n, bool blank, bool probe)
{
    char text[500];
    (void)snprintf(
        text, sizeof text,
        "{'subject': {'type': 'user', 'id': 'u%u'}, 'action': {'name': 'GET'}, 'resource': {'type': "
        "'x', 'id': 'y'}, 'context': {%s%s'session': {'id': 's%u', 'auth_time': %lld}}}",
        n, probe ? "'purpose': 'probe', " : "", blank ? "" : "'network': {'ip': '203.0.113.9'}, ", n,
        (long long)(NOW / 1000));
    harness_ask(h, now_ms, text);
    const struct value *risk = value_get(value_get(&h->root, STR("context")), STR("risk"));
    const struct value *level = value_get(risk, STR("level"));
    cr_assert(level != NULL && level->kind == VALUE_STRING);
    return value_text(level);
}

static void fill(struct harness *h, bool probe)
{
    for (unsigned n = 0; n < 1200; n++) {
        (void)ask(h, NOW + n, n, false, probe);
    }
}

Test(engine_budget, medium_is_where_few_enough_score)
{
    struct harness h;
    load(&h, "budget: 1%");
    fill(&h, false);
    cr_expect(str_eq(ask(&h, NOW + RECENT_EPOCH_MS, 5000, true, true), STR("low")), "30 holds");
    cr_expect(str_eq(ask(&h, NOW + 2 * RECENT_EPOCH_MS, 5000, true, true), STR("medium")));
    cr_expect(str_eq(ask(&h, NOW + 2 * RECENT_EPOCH_MS, 5001, false, true), STR("low")), "never below least");
    harness_fini(&h);
}

Test(engine_budget, probes_and_models_without_one_feed_nothing)
{
    struct harness h;
    load(&h, "budget: 1%");
    fill(&h, true);
    cr_expect(str_eq(ask(&h, NOW + 2 * RECENT_EPOCH_MS, 5000, true, true), STR("low")));
    harness_fini(&h);
    load(&h, "medium: 30");
    fill(&h, false);
    cr_expect(str_eq(ask(&h, NOW + 2 * RECENT_EPOCH_MS, 5000, true, true), STR("low")));
    harness_fini(&h);
}
