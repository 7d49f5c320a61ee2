// SPDX-License-Identifier: Apache-2.0
// What a Schema makes of a question: mistyped values are unsure and say what was expected, required ones that
// are missing are a malformed question, sensitive ones are never shown.
#include "support/harness.h"

#include <criterion/criterion.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define SCHEMA(lines) HEAD("Schema", "bank") "attributes:\n" lines
#define RULES(when) HEAD("Policy", "p") "rules:\n  - {id: r, effect: allow, when: '" when "'}\n"
#define ASK(SUBJECT, RESOURCE, CONTEXT)                                                      \
    "{'explain': 'full', 'subject': {'type': 'user', 'id': 'alice', 'properties': {" SUBJECT \
    "}}, 'action': {'name': 'GET'}, 'resource': "                                            \
    "{'type': 'doc', 'id': 'a', 'properties': {" RESOURCE "}}, 'context': {" CONTEXT "}}"

static void ask(struct harness *h, const char *folder, const char *question)
{
    cr_assert(harness_load(h, folder), "%s", (const char *)h->said.at);
    harness_ask(h, HARNESS_NOW, question);
}

static bool said(const struct harness *h, const char *words)
{
    return str_find(buf_view(&h->answer), str_of(words), 0) != SIZE_MAX;
}

// The attribute `subject.x`, what of it a rule that allows asks, and what a question says of it.
static const struct {
    const char *type, *when, *x, *effect, *missing;
} TYPED[] = {
    {"{type: int}", "subject.x == 3", "3", "allow/policy", NULL},
    {"{type: int}", "subject.x == 3", "3.0", "deny/unsure", "`subject.x` is a double, expected int"},
    {"{type: int}", "subject.properties.x == 3", "\"3\"", "deny/unsure",
     "`subject.properties.x` is a string, expected int"},
    {"{type: int}", "subject.x == 3", "null", "deny/unsure", "`subject.x` is missing"},
    {"{type: double}", "subject.x == 3.0", "3", "allow/policy", NULL},
    {"{type: double}", "subject.x > 3.0", "9007199254740993", "deny/unsure",
     "`subject.x` is an int, expected double"},
    {"{type: bool}", "subject.x", "true", "allow/policy", NULL},
    {"{type: bool}", "subject.x", "1", "deny/unsure", "`subject.x` is an int, expected bool"},
    {"{type: string, max_bytes: 3}", "subject.x == \"abc\"", "\"abc\"", "allow/policy", NULL},
    {"{type: string, max_bytes: 3}", "subject.x != \"abc\"", "\"abcd\"", "deny/unsure",
     "`subject.x` holds text of more than 3 bytes"},
    {"{enum: [low, high]}", "subject.x == \"low\"", "\"low\"", "allow/policy", NULL},
    {"{enum: [low, high]}", "subject.x != \"low\"", "\"hihg\"", "deny/unsure",
     "`subject.x` is none of `low`, `high`"},
    {"{enum: [low, high]}", "has(subject.x)", "\"hihg\"", "deny/unsure",
     "`subject.x` is none of `low`, `high`"},
    {"{enum: [low, high]}", "!has(subject.x)", "null", "allow/policy", NULL},
    {"{enum: [low, high]}", "subject.x == \"low\"", "7", "deny/unsure",
     "`subject.x` is an int, expected string"},
    {"{type: [string], max_items: 2, max_bytes: 2}", "\"a\" in subject.x", "[\"a\", \"bb\"]", "allow/policy",
     NULL},
    {"{type: [string], max_items: 2}", "\"a\" in subject.x", "[\"a\", \"b\", \"c\"]", "deny/unsure",
     "`subject.x` has more than 2 items"},
    {"{type: [string], max_bytes: 2}", "\"a\" in subject.x", "[\"a\", \"bbb\"]", "deny/unsure",
     "`subject.x` holds text of more than 2 bytes"},
    {"{type: [string]}", "\"a\" in subject.x", "[\"a\", 1]", "deny/unsure",
     "`subject.x` holds values of another type"},
    {"{type: [int]}", "3 in subject.x", "[1, 3]", "allow/policy", NULL},
    {"{type: [int]}", "3 in subject.x", "[1, 3.0]", "deny/unsure",
     "`subject.x` holds values of another type"},
    {"{type: map, max_items: 1}", "subject.x.size() == 1", "{\"a\": 1}", "allow/policy", NULL},
    {"{type: map, max_items: 1}", "subject.x.a == 1", "{\"a\": 1, \"b\": 1}", "allow/policy", NULL},
    {"{type: map, max_items: 1}", "subject.x.size() == 2", "{\"a\": 1, \"b\": 1}", "deny/unsure",
     "`subject.x` has more than 1 items"},
    {"{type: timestamp}", "subject.x > now", "\"2027-01-01T00:00:00+01:00\"", "allow/policy", NULL},
    {"{type: timestamp}", "subject.x > now", "1893456000", "allow/policy", NULL},
    {"{type: timestamp}", "subject.x > now", "1893456000000", "deny/unsure",
     "`subject.x` is no timestamp, expected RFC 3339 text or seconds since 1970"},
    {"{type: timestamp}", "subject.x > now", "\"tomorrow\"", "deny/unsure",
     "`subject.x` is no timestamp, expected RFC 3339 text or seconds since 1970"},
    {"{type: timestamp}", "subject.x > now", "1.5", "deny/unsure",
     "`subject.x` is a double, expected timestamp"},
    {"{type: duration}", "subject.x > duration(\"1h\")", "\"90m\"", "allow/policy", NULL},
    {"{type: duration}", "subject.x > duration(\"1h\")", "\"long\"", "deny/unsure",
     "`subject.x` is no duration, expected text such as 1h30m"},
    {"{type: duration}", "subject.x > duration(\"1h\")", "7200", "deny/unsure",
     "`subject.x` is an int, expected duration"},
    {"{type: ip}", "cidr(\"10.0.0.0/8\").containsIP(subject.x)", "\"::ffff:10.1.2.3\"", "allow/policy", NULL},
    {"{type: ip}", "cidr(\"10.0.0.0/8\").containsIP(subject.x)", "\"10.1.2\"", "deny/unsure",
     "`subject.x` is no ip, expected the text of one address"},
    {"{type: dyn}", "subject.x.a == 1", "{\"a\": 1}", "allow/policy", NULL},
    {"{type: list}", "subject.x.size() == 2", "[1, \"a\"]", "allow/policy", NULL},
    // Whoever puts something else where a map leads on has not left the attribute out.
    {"{type: string}\n  subject.y.z: {type: int}", "!has(subject.y.z)", "\"a\", \"y\": 1", "deny/unsure",
     "`subject.y.z` is an int, expected map"},
};

