// SPDX-License-Identifier: Apache-2.0
// Documents that load, and each mistake of a folder in its words.
#include "unit/policy/fixture.h"

#include "policy/set.h"

#include <stdio.h>
#include <time.h>

#define HEAD(kind, name) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define POLICY HEAD("Policy", "p")
#define STRENGTHS                                                                         \
    "---\n" HEAD("Strengths",                                                             \
                 "s") "levels:\n  - {name: password, proves: '\"pwd\" in session.amr'}\n" \
                      "  - {name: mfa, proves: 'session.acr == \"aal2\"', ask: {acr_values: [aal2]}}\n"
// Line 5 is the rule.
#define RULE(rest) POLICY "rules:\n  - {id: a, " rest "}\n"

static const struct {
    const char *text, *words;
} REFUSED[] = {
    {POLICY "rules: []\n", "p.yaml:4:8: error: `rules` is empty\n"
                           "    4 | rules: []\n"
                           "      |        ^~\n"},
    {POLICY "target: a\n", NULL},
    {POLICY, "p.yaml:1:1: error: Policy needs `rules`\n"
             "    1 | apiVersion: pdp/v1\n"
             "      | ^~~~~~~~~~\n"},
    {POLICY "priority: 3\nrules: [{id: a, effect: deny}]\n",
     "p.yaml:4:1: error: Policy has no key `priority`\n"
     "    4 | priority: 3\n"
     "      | ^~~~~~~~\n"
     "  hint: its keys are `apiVersion`, `kind`, `metadata`, `target`, `combine`, `variables`, `shadow`, "
     "`rollout`, `rules`\n"},
    {POLICY "combine: first-math\nrules: [{id: a, effect: deny}]\n",
     "p.yaml:4:10: error: `combine` cannot be `first-math`\n"
     "    4 | combine: first-math\n"
     "      |          ^~~~~~~~~~\n"
     "  hint: did you mean `first-match`?\n"},
    {POLICY "rules:\n  - {id: a, effect: deny}\n  - {id: b, effect: deny}\n  - {id: a, effect: allow}\n",
     "p.yaml:7:10: error: another rule is called `a`\n"
     "    7 |   - {id: a, effect: allow}\n"
     "      |          ^\n"},
    {POLICY "rules:\n  - {id: deny-unless-allow, effect: deny}\n",
     "p.yaml:5:10: error: `deny-unless-allow` is no id for a rule: it names the deny that this algorithm "
     "adds\n"
     "    5 |   - {id: deny-unless-allow, effect: deny}\n"
     "      |          ^~~~~~~~~~~~~~~~~\n"},
    {RULE("effect: block"), "p.yaml:5:21: error: `effect` cannot be `block`\n"
                            "    5 |   - {id: a, effect: block}\n"
                            "      |                     ^~~~~\n"
                            "  hint: it is one of `deny`, `allow`, `step_up`, `terminate`\n"},
    {RULE("reason: x"), "p.yaml:5:6: error: a rule needs `effect`\n"
                        "    5 |   - {id: a, reason: x}\n"
                        "      |      ^~\n"},
    {RULE("effect: deny, require: {strength: mfa}") STRENGTHS,
     "p.yaml:5:36: error: only a step_up rule has `require`\n"
     "    5 |   - {id: a, effect: deny, require: {strength: mfa}}\n"
     "      |                                    ^~~~~~~~~~~~~~~\n"},
    {RULE("effect: step_up"), "p.yaml:5:21: error: a step_up rule needs `require`\n"
                              "    5 |   - {id: a, effect: step_up}\n"
                              "      |                     ^~~~~~~\n"
                              "  hint: such as `require: {strength: mfa, max_age: 15m}`\n"},
    {RULE("effect: step_up, require: {strength: mfaa}") STRENGTHS,
     "p.yaml:5:50: error: unknown strength `mfaa`\n"
     "    5 |   - {id: a, effect: step_up, require: {strength: mfaa}}\n"
     "      |                                                  ^~~~\n"
     "  hint: did you mean `mfa`?\n"},
    {RULE("effect: step_up, require: {strength: mfa}"),
     "p.yaml:5:50: error: unknown strength `mfa`\n"
     "    5 |   - {id: a, effect: step_up, require: {strength: mfa}}\n"
     "      |                                                  ^~~\n"
     "  hint: no Strengths document is here\n"},
    {RULE("effect: step_up, require: {strength: mfa, max_age: 15}") STRENGTHS,
     "p.yaml:5:64: error: `max_age` must be a duration, but is `15`\n"
     "    5 |   - {id: a, effect: step_up, require: {strength: mfa, max_age: 15}}\n"
     "      |                                                                ^~\n"
     "  hint: add a unit: ms, s, m, h or d\n"},
    {RULE("effect: step_up, require: {strength: mfa, max_age: 15ms}") STRENGTHS,
     "p.yaml:5:64: error: `max_age` must be a longer duration, but is `15ms`\n"
     "    5 |   - {id: a, effect: step_up, require: {strength: mfa, max_age: 15ms}}\n"
     "      |                                                                ^~~~\n"},
    {RULE("effect: deny, terminate: {scope: subject}"),
     "p.yaml:5:38: error: only a terminate rule has `terminate`\n"
     "    5 |   - {id: a, effect: deny, terminate: {scope: subject}}\n"
     "      |                                      ^~~~~~~~~~~~~~~~\n"},
    {RULE("effect: deny, exceptions: always"), "p.yaml:5:39: error: `exceptions` cannot be `always`\n"
                                               "    5 |   - {id: a, effect: deny, exceptions: always}\n"
                                               "      |                                       ^~~~~~\n"
                                               "  hint: it is one of `never`\n"},
    {RULE("effect: deny, actions: [GET, 'P*']"), "p.yaml:5:43: error: an action is a name, without `*`\n"
                                                 "    5 |   - {id: a, effect: deny, actions: [GET, 'P*']}\n"
                                                 "      |                                           ^~\n"
                                                 "  hint: leave `actions` out for all actions\n"},
    {RULE("effect: deny, actions: []"), "p.yaml:5:36: error: `actions` is empty\n"
                                        "    5 |   - {id: a, effect: deny, actions: []}\n"
                                        "      |                                    ^~\n"
                                        "  hint: leave `actions` out for all actions\n"},
    {RULE("effect: deny, resources: ['/a/**/b']"),
     "p.yaml:5:43: error: `**` may only end a pattern\n"
     "    5 |   - {id: a, effect: deny, resources: ['/a/**/b']}\n"
     "      |                                           ^~\n"
     "  hint: patterns are exact, `/a/*`, `/a/*/b` or `/a/**`\n"},
    {RULE("effect: deny, when: {al: [x]}"),
     "p.yaml:5:34: error: a condition has no key `al`\n"
     "    5 |   - {id: a, effect: deny, when: {al: [x]}}\n"
     "      |                                  ^~\n"
     "  hint: its keys are `all`, `any` and `not`; an expression that starts with `{` must be in quotes\n"},
    {RULE("effect: deny, when: {any: []}"), "p.yaml:5:39: error: a list of conditions is empty\n"
                                            "    5 |   - {id: a, effect: deny, when: {any: []}}\n"
                                            "      |                                       ^~\n"},
    {RULE("effect: deny, when: {not: ['true']}"),
     "p.yaml:5:39: error: `not` takes one condition, not a list\n"
     "    5 |   - {id: a, effect: deny, when: {not: ['true']}}\n"
     "      |                                       ^~~~~~~~\n"
     "  hint: write `not: {all: […]}` or `not: {any: […]}`\n"},
    {RULE("effect: deny, when: {}"), "p.yaml:5:33: error: a condition is empty\n"
                                     "    5 |   - {id: a, effect: deny, when: {}}\n"
                                     "      |                                 ^~\n"},
    {RULE("effect: deny, obligations: [{tipe: x}]"),
     "p.yaml:5:42: error: an obligation has no key `tipe`\n"
     "    5 |   - {id: a, effect: deny, obligations: [{tipe: x}]}\n"
     "      |                                          ^~~~\n"
     "  hint: did you mean `type`?\n"},
    {POLICY "variables: {a-b: 'true'}\nrules: [{id: a, effect: deny}]\n",
     "p.yaml:4:13: error: a variable's name holds letters, digits and `_`, and starts with no digit\n"
     "    4 | variables: {a-b: 'true'}\n"
     "      |             ^~~\n"
     "  hint: conditions read it as `vars.NAME`\n"},
    {HEAD("List", "l") "type: cidr\nentries: [10.20.30.1/28, x]\n",
     "p.yaml:5:11: error: `10.20.30.1/28` is not an address or prefix\n"
     "    5 | entries: [10.20.30.1/28, x]\n"
     "      |           ^~~~~~~~~~~~~\n"
     "  hint: bits are set below the prefix; did you mean `10.20.30.0/28`?\n"
     "p.yaml:5:26: error: `x` is not an address or prefix\n"
     "    5 | entries: [10.20.30.1/28, x]\n"
     "      |                          ^\n"
     "  hint: such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`\n"},
    {HEAD("List", "l") "type: contry\nentries: []\n", "p.yaml:4:7: error: `type` cannot be `contry`\n"
                                                      "    4 | type: contry\n"
                                                      "      |       ^~~~~~\n"
                                                      "  hint: did you mean `country`?\n"},
    {HEAD("List", "l") "type: country\nentries: [DE, Germany, ~]\n",
     "p.yaml:5:15: error: `Germany` is not a country\n"
     "    5 | entries: [DE, Germany, ~]\n"
     "      |               ^~~~~~~\n"
     "  hint: two letters of ISO 3166, such as `DE`\n"
     "p.yaml:5:24: error: an entry must be text\n"
     "    5 | entries: [DE, Germany, ~]\n"
     "      |                        ^\n"},
    {HEAD("List", "l") "type: string\n", "p.yaml:2:7: error: a List has either `entries` or `file`\n"
                                         "    2 | kind: List\n"
                                         "      |       ^~~~\n"},
    {HEAD("List", "l") "type: cidr\nfile: lists/bad.txt\n",
     "lists/bad.txt:3:3: error: `not-a-net` is not an address or prefix\n"
     "    3 |   not-a-net\n"
     "      |   ^~~~~~~~~\n"
     "  hint: such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`\n"},
    {HEAD("List", "l") "type: cidr\nfile: lists/../../nets.txt\n",
     "p.yaml:5:7: error: `lists/../../nets.txt` lies outside the folder\n"
     "    5 | file: lists/../../nets.txt\n"
     "      |       ^~~~~~~~~~~~~~~~~~~~\n"
     "  hint: name it relative to the folder of the policies, without `..`\n"},
    {HEAD("List", "l") "type: cidr\nfile: /etc/passwd\n",
     "p.yaml:5:7: error: `/etc/passwd` lies outside the folder\n"
     "    5 | file: /etc/passwd\n"
     "      |       ^~~~~~~~~~~\n"
     "  hint: name it relative to the folder of the policies, without `..`\n"},
    {HEAD("Strengths", "s") "levels: []\n", "p.yaml:4:9: error: `levels` is empty\n"
                                            "    4 | levels: []\n"
                                            "      |         ^~\n"},
    {HEAD("Strengths", "s") "levels: [{name: a, proves: 'true'}, {name: a, proves: 'true'}]\n",
     "p.yaml:4:44: error: another level is called `a`\n"
     "    4 | levels: [{name: a, proves: 'true'}, {name: a, proves: 'true'}]\n"
     "      |                                            ^\n"},
};

