// SPDX-License-Identifier: Apache-2.0
// What a Scope of a folder makes of the documents below it, by questions.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ALLOW(name) HEAD("Policy", name) "rules: [{id: all, effect: allow}]\n"
#define ASK(TENANT, ID, ACTION)                                                                             \
    "{" TENANT "'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': '" ACTION "'}, 'resource': " \
    "{'type': 'route', 'id': '" ID "'}}"
#define ACME "'tenant': 'acme', "

struct file {
    const char *name, *text;
};

// At every root: where a folder lies on a machine is nothing that a Scope could see.
static const char *const ROOTS[] = {"", "policies/", "/srv/a/../policies/"};

static void load(struct harness *h, const char *root, const struct file *files, size_t count)
{
    struct snapshot_file list[8];
    static char names[8][128];
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%s%s", root, files[i].name);
        list[i] = (struct snapshot_file){.name = str_of(names[i]), .text = str_of(files[i].text)};
    }
    cr_assert(harness_load_files(h, list, count), "%s", (const char *)h->said.at);
}

static const struct file TEAM[] = {
    {"all.yaml", HEAD("Policy", "all") "rules: [{id: read, effect: allow, actions: [GET]}]\n"},
    {"pay/scope.yaml",
     HEAD("Scope", "pay") "target: resource.path.startsWith(\"/pay/\")\ntenants: [acme, 'a\"b']\n"},
    {"pay/rules.yaml",
     HEAD("Policy", "pay") "rules: [{id: no, effect: deny, actions: [PUT]}, {id: all, effect: allow}]\n"},
    {"pay/in/scope.yaml",
     HEAD("Scope", "in") "target: resource.path.startsWith(\"/pay/in/\") || resource.path == \"/else\"\n"},
    {"pay/in/rules.yaml",
     HEAD("Policy", "in") "target: action.name != \"DELETE\"\nrules: [{id: no, effect: deny}]\n"},
    {"payments/rules.yaml", HEAD("Policy", "other") "rules: [{id: ever, effect: deny, actions: [POST]}]\n"},
};

static const struct {
    const char *question, *effect, *rule;
} CASES[] = {
    {ASK(ACME, "/pay/x", "PUT"), "deny/policy", "pay/no"},
    {ASK(ACME, "/pay/x", "TRACE"), "allow/policy", "pay/all"},
    {ASK("'tenant': 'a\\\"b', ", "/pay/x", "TRACE"), "allow/policy", "pay/all"},
    {ASK("'tenant': 'b', ", "/pay/x", "TRACE"), "deny/no-rule", ""}, // of another tenant
    {ASK("'tenant': 'b', ", "/pay/x", "GET"), "allow/policy", "all/read"},
    {ASK(ACME, "/x", "TRACE"), "deny/no-rule", ""}, // what it is not about
    {ASK(ACME, "/x", "PUT"), "deny/no-rule", ""},
    {ASK("", "/pay/x", "PUT"), "deny/unsure", "pay/no"}, // nobody knows the tenant: it may be theirs
    {ASK("", "/x", "GET"), "allow/policy", "all/read"},
    {ASK(ACME, "/pay/in/x", "GET"), "deny/policy", "in/no"},
    {ASK(ACME, "/pay/in/x", "DELETE"), "allow/policy", "pay/all"},
    {ASK(ACME, "/else", "GET"), "allow/policy", "all/read"},    // the outer one holds too
    {ASK(ACME, "/pay/x", "POST"), "deny/policy", "other/ever"}, // a name that goes on is another folder
};

