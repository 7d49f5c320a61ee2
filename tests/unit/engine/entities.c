// SPDX-License-Identifier: Apache-2.0
// What Entities documents store, where it fills in what questions leave out.
#include "engine/controls.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char FOLDER[] =
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Entities\n"
    "metadata: {name: users}\n"
    "type: user\n"
    "attributes: fill\n"
    "ids: lists.staff\n"
    "entities:\n"
    "  - {id: alice, properties: {roles: [chief], department: Sales, home: {city: Bonn}, gone: ~}}\n"
    "  - {id: mallory, properties: {suspended: true}}\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Entities\n"
    "metadata: {name: guests}\n"
    "type: user\n"
    "entities: [{id: guest, properties: {department: Sales}}]\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Entities\n"
    "metadata: {name: robots}\n"
    "type: robot\n"
    "entities: [{id: r2, properties: {department: Sales}}]\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Entities\n"
    "metadata: {name: routes}\n"
    "type: route\n"
    "attributes: fill\n"
    "entities: [{id: /files/a, properties: {owner: alice}}]\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: List\n"
    "metadata: {name: staff}\n"
    "type: string\n"
    "entries: [bob, alice]\n"
    "max_age: 1h\n"
    "updated: 2026-11-23T07:30:00Z\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Definitions\n"
    "metadata: {name: d}\n"
    "roles: {chief: [clerk]}\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Policy\n"
    "metadata: {name: p}\n"
    "rules:\n"
    "  - {id: sales, effect: allow, actions: [sell], when: subject.department == \"Sales\"}\n"
    "  - {id: clerks, effect: allow, actions: [file], when: '\"clerk\" in subject.roles'}\n"
    "  - {id: home, effect: allow, actions: [rest], when: subject.home.city == \"Bonn\"}\n"
    "  - {id: all, effect: allow, actions: [count], when: size(subject.properties) == 3}\n"
    "  - {id: deep, effect: allow, actions: [deep], when: subject.properties.home.city == \"Bonn\"}\n"
    "  - {id: walk, effect: allow, actions: [walk]}\n"
    "  - {id: suspended, effect: deny, actions: [walk], when: has(subject.suspended)}\n"
    "  - {id: owner, effect: allow, actions: [read], when: resource.owner == subject.id}\n"
    "  - {id: gone, effect: allow, actions: [gone], when: has(subject.gone)}\n";

static const struct {
    const char *who, *sent, *action, *resource, *effect;
} CASES[] = {
    {"alice", "", "sell", "/x", "allow/policy"},
    {"alice", "'department': 'HR'", "sell", "/x", "deny/no-rule"}, // what is sent wins
    {"alice", "'department': null", "sell", "/x", "allow/policy"},
    {"alice", "'home': {'street': 'x'}", "rest", "/x", "deny/unsure"}, // whole: nothing is merged below
    {"alice", "", "rest", "/x", "allow/policy"},
    {"alice", "'department': 'HR', 'more': 1", "count", "/x",
     "deny/no-rule"}, // roles, department, home, more
    {"alice", "'department': 'HR'", "count", "/x", "allow/policy"},
    {"alice", "", "deep", "/x", "allow/policy"},
    {"alice", "", "file", "/x", "allow/policy"}, // roles bring others along
    {"alice", "'roles': []", "file", "/x", "deny/no-rule"},
    {"alice", "", "gone", "/x", "deny/no-rule"}, // null is missing
    {"bob", "", "sell", "/x", "deny/unsure"},    // only a List names him: known, and without properties
    {"bob", "", "walk", "/x", "allow/policy"},
    {"mallory", "", "walk", "/x", "deny/policy"},
    {"carol", "", "walk", "/x", "deny/unsure"}, // who is not known may be suspended
    {"carol", "", "sell", "/x", "deny/unsure"},
    {"carol", "'department': 'Sales'", "sell", "/x", "allow/policy"},
    {"carol", "'suspended': null", "walk", "/x", "deny/unsure"},
    {"guest", "", "sell", "/x", "deny/unsure"}, // a document that does not fill makes nobody known
    {"alice", "", "read", "/files/a", "allow/policy"},
    {"alice", "", "read", "/files/%61?x=1", "allow/policy"}, // by the canonical path
    {"bob", "", "read", "/files/a", "deny/no-rule"},
    {"alice", "", "read", "/files/b", "deny/unsure"},
};

static void ask(struct harness *h, const char *type, size_t i, int64_t now_ms)
{
    char json[512];
    snprintf(json, sizeof json,
             "{'subject': {'type': '%s', 'id': '%s', 'properties': {%s}}, 'action': {'name': '%s'}, "
             "'resource': {'type': 'route', 'id': '%s'}}",
             type, CASES[i].who, CASES[i].sent, CASES[i].action, CASES[i].resource);
    harness_ask(h, now_ms, json);
}