Test(engine_schema, what_is_not_as_declared_is_unsure_and_says_what_was_expected)
{
    for (size_t i = 0; i < COUNT_OF(TYPED); i++) {
        struct harness h = {0};
        AUTO(buf_fini) struct buf folder = {0};
        AUTO(buf_fini) struct buf question = {0};
        buf_printf(&folder, SCHEMA("  subject.x: %s\n") RULES("%s"), TYPED[i].type, TYPED[i].when);
        buf_byte(&folder, '\0');
        buf_printf(&question, ASK("'x': %s", "", ""), TYPED[i].x);
        buf_byte(&question, '\0');
        ask(&h, (const char *)folder.at, (const char *)question.at);
        cr_expect_str_eq(harness_effect(&h), TYPED[i].effect, "%s %s %s\n" STR_FMT, TYPED[i].type,
                         TYPED[i].when, TYPED[i].x, STR_ARG(buf_view(&h.answer)));
        cr_expect(TYPED[i].missing == NULL || said(&h, TYPED[i].missing), "%s %s %s\n" STR_FMT, TYPED[i].type,
                  TYPED[i].when, TYPED[i].x, STR_ARG(buf_view(&h.answer)));
        harness_fini(&h);
    }
}

// Rules of which most lie under other texts: a mistyped attribute must skip none that restricts.
Test(engine_schema, the_index_has_a_place_for_what_is_mistyped)
{
    static const char FOLDER[] = SCHEMA("  subject.x: {enum: [a, b, c, d, e, f]}\n")
        HEAD("Policy", "p") "rules:\n  - {id: all, effect: allow}\n"
                            "  - {id: a, effect: deny, when: 'subject.x == \"a\"'}\n"
                            "  - {id: b, effect: deny, when: 'subject.x == \"b\"'}\n"
                            "  - {id: c, effect: deny, when: 'subject.x == \"c\"'}\n"
                            "  - {id: d, effect: deny, when: 'subject.x == \"d\"'}\n";
    struct harness h = {0};
    ask(&h, FOLDER, ASK("'x': 'b'", "", ""));
    cr_expect_str_eq(harness_get(&h, "context.rule"), "p/b");
    ask(&h, FOLDER, ASK("'x': 'f'", "", ""));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    ask(&h, FOLDER, ASK("'x': 'g'", "", ""));
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    cr_expect(said(&h, "`subject.x` is none of `a`, `b`, `c`, `d`, `e`, `f`"));
    harness_fini(&h);
}

