// SPDX-License-Identifier: Apache-2.0
// Searches look at no more than rules leave over, and find no less for it.
#include "engine/search.h"
#include "support/harness.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

static int64_t number_at(struct harness *h, const char *path)
{
    const struct value *v = value_path(&h->root, str_of(path));
    return v != NULL && v->kind == VALUE_INT ? v->as.i : -1;
}

// ---- What is looked at --------------------------------------------------------------------------------

#define SUBJECTS(rest) "{'search': 'subject', 'explain': 'full', 'subject': {'type': 'user'}, " rest "}"
#define RECORDS(rest) "{'search': 'resource', 'explain': 'full', 'resource': {'type': 'record'}, " rest "}"
#define ALICE "'subject': {'type': 'user', 'id': 'u0001', 'properties': {'role': 'clerk'}}"
#define READ "'action': {'name': 'read'}"

static const struct {
    const char *name, *rules, *message;
    int64_t looked, found;
} LOOKS[] = {
    {"one id", "  - {id: a, effect: allow, when: resource.id == \"r0007\"}\n", RECORDS(ALICE ", " READ), 1,
     1},
    {"a prefix and another id",
     "  - {id: a, effect: allow, when: 'resource.id.startsWith(\"r001\") || resource.id == \"r0003\"'}\n",
     RECORDS(ALICE ", " READ), 11, 11},
    {"what is in a set",
     "  - {id: a, effect: allow, when: 'resource.id in [\"r0001\", \"r0999\", \"r9999\"]'}\n",
     RECORDS(ALICE ", " READ), 2, 2},
    {"resources of a rule", "  - {id: a, effect: allow, resources: [r0001, r0002]}\n",
     RECORDS(ALICE ", " READ), 2, 2},
    {"another action", "  - {id: a, effect: allow, actions: [write]}\n", RECORDS(ALICE ", " READ), 0, 0},
    {"another subject", "  - {id: a, effect: allow, when: subject.id == \"bob\"}\n", RECORDS(ALICE ", " READ),
     0, 0},
    {"another role, told by the subject", "  - {id: a, effect: allow, when: subject.role == \"chief\"}\n",
     RECORDS(ALICE ", " READ), 0, 0},
    {"another type", "  - {id: a, effect: allow, when: resource.type == \"todo\"}\n",
     RECORDS(ALICE ", " READ), 0, 0},
    {"a rule that rules nothing out beside one that does",
     "  - {id: a, effect: allow, when: resource.id == \"r0007\"}\n  - {id: b, effect: allow, when: "
     "resource.x == 1}\n",
     RECORDS(ALICE ", " READ), 1000, 1},
    {"that rule for another action",
     "  - {id: a, effect: allow, when: resource.id == \"r0007\"}\n  - {id: b, effect: allow, actions: "
     "[write], when: resource.x == 1}\n",
     RECORDS(ALICE ", " READ), 1, 1},
    {"denials need no look",
     "  - {id: a, effect: allow, when: resource.id == \"r0007\"}\n  - {id: b, effect: deny, when: resource.x "
     "== 1}\n",
     RECORDS(ALICE ", " READ), 1, 0},
    {"what a session may tell",
     "  - {id: a, effect: allow, when: 'has(session.acr) || resource.id == \"r0007\"'}\n",
     RECORDS(ALICE ", " READ), 1000, 1},
    {"subjects by id", "  - {id: a, effect: allow, when: 'subject.id.startsWith(\"u000\")'}\n",
     SUBJECTS(READ ", 'resource': {'type': 'record', 'id': 'r0001'}"), 10, 10},
    {"subjects of another resource", "  - {id: a, effect: allow, resources: [r0002]}\n",
     SUBJECTS(READ ", 'resource': {'type': 'record', 'id': 'r0001'}"), 0, 0},
    {"actions that a rule lists", "  - {id: a, effect: allow, actions: [write, print]}\n",
     "{'search': 'action', 'explain': 'full', " ALICE ", 'resource': {'type': 'record', 'id': 'r0001'}}", 1,
     1},
    {"actions by condition", "  - {id: a, effect: allow, when: action.name == \"read\"}\n",
     "{'search': 'action', 'explain': 'full', " ALICE ", 'resource': {'type': 'record', 'id': 'r0001'}}", 1,
     1},
};

// A thousand records, a thousand users, three actions.
static void put_entities(struct buf *yaml)
{
    buf_str(yaml,
            STR(HEAD("Entities", "records") "type: record\nactions: [read, write, delete]\nentities:\n"));
    for (int i = 0; i < 1000; i++) {
        buf_printf(yaml, "  - r%04d\n", i);
    }
    buf_str(yaml, STR(HEAD("Entities", "users") "type: user\nentities:\n"));
    for (int i = 0; i < 1000; i++) {
        buf_printf(yaml, "  - u%04d\n", i);
    }
}