Test(policy_document, refuses_word_for_word)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(fixture_fini) struct fixture f;
        fixture_read(&f, str_of(REFUSED[i].text));
        cr_expect_neq(f.err, PDP_ERR_OK, "%zu", i);
        cr_expect_null(f.set, "%zu", i);
        if (REFUSED[i].words != NULL) {
            cr_expect_str_eq((char *)f.words.at, REFUSED[i].words, "%zu: got\n%s", i, (char *)f.words.at);
        }
    }
}

// What the language says is wrong keeps its place, in every way in which a condition can be written.
static const struct {
    const char *text;
    const char *place;
} IN_CONDITIONS[] = {
    {RULE("effect: deny, when: 'device.managed && nosuch.attr'"), "p.yaml:5:52: error: "},
    {RULE("effect: deny, when: {all: ['true', {not: '!\"\" && nosuch'}]}"), NULL},
    {POLICY "target: nosuch == 1\nrules: [{id: a, effect: deny}]\n", "p.yaml:4:9: error: "},
    {POLICY "rules:\n  - id: a\n    effect: deny\n    when: >-\n      device.managed\n      && nosuch == 1\n",
     "p.yaml:9:10: error: "},
    {POLICY "rules:\n  - id: a\n    effect: deny\n    when: geo.country in lists.nosuch\n", "p.yaml:7:"},
    {POLICY "variables: {b: vars.a, a: 'true'}\nrules: [{id: a, effect: deny}]\n", "p.yaml:4:"},
    {RULE("effect: deny, when: 'geo.country'"), "p.yaml:5:"},
};

