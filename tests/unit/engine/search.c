// SPDX-License-Identifier: Apache-2.0
// The three searches: who, what, and how, as a message and its answer.
#include "engine/record.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

// The certification scenario of AuthZEN 1.0: what is stored is said of candidates alone.
static const char SCENARIO[] = "---\n"
                               "apiVersion: pdp/v1\n"
                               "kind: Policy\n"
                               "metadata: {name: records}\n"
                               "target: resource.type == \"record\"\n"
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
                               "    when: subject.id == \"alice\" && action.soft\n"
                               "---\n"
                               "apiVersion: pdp/v1\n"
                               "kind: Entities\n"
                               "metadata: {name: users}\n"
                               "type: user\n"
                               "entities: [alice, {id: bob, properties: {role: admin}}]\n"
                               "---\n"
                               "apiVersion: pdp/v1\n"
                               "kind: Entities\n"
                               "metadata: {name: records}\n"
                               "type: record\n"
                               "entities:\n"
                               "  - {id: record-1, properties: {status: active}}\n"
                               "  - {id: record-2, properties: {status: archived}}\n"
                               "actions: [read, write, {name: delete, properties: {soft: true}}]\n";

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

// ---- What cannot be read -------------------------------------------------------------------------------

#define REST "'action': {'name': 'read'}, 'resource': {'type': 'record', 'id': 'record-1'}}"
static const struct {
    const char *message, *field, *says;
} MALFORMED[] = {
    {"{'search': 'people', 'subject': {'type': 'user'}, " REST, "search",
     "expected `subject`, `resource` or `action`"},
    {"{'search': true, 'subject': {'type': 'user'}, " REST, "search", "expected `subject`"},
    {"{'search': 'subject', " REST, "subject", "is missing"},
    {"{'search': 'subject', 'subject': {}, " REST, "subject.type", "is missing"},
    {"{'search': 'subject', 'subject': {'type': 7}, " REST, "subject.type", "expected text, found int"},
    {"{'search': 'subject', 'subject': 'user', " REST, "subject", "expected a map"},
    {"{'search': 'subject', 'subject': {'type': 'user'}, 'resource': {'type': 'record', 'id': 'x'}}",
     "action", "is missing"},
    {"{'search': 'subject', 'subject': {'type': 'user'}, 'action': {'name': 5}, 'resource': {'type': "
     "'record', 'id': 'x'}}",
     "action.name", "expected text"},
    {"{'search': 'resource', 'subject': {'type': 'user'}, 'action': {'name': 'read'}, 'resource': {'type': "
     "'record'}}",
     "subject.id", "is missing"},
    {"{'search': 'action', 'subject': {'type': 'user', 'id': 'alice'}, 'resource': {'type': 'record'}}",
     "resource.id", "is missing"},
    {"{'search': 'subject', 'event': {'type': 'login'}, 'subject': {'type': 'user'}, " REST, "event",
     "stands beside `search`"},
    {"{'search': 'subject', 'evaluations': [], 'subject': {'type': 'user'}, " REST, "evaluations",
     "stands beside `search`"},
    {"{'search': 'subject', 'hits': [], 'subject': {'type': 'user'}, " REST, "hits",
     "stands beside `search`"},
    {"{'search': 'subject', 'page': 3, 'subject': {'type': 'user'}, " REST, "page", "expected a map"},
    {"{'search': 'subject', 'page': {'limit': 0}, 'subject': {'type': 'user'}, " REST, "page.limit",
     "from 1 to 1000"},
    {"{'search': 'subject', 'page': {'limit': 2.0}, 'subject': {'type': 'user'}, " REST, "page.limit",
     "from 1 to 1000"},
    {"{'search': 'subject', 'page': {'token': 7}, 'subject': {'type': 'user'}, " REST, "page.token",
     "expected text"},
    {"{'search': 'subject', 'page': {'token': 'bm9uZQ=='}, 'subject': {'type': 'user'}, " REST, "page.token",
     "begin again"},
    {"{'search': 'subject', 'page': {'token': '!'}, 'subject': {'type': 'user'}, " REST, "page.token",
     "begin again"},
    {"{'search': 'subject', 'explain': 'all', 'subject': {'type': 'user'}, " REST, "explain",
     "expected `brief` or `full`"},
    {"{'search': 'subject', 'subject': {'type': 'user'}, 'action': {'name': 'read'}, 'resource': {'type': "
     "'route', 'id': '/a/../b'}}",
     "resource.id", "not a plain path"},
    {"{'evaluations': [{'search': 'subject', 'subject': {'type': 'user', 'id': 'alice'}, " REST "]}", "", ""},
};