Test(engine_scope, rules_below_are_about_what_their_scopes_are_about)
{
    for (size_t r = 0; r < COUNT_OF(ROOTS); r++) {
        struct harness h = {0};
        load(&h, ROOTS[r], TEAM, COUNT_OF(TEAM));
        for (size_t i = 0; i < COUNT_OF(CASES); i++) {
            harness_ask(&h, HARNESS_NOW, CASES[i].question);
            cr_expect_str_eq(harness_effect(&h), CASES[i].effect, "%s%s\n" STR_FMT, ROOTS[r],
                             CASES[i].question, STR_ARG(buf_view(&h.answer)));
            cr_expect_str_eq(harness_get(&h, "context.rule"), CASES[i].rule, "%s", CASES[i].question);
        }
        harness_fini(&h);
    }
}

// Every policy stands below a Scope: there is a policy for nothing else.
Test(engine_scope, a_question_outside_of_all_scopes_has_no_policy)
{
    static const struct file FILES[] = {
        {"a/scope.yaml", HEAD("Scope", "a") "target: resource.path.startsWith(\"/a/\")\n"},
        {"a/rules.yaml", ALLOW("a")},
        {"b/scope.yaml", HEAD("Scope", "b") "tenants: [acme]\n"},
        {"b/rules.yaml",
         HEAD("Policy", "b") "target: resource.path == \"/b\"\nrules: [{id: all, effect: allow}]\n"},
    };
    struct harness h = {0};
    load(&h, "", FILES, COUNT_OF(FILES));
    harness_ask(&h, HARNESS_NOW, ASK(ACME, "/a/x", "GET"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW, ASK(ACME, "/b", "GET"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW, ASK(ACME, "/c", "GET"));
    cr_expect_str_eq(harness_effect(&h), "deny/no-policy");
    harness_ask(&h, HARNESS_NOW, ASK("'tenant': 'x', ", "/b", "GET"));
    cr_expect_str_eq(harness_effect(&h), "deny/no-policy");
    harness_ask(&h, HARNESS_NOW, ASK("", "/b", "GET"));
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    harness_fini(&h);
}

#define RULES(name)                                                              \
    HEAD("Policy", name)                                                         \
    "rules: [{id: all, effect: allow}, {id: no, effect: deny, actions: [GET]}, " \
    "{id: ever, effect: deny, actions: [PUT], exceptions: never}]\n"
#define LIFT(lifts, when) HEAD("Exception", "e") "lifts: [" lifts "]\nexpires: 2030-01-01T00:00:00Z\n" when

static const struct {
    const char *exception, *action, *effect;
} LIFTED[] = {
    {LIFT("'*'", ""), "GET", "deny/policy"}, // those of others stay: all/no
    {LIFT("a/no", ""), "GET", "deny/policy"},
    {LIFT("'*'", ""), "PUT", "deny/policy"},
    {LIFT("'*'", ""), "END", "allow/policy"},
    {LIFT("'*', '*', a/end", ""), "END", "allow/policy"},
    {LIFT("'*'", "when: subject.id == \"bob\"\n"), "END", "deny/policy"},
    {LIFT("'*'", "when: subject.ghost\n"), "END", "deny/policy"},
};

Test(engine_scope, an_exception_lifts_what_is_below_its_scope)
{
    for (size_t i = 0; i < COUNT_OF(LIFTED); i++) {
        struct harness h = {0};
        AUTO(buf_fini) struct buf question = {0};
        const struct file files[] = {
            {"all.yaml", RULES("all")},
            {"a/scope.yaml", HEAD("Scope", "a") "target: resource.path.startsWith(\"/a/\")\n"},
            {"a/rules.yaml",
             RULES("a") HEAD("Policy", "b") "rules: [{id: x, effect: deny, when: 'false'}]\n"},
            {"a/b/rules.yaml", HEAD("Policy", "c") "rules: [{id: end, effect: deny, actions: [END]}]\n"},
            {"a/end.yaml", HEAD("Policy", "d") "rules: [{id: end, effect: deny, actions: [END]}]\n"},
            {"a/exception.yaml", LIFTED[i].exception},
        };
        bool names_end = strstr(LIFTED[i].exception, "a/end") != NULL;
        struct file list[COUNT_OF(files)];
        memcpy(list, files, sizeof files);
        if (names_end) {
            list[5].text = LIFT("'*', '*', d/end", "");
        }
        load(&h, ROOTS[i % COUNT_OF(ROOTS)], list, COUNT_OF(list));
        buf_printf(&question, ASK(ACME, "/a/x", "%s"), LIFTED[i].action);
        buf_byte(&question, '\0');
        harness_ask(&h, HARNESS_NOW, (const char *)question.at);
        cr_expect_str_eq(harness_effect(&h), LIFTED[i].effect, "%s %s\n" STR_FMT, LIFTED[i].exception,
                         LIFTED[i].action, STR_ARG(buf_view(&h.answer)));
        harness_fini(&h);
    }
}

// What the scope is not about its exceptions do not lift either, nor what nobody knows to be so.
Test(engine_scope, an_exception_holds_where_its_scope_does)
{
    static const struct file FILES[] = {
        {"all.yaml", ALLOW("all")},
        {"a/scope.yaml", HEAD("Scope", "a") "tenants: [acme]\n"},
        {"a/rules.yaml", HEAD("Policy", "a") "rules: [{id: no, effect: deny}]\n"},
        {"a/exception.yaml", LIFT("a/no", "")},
    };
    struct harness h = {0};
    load(&h, "", FILES, COUNT_OF(FILES));
    harness_ask(&h, HARNESS_NOW, ASK(ACME, "/a", "GET"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW, ASK("", "/a", "GET"));
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    harness_ask(&h, HARNESS_NOW, ASK("'tenant': 'b', ", "/a", "GET"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_fini(&h);
}

Test(engine_scope, limits_below_hold_for_sessions_that_the_scope_is_about)
{
    static const struct file FILES[] = {
        {"all.yaml", ALLOW("all")},
        {"a/scope.yaml", HEAD("Scope", "a") "tenants: [acme]\n"},
        {"a/limits.yaml", HEAD("SessionPolicy", "a") "limits: {idle: 1m}\n"},
    };
#define SESSION(TENANT, ID)                                                                  \
    "{'tenant': '" TENANT                                                                    \
    "', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'GET'}, 'resource': " \
    "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': '" ID "', 'auth_time': 1795420000}}}"
    struct harness h = {0};
    load(&h, "", FILES, COUNT_OF(FILES));
    harness_ask(&h, HARNESS_NOW, SESSION("acme", "s1"));
    harness_ask(&h, HARNESS_NOW, SESSION("other", "s2"));
    harness_ask(&h, HARNESS_NOW + 120000, SESSION("acme", "s1"));
    cr_expect_str_eq(harness_effect(&h), "terminate/expired");
    harness_ask(&h, HARNESS_NOW + 120000, SESSION("other", "s2"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_fini(&h);
}

Test(engine_scope, a_scope_of_the_top_folder_may_stand_beside_what_holds_for_all)
{
    static const struct file FILES[] = {
        {"scope.yaml", HEAD("Scope", "top") "effects: [allow, deny]\ntenants: [acme]\n"},
        {"common/all.yaml", HEAD("Definitions", "d") "variables: {mine: subject.id == \"alice\"}\n"},
        {"x/rules.yaml", HEAD("Policy", "x") "rules: [{id: all, effect: allow, when: vars.mine}]\n"},
        {"x/scope.yaml", HEAD("Scope", "x") "target: vars.mine\n"},
    };
    struct harness h = {0};
    load(&h, "policies/", FILES, COUNT_OF(FILES));
    harness_ask(&h, HARNESS_NOW, ASK(ACME, "/a", "GET"));
    cr_expect_str_eq(harness_effect(&h), "allow/policy");
    harness_ask(&h, HARNESS_NOW, ASK("'tenant': 'b', ", "/a", "GET"));
    cr_expect_str_eq(harness_effect(&h), "deny/no-policy");
    harness_fini(&h);
}