Test(policy_document, places_mistakes_of_conditions)
{
    for (size_t i = 0; i < COUNT_OF(IN_CONDITIONS); i++) {
        AUTO(fixture_fini) struct fixture f;
        fixture_read(&f, str_of(IN_CONDITIONS[i].text));
        cr_expect_neq(f.err, PDP_ERR_OK, "%zu", i);
        if (IN_CONDITIONS[i].place != NULL) {
            cr_expect(str_starts(buf_view(&f.words), str_of(IN_CONDITIONS[i].place)), "%zu: got\n%s", i,
                      (char *)f.words.at);
        }
    }
}

Test(policy_document, reports_all_mistakes_at_once)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_read(&f,
                 STR(POLICY "target: nosuch\nrules:\n  - {id: a, effect: step_up}\n"
                            "  - {id: a, effect: deny, when: nosuch}\n  - {id: c, efect: deny}\n---\n" HEAD(
                                "Nope", "n") "---\n" HEAD("List", "l") "type: asn\nentries: [ASx]\n"));
    cr_expect_eq(f.diags.errors, 7, "%s", (char *)f.words.at);
}

Test(policy_document, a_list_file_that_is_lost_is_a_warning)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(HEAD("List", "nets") "type: cidr\nfile: lists/nowhere.txt\n"));
    cr_expect_str_eq((char *)f.words.at,
                     "p.yaml:5:7: warning: `lists/nowhere.txt` could not be read: input or output failed\n"
                     "    5 | file: lists/nowhere.txt\n"
                     "      |       ^~~~~~~~~~~~~~~~~\n"
                     "  hint: until it can, whatever asks `lists.nets` is unsure\n",
                     "%s", (char *)f.words.at);
    struct value value = value_str(STR("10.1.2.3"));
    cr_expect_eq(policy_contains(f.lists, 0, &value, 0), TRUTH_UNSURE);
    cr_expect_eq(policy_contains(f.lists, 1, &value, 0), TRUTH_UNSURE, "no such list");
}

