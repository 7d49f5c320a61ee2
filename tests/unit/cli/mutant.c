// SPDX-License-Identifier: Apache-2.0
// Each kind of mistake: what it is called, and the text that it makes.
#include "cli/test/mutant.h"

#include <criterion/criterion.h>

#define HEAD(kind) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: p}\n"
#define RULE(rest) HEAD("Policy") "rules:\n  - id: r\n    effect: deny\n" rest
#define WHEN(text) RULE("    when: " text "\n")

static const char *const STRENGTHS =
    HEAD("Strengths") "levels:\n  - {name: pwd, proves: 'true'}\n  - {name: mfa, proves: 'true'}\n"
                      "  - {name: key, proves: 'true'}\n---\n" HEAD("Exception") "lifts: ['*']\n";

// All mutants of the first of two files, a line each: what it is, and the lines that it makes.
static void list(const char *yaml, struct buf *out)
{
    const struct snapshot_file files[] = {{.name = STR("a.yaml"), .text = str_of(yaml)},
                                          {.name = STR("b.yaml"), .text = str_of(STRENGTHS)}};
    struct mutants mutants;
    cr_assert_eq(mutants_find(files, 2, &mutants), PDP_ERR_OK, "%s", yaml);
    for (size_t i = 0; i < mutants.count && mutants.list[i].file == 0; i++) {
        const struct mutant *mutant = &mutants.list[i];
        struct buf lines = {0};
        uint32_t line = 0;
        mutant_lines(&mutants, mutant, true, &lines, &line);
        struct str text = str_trim(buf_view(&lines));
        buf_str(out, mutant->what);
        buf_str(out, STR(": "));
        for (size_t k = 0; k < text.len; k++) {
            buf_str(out, text.at[k] == '\n' ? STR("\\n") : str_sub(text, k, 1));
        }
        buf_byte(out, '\n');
        buf_fini(&lines);
    }
    mutants_fini(&mutants);
}

#define DROPPED "the rule is left out: - when: false\\n    id: r\n"
#define SWAPPED "effect `deny` becomes `allow`: effect: allow\n"
#define NO_WHEN(text) "the rule is left out: when: " text "\n" SWAPPED

