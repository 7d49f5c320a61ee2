// SPDX-License-Identifier: Apache-2.0
// The three searches: who, what, and how, as a message and its answer.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

// The certification scenario of AuthZEN 1.0: what is stored is said of candidates alone.
static const char SCENARIO[] = HEAD(
    "Policy", "records") "target: resource.type == \"record\"\n"
                         "rules:\n"
                         "  - {id: read, effect: allow, actions: [read]}\n"
                         "  - id: write\n"
                         "    effect: allow\n"
                         "    actions: [write]\n"
                         "    when: >-\n"
                         "      has(subject.role) && subject.role == \"admin\" ||\n"
                         "      subject.id == \"alice\" && resource.status != \"archived\"\n"
                         "  - id: delete\n"
                         "    effect: allow\n"
                         "    actions: [delete]\n"
                         "    when: subject.id == \"alice\" && action.soft\n" HEAD(
                             "Entities",
                             "users") "type: user\nentities: [alice, {id: bob, properties: {role: "
                                      "admin}}]\n" HEAD("Entities",
                                                        "records") "type: record\n"
                                                                   "entities:\n"
                                                                   "  - {id: record-1, properties: {status: "
                                                                   "active}}\n"
                                                                   "  - {id: record-2, properties: {status: "
                                                                   "archived}}\n"
                                                                   "actions: [read, write, {name: delete, "
                                                                   "properties: {soft: true}}]\n";

// The results of the last answer as one line.
static const char *results(struct harness *h)
{
    static char line[4096];
    const struct value *list = value_get(&h->root, STR("results"));
    line[0] = '\0';
    if (list == NULL || list->kind != VALUE_LIST) {
        return harness_effect(h);
    }
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *id = value_get(&list->as.list[i], STR("id"));
        id = id != NULL ? id : value_get(&list->as.list[i], STR("name"));
        size_t at = strlen(line);
        snprintf(line + at, sizeof line - at, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(value_text(id)));
    }
    return line;
}

static const struct {
    const char *name, *message, *results;
} SEARCHES[] = {
    {"S1",
     "{'search': 'subject', 'subject': {'type': 'user'}, 'action': {'name': 'read'}, 'resource': {'type': "
     "'record', 'id': 'record-1'}}",
     "alice bob"},
    {"S2",
     "{'search': 'resource', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'read'}, "
     "'resource': {'type': 'record'}}",
     "record-1 record-2"},
    {"S3",
     "{'search': 'action', 'subject': {'type': 'user', 'id': 'alice'}, 'resource': {'type': 'record', 'id': "
     "'record-1', 'properties': {'status': 'active'}}}",
     "delete read write"},
    {"S4",
     "{'search': 'subject', 'subject': {'type': 'user'}, 'action': {'name': 'write'}, 'resource': {'type': "
     "'record', 'id': 'record-2', 'properties': {'status': 'archived'}}}",
     "bob"},
    {"S5",
     "{'search': 'resource', 'subject': {'type': 'user', 'id': 'bob', 'properties': {'role': 'admin'}}, "
     "'action': {'name': 'write'}, 'resource': {'type': 'record'}}",
     "record-1 record-2"},
    {"S6",
     "{'search': 'action', 'subject': {'type': 'user', 'id': 'bob', 'properties': {'role': 'admin'}}, "
     "'resource': {'type': 'record', 'id': 'record-2', 'properties': {'status': 'archived'}}}",
     "read write"},
    {"what is stored drives no question: bob is no admin who does not say so",
     "{'search': 'action', 'subject': {'type': 'user', 'id': 'bob'}, 'resource': {'type': 'record', 'id': "
     "'record-1'}}",
     "read"},
    {"the id of what is searched is not read",
     "{'search': 'subject', 'subject': {'type': 'user', 'id': 7}, 'action': {'name': 'read'}, 'resource': "
     "{'type': 'record', 'id': 'record-1'}}",
     "alice bob"},
    {"nor the action",
     "{'search': 'action', 'action': 'x', 'subject': {'type': 'user', 'id': 'alice'}, 'resource': {'type': "
     "'record', 'id': 'nowhere'}}",
     "delete read"},
    {"what is sent of what is searched wins over what is stored",
     "{'search': 'resource', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'write'}, "
     "'resource': {'type': 'record', 'properties': {'status': 'active'}}}",
     "record-1 record-2"},
    {"an unknown type",
     "{'search': 'subject', 'subject': {'type': 'robot'}, 'action': {'name': 'read'}, 'resource': {'type': "
     "'record', 'id': 'record-1'}}",
     ""},
    {"an unknown id",
     "{'search': 'resource', 'subject': {'type': 'user', 'id': 'carol'}, 'action': {'name': 'write'}, "
     "'resource': {'type': 'record'}}",
     ""},
};

Test(engine_search, finds_what_would_be_allowed)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, SCENARIO), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(SEARCHES); i++) {
        harness_ask(&h, HARNESS_NOW, SEARCHES[i].message);
        cr_expect_str_eq(results(&h), SEARCHES[i].results, "%s: %s\n" STR_FMT, SEARCHES[i].name, results(&h),
                         STR_ARG(buf_view(&h.answer)));
    }
    harness_fini(&h);
}