Test(policy_document, lists_come_from_files_and_age)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(
        &f, STR(HEAD("List", "nets") "type: cidr\nfile: lists/nets.txt\nmax_age: 1h\n---\n" HEAD(
                "List", "old") "type: string\nentries: [a]\nmax_age: 1h\nupdated: 1970-01-01T00:00:00Z\n"));
    struct value ip = value_str(STR("10.1.2.3"));
    struct value text = value_str(STR("a"));
    cr_expect_eq(policy_contains(f.lists, 0, &ip, 0), TRUTH_UNSURE, "nobody said when it was loaded");
    policy_lists_loaded(f.lists, 1000);
    cr_expect_eq(policy_contains(f.lists, 0, &ip, 3601000), TRUTH_YES);
    cr_expect_eq(policy_contains(f.lists, 0, &ip, 3601001), TRUTH_UNSURE);
    cr_expect_eq(policy_contains(f.lists, 1, &text, 3600000), TRUTH_YES);
    cr_expect_eq(policy_contains(f.lists, 1, &text, 3600001), TRUTH_UNSURE, "its own time counts");
}

Test(policy_document, numbers_rules_by_path_and_place)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(
        &f, STR(HEAD("Policy", "b") "combine: deny-unless-allow\nrules: [{id: y, effect: deny}, {id: x, "
                                    "effect: allow}]\n---\n" HEAD("Policy",
                                                                  "a") "rules: [{id: z, effect: deny}]\n"));
    static const char *const NAMES[] = {"b/y", "b/x", "b/deny-unless-allow", "a/z"};
    cr_assert_eq(policy_rule_count(f.set), COUNT_OF(NAMES));
    for (uint32_t i = 0; i < COUNT_OF(NAMES); i++) {
        cr_expect(str_eq(policy_rule_name(f.set, i), str_of(NAMES[i])), "%u", i);
    }
    cr_expect_eq(policy_rule_name(f.set, 4).len, 0);
    struct policy_describe facts;
    policy_set_describe(f.set, &facts);
    cr_expect(facts.policies == 2 && facts.rules == 3 && facts.lists == 0 && facts.strengths == 0);
}