Test(engine_search, says_what_is_wrong)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, SCENARIO), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(MALFORMED); i++) {
        harness_ask(&h, HARNESS_NOW, MALFORMED[i].message);
        if (MALFORMED[i].field[0] == '\0') { // an item of a batch
            cr_expect(strstr((const char *)h.answer.at, "is a message of its own") != NULL, STR_FMT,
                      STR_ARG(buf_view(&h.answer)));
            continue;
        }
        cr_expect_str_eq(harness_effect(&h), "deny/malformed", "%s", MALFORMED[i].message);
        cr_expect_str_eq(harness_get(&h, "decision"), "false");
        cr_expect_str_eq(harness_get(&h, "context.error.status"), "400");
        cr_expect_str_eq(harness_get(&h, "context.error.field"), MALFORMED[i].field, "%s\n" STR_FMT,
                         MALFORMED[i].message, STR_ARG(buf_view(&h.answer)));
        cr_expect(strstr(harness_get(&h, "context.error.message"), MALFORMED[i].says) != NULL, "%s\n" STR_FMT,
                  MALFORMED[i].message, STR_ARG(buf_view(&h.answer)));
        cr_expect(value_get(&h.root, STR("results")) == NULL);
    }
    harness_fini(&h);
}

Test(engine_search, asks_who_may_ask)
{
    struct harness h = {0};
    const struct str tenants[] = {STR("acme")};
    cr_assert(harness_load(&h, SCENARIO), "%s", (const char *)h.said.at);
    h.peer.tenants = tenants;
    h.peer.tenant_count = 1;
    harness_ask(&h, HARNESS_NOW,
                "{'search': 'subject', 'tenant': 'other', 'subject': {'type': 'user'}, " REST);
    cr_expect_str_eq(harness_get(&h, "context.error.field"), "tenant");
    harness_ask(&h, HARNESS_NOW,
                "{'search': 'subject', 'tenant': 'acme', 'subject': {'type': 'user'}, " REST);
    cr_expect_str_eq(results(&h), "alice bob");
    h.peer.tenant_count = 0;
    h.peer.grants = GRANT_ALL & ~(uint32_t)GRANT_ASK;
    harness_ask(&h, HARNESS_NOW, "{'search': 'subject', 'subject': {'type': 'user'}, " REST);
    cr_expect_str_eq(harness_get(&h, "context.error.field"), "peer");
    harness_fini(&h);
}

Test(engine_search, answers_in_the_form_of_the_message)
{
    struct harness h = {0};
    struct arena arena;
    struct value root;
    struct fault why;
    AUTO(buf_fini) struct buf cbor = {0};
    AUTO(buf_fini) struct buf out = {0};
    static const char JSON[] =
        "{\"search\": \"subject\", \"subject\": {\"type\": \"user\"}, \"action\": {\"name\": \"read\"},"
        "\"resource\": {\"type\": \"record\", \"id\": \"record-1\"}, \"page\": {\"limit\": 1}}";
    cr_assert(harness_load(&h, SCENARIO), "%s", (const char *)h.said.at);
    arena_init(&arena, 0, 0);
    cr_assert_eq(wire_decode(WIRE_JSON, str_of(JSON), &arena, &root, &why), PDP_ERR_OK);
    wire_canonical(&root, &cbor);
    engine_answer(h.worker, &h.peer, buf_view(&cbor), HARNESS_NOW, &out);
    cr_assert_eq(wire_decode(WIRE_CBOR, buf_view(&out), &arena, &root, &why), PDP_ERR_OK, "%s", why.what);
    cr_expect(
        value_is_text(value_get(&value_get(&root, STR("results"))->as.list[0], STR("id")), STR("alice")));
    cr_expect_eq(value_path(&root, STR("page.count"))->as.i, 1);
    cr_expect_gt(value_path(&root, STR("page.next_token"))->n, 0);
    arena_fini(&arena);
    harness_fini(&h);
}

