// SPDX-License-Identifier: Apache-2.0
// Each kind of mistake: what it is called, and the text that it makes.
#include "cli/test/mutant_inner.h"

#include <criterion/criterion.h>
#include <stdlib.h>

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
                     "`/b/**` is left out of `resources`: - /a\n"
                     "`/b/**` becomes `/**`: - \"/**\"\n"
                     "`/b/**` becomes `/b/*`: - \"/b/*\"\n"},
    {"patterns of resources", RULE("    resources: [/a/b, /c/*, /d/e/**, /, '*']\n"),
     DROPPED SWAPPED "`resources` is left out: effect: deny\n"
                     "`/a/b` is left out of `resources`: resources: [/c/*, /d/e/**, /, '*']\n"
                     "`/a/b` becomes `/a`: resources: [/a, /c/*, /d/e/**, /, '*']\n"
                     "`/c/*` is left out of `resources`: resources: [/a/b, /d/e/**, /, '*']\n"
                     "`/c/*` becomes `/*`: resources: [/a/b, /*, /d/e/**, /, '*']\n"
                     "`/c/*` becomes `/c/**`: resources: [/a/b, /c/**, /d/e/**, /, '*']\n"
                     "`/d/e/**` is left out of `resources`: resources: [/a/b, /c/*, /, '*']\n"
                     "`/d/e/**` becomes `/d/**`: resources: [/a/b, /c/*, /d/**, /, '*']\n"
                     "`/d/e/**` becomes `/d/e/*`: resources: [/a/b, /c/*, /d/e/*, /, '*']\n"
                     "`/` is left out of `resources`: resources: [/a/b, /c/*, /d/e/**, '*']\n"
                     "`*` is left out of `resources`: resources: [/a/b, /c/*, /d/e/**, /]\n"},
    {"a List in one line", HEAD("List") "type: string\nentries: [a, b, c]\n",
     "`a` is left out of the list: entries: [b, c]\n`b` is left out of the list: entries: [a, c]\n"
     "`c` is left out of the list: entries: [a, b]\n"},
    {"a List of one", HEAD("List") "type: string\nentries: [a]\n",
     "`a` is left out of the list: entries: []\n"},
    {"a List of one in lines", HEAD("List") "type: string\nentries:\n  - a # she\n",
     "`a` is left out of the list: entries: [] # she\n"},
    {"a long List", HEAD("List") "type: string\nentries: [a, b, c, d, e, f, g, h, i]\n",
     "`a` is left out of the list: entries: [b, c, d, e, f, g, h, i]\n"
     "`i` is left out of the list: entries: [a, b, c, d, e, f, g, h]\n"},
    {"a List of a file", HEAD("List") "type: string\nfile: a.txt\n", ""},
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

// Texts that mean more than themselves: what becomes of one that stands in a condition, in order.
static const struct {
    const char *call, *text, *expected; // %s of the call is the text
} TEXTS[] = {
    {"a.b.matches(\"%s\")", "^svc-[a-z]+$|admin",
     "admin svc-[a-z]+$|admin ^svc-[b-z]+$|admin ^svc-[a-y]+$|admin ^svc-[a-z]*$|admin ^svc-[a-z]+|admin "
     "^svc-[a-z]+$"},
    {"matches(a.b, \"%s\")", "a(b|c|(?:d|e))f",
     "a(c|(?:d|e))f a(b|(?:d|e))f a(b|c)f a(b|c|(?:e))f a(b|c|(?:d))f"},
    {"a.b.matches(\"%s\")", "(?i)x|y", "(?i)y (?i)x"},
    {"a.b.matches(\"%s\")", "(?P<n>x|y)", "(?P<n>y) (?P<n>x)"},
    {"a.b.matches(\"%s\")", "[0-5A-Cxy]",
     "[1-5A-Cxy] [0-4A-Cxy] [0-6A-Cxy] [0-5B-Cxy] [0-5A-Bxy] [0-5A-Dxy] [0-5A-Cx]"},
    {"a.b.matches(\"%s\")", "[^/.]+x+?", "[^.]+x+? [^/]+x+? [^/.]*x+? [^/.]+x*?"},
    {"a.b.matches(\"%s\")", "[[:alpha:]_]|[]a]",
     "[]a] [_]|[]a] [[:alpha:]]|[]a] [[:alpha:]_] [[:alpha:]_]|[a] [[:alpha:]_]|[]]"},
    {"a.b.matches(\"%s\")", "[a]x{2}", ""},
    // Escaped: no more than letters.
    {"a.b.matches(\"%s\")", "\\\\^\\\\$\\\\+\\\\|\\\\(\\\\[\\\\\\\\^",
     "\\\\^\\\\$\\\\+\\\\|\\\\(\\\\[\\\\\\\\"},
    {"a.b.matches(r\"%s\")", "\\^\\$\\+\\|\\(\\[\\\\^", "\\^\\$\\+\\|\\(\\[\\\\"},
    {"within(now, \"%s\")", "Mon-Fri 07:00-19:30",
     "Sun-Fri_07:00-19:30 Tue-Fri_07:00-19:30 Mon-Sat_07:00-19:30 Mon-Thu_07:00-19:30 Mon-Fri_06:59-19:30 "
     "Mon-Fri_07:01-19:30 Mon-Fri_07:00-19:29 Mon-Fri_07:00-19:31"},
    {"within(now, \"%s\", \"Europe/Berlin\")", "00:00-00:00", "00:01-00:00 00:00-23:59"},
    {"within(now, \"%s\")", "23:59-24:00", "23:58-24:00 23:59-23:59"},
    {"within(now, \"%s\")", "daily", "Mon-Sat Sun-Fri"},
    {"within(now, \"%s\")", "Mon-Sun", "Tue-Sun Mon-Sat"},
    {"within(now, \"%s\")", "Sat", "Fri-Sat Sat-Sun"},
    {"within(now, \"%s\")", "Mon,Wed 09:00-24:00",
     "Sun-Mon,Wed_09:00-24:00 Wed_09:00-24:00 Mon_09:00-24:00 Mon-Tue,Wed_09:00-24:00 "
     "Mon,Tue-Wed_09:00-24:00 Mon,Wed-Thu_09:00-24:00 Mon,Wed_08:59-24:00 Mon,Wed_09:01-24:00 "
     "Mon,Wed_09:00-23:59"},
    {"within(now, \"%s\")", "daily, Sat", "Mon-Sat,_Sat Sun-Fri,_Sat daily daily,_Fri-Sat daily,_Sat-Sun"},
    {"a.b.startsWith(\"%s\")", "/ad\xc3\xa9", "/ad"},
    {"a.b.endsWith(\"%s\")", "\xc3\xa9/x", "/x"},
    {"a.b.contains(\"%s\")", "abc", "bc ab"},
    {"a.b.contains(\"%s\")", "\xc3\xa9", ""},
    {"a.b.startsWith(\"%s\")", "", ""},
    {"a.b.startsWith(c.%s)", "d", ""},
};