Test(policy_document, strengths_tell_what_proves_them)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(RULE("effect: deny") STRENGTHS));
    size_t count = 9;
    cr_expect_neq(policy_strength_proves(f.set, 1), UINT32_MAX);
    cr_expect_eq(policy_strength_proves(f.set, 2), UINT32_MAX);
    const struct str *acr = policy_strength_acr(f.set, 1, &count);
    cr_expect(count == 1 && str_eq(acr[0], STR("aal2")));
    (void)policy_strength_acr(f.set, 0, &count);
    cr_expect_eq(count, 0);
    cr_expect_null(policy_strength_acr(f.set, 7, &count));
}

// Each limit makes another allocation the one that fails: either all was read, or an error comes back.
Test(policy_document, survives_being_out_of_memory_anywhere)
{
    static const char TEXT[] =
        RULE("effect: step_up, when: {all: [device.managed, {not: subject.x}]}, actions: [GET], resources: "
             "[/a/**], require: {strength: mfa}, obligations: [{type: t, properties: {a: [1, {b: c}]}}]")
            STRENGTHS
        "---\n" HEAD("List", "nets") "type: cidr\nfile: lists/nets.txt\n---\n" HEAD(
            "List",
            "l") "type: string\nentries: [a, b]\n---\n" HEAD("Policy",
                                                             "q") "combine: deny-unless-allow\nvariables: "
                                                                  "{v: 'true'}\nrules: [{id: a, effect: "
                                                                  "allow, when: vars.v}]\n";
    unsigned failed = 0;
    for (size_t limit = 1; limit < 40000; limit += limit < 2000 ? 37 : 111) {
        AUTO(fixture_fini) struct fixture f = {.source = {STR("p.yaml"), str_of(TEXT)}};
        arena_init(&f.arena, 64, limit);
        arena_init(&f.request, 0, 0);
        diags_init(&f.diags, 10);
        f.err = conf_parse(&f.source, &f.arena, &f.diags, &f.docs, &f.doc_count);
        f.err = f.err == PDP_ERR_OK ? fixture_build(&f) : f.err;
        cr_assert_eq(f.diags.errors, 0);
        cr_assert(f.err == PDP_ERR_NOMEM || (f.err == PDP_ERR_OK && f.set != NULL), "%zu: %s", limit,
                  pdp_err_name(f.err));
        failed += f.err != PDP_ERR_OK;
        if (f.err == PDP_ERR_OK) {
            cr_assert_eq(cel_seal(f.program), PDP_ERR_OK);
            enum pdp_err err = policy_set_index(f.set, &f.diags);
            cr_assert(err == PDP_ERR_OK || err == PDP_ERR_NOMEM);
            cr_assert_eq(policy_rule_count(f.set), 3);
        }
    }
    cr_expect(failed > 50, "%u", failed);
}

Test(policy_document, many_rules_load_in_seconds)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(fixture_fini) struct fixture f;
    buf_str(&text, STR(POLICY "rules:\n"));
    for (int i = 0; i < 20000; i++) {
        buf_printf(&text,
                   "  - id: r%d\n    effect: deny\n    actions: [GET, HEAD]\n    resources: [/app/%d/**]\n"
                   "    when: subject.dept == \"d%d\" && device.managed\n    reason: rule number %d\n",
                   i, i, i % 100, i);
    }
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    fixture_load(&f, buf_view(&text));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double took = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    cr_expect(took < 20.0, "%g s", took); // with sanitizers
    struct policy_describe facts;
    policy_set_describe(f.set, &facts);
    cr_expect_eq(facts.indexed, 20000);
}

#if !defined(__SANITIZE_ADDRESS__) // four million values take long there
Test(policy_document, rules_are_counted, .timeout = 60)
{
    AUTO(buf_fini) struct buf text = {0};
    struct fixture f;
    buf_str(&text, STR(POLICY "rules: ["));
    for (size_t i = 0; i <= SET_RULES_MAX; i++) {
        buf_str(&text, STR("1,"));
    }
    buf_str(&text, STR("]\n"));
    fixture_read(&f, buf_view(&text));
    cr_expect_neq(f.err, PDP_ERR_OK);
    cr_expect_str_eq((char *)f.words.at, "error: more than 4194304 rules\n");
    fixture_fini(&f);
}
#endif
