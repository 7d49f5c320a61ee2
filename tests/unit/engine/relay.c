// SPDX-License-Identifier: Apache-2.0
#include "engine/relay.h"

#include "support/harness.h"

#include "engine/quarantine.h"

#include <criterion/criterion.h>

static const char POLICY[] = "apiVersion: pdp/v1\n"
                             "kind: Policy\n"
                             "metadata: {name: web}\n"
                             "target: 'true'\n"
                             "rules:\n"
                             "  - id: edge\n"
                             "    effect: allow\n"
                             "    when: gateway == \"edge-1\" || gateway == \"edge-2\"\n"
                             "  - id: hr\n"
                             "    effect: allow\n"
                             "    when: '\"hr\" in subject.roles'\n";

#define QUESTION(more)                                                                                 \
    "{" more                                                                                           \
    "'subject': {'type': 'user', 'id': 'alice', 'properties': {'roles': ['hr']}}, 'action': {'name': " \
    "'GET'}, 'resource': {'type': 'file', 'id': 'a'}}"

static const struct str ACME[] = {{"acme", 4}};
static const struct str OTHERS[] = {{"acme", 4}, {"umbrella", 8}};

// edge-1 may ask, edge-2 may ask for two tenants and assert nothing, edge-3 may do nothing, all else is not
// said.
static bool relayed(void *user, struct str gateway, struct peer *out)
{
    (void)user;
    *out = (struct peer){.grants = GRANT_ALL | GRANT_RELAY};
    if (str_eq(gateway, STR("edge-1"))) {
        return true;
    }
    if (str_eq(gateway, STR("edge-2"))) {
        *out = (struct peer){.grants = GRANT_ASK, .tenants = OTHERS, .tenant_count = 2};
        return true;
    }
    *out = (struct peer){0};
    return str_eq(gateway, STR("edge-3"));
}

static const struct {
    const char *name;
    uint32_t grants;                         // of the peer that asks
    size_t tenants;                          // of those in ACME
    const char *question, *answer, *gateway; // gateway: what the policy saw, where it tells
} CASES[] = {
    {"nobody is asked for", GRANT_ALL, 0, QUESTION(""), "allow/policy", "web/hr"},
    {"without the grant", GRANT_ALL, 0, QUESTION("'gateway': 'edge-1', "), "deny/malformed", NULL},
    {"null is nobody", GRANT_ALL, 0, QUESTION("'gateway': null, "), "allow/policy", "web/hr"},
    {"a gateway by its entry", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': 'edge-1', "), "allow/policy",
     "web/edge"},
    {"what its entry does not let it assert", GRANT_ALL | GRANT_RELAY, 0,
     QUESTION("'gateway': 'edge-2', 'tenant': 'acme', "), "allow/policy", "web/edge"},
    {"another tenant", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': 'edge-2', 'tenant': 'wayne', "),
     "deny/malformed", NULL},
    {"a tenant that only the gateway may speak for", GRANT_ALL | GRANT_RELAY, 1,
     QUESTION("'gateway': 'edge-2', 'tenant': 'umbrella', "), "deny/malformed", NULL},
    {"a tenant that both may speak for", GRANT_ALL | GRANT_RELAY, 1,
     QUESTION("'gateway': 'edge-2', 'tenant': 'acme', "), "allow/policy", "web/edge"},
    {"one that may do nothing", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': 'edge-3', "),
     "deny/malformed", NULL},
    {"never more than the peer", GRANT_ASK | GRANT_RELAY, 0, QUESTION("'gateway': 'edge-9', "), "deny/unsure",
     NULL},
    {"one of whom nothing is said", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': 'edge-9', "),
     "allow/policy", "web/hr"},
    {"no text", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': 7, "), "deny/malformed", NULL},
    {"empty", GRANT_ALL | GRANT_RELAY, 0, QUESTION("'gateway': '', "), "deny/malformed", NULL},
};

Test(engine_relay, a_gateway_may_do_what_its_entry_says_and_never_more_than_who_asks)
{
    struct harness harness = {0};
    cr_assert(harness_load(&harness, POLICY), STR_FMT, STR_ARG(buf_view(&harness.said)));
    harness.engine->config.relayed = relayed;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        harness.peer.grants = CASES[i].grants;
        harness.peer.tenants = ACME;
        harness.peer.tenant_count = CASES[i].tenants;
        harness_ask(&harness, HARNESS_NOW, CASES[i].question);
        cr_expect_str_eq(harness_effect(&harness), CASES[i].answer, "%s: %s, %s", CASES[i].name,
                         harness_effect(&harness), harness_get(&harness, "context.error.message"));
        cr_expect_str_eq(harness_get(&harness, "context.rule"),
                         CASES[i].gateway != NULL ? CASES[i].gateway : "", "%s", CASES[i].name);
    }
    harness_fini(&harness);
}

Test(engine_relay, quarantine_is_of_the_gateway_and_of_who_asks_for_it)
{
    struct harness harness = {0};
    uint64_t seq = 0;
    cr_assert(harness_load(&harness, POLICY));
    harness.engine->config.relayed = relayed;
    harness.peer.grants = GRANT_ALL | GRANT_RELAY;
    struct quarantined who = {
        .peer = STR("edge-9"), .by = STR("ann"), .reason = STR("stolen"), .at_ms = HARNESS_NOW};
    cr_assert_eq(engine_quarantine_add(harness.engine, &who, 0, &seq), PDP_ERR_OK);
    harness_ask(&harness, HARNESS_NOW, QUESTION("'gateway': 'edge-9', "));
    cr_expect_str_eq(harness_effect(&harness), "deny/unsure", "its roles are not believed");
    harness_ask(&harness, HARNESS_NOW, QUESTION("'gateway': 'edge-8', "));
    cr_expect_str_eq(harness_effect(&harness), "allow/policy");
    who.peer = harness.peer.name;
    cr_assert_eq(engine_quarantine_add(harness.engine, &who, 0, &seq), PDP_ERR_OK);
    harness_ask(&harness, HARNESS_NOW, QUESTION("'gateway': 'edge-8', "));
    cr_expect_str_eq(harness_effect(&harness), "deny/malformed");
    harness_fini(&harness);
}

Test(engine_relay, a_batch_and_an_event_are_the_gateways_too)
{
    struct harness harness = {0};
    cr_assert(harness_load(&harness, POLICY));
    harness.engine->config.relayed = relayed;
    harness.peer.grants = GRANT_ALL | GRANT_RELAY;
    harness_ask(&harness, HARNESS_NOW, "{'gateway': 'edge-1', 'evaluations': [" QUESTION("") "]}");
    cr_expect_not_null(memmem(harness.answer.at, harness.answer.len, "web/edge", strlen("web/edge")));
    harness_ask(
        &harness, HARNESS_NOW,
        "{'gateway': 'edge-2', 'tenant': 'acme', 'request_id': 'r', 'event': {'type': 'login', 'subject': "
        "{'type': 'user', 'id': 'alice'}, 'context': {'session': {'id': 's'}}}}");
    cr_expect_str_eq(harness_get(&harness, "context.error.field"), "event.type", "it may not issue");
    harness_fini(&harness);
}