static const struct {
    const char *name, *yaml, *expected;
} CASES[] = {
    {"a rule without a condition", RULE(""), DROPPED SWAPPED},
    {"a rule in one line", HEAD("Policy") "rules: [{id: r, effect: allow}]\n",
     "the rule is left out: rules: [{when: false, id: r, effect: allow}]\n"
     "effect `allow` becomes `deny`: rules: [{id: r, effect: deny}]\n"},
    {"what only a step_up has goes with it",
     HEAD("Policy") "rules:\n  - id: r\n    effect: step_up\n    require: {strength: mfa, max_age: 15m}\n",
     DROPPED "effect `step_up` becomes `deny`: effect: deny\n"
             "strength `mfa` becomes `pwd`: require: {strength: pwd, max_age: 15m}\n"
             "max_age `15m` becomes `30m`: require: {strength: mfa, max_age: 30m}\n"},
    {"a terminate",
     HEAD("Policy") "rules:\n  - {id: r, effect: terminate, terminate: {scope: subject}, audit: always}\n",
     "the rule is left out: - {when: false, id: r, effect: terminate, terminate: {scope: subject}, audit: "
     "always}\n"
     "effect `terminate` becomes `deny`: - {id: r, effect: deny, audit: always}\n"},
    {"one truth", WHEN("device.managed"),
     NO_WHEN("false") "`device.managed` is left out: when: true\n"
                      "`device.managed` is negated: when: '!device.managed'\n"},
    {"a negation", WHEN("'!device.managed'"),
     NO_WHEN("'false'") "`!device.managed` is left out: when: 'true'\n"
                        "`!device.managed` is negated: when: 'device.managed'\n"},
    {"conjuncts", WHEN("device.managed && tenant == \"a\""),
     NO_WHEN("false") "`device.managed` is left out: when: true && tenant == \"a\"\n"
                      "`device.managed` is negated: when: '!device.managed && tenant == \"a\"'\n"
                      "`tenant == \"a\"` is left out: when: device.managed && true\n"
                      "`==` becomes `!=`: when: device.managed && tenant != \"a\"\n"},
    {"disjuncts in brackets", WHEN("\"!(a.b || c.d) && e.f\""),
     NO_WHEN("\"false\"") "`!(a.b || c.d)` is left out: when: \"true && e.f\"\n"
                          "`!(a.b || c.d)` is negated: when: \"(a.b || c.d) && e.f\"\n"
                          "`a.b` is left out: when: \"!(false || c.d) && e.f\"\n"
                          "`a.b` is negated: when: \"!(!a.b || c.d) && e.f\"\n"
                          "`c.d` is left out: when: \"!(a.b || false) && e.f\"\n"
                          "`c.d` is negated: when: \"!(a.b || !c.d) && e.f\"\n"
                          "`e.f` is left out: when: \"!(a.b || c.d) && true\"\n"
                          "`e.f` is negated: when: \"!(a.b || c.d) && !e.f\"\n"},
    {"brackets in front", WHEN("(a.b || c.d) && e.f"),
     NO_WHEN("false") "`a.b || c.d` is left out: when: (true) && e.f\n"
                      "`a.b` is left out: when: (false || c.d) && e.f\n"
                      "`a.b` is negated: when: (!a.b || c.d) && e.f\n"
                      "`c.d` is left out: when: (a.b || false) && e.f\n"
                      "`c.d` is negated: when: (a.b || !c.d) && e.f\n"
                      "`e.f` is left out: when: (a.b || c.d) && true\n"
                      "`e.f` is negated: when: (a.b || c.d) && !e.f\n"},
    {"brackets in front of a part", WHEN("'(a.b || c.d) && e.f || (g.h ? 1 : 2) in [2]'"),
     NO_WHEN("'false'") "`(a.b || c.d) && e.f` is left out: when: 'false || (g.h ? 1 : 2) in [2]'\n"
                        "`(a.b || c.d) && e.f || (g.h ? 1 : 2) in [2]` is left out: when: 'true'\n"
                        "`a.b || c.d` is left out: when: '(true) && e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`a.b` is left out: when: '(false || c.d) && e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`a.b` is negated: when: '(!a.b || c.d) && e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`c.d` is left out: when: '(a.b || false) && e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`c.d` is negated: when: '(a.b || !c.d) && e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`e.f` is left out: when: '(a.b || c.d) && true || (g.h ? 1 : 2) in [2]'\n"
                        "`e.f` is negated: when: '(a.b || c.d) && !e.f || (g.h ? 1 : 2) in [2]'\n"
                        "`(g.h ? 1 : 2) in [2]` is left out: when: '(a.b || c.d) && e.f || false'\n"
                        "`(g.h ? 1 : 2) in [2]` is negated: when: '(a.b || c.d) && e.f || !((g.h ? 1 : 2) in "
                        "[2])'\n"
                        "`g.h` is negated: when: '(a.b || c.d) && e.f || (!g.h ? 1 : 2) in [2]'\n"},
    {"an order, and a number", WHEN("risk.score >= 60"),
     NO_WHEN("false") "`risk.score >= 60` is left out: when: true\n"
                      "`>=` becomes `>`: when: risk.score > 60\n"
                      "`>=` becomes `<`: when: risk.score < 60\n"
                      "`60` becomes `59`: when: risk.score >= 59\n"
                      "`60` becomes `61`: when: risk.score >= 61\n"},
    {"a level", WHEN("'risk.level < level(\"high\")'"),
     NO_WHEN("'false'") "`risk.level < level(\"high\")` is left out: when: 'true'\n"
                        "`<` becomes `<=`: when: 'risk.level <= level(\"high\")'\n"
                        "`<` becomes `>=`: when: 'risk.level >= level(\"high\")'\n"
                        "`high` becomes `critical`: when: 'risk.level < level(\"critical\")'\n"
                        "`high` becomes `medium`: when: 'risk.level < level(\"medium\")'\n"},
    {"a duration", WHEN("device.first_seen > now - duration(\"24h\")"),
     NO_WHEN("false") "`device.first_seen > now - duration(\"24h\")` is left out: when: true\n"
                      "`>` becomes `>=`: when: device.first_seen >= now - duration(\"24h\")\n"
                      "`>` becomes `<=`: when: device.first_seen <= now - duration(\"24h\")\n"
                      "`24h` becomes `23h`: when: device.first_seen > now - duration(\"23h\")\n"
                      "`24h` becomes `25h`: when: device.first_seen > now - duration(\"25h\")\n"},
    {"a list", WHEN("'action.name in [\"GET\", \"PUT\", \"X\"]'"),
     NO_WHEN("'false'") "`action.name in [\"GET\", \"PUT\", \"X\"]` is left out: when: 'true'\n"
                        "`action.name in [\"GET\", \"PUT\", \"X\"]` is negated: when: "
                        "'!(action.name in [\"GET\", \"PUT\", \"X\"])'\n"
                        "`\"GET\"` is left out of the list: when: 'action.name in [\"PUT\", \"X\"]'\n"
                        "`\"PUT\"` is left out of the list: when: 'action.name in [\"GET\", \"X\"]'\n"
                        "`\"X\"` is left out of the list: when: 'action.name in [\"GET\", \"PUT\"]'\n"},
    {"a walk", WHEN("'subject.roles.exists(r, r == \"a\")'"),
     NO_WHEN("'false'") "`subject.roles.exists(r, r == \"a\")` is left out: when: 'true'\n"
                        "`subject.roles.exists(r, r == \"a\")` is negated: when: "
                        "'!subject.roles.exists(r, r == \"a\")'\n"
                        "`r == \"a\"` is left out: when: 'subject.roles.exists(r, true)'\n"
                        "`==` becomes `!=`: when: 'subject.roles.exists(r, r != \"a\")'\n"},
    {"structured",
     RULE("    when:\n      all:\n        - device.managed # at work\n        - not: tenant == \"b\"\n"
          "        - any: [a.b, '\"x\" in subject.y']\n"),
     "the rule is left out: when: false\n" SWAPPED "`device.managed` is left out: - true # at work\n"
     "`device.managed` is negated: - '!device.managed' # at work\n"
     "`not: tenant == \"b\"` is left out: - true\n"
     "`not: tenant == \"b\"` is negated: - tenant == \"b\"\n"
     "`any: [a.b, '\"x\" in subject.y']` is left out: - true\n"
     "`a.b` is left out: - any: [false, '\"x\" in subject.y']\n"
     "`a.b` is negated: - any: ['!a.b', '\"x\" in subject.y']\n"
     "`\"x\" in subject.y` is left out: - any: [a.b, 'false']\n"
     "`\"x\" in subject.y` is negated: - any: [a.b, '!(\"x\" in subject.y)']\n"},
    {"in the column of its key", RULE("    when: # why\n    - a.b\n    - not: c.d\n"),
     NO_WHEN("false") "`a.b` is left out: - true\n`a.b` is negated: - '!a.b'\n"
                      "`not: c.d` is left out: - true\n`not: c.d` is negated: - c.d\n"},
    {"a literal scalar", RULE("    when: |\n      a.b &&\n      c.d == 1\n"),
     "the rule is left out: when: false\n" SWAPPED "`a.b` is left out: true &&\n"
     "`a.b` is negated: !a.b &&\n"
     "`c.d == 1` is left out: true\n"
     "`==` becomes `!=`: c.d != 1\n"
     "`1` becomes `0`: c.d == 0\n"
     "`1` becomes `2`: c.d == 2\n"},
    {"quotes in quotes", WHEN("'a.b == ''x'' && c.d'"),
     NO_WHEN("'false'") "`a.b == 'x'` is left out: when: 'true && c.d'\n"
                        "`==` becomes `!=`: when: 'a.b != ''x'' && c.d'\n"
                        "`c.d` is left out: when: 'a.b == ''x'' && true'\n"
                        "`c.d` is negated: when: 'a.b == ''x'' && !c.d'\n"},
    {"actions and resources",
     RULE("    actions: [GET, PUT]\n    resources:\n      - /a\n      - \"/b/**\"\n    reason: x\n"),
     DROPPED SWAPPED "`actions` is left out: resources:\n"
                     "`GET` is left out of `actions`: actions: [PUT]\n"
                     "`PUT` is left out of `actions`: actions: [GET]\n"
                     "`resources` is left out: reason: x\n"
                     "`/a` is left out of `resources`: - \"/b/**\"\n"
                     "`/b/**` is left out of `resources`: - /a\n"},
    {"one action alone", RULE("    actions: GET\n"), DROPPED SWAPPED "`actions` is left out: effect: deny\n"},
    {"never lifted", RULE("    exceptions: never\n    reason: x\n"),
     DROPPED SWAPPED "`exceptions: never` is left out: reason: x\n"},
    {"times", RULE("    starts: 2026-01-01T00:00:00Z\n    expires: 2026-12-31T00:00:00Z\n"),
     DROPPED SWAPPED
     "starts `2026-01-01T00:00:00Z` becomes `2025-01-01T00:00:00Z`: starts: 2025-01-01T00:00:00Z\n"
     "expires `2026-12-31T00:00:00Z` becomes `2027-12-31T00:00:00Z`: expires: 2027-12-31T00:00:00Z\n"},
    {"target, combine, variables",
     HEAD("Policy") "target: a.b\ncombine: first-match\nvariables:\n  v: a.b == 1.5\n  w: geo.country\n"
                    "rules: [{id: r, effect: deny, shadow: true}]\n",
     "`a.b` is left out: target: true\n"
     "`a.b` is negated: target: '!a.b'\n"
     "combine `first-match` becomes `deny-unless-allow`: combine: deny-unless-allow\n"
     "combine `first-match` becomes `most-restrictive`: combine: most-restrictive\n"
     "`a.b == 1.5` is left out: v: true\n"
     "`==` becomes `!=`: v: a.b != 1.5\n"
     "`1.5` becomes `1.4`: v: a.b == 1.4\n"
     "`1.5` becomes `1.6`: v: a.b == 1.6\n"},
    {"in shadow", HEAD("Policy") "shadow: true\ntarget: a.b\nrules: [{id: r, effect: deny}]\n", ""},
    {"an exception",
     HEAD("Exception") "lifts: [p/r, p/s]\nwhen: a.b\nrequire: {strength: key, max_age: 90s}\n"
                       "expires: 2027-01-31T00:00:00Z\n",
     "`p/r` is left out of `lifts`: lifts: [p/s]\n"
     "`p/s` is left out of `lifts`: lifts: [p/r]\n"
     "`a.b` is left out: when: true\n"
     "`a.b` is negated: when: '!a.b'\n"
     "strength `key` becomes `mfa`: require: {strength: mfa, max_age: 90s}\n"
     "max_age `90s` becomes `3m`: require: {strength: key, max_age: 3m}\n"
     "expires `2027-01-31T00:00:00Z` becomes `2028-01-31T00:00:00Z`: expires: 2028-01-31T00:00:00Z\n"},
    {"limits of sessions",
     HEAD("SessionPolicy") "limits:\n  idle: 15m\n  on_idle: step_up\n  absolute: 12h\n",
     "idle `15m` becomes `30m`: idle: 30m\n"
     "on_idle `step_up` becomes `terminate`: on_idle: terminate\n"
     "absolute `12h` becomes `24h`: absolute: 24h\n"},
    {"thresholds of the risk model", HEAD("RiskModel") "signals: {}\nthresholds: {medium: 30, high: 60.5}\n",
     "medium `30` becomes `29`: thresholds: {medium: 29, high: 60.5}\n"
     "medium `30` becomes `31`: thresholds: {medium: 31, high: 60.5}\n"
     "high `60.5` becomes `60.4`: thresholds: {medium: 30, high: 60.4}\n"
     "high `60.5` becomes `60.6`: thresholds: {medium: 30, high: 60.6}\n"},
};

Test(cli_mutant, makes_each_mistake)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf out = {0};
        list(CASES[i].yaml, &out);
        buf_byte(&out, 0);
        cr_expect_str_eq((const char *)out.at, CASES[i].expected, "%s:\n%s\nexpected:\n%s", CASES[i].name,
                         out.at, CASES[i].expected);
        buf_fini(&out);
    }
}

// Every mistake says what test finds it.
Test(cli_mutant, names_a_test)
{
    for (int op = 0; op < MUTANT_OP_COUNT; op++) {
        cr_expect(strncmp(mutant_op_test((enum mutant_op)op), "a ", 2) == 0 ||
                  strncmp(mutant_op_test((enum mutant_op)op), "two ", 4) == 0);
    }
}