#define REQUIRED                                                                     \
    SCHEMA("  subject.roles: {type: [string], required: true, for: [user, admin]}\n" \
           "  resource.owner: {type: string, required: true, for: [doc]}\n"          \
           "  context.client.auth: {enum: [basic, oidc], required: true}\n"          \
           "  device.components.os: {type: string}\n")                               \
    RULES("true")
#define CLIENT "'client': {'auth': 'oidc'}"

static const struct {
    const char *question, *effect, *field, *missing;
} LACKING[] = {
    {ASK("'roles': []", "'owner': 'bob'", CLIENT), "allow/policy", "", ""},
    {ASK("", "'owner': 'bob'", CLIENT), "deny/malformed", "subject.roles",
     "[\"`subject.roles` is missing\"]"},
    {ASK("'roles': null", "'owner': 'bob'", CLIENT), "deny/malformed", "subject.roles",
     "[\"`subject.roles` is missing\"]"},
    {ASK("'roles': []", "'owner': 'bob'", "'client': 'oidc'"), "deny/malformed", "context.client.auth",
     "[\"`context.client.auth` is missing\"]"},
    {ASK("", "", "'purpose': 'probe'"), "deny/malformed", "context.client.auth",
     "[\"`context.client.auth` is missing\",\"`resource.owner` is missing\",\"`subject.roles` is missing\"]"},
    // Of another type than declared it is there: unsure for whoever reads it, and nobody does here.
    {ASK("'roles': 'x'", "'owner': 7", "'client': {'auth': 'none'}"), "allow/policy", "", ""},
    {"{'subject': {'type': 'service', 'id': 'cron'}, 'action': {'name': 'GET'}, 'resource': {'type': "
     "'route', "
     "'id': '/a'}, 'context': {" CLIENT "}}",
     "allow/policy", "", ""},
};

Test(engine_schema, a_question_without_what_is_required_is_malformed)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, REQUIRED), "%s", (const char *)h.said.at);
    for (size_t i = 0; i < COUNT_OF(LACKING); i++) {
        harness_ask(&h, HARNESS_NOW, LACKING[i].question);
        cr_expect_str_eq(harness_effect(&h), LACKING[i].effect, "%s\n" STR_FMT, LACKING[i].question,
                         STR_ARG(buf_view(&h.answer)));
        cr_expect_str_eq(harness_get(&h, "context.error.field"), LACKING[i].field, "%s", LACKING[i].question);
        cr_expect(LACKING[i].missing[0] == '\0' || said(&h, LACKING[i].missing), "%s\n" STR_FMT,
                  LACKING[i].question, STR_ARG(buf_view(&h.answer)));
    }
    cr_expect_str_eq(harness_get(&h, "context.error.message"), "");
    harness_ask(&h, HARNESS_NOW, LACKING[1].question);
    cr_expect_str_eq(harness_get(&h, "context.error.message"), "is missing; the schema `bank` requires it");
    harness_fini(&h);
}

