// SPDX-License-Identifier: Apache-2.0
// Shared variables, and roles that bring others along.
#include "unit/policy/fixture.h"

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define POLICY HEAD("Policy", "p") "rules:\n  - {id: a, effect: allow, when: vars.owner}\n"
#define ROLES(map) HEAD("Definitions", "d") "roles: " map "\n"

static const struct {
    const char *text, *words; // words: a part of what is said
} REFUSED[] = {
    {ROLES("{a: [b], b: [a]}"), "p.yaml:5:13: error: the role `a` implies itself\n"},
    {ROLES("{a: [b], b: [c], c: [b]}"), "p.yaml:5:21: error: the role `b` implies itself\n"},
    {ROLES("{a: [a]}"), "p.yaml:5:13: error: the role `a` implies itself\n"},
    {ROLES("{a: []}"), "p.yaml:5:12: error: a list of roles is empty\n"},
    {ROLES("{a: [[b]]}"), "p.yaml:5:13: error: a role must be text\n"},
    {ROLES("{a: ''}"), "error: a role must be text\n"},
    {ROLES("[a]"), "error: `roles` must be a mapping"},
    {ROLES("{a: b}") HEAD("Definitions", "e") "roles: {a: c}\n",
     "p.yaml:10:9: error: another Definitions document has the role `a`\n"},
    {HEAD("Definitions", "d") "variables: {x: 'true'}\n" HEAD("Definitions", "e") "variables: {x: 'true'}\n",
     "p.yaml:10:13: error: Definitions share a variable `x`\n"},
    {HEAD("Definitions", "d") "variables: {x: 'true'}\n" HEAD(
         "Policy", "p") "variables: {x: 'false'}\nrules: [{id: a, effect: deny}]\n",
     "p.yaml:10:13: error: Definitions share a variable `x`\n"},
    {HEAD("Definitions", "d") "variables: {x: vars.y, y: 'true'}\n", "p.yaml:5:16: error: "},
    {HEAD("Definitions", "d") "rules: []\n", "p.yaml:5:1: error: Definitions has no key `rules`\n"},
};

Test(policy_definitions, refuses_with_a_place)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(fixture_fini) struct fixture f;
        fixture_read(&f, str_of(REFUSED[i].text));
        cr_expect_neq(f.err, PDP_ERR_OK, "%zu", i);
        cr_expect(strstr((char *)f.words.at, REFUSED[i].words) != NULL, "%zu: got\n%s", i,
                  (char *)f.words.at);
    }
}

Test(policy_definitions, one_cycle_is_told_once)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_read(&f, STR(ROLES("{a: [b, d], b: [c], c: [a], d: [e], e: [d]}")));
    cr_expect_eq(f.diags.errors, 2u, "%s", (char *)f.words.at);
}

static const struct fact OWNER[] = {
    {"subject.id", {.kind = VALUE_STRING, .n = 5, .as.text = "alice"}},
    {"resource.id", {.kind = VALUE_STRING, .n = 5, .as.text = "alice"}},
};
static const struct fact OTHER[] = {
    {"subject.id", {.kind = VALUE_STRING, .n = 5, .as.text = "alice"}},
    {"resource.id", {.kind = VALUE_STRING, .n = 3, .as.text = "bob"}},
};

Test(policy_definitions, variables_are_shared_wherever_their_document_stands)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(POLICY HEAD("Definitions", "d") "variables:\n  me: subject.id\n  owner: vars.me == "
                                                         "resource.id\n"));
    struct policy_question question = {.action = STR("GET"), .path = STR("alice")};
    f.facts = OWNER;
    f.fact_count = COUNT_OF(OWNER);
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_ALLOW);
    f.facts = OTHER;
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_DENY);
    f.fact_count = 0;
    cr_expect_eq(fixture_ask(&f, &question).code, PDP_CODE_UNSURE, "what a shared variable reads is missing");
}

#define TEXT(s)                                               \
    {                                                         \
        .kind = VALUE_STRING, .n = sizeof s - 1, .as.text = s \
    }

static void expect_roles(const struct fixture *f, struct value given, const char *printed)
{
    AUTO(buf_fini) struct buf out = {0};
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    cr_assert(policy_roles_expand(f->set, &given, &arena));
    value_print(&out, &given, 4096);
    cr_expect(str_eq(buf_view(&out), str_of(printed)), "got " STR_FMT ", expected %s",
              STR_ARG(buf_view(&out)), printed);
}

Test(policy_definitions, roles_bring_others_along_and_those_others_again)
{
    static const struct value ADMIN[] = {TEXT("admin")};
    static const struct value BOTH[] = {
        TEXT("staff"), TEXT("admin"), TEXT("guest"), {.kind = VALUE_INT, .as.i = 7}};
    static const struct value READER[] = {TEXT("reader"), TEXT("reader")};
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(POLICY HEAD("Definitions", "v") "variables: {owner: 'true'}\n" HEAD(
                         "Definitions", "d") "roles: {admin: [reader, staff], reader: clerk}\n"));
    expect_roles(&f, (struct value){.kind = VALUE_LIST, .n = 1, .as.list = ADMIN},
                 "[\"admin\", \"reader\", \"staff\", \"clerk\"]");
    expect_roles(&f, (struct value){.kind = VALUE_LIST, .n = 4, .as.list = BOTH},
                 "[\"staff\", \"admin\", \"guest\", 7, \"reader\", \"clerk\"]");
    expect_roles(&f, (struct value){.kind = VALUE_LIST, .n = 2, .as.list = READER},
                 "[\"reader\", \"reader\", \"clerk\"]");
    expect_roles(&f, (struct value){.kind = VALUE_LIST}, "[]");
    expect_roles(&f, (struct value)TEXT("admin"), "\"admin\"");
}

Test(policy_definitions, without_memory_roles_are_not_believed)
{
    static const struct value ADMIN[] = {TEXT("admin")};
    AUTO(fixture_fini) struct fixture f;
    fixture_load(
        &f, STR(POLICY HEAD("Definitions", "d") "variables: {owner: 'true'}\nroles: {admin: [staff]}\n"));
    struct arena arena;
    arena_init(&arena, 0, 1);
    struct value given = {.kind = VALUE_LIST, .n = 1, .as.list = ADMIN};
    cr_expect_not(policy_roles_expand(f.set, &given, &arena));
    arena_fini(&arena);
}

Test(policy_definitions, too_many_roles_are_refused)
{
    AUTO(fixture_fini) struct fixture f;
    AUTO(buf_fini) struct buf text = {0};
    buf_str(&text, STR(HEAD("Definitions", "d") "roles:\n"));
    for (unsigned i = 0; i <= 4096u; i++) {
        buf_printf(&text, "  r%u: [r%u]\n", i, i + 1);
    }
    fixture_read(&f, buf_view(&text));
    cr_expect_eq(f.err, PDP_ERR_LIMIT);
    cr_expect(strstr((char *)f.words.at, "error: more than 4096 roles\n") != NULL, "%s", (char *)f.words.at);
}
