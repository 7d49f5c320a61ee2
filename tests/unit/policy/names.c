// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"
#include "policy/policy.h"

#include <criterion/criterion.h>

struct run {
    struct source source;
    struct arena arena;
    struct diags diags;
    struct policy_names names;
    enum pdp_err err;
    struct buf words;
};

static void run_fini(struct run *r)
{
    arena_fini(&r->arena);
    diags_fini(&r->diags);
    buf_fini(&r->words);
}

static void run(struct run *r, const char *text)
{
    *r = (struct run){.source = {STR("p.yaml"), str_of(text)}};
    arena_init(&r->arena, 0, 0);
    diags_init(&r->diags, 100);
    struct conf_doc *docs = NULL;
    size_t count = 0;
    cr_assert_eq(conf_parse(&r->source, &r->arena, &r->diags, &docs, &count), PDP_ERR_OK, "%s", text);
    r->err = policy_names_read(docs, count, &r->arena, &r->diags, &r->names);
    diags_render(&r->diags, &r->words);
    buf_byte(&r->words, '\0');
}

#define HEAD(kind, name) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

Test(policy_names, gathers_what_conditions_may_name)
{
    AUTO(run_fini) struct run r;
    run(&r,
        HEAD("List", "nets") "type: cidr\n---\n" HEAD("Policy", "p") "---\n" HEAD(
            "List", "leavers") "type: string\n"
                               "---\n" HEAD("Strengths", "s") "levels: [{name: password}, {name: mfa}]\n"
                                                              "---\n" HEAD("SessionPolicy", "p") "---\n" HEAD(
                                                                  "RiskModel", "p"));
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.words.at);
    cr_assert_eq(r.names.set_count, 2);
    cr_expect(str_eq(r.names.sets[0].name, STR("nets")) && r.names.sets[0].kind == CEL_SET_CIDR);
    cr_expect(str_eq(r.names.sets[1].name, STR("leavers")) && r.names.sets[1].id == 1);
    cr_assert_eq(r.names.strength_count, 2);
    cr_expect(str_eq(r.names.strengths[1], STR("mfa")));
}

static const struct {
    const char *text, *words;
} REFUSED[] = {
    {"[a]", "p.yaml:1:1: error: a document must be a mapping\n"
            "    1 | [a]\n"
            "      | ^~~\n"},
    {"kind: Policy\nmetadata: {name: a}\n", "p.yaml:1:1: error: a document needs `apiVersion`\n"
                                            "    1 | kind: Policy\n"
                                            "      | ^~~~\n"
                                            "  hint: write `apiVersion: pdp/v1`\n"},
    {"apiVersion: v2\nkind: Policy\nmetadata: {name: a}\n",
     "p.yaml:1:13: error: `apiVersion` is not `pdp/v1`\n"
     "    1 | apiVersion: v2\n"
     "      |             ^~\n"
     "  hint: write `apiVersion: pdp/v1`\n"},
    {"apiVersion: pdp/v1\nkind: Exemption\nmetadata: {name: a, ticket: SEC-1}\n",
     "p.yaml:2:7: error: unknown kind `Exemption`\n"
     "    2 | kind: Exemption\n"
     "      |       ^~~~~~~~~\n"
     "  hint: did you mean `Exception`?\n"},
    {"apiVersion: pdp/v1\nmetadata: {name: a}\n",
     "p.yaml:1:1: error: a document needs `kind`\n"
     "    1 | apiVersion: pdp/v1\n"
     "      | ^~~~~~~~~~\n"
     "  hint: known kinds are `Policy`, `Strengths`, `List`, `Definitions`, `Exception`, `SessionPolicy`, "
     "`RiskModel`, `Schema`, `Scope`, `Counter` and `Entities`, and in files of tests `Test`, "
     "`Scenario` and `Given`\n"},
    {"apiVersion: pdp/v1\nkind: Policy\n", "p.yaml:1:1: error: a document needs `metadata`\n"
                                           "    1 | apiVersion: pdp/v1\n"
                                           "      | ^~~~~~~~~~\n"
                                           "  hint: write `metadata: {name: …}`\n"},
    {"apiVersion: pdp/v1\nkind: Policy\nmetadata: {nam: a}\n",
     "p.yaml:3:12: error: `metadata` has no key `nam`\n"
     "    3 | metadata: {nam: a}\n"
     "      |            ^~~\n"
     "  hint: did you mean `name`?\n"},
    {HEAD("Policy", "a") "---\n" HEAD("List", "a") "---\n" HEAD("Policy", "a"),
     "p.yaml:11:18: error: another Policy is called `a`\n"
     "   11 | metadata: {name: a}\n"
     "      |                  ^\n"
     "  hint: it is at p.yaml:3\n"},
    {HEAD("List", "trusted-nets"), "p.yaml:3:18: error: a list's name cannot hold `-` or `.`\n"
                                   "    3 | metadata: {name: trusted-nets}\n"
                                   "      |                  ^~~~~~~~~~~~\n"
                                   "  hint: conditions read it as `lists.NAME`; use `_`\n"},
    {HEAD("Strengths", "a") "---\n" HEAD("Strengths", "b"),
     "p.yaml:6:7: error: there is a `Strengths` already: a folder has at most one\n"
     "    6 | kind: Strengths\n"
     "      |       ^~~~~~~~~\n"},
};

Test(policy_names, refuses_word_for_word)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(run_fini) struct run r;
        run(&r, REFUSED[i].text);
        cr_expect_neq(r.err, PDP_ERR_OK, "%zu", i);
        cr_expect_str_eq((char *)r.words.at, REFUSED[i].words, "%zu: got\n%s", i, (char *)r.words.at);
    }
}

Test(policy_names, no_documents_are_no_error)
{
    AUTO(run_fini) struct run r;
    run(&r, "");
    cr_expect_eq(r.err, PDP_ERR_OK);
    cr_expect_eq(r.names.set_count, 0);
}