Test(engine_schema, what_a_peer_may_not_assert_is_missing)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, REQUIRED), "%s", (const char *)h.said.at);
    h.peer.grants = GRANT_ALL & ~GRANT_ASSERT_ROLES;
    harness_ask(&h, HARNESS_NOW, LACKING[0].question);
    cr_expect_str_eq(harness_effect(&h), "deny/malformed");
    cr_expect_str_eq(harness_get(&h, "context.error.field"), "subject.roles");
    harness_fini(&h);
}

// A question that is refused leaves no session behind, and is no repeat later.
Test(engine_schema, a_question_that_lacks_something_touches_no_session)
{
    static const char SESSION[] = ", 'session': {'id': 's', 'auth_time': 1795420000}";
    struct harness h = {0};
    AUTO(buf_fini) struct buf bad = {0};
    AUTO(buf_fini) struct buf good = {0};
    cr_assert(harness_load(&h, REQUIRED), "%s", (const char *)h.said.at);
    buf_printf(&bad, ASK("", "'owner': 'bob'", CLIENT "%s"), SESSION);
    buf_printf(&good, ASK("'roles': []", "'owner': 'bob'", CLIENT "%s"), SESSION);
    buf_byte(&bad, '\0');
    buf_byte(&good, '\0');
    harness_ask(&h, HARNESS_NOW, (const char *)bad.at);
    cr_expect_str_eq(harness_effect(&h), "deny/malformed");
    harness_ask(&h, HARNESS_NOW, (const char *)good.at);
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.session.epoch"), "1");
    harness_fini(&h);
}

#define SECRET "DE89370400440532013000"
static const char *const SENSITIVE[] = {
    "subject.iban == \"x\"",
    "subject.iban != \"x\"",
    "subject.iban.startsWith(\"AT\")",
    "subject.iban.matches(\"^AT\")",
    "int(subject.iban) > 3",
    "timestamp(subject.iban) > now",
    "subject.iban in [\"a\", \"b\"]",
    "subject.ibans.exists(i, i == \"x\")",
    "subject.ibans[5] == \"x\"",
    "subject.level == 4",
    "subject.until > now",
    "subject.kind == \"a\"",
    "subject.properties.iban == \"x\"",
};

Test(engine_schema, no_answer_holds_what_is_sensitive)
{
    for (size_t i = 0; i < COUNT_OF(SENSITIVE); i++) {
        struct harness h = {0};
        AUTO(buf_fini) struct buf folder = {0};
        buf_printf(&folder,
                   SCHEMA("  subject.iban: {type: string, sensitive: true, max_bytes: 64}\n"
                          "  subject.ibans: {type: [string], sensitive: true}\n"
                          "  subject.level: {type: int, sensitive: true}\n"
                          "  subject.until: {type: timestamp, sensitive: true}\n"
                          "  subject.kind: {enum: [a, b], sensitive: true}\n") "%s" RULES("%s"),
                   i % 2 == 0 ? ""
                              : HEAD("Policy",
                                     "q") "rules: [{id: no, effect: deny, when: 'subject.iban == \"y\"'}]\n",
                   SENSITIVE[i]);
        buf_byte(&folder, '\0');
        ask(&h, (const char *)folder.at,
            ASK("'iban': '" SECRET "', 'ibans': ['" SECRET "'], 'level': '" SECRET "', 'until': '" SECRET
                "', 'kind': '" SECRET "'",
                "", ""));
        cr_expect(!said(&h, SECRET), "%s\n" STR_FMT, SENSITIVE[i], STR_ARG(buf_view(&h.answer)));
        harness_fini(&h);
    }
}