Test(engine_entities, fill_in_what_is_left_out)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        ask(&h, "user", i, HARNESS_NOW);
        cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%zu %s {%s} %s\n" STR_FMT, i, CASES[i].who,
                         CASES[i].sent, CASES[i].action, STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}

Test(engine_entities, say_nothing_of_types_that_they_do_not_fill)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    harness_ask(&h, HARNESS_NOW,
                "{'subject': {'type': 'robot', 'id': 'r2'}, 'action': {'name': 'sell'}, 'resource': {'type': "
                "'x', 'id': 'y'}}");
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`subject.department` is missing\"]");
    harness_ask(&h, HARNESS_NOW,
                "{'subject': {'type': 'robot', 'id': 'r3'}, 'action': {'name': 'walk'}, 'resource': {'type': "
                "'x', 'id': 'y'}}");
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_fini(&h);
}

Test(engine_entities, who_is_not_known_is_said)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    ask(&h, "user", 14, HARNESS_NOW);
    cr_expect_str_eq(harness_get(&h, "context.missing"),
                     "[\"the subject is in no Entities document that would fill in what is not sent\"]");
    harness_fini(&h);
}

// A List that is stale makes nobody known any more.
Test(engine_entities, a_stale_list_knows_nobody)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    ask(&h, "user", 12, HARNESS_NOW);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    ask(&h, "user", 12, HARNESS_NOW + 3600000);
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    harness_fini(&h);
}

// What a peer may not say is not sent; what is stored needs no grant.
Test(engine_entities, are_the_deployments_word)
{
    static const struct {
        uint32_t without;
        size_t which;
        const char *effect;
    } GRANTS[] = {
        {GRANT_ASSERT_SUBJECT, 0, "allow/policy"},
        {GRANT_ASSERT_SUBJECT, 1, "allow/policy"}, // `HR` is not heard
        {GRANT_ASSERT_SUBJECT, 16, "deny/unsure"}, // nor is `Sales`
        {GRANT_ASSERT_ROLES, 9, "allow/policy"},   // nor that there are no roles
        {GRANT_ASSERT_ROLES | GRANT_ASSERT_SUBJECT, 8, "allow/policy"},
        {GRANT_ASSERT_ROLES, 5, "allow/policy"}, // the whole map: what is sent of it is not heard
    };
    struct harness h = {0};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(GRANTS); i++) {
        h.peer.grants = GRANT_ALL & ~GRANTS[i].without;
        ask(&h, "user", GRANTS[i].which, HARNESS_NOW);
        cr_expect_str_eq(harness_effect(&h), GRANTS[i].effect, "%zu: " STR_FMT, i,
                         STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}

// A lock on a role is met by whoever has it, whether that is sent or stored; who is not known may have it.
Test(engine_entities, are_met_by_locks)
{
    static const struct {
        size_t which;
        const char *effect;
    } MET[] = {{8, "deny/locked"}, {9, "deny/no-rule"}, {12, "deny/unsure"}, {16, "deny/unsure"}};
    struct harness h = {0};
    struct control *control = NULL;
    const char *why = NULL;
    struct control spec = {.target = {.kind = CONTROL_ROLE, .value = STR("clerk")},
                           .effect = PDP_EFFECT_DENY,
                           .author = STR("ann"),
                           .reason = STR("incident"),
                           .created_ms = HARNESS_NOW - 1000,
                           .expires_ms = HARNESS_NOW + 3600000};
    cr_assert(harness_load(&h, FOLDER), "%s", (const char *)h.said.at);
    cr_assert_eq(engine_control_make(h.engine, &spec, &control, &why), PDP_ERR_OK, "%s", why);
    cr_assert_eq(engine_controls_add(h.engine, &control, 1), PDP_ERR_OK);
    control_drop(&control);
    for (size_t i = 0; i < COUNT_OF(MET); i++) {
        ask(&h, "user", MET[i].which, HARNESS_NOW);
        cr_expect_str_eq(harness_effect(&h), MET[i].effect, "%zu: " STR_FMT, i, STR_ARG(buf_view(&h.answer)));
    }
    harness_ask(&h, HARNESS_NOW,
                "{'search': 'subject', 'subject': {'type': 'user'}, 'action': {'name': 'walk'}, 'resource': "
                "{'type': 'x', 'id': 'y'}}");
    cr_expect_str_eq(harness_get(&h, "results"), "[]", STR_FMT, STR_ARG(buf_view(&h.answer)));
    harness_fini(&h);
}