Test(engine_search_narrow, looks_at_what_rules_leave_over)
{
    for (size_t i = 0; i < COUNT_OF(LOOKS); i++) {
        struct harness h = {0};
        AUTO(buf_fini) struct buf yaml = {0};
        put_entities(&yaml);
        buf_printf(&yaml, HEAD("Policy", "p") "rules:\n%s", LOOKS[i].rules);
        buf_byte(&yaml, '\0');
        cr_assert(harness_load(&h, (const char *)yaml.at), "%s: %s", LOOKS[i].name, (const char *)h.said.at);
        harness_ask(&h, HARNESS_NOW, LOOKS[i].message);
        cr_expect_eq(number_at(&h, "context.looked"), LOOKS[i].looked, "%s: looked at %lld", LOOKS[i].name,
                     (long long)number_at(&h, "context.looked"));
        cr_expect_eq(number_at(&h, "page.count"), LOOKS[i].found, "%s: found %lld", LOOKS[i].name,
                     (long long)number_at(&h, "page.count"));
        harness_fini(&h);
    }
}

// ---- Random folders: nothing is lost ------------------------------------------------------------------

static uint64_t state;

static unsigned pick(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static const char *one_of(const char *const *words, size_t count)
{
    return words[pick((unsigned)count)];
}
#define ONE_OF(words) one_of(words, COUNT_OF(words))

static const char *const IDS[] = {"a", "ab", "abc", "b", "ba", "c", "d-1", "d-2"};
static const char *const ROUTES[] = {"/a", "/a/b", "/a/b/c", "/b", "/b/", "/c"};
static const char *const PATTERNS[] = {"/a/**", "/a/*", "/a/b", "/b"};
static const char *const ACTIONS[] = {"read", "write", "run"};
static const char *const TESTS[] = {"subject.id == \"%s\"",
                                    "resource.id == \"%s\"",
                                    "action.name == \"read\"",
                                    "subject.id.startsWith(\"%s\")",
                                    "resource.id.startsWith(\"%s\")",
                                    "subject.id in [\"a\", \"%s\"]",
                                    "resource.id in [\"b\", \"%s\"]",
                                    "action.name in [\"read\", \"run\"]",
                                    "resource.type == \"route\"",
                                    "resource.type == \"doc\"",
                                    "resource.path == \"/a/b\"",
                                    "resource.path == \"/a/b\"",
                                    "resource.path in [\"/a/b\", \"/b\"]",
                                    "resource.path.startsWith(\"/a\")",
                                    "has(resource.path)",
                                    "subject.kind == \"x\"",
                                    "resource.owner == subject.id",
                                    "has(subject.kind)",
                                    "has(resource.owner)",
                                    "!has(resource.owner)",
                                    "resource.?owner.orValue(\"none\") == \"none\"",
                                    "subject.?kind.hasValue()",
                                    "subject.roles.exists(r, r == \"x\")",
                                    "\"x\" in subject.roles",
                                    "size(resource.id) < 3",
                                    "has(session.acr)",
                                    "risk.score < 200.0",
                                    "context.flag == true",
                                    "has(context.flag)",
                                    "subject.id == resource.owner ? true : context.flag",
                                    "subject.id in lists.some",
                                    "resource.id in lists.some",
                                    "has(subject.properties.kind)",
                                    "resource.properties.owner == \"%s\"",
                                    "action.soft",
                                    "has(action.soft)",
                                    "resource.id.matches(\"^(a|b).*\")",
                                    "subject.id.endsWith(\"b\")",
                                    "true",
                                    "false"};
static const char *const JOINS[] = {" && ", " || "};
static const char *const EFFECTS[] = {"allow", "allow", "allow", "allow", "deny"};
static const char *const COMBINES[] = {"most-restrictive", "first-match", "deny-unless-allow"};

static void put_test(struct buf *out)
{
    const char *test = ONE_OF(TESTS);
    buf_str(out, pick(4) == 0 ? STR("!(") : STR("("));
    const char *hole = strstr(test, "%s");
    if (hole == NULL) {
        buf_str(out, str_of(test));
    } else {
        buf_put(out, test, (size_t)(hole - test));
        buf_str(out, str_of(ONE_OF(IDS)));
        buf_str(out, str_of(hole + 2));
    }
    buf_byte(out, ')');
}

static void put_when(struct buf *out)
{
    put_test(out);
    for (unsigned more = pick(3); more > 0; more--) {
        buf_str(out, str_of(ONE_OF(JOINS)));
        put_test(out);
    }
}

static void put_rule(struct buf *out, unsigned number)
{
    buf_printf(out, "  - id: r%u\n    effect: %s\n", number, ONE_OF(EFFECTS));
    if (pick(3) == 0) {
        buf_printf(out, "    actions: [%s]\n", ONE_OF(ACTIONS));
    }
    if (pick(4) == 0) {
        buf_printf(out, "    resources: [\"%s\", %s]\n", ONE_OF(PATTERNS), ONE_OF(IDS));
    }
    if (pick(5) != 0) {
        buf_str(out, STR("    when: '"));
        put_when(out);
        buf_str(out, STR("'\n"));
    }
}

static void put_policies(struct buf *out)
{
    unsigned policies = 1 + pick(3);
    for (unsigned p = 0; p < policies; p++) {
        buf_printf(out, HEAD("Policy", "p%u") "combine: %s\n", p, ONE_OF(COMBINES));
        if (pick(3) == 0) {
            buf_str(out, STR("target: '"));
            put_when(out);
            buf_str(out, STR("'\n"));
        }
        buf_str(out, STR("rules:\n"));
        for (unsigned rules = 1 + pick(5), r = 0; r < rules; r++) {
            put_rule(out, r);
        }
    }
}

static void put_ids(struct buf *out, const char *const *ids, size_t count, const char *properties)
{
    buf_str(out, STR("entities:\n"));
    for (size_t i = 0; i < count; i++) {
        if (pick(3) == 0) {
            buf_printf(out, "  - {id: %s, properties: {%s}}\n", ids[i], properties);
        } else if (pick(4) != 0) {
            buf_printf(out, "  - %s\n", ids[i]);
        }
    }
}

static void put_folder(struct buf *out)
{
    const char *fills = pick(2) == 0 ? "fill" : "candidates";
    buf_printf(out, HEAD("List", "some") "type: string\nentries: [a, ab, zz, /a/%%62, /b]\n");
    buf_printf(out, HEAD("Entities", "users") "type: user\nattributes: %s\n%s", fills,
               pick(2) == 0 ? "ids: lists.some\n" : "");
    put_ids(out, IDS, COUNT_OF(IDS), "kind: x, roles: [x]");
    buf_printf(out,
               HEAD("Entities",
                    "docs") "type: doc\nactions: [read, {name: write, properties: {soft: true}}, run]\n");
    put_ids(out, IDS, COUNT_OF(IDS), "owner: a");
    buf_printf(out, HEAD("Entities", "routes") "type: route\nactions: [read]\n%s",
               pick(2) == 0 ? "ids: lists.some\n" : "");
    put_ids(out, ROUTES, COUNT_OF(ROUTES), "owner: ab");
    put_policies(out);
    buf_byte(out, '\0');
}

static void put_message(struct buf *out)
{
    static const char *const PARTS[] = {"subject", "resource", "action"};
    static const char *const CONTEXTS[] = {"", ", 'context': {'flag': true}", ", 'context': {'flag': false}"};
    static const char *const SENT[] = {"", ", 'properties': {'kind': 'x', 'roles': ['x']}"};
    bool route = pick(3) == 0;
    buf_printf(out, "{'search': '%s', 'explain': 'full', 'subject': {'type': 'user', 'id': '%s'%s}, ",
               ONE_OF(PARTS), ONE_OF(IDS), ONE_OF(SENT));
    buf_printf(out, "'action': {'name': '%s'}, 'resource': {'type': '%s', 'id': '%s'}%s}", ONE_OF(ACTIONS),
               route ? "route" : "doc", route ? ONE_OF(ROUTES) : ONE_OF(IDS), ONE_OF(CONTEXTS));
    buf_byte(out, '\0');
}

// What was found, without what was looked at.
static struct str found(struct harness *h, struct buf *room)
{
    const struct value *results = value_get(&h->root, STR("results"));
    buf_clear(room);
    if (results == NULL) {
        buf_str(room, buf_view(&h->answer));
    } else {
        value_print(room, results, 1 << 16);
    }
    return buf_view(room);
}

Test(engine_search_narrow, finds_what_looking_at_everything_finds, .timeout = 120)
{
    AUTO(buf_fini) struct buf some = {0};
    AUTO(buf_fini) struct buf all = {0};
    size_t less = 0, results = 0;
    state = 37;
    for (int folder = 0; folder < 400; folder++) {
        struct harness h = {0};
        AUTO(buf_fini) struct buf yaml = {0};
        put_folder(&yaml);
        cr_assert(harness_load(&h, (const char *)yaml.at), "%s\n%s", (const char *)yaml.at,
                  (const char *)h.said.at);
        for (int i = 0; i < 20; i++) {
            AUTO(buf_fini) struct buf message = {0};
            put_message(&message);
            harness_ask(&h, HARNESS_NOW, (const char *)message.at);
            int64_t looked = number_at(&h, "context.looked");
            (void)found(&h, &some);
            h.worker->search_whole = true;
            harness_ask(&h, HARNESS_NOW, (const char *)message.at);
            h.worker->search_whole = false;
            struct str want = found(&h, &all);
            cr_assert(str_eq(buf_view(&some), want), "%s\n%s\nfound " STR_FMT "\nnot   " STR_FMT,
                      (const char *)yaml.at, (const char *)message.at, STR_ARG(buf_view(&some)),
                      STR_ARG(want));
            less += looked < number_at(&h, "context.looked");
            results += (size_t)number_at(&h, "page.count");
        }
        harness_fini(&h);
    }
    cr_log_info("%zu of 8000 searches looked at less, %zu results", less, results);
    cr_expect(less > 1000 && results > 2000, "%zu looked at less, %zu results", less, results);
}