// What a mutant makes of the text, with `_` for a blank.
static void became(const struct mutants *mutants, const struct mutant *mutant, struct str before,
                   struct str after, struct buf *out)
{
    struct buf text = {0};
    mutant_apply(mutants, mutant, &text);
    size_t from = str_find(buf_view(&text), before, 0) + before.len;
    size_t to = str_find(buf_view(&text), after, from);
    for (size_t i = from; i < to; i++) {
        buf_byte(out, text.at[i] == ' ' ? '_' : text.at[i]);
    }
    buf_byte(out, ' ');
    buf_fini(&text);
}

static void check_texts(size_t row)
{
    const char *mark = strstr(TEXTS[row].call, "%s");
    struct str before = {TEXTS[row].call, (size_t)(mark - TEXTS[row].call)}, after = str_of(mark + 2);
    struct buf yaml = {0}, out = {0};
    buf_printf(&yaml,
               HEAD("Policy") "rules:\n  - id: r\n    effect: deny\n    when: '" STR_FMT "%s" STR_FMT "'\n",
               STR_ARG(before), TEXTS[row].text, STR_ARG(after));
    const struct snapshot_file file = {.name = STR("a.yaml"), .text = buf_view(&yaml)};
    struct mutants mutants;
    cr_assert_eq(mutants_find(&file, 1, &mutants), PDP_ERR_OK, "%s", TEXTS[row].text);
    for (size_t i = 0; i < mutants.count; i++) {
        enum mutant_op op = mutants.list[i].op;
        if (op >= MUTANT_ALTERNATIVE && op <= MUTANT_DAY) {
            became(&mutants, &mutants.list[i], before, after, &out);
        }
    }
    cr_expect(str_eq(str_trim(buf_view(&out)), str_of(TEXTS[row].expected)),
              "%s:\n" STR_FMT "\nexpected:\n%s", TEXTS[row].text, STR_ARG(buf_view(&out)),
              TEXTS[row].expected);
    mutants_fini(&mutants);
    buf_fini(&yaml);
    buf_fini(&out);
}

Test(cli_mutant, changes_what_texts_mean)
{
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        check_texts(i);
    }
}

// As many as fit; unbalanced brackets and deep ones are no harm.
Test(cli_mutant, stops_where_a_pattern_is_long)
{
    struct find_steps steps = {.count = 0};
    struct buf text = {0};
    for (int i = 0; i < 1000; i++) {
        buf_str(&text, STR("x+|"));
    }
    find_pattern(buf_view(&text), false, &steps);
    cr_expect_eq(steps.count, COUNT_OF(steps.list));
    static const char *const ODD[] = {"(((((((((((((((((((((((((((((((((((((a|b",
                                      ")))a|b)",
                                      "[",
                                      "[^",
                                      "[a-",
                                      "[[:",
                                      "(?",
                                      "(?:",
                                      "\\",
                                      "\\\\",
                                      "a\\\\",
                                      "[a\\",
                                      "|",
                                      "(?i)",
                                      "^[]"};
    for (size_t i = 0; i < COUNT_OF(ODD); i++) {
        for (int raw = 0; raw < 2; raw++) {
            // Its own bytes, so that a sanitizer sees one too many.
            char *own = strdup(ODD[i]);
            steps.count = 0;
            find_pattern((struct str){own, strlen(own)}, raw != 0, &steps);
            find_hours(NULL, (struct str){own, strlen(own)}, &steps);
            for (uint32_t k = 0; k < steps.count; k++) {
                cr_expect_leq(steps.list[k].at + steps.list[k].len, strlen(own), "%s", own);
            }
            free(own);
        }
    }
    buf_fini(&text);
}

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