Test(engine_search, denies_without_policies)
{
    struct engine *engine = NULL;
    struct worker *worker = NULL;
    AUTO(buf_fini) struct buf out = {0};
    const struct engine_config config = {.key = {1, 2}};
    const struct peer peer = {.name = STR("test"), .grants = GRANT_ALL};
    cr_assert_eq(engine_new(&config, &engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(engine, &worker), PDP_ERR_OK);
    engine_answer(worker, &peer,
                  STR("{\"search\": \"action\", \"subject\": {\"type\": \"u\", \"id\": \"a\"}, \"resource\": "
                      "{\"type\": \"r\", \"id\": \"b\"}}"),
                  HARNESS_NOW, &out);
    buf_byte(&out, '\0');
    cr_expect(strstr((const char *)out.at, "\"stale\"") != NULL &&
                  strstr((const char *)out.at, "503") != NULL,
              "%s", (const char *)out.at);
    worker_free(&worker);
    engine_free(&engine);
}

// ---- A probe ---------------------------------------------------------------------------------------------

static const char MOVING[] = "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Entities\n"
                             "metadata: {name: e}\n"
                             "type: doc\n"
                             "entities: [a, b, c]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Counter\n"
                             "metadata: {name: asked}\n"
                             "key: [subject.id]\n"
                             "window: 1h\n"
                             "on: any\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Policy\n"
                             "metadata: {name: p}\n"
                             "rules:\n"
                             "  - {id: read, effect: allow, when: resource.id != \"b\"}\n"
                             "  - {id: end, effect: terminate, when: resource.id == \"b\"}\n"
                             "  - {id: many, effect: deny, when: counters.asked > 3.0}\n";
#define IN_SESSION(id)                                                                                       \
    "'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'read'}, 'context': {'session': {'id': " \
    "'" id "', 'auth_time': 1795420700}}"

Test(engine_search, moves_nothing)
{
    struct harness h = {0};
    struct engine_counts counts;
    struct engine_rule_hits hits[4];
    cr_assert(harness_load(&h, MOVING), "%s", (const char *)h.said.at);
    for (int i = 0; i < 5; i++) {
        harness_ask(
            &h, HARNESS_NOW,
            "{'search': 'resource', 'request_id': 'one', 'resource': {'type': 'doc'}, " IN_SESSION("s1") "}");
        cr_expect_str_eq(results(&h), "a c");
        cr_expect_str_eq(harness_get(&h, "context.request_id"), "one");
    }
    cr_expect_eq(session_live(engine_sessions(h.engine)), 0);
    cr_expect_eq(engine_top_rules(h.engine, h.worker, hits, 4), 0);
    engine_count(h.engine, &counts);
    cr_expect_eq(counts.searches, 5);
    cr_expect_eq(counts.questions + counts.effects[PDP_EFFECT_ALLOW] + counts.effects[PDP_EFFECT_DENY], 0);
    // A session that is there is asked about, and goes on as it was.
    harness_ask(&h, HARNESS_NOW, "{" IN_SESSION("s1") ", 'resource': {'type': 'doc', 'id': 'a'}}");
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW + 1000,
                "{'search': 'resource', 'resource': {'type': 'doc'}, " IN_SESSION("s1") "}");
    cr_expect_str_eq(results(&h), "a c");
    harness_ask(&h, HARNESS_NOW + 2000, "{" IN_SESSION("s1") ", 'resource': {'type': 'doc', 'id': 'a'}}");
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.state"), "active");
    // One that is over finds nothing.
    harness_ask(&h, HARNESS_NOW + 3000, "{" IN_SESSION("s1") ", 'resource': {'type': 'doc', 'id': 'b'}}");
    cr_expect_str_eq(harness_effect(&h), "terminate/policy");
    harness_ask(&h, HARNESS_NOW + 4000,
                "{'search': 'resource', 'resource': {'type': 'doc'}, " IN_SESSION("s1") "}");
    cr_expect_str_eq(results(&h), "");
    harness_fini(&h);
}

Test(engine_search, is_one_record)
{
    struct harness h = {0};
    struct recorder *recorder = NULL;
    struct record record;
    cr_assert(harness_load(&h, SCENARIO), "%s", (const char *)h.said.at);
    cr_assert_eq(worker_record(h.worker, &(struct record_config){0}, &recorder), PDP_ERR_OK);
    harness_ask(&h, HARNESS_NOW, SEARCHES[1].message);
    cr_assert(recorder_take(recorder, &record));
    struct arena arena;
    struct value open;
    struct fault why;
    arena_init(&arena, 0, 0);
    cr_assert_eq(wire_decode(WIRE_CBOR, record.open, &arena, &open, &why), PDP_ERR_OK, "%s", why.what);
    cr_expect(value_is_text(value_get(&open, STR("kind")), STR("search")));
    cr_expect(value_is_text(value_get(&open, STR("search")), STR("resource")));
    cr_expect(value_is_text(value_get(&open, STR("action")), STR("read")));
    cr_expect_eq(value_get(&open, STR("looked"))->as.i, 2);
    cr_expect_eq(value_get(&open, STR("found"))->as.i, 2);
    cr_expect(value_get(&open, STR("more")) == NULL);
    cr_expect_gt(record.personal.len, 0);
    cr_expect(str_ends(record.user, STR("alice")));
    recorder_drop(recorder);
    cr_expect_not(recorder_take(recorder, &record));
    arena_fini(&arena);
    harness_fini(&h);
}
