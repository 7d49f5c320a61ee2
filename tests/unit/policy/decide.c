// SPDX-License-Identifier: Apache-2.0
// Documents, questions and verdicts.
#include "unit/policy/fixture.h"

#define HEAD(kind, name) "apiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

static const char BANK[] = HEAD(
    "Strengths",
    "bank") "levels:\n"
            "  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n"
            "  - {name: mfa, proves: '\"otp\" in session.amr || session.acr == \"aal2\"', ask: {acr_values: "
            "[aal2]}}\n"
            "  - {name: phishing-resistant, proves: 'session.acr == \"phr\"', ask: {acr_values: [phr, "
            "phrh]}}\n"
            "---\n" HEAD(
                "List",
                "sanctioned") "type: country\nentries: [KP, IR, SY]\n"
                              "---\n" HEAD(
                                  "List",
                                  "leavers") "type: string\nmax_age: 24h\nentries: [mallory]\n"
                                             "---\n" HEAD(
                                                 "Policy",
                                                 "geo") "rules:\n"
                                                        "  - {id: sanctioned, effect: terminate, exceptions: "
                                                        "never, when: geo.country in lists.sanctioned,\n"
                                                        "     reason: access from a sanctioned country}\n"
                                                        "---\n" HEAD(
                                                            "Policy",
                                                            "lifecycle") "rules:\n"
                                                                         "  - id: leaver\n"
                                                                         "    effect: terminate\n"
                                                                         "    terminate: {scope: subject}\n"
                                                                         "    when: subject.id in "
                                                                         "lists.leavers\n"
                                                                         "    reason: employment has ended\n"
                                                                         "---\n" HEAD(
                                                                             "Policy",
                                                                             "web") "target: resource.type "
                                                                                    "== \"route\"\n"
                                                                                    "variables:\n"
                                                                                    "  staff: '\"staff\" in "
                                                                                    "subject.roles'\n"
                                                                                    "  trusted: vars.staff "
                                                                                    "&& device.managed\n"
                                                                                    "rules:\n"
                                                                                    "  - id: payroll\n"
                                                                                    "    effect: step_up\n"
                                                                                    "    resources: "
                                                                                    "[\"/payroll/**\"]\n"
                                                                                    "    require: {strength: "
                                                                                    "mfa, max_age: 15m}\n"
                                                                                    "    message: please "
                                                                                    "confirm with your "
                                                                                    "second factor\n"
                                                                                    "    reason: payroll "
                                                                                    "needs a second factor\n"
                                                                                    "    obligations: "
                                                                                    "[{type: log}]\n"
                                                                                    "  - id: payroll-write\n"
                                                                                    "    effect: step_up\n"
                                                                                    "    resources: "
                                                                                    "[\"/payroll/**\"]\n"
                                                                                    "    actions: [POST]\n"
                                                                                    "    require: {strength: "
                                                                                    "phishing-resistant, "
                                                                                    "max_age: 1h}\n"
                                                                                    "    obligations: "
                                                                                    "[{type: log}, {type: "
                                                                                    "notify, properties: "
                                                                                    "{to: soc, n: 3}}]\n"
                                                                                    "  - id: high\n"
                                                                                    "    effect: terminate\n"
                                                                                    "    when: risk.level >= "
                                                                                    "level(\"critical\")\n"
                                                                                    "    reason: risk is "
                                                                                    "critical\n"
                                                                                    "  - id: staff-read\n"
                                                                                    "    effect: allow\n"
                                                                                    "    actions: [GET, "
                                                                                    "POST]\n"
                                                                                    "    when:\n"
                                                                                    "      all:\n"
                                                                                    "        - vars.staff\n"
                                                                                    "        - any: "
                                                                                    "[vars.trusted, "
                                                                                    "'network.ip == "
                                                                                    "ip(\"10.0.0.1\")']\n"
                                                                                    "        - not: "
                                                                                    "subject.blocked\n"
                                                                                    "---\n" HEAD(
                                                                                        "Policy",
                                                                                        "console") "target: "
                                                                                                   "resource."
                                                                                                   "type == "
                                                                                                   "\"console"
                                                                                                   "\"\n"
                                                                                                   "combine: "
                                                                                                   "deny-"
                                                                                                   "unless-"
                                                                                                   "allow\n"
                                                                                                   "rules:\n"
                                                                                                   "  - {id: "
                                                                                                   "admins, "
                                                                                                   "effect: "
                                                                                                   "allow, "
                                                                                                   "when: "
                                                                                                   "subject."
                                                                                                   "admin}\n";

static const struct value STAFF[] = {{.kind = VALUE_STRING, .n = 5, .as.text = "staff"}};
#define ROLES                                            \
    {                                                    \
        "subject.roles",                                 \
        {                                                \
            .kind = VALUE_LIST, .n = 1, .as.list = STAFF \
        }                                                \
    }
#define TEXT(path, s)                                             \
    {                                                             \
        path,                                                     \
        {                                                         \
            .kind = VALUE_STRING, .n = sizeof s - 1, .as.text = s \
        }                                                         \
    }
#define TRUE(path)                           \
    {                                        \
        path,                                \
        {                                    \
            .kind = VALUE_BOOL, .as.b = true \
        }                                    \
    }
#define FALSE(path)                           \
    {                                         \
        path,                                 \
        {                                     \
            .kind = VALUE_BOOL, .as.b = false \
        }                                     \
    }
#define RISK(at, evidence)                             \
    {"risk.level", {.kind = VALUE_LEVEL, .as.i = at}}, \
    {                                                  \
        "risk.hard",                                   \
        {                                              \
            .kind = VALUE_DOUBLE, .as.d = evidence     \
        }                                              \
    }
#define CALM RISK(RISK_LOW, 0.0)
#define ALICE TEXT("subject.id", "alice"), ROLES, FALSE("subject.blocked")

#define FACTS 12
static const struct {
    const char *name;
    struct fact facts[FACTS];
    uint64_t proved;
    const char *action, *path;
    enum pdp_effect effect;
    enum pdp_code code;
    const char *rules;   // with blanks between them
    const char *missing; // with `; ` between them
} CASES[] = {
    {"all is well",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_ALLOW,
     PDP_CODE_POLICY,
     "web/staff-read",
     ""},
    {"the subtree needs a proof",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     "GET",
     "/payroll",
     PDP_EFFECT_STEP_UP,
     PDP_CODE_POLICY,
     "web/payroll",
     ""},
    {"the proof is there",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     2,
     "GET",
     "/payroll/1",
     PDP_EFFECT_ALLOW,
     PDP_CODE_POLICY,
     "web/staff-read",
     ""},
    {"two requirements",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     "POST",
     "/payroll/1",
     PDP_EFFECT_STEP_UP,
     PDP_CODE_POLICY,
     "web/payroll web/payroll-write",
     ""},
    {"a sanctioned country ends the session",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "KP"), TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_TERMINATE,
     PDP_CODE_POLICY,
     "geo/sanctioned",
     ""},
    {"no country is unsure: deny, and no end",
     {ALICE, CALM, TEXT("resource.type", "route"), TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_DENY,
     PDP_CODE_UNSURE,
     "geo/sanctioned",
     "`geo.country` is missing"},
    {"a leaver",
     {TEXT("subject.id", "mallory"), CALM, TEXT("resource.type", "route"), TEXT("geo.country", "KP")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_TERMINATE,
     PDP_CODE_POLICY,
     "geo/sanctioned lifecycle/leaver",
     ""},
    {"an allow that is unsure",
     {TEXT("subject.id", "bob"), ROLES, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"),
      TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_DENY,
     PDP_CODE_UNSURE,
     "",
     "`subject.blocked` is missing"},
    {"no rule",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     "DELETE",
     "/app",
     PDP_EFFECT_DENY,
     PDP_CODE_NO_RULE,
     "",
     ""},
    {"no action",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     NULL,
     "/app",
     PDP_EFFECT_DENY,
     PDP_CODE_UNSURE,
     "",
     "`action.name` is missing"},
    {"no resource",
     {ALICE, CALM, TEXT("resource.type", "route"), TEXT("geo.country", "DE"), TRUE("device.managed")},
     0,
     "GET",
     NULL,
     PDP_EFFECT_STEP_UP,
     PDP_CODE_POLICY,
     "web/payroll",
     "`resource.id` is missing"},
    {"critical with evidence of the session",
     {ALICE, RISK(RISK_CRITICAL, 3.0), TEXT("resource.type", "route"), TEXT("geo.country", "DE"),
      TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_TERMINATE,
     PDP_CODE_POLICY,
     "web/high",
     ""},
    {"critical by familiarity alone",
     {ALICE, RISK(RISK_CRITICAL, 0.0), TEXT("resource.type", "route"), TEXT("geo.country", "DE"),
      TRUE("device.managed")},
     0,
     "GET",
     "/app",
     PDP_EFFECT_ALLOW,
     PDP_CODE_POLICY,
     "web/staff-read",
     ""},
    {"deny-unless-allow denies",
     {ALICE, CALM, TEXT("resource.type", "console"), TEXT("geo.country", "DE"), FALSE("subject.admin")},
     0,
     "GET",
     "c",
     PDP_EFFECT_DENY,
     PDP_CODE_POLICY,
     "console/deny-unless-allow",
     ""},
    {"deny-unless-allow, unsure",
     {ALICE, CALM, TEXT("resource.type", "console"), TEXT("geo.country", "DE")},
     0,
     "GET",
     "c",
     PDP_EFFECT_DENY,
     PDP_CODE_UNSURE,
     "console/deny-unless-allow",
     "`subject.admin` is missing"},
    {"deny-unless-allow allows",
     {ALICE, CALM, TEXT("resource.type", "console"), TEXT("geo.country", "DE"), TRUE("subject.admin")},
     0,
     "GET",
     "c",
     PDP_EFFECT_ALLOW,
     PDP_CODE_POLICY,
     "console/admins",
     ""},
};

static struct policy_question question_of(const char *action, const char *path)
{
    return (struct policy_question){.action = str_of(action), .path = str_of(path)};
}

static void list_rules(const struct fixture *f, const struct policy_result *result, struct buf *out)
{
    for (size_t i = 0; i < result->rule_count; i++) {
        struct str name = policy_rule_name(f->set, result->rules[i]);
        buf_printf(out, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(name));
    }
    buf_byte(out, '\0');
}

static void list_missing(const struct policy_result *result, struct buf *out)
{
    for (size_t i = 0; i < result->missing_count; i++) {
        buf_printf(out, "%s" STR_FMT, i > 0 ? "; " : "", STR_ARG(result->missing[i]));
    }
    buf_byte(out, '\0');
}

static void use_facts(struct fixture *f, const struct fact *facts)
{
    f->facts = facts;
    f->fact_count = 0;
    while (f->fact_count < FACTS && facts[f->fact_count].path != NULL) {
        f->fact_count++;
    }
}

Test(policy_decide, gives_each_verdict)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(BANK));
    policy_lists_loaded(f.lists, 0);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        use_facts(&f, CASES[i].facts);
        f.proved = CASES[i].proved;
        for (int unindexed = 0; unindexed < 2; unindexed++) {
            AUTO(buf_fini) struct buf rules = {0};
            AUTO(buf_fini) struct buf missing = {0};
            struct policy_question question = question_of(CASES[i].action, CASES[i].path);
            question.unindexed = unindexed != 0;
            struct policy_result result = fixture_ask(&f, &question);
            list_rules(&f, &result, &rules);
            list_missing(&result, &missing);
            cr_expect_str_eq(pdp_effect_name(result.effect), pdp_effect_name(CASES[i].effect), "%s: %s",
                             CASES[i].name, pdp_effect_name(result.effect));
            cr_expect_str_eq(pdp_code_name(result.code), pdp_code_name(CASES[i].code), "%s: %s",
                             CASES[i].name, pdp_code_name(result.code));
            cr_expect_str_eq((char *)rules.at, CASES[i].rules, "%s: %s", CASES[i].name, (char *)rules.at);
            cr_expect_str_eq((char *)missing.at, CASES[i].missing, "%s: %s", CASES[i].name,
                             (char *)missing.at);
            cr_expect_eq(result.first, result.rule_count > 0 ? result.rules[0] : UINT32_MAX);
        }
    }
}

static const struct fact POST[FACTS] = {ALICE, CALM, TEXT("resource.type", "route"),
                                        TEXT("geo.country", "DE"), TRUE("device.managed")};

Test(policy_decide, merges_requirements_and_obligations)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(BANK));
    policy_lists_loaded(f.lists, 0);
    use_facts(&f, POST);
    f.now_ms = 1000;
    struct policy_question question = question_of("POST", "/payroll/1");
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect(result.has_require);
    cr_expect_eq(result.require_strength, 2);
    cr_expect_eq(result.require_max_age_s, 900);
    cr_expect_eq(result.until_ms, 1000 + 900 * 1000);
    cr_expect(str_eq(result.message, STR("please confirm with your second factor")));
    cr_expect(str_eq(result.reason, STR("payroll needs a second factor")));
    cr_assert_eq(result.obligation_count, 2);
    cr_expect(str_eq(result.obligations[0].type, STR("log")));
    cr_expect(str_eq(result.obligations[1].type, STR("notify")));
    const struct value *count = value_get(result.obligations[1].properties, STR("n"));
    cr_expect(count != NULL && count->kind == VALUE_INT && count->as.i == 3);
}

static const struct fact MALLORY[FACTS] = {TEXT("subject.id", "mallory"), TEXT("resource.type", "queue"),
                                           TEXT("geo.country", "DE"), CALM};
static const struct fact SANCTIONED[FACTS] = {TEXT("subject.id", "alice"), TEXT("geo.country", "KP"), CALM};

Test(policy_decide, tells_what_ends)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(BANK));
    policy_lists_loaded(f.lists, 0);
    struct policy_question question = question_of("GET", "/");
    use_facts(&f, MALLORY);
    cr_expect(fixture_ask(&f, &question).terminate_subject);
    use_facts(&f, SANCTIONED);
    cr_expect(!fixture_ask(&f, &question).terminate_subject);
}

Test(policy_decide, a_stale_list_is_unsure)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(BANK));
    policy_lists_loaded(f.lists, 0);
    use_facts(&f, MALLORY);
    f.now_ms = INT64_C(24) * 3600 * 1000 + 1;
    struct policy_question question = question_of("GET", "/");
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(result.effect, PDP_EFFECT_DENY);
    cr_expect_eq(result.code, PDP_CODE_UNSURE);
    cr_assert_eq(result.missing_count, 1);
    cr_expect(str_starts(result.missing[0], STR("`lists.leavers`")), STR_FMT, STR_ARG(result.missing[0]));
}

Test(policy_decide, no_policy_where_no_target_holds)
{
    static const struct fact ROUTE[FACTS] = {TEXT("resource.type", "route")};
    static const struct fact OTHER[FACTS] = {TEXT("resource.type", "queue")};
    static const struct fact NOTHING[FACTS] = {{NULL, {0}}};
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(HEAD("Policy", "p") "target: resource.type == \"route\"\n"
                                             "rules: [{id: a, effect: allow, actions: [GET]}]\n"));
    struct policy_question question = question_of("PUT", "/");
    for (int unindexed = 0; unindexed < 2; unindexed++) {
        question.unindexed = unindexed != 0;
        use_facts(&f, ROUTE);
        cr_expect_eq(fixture_ask(&f, &question).code, PDP_CODE_NO_RULE);
        use_facts(&f, OTHER);
        cr_expect_eq(fixture_ask(&f, &question).code, PDP_CODE_NO_POLICY);
        use_facts(&f, NOTHING);
        cr_expect_eq(fixture_ask(&f, &question).code, PDP_CODE_NO_RULE, "a target that is unsure may hold");
    }
}

Test(policy_decide, an_empty_set_denies)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(""));
    struct policy_question question = question_of("GET", "/");
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(result.effect, PDP_EFFECT_DENY);
    cr_expect_eq(result.code, PDP_CODE_NO_POLICY);
    cr_expect_eq(result.first, UINT32_MAX);
}

Test(policy_decide, a_condition_that_is_no_truth_says_so)
{
    static const struct fact FACTS_OF[FACTS] = {TEXT("subject.flag", "yes")};
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(HEAD("Policy", "p") "rules: [{id: a, effect: allow, when: subject.flag}]\n"));
    use_facts(&f, FACTS_OF);
    struct policy_question question = question_of("GET", "/");
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(result.code, PDP_CODE_UNSURE);
    cr_assert_eq(result.missing_count, 1);
    cr_expect(str_eq(result.missing[0], STR("the condition of `p/a` is a string, not a bool")), STR_FMT,
              STR_ARG(result.missing[0]));
}

Test(policy_decide, a_condition_that_fails_names_its_rule)
{
    static const struct fact FACTS_OF[FACTS] = {{"subject.n", {.kind = VALUE_INT, .as.i = 0}}};
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(HEAD("Policy", "p") "rules: [{id: a, effect: deny, when: 10 / subject.n > 1}]\n"));
    use_facts(&f, FACTS_OF);
    struct policy_question question = question_of("GET", "/");
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(result.code, PDP_CODE_UNSURE);
    cr_assert_eq(result.missing_count, 1);
    cr_expect(str_ends(result.missing[0], STR(" in `p/a`")), STR_FMT, STR_ARG(result.missing[0]));
}

Test(policy_decide, words_tell_only_what_is_certain)
{
    static const struct fact KNOWN[FACTS] = {TRUE("subject.y")};
    static const struct {
        const char *rules, *named, *message, *reason;
    } SAID[] = {
        {"{id: a, effect: deny, when: subject.u, message: m, reason: r}", "p/a", "", ""},
        {"{id: a, effect: terminate, when: subject.u, message: m, reason: r}", "p/a", "", ""},
        {"{id: a, effect: deny, when: subject.y, message: m, reason: r}", "p/a", "m", "r"},
        {"{id: a, effect: deny, when: subject.u, message: m, reason: r}, {id: b, effect: deny, reason: s}",
         "p/a", "", "s"},
        {"{id: a, effect: deny}, {id: b, effect: deny, message: m, reason: s}", "p/a", "", ""},
        {"{id: a, effect: allow}, {id: b, effect: step_up, require: {strength: mfa}, when: subject.u, "
         "message: m, reason: r}",
         "p/b", "m", "r"},
    };
    for (size_t i = 0; i < COUNT_OF(SAID); i++) {
        AUTO(fixture_fini) struct fixture f;
        AUTO(buf_fini) struct buf text = {0};
        buf_printf(&text,
                   HEAD("Policy", "p") "rules: [%s]\n---\n" HEAD(
                       "Strengths", "s") "levels: [{name: mfa, proves: '\"otp\" in session.amr'}]\n",
                   SAID[i].rules);
        fixture_load(&f, buf_view(&text));
        use_facts(&f, KNOWN);
        struct policy_question question = question_of("GET", "/");
        struct policy_result result = fixture_ask(&f, &question);
        cr_expect(str_eq(policy_rule_name(f.set, result.first), str_of(SAID[i].named)), "%s", SAID[i].rules);
        cr_expect(str_eq(result.message, str_of(SAID[i].message)), "%s: " STR_FMT, SAID[i].rules,
                  STR_ARG(result.message));
        cr_expect(str_eq(result.reason, str_of(SAID[i].reason)), "%s: " STR_FMT, SAID[i].rules,
                  STR_ARG(result.reason));
    }
}

Test(policy_decide, first_match_passes_on_one_outcome)
{
    static const struct fact KNOWN[FACTS] = {TRUE("subject.y"), FALSE("subject.n")};
    static const struct {
        const char *rules;
        enum pdp_effect effect;
        enum pdp_code code;
        const char *decided;
    } LADDERS[] = {
        {"{id: a, effect: allow, when: subject.n}, {id: b, effect: allow, when: subject.y}, {id: c, effect: "
         "deny}",
         PDP_EFFECT_ALLOW, PDP_CODE_POLICY, "p/b"},
        {"{id: a, effect: allow, when: subject.u}, {id: b, effect: allow}", PDP_EFFECT_DENY, PDP_CODE_UNSURE,
         "p/a"},
        {"{id: a, effect: terminate, when: subject.u}, {id: b, effect: allow}", PDP_EFFECT_DENY,
         PDP_CODE_UNSURE, "p/a"},
        {"{id: a, effect: deny}, {id: b, effect: terminate}", PDP_EFFECT_DENY, PDP_CODE_POLICY, "p/a"},
    };
    for (size_t i = 0; i < COUNT_OF(LADDERS); i++) {
        AUTO(buf_fini) struct buf text = {0};
        AUTO(buf_fini) struct buf rules = {0};
        AUTO(fixture_fini) struct fixture f;
        buf_printf(&text, HEAD("Policy", "p") "combine: first-match\nrules: [%s]\n", LADDERS[i].rules);
        fixture_load(&f, buf_view(&text));
        use_facts(&f, KNOWN);
        struct policy_question question = question_of("GET", "/");
        struct policy_result result = fixture_ask(&f, &question);
        list_rules(&f, &result, &rules);
        cr_expect_eq(result.effect, LADDERS[i].effect, "%s", LADDERS[i].rules);
        cr_expect_eq(result.code, LADDERS[i].code, "%s", LADDERS[i].rules);
        cr_expect_str_eq((char *)rules.at, LADDERS[i].decided, "%s", LADDERS[i].rules);
    }
}

Test(policy_decide, without_memory_it_denies)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, str_of(BANK));
    use_facts(&f, POST);
    AUTO(arena_fini) struct arena none;
    arena_init(&none, 16, 1);
    struct cel_host cel = {fixture_resolve, fixture_contains, &f};
    cel_begin(f.frame, &cel, &none, 0);
    struct policy_question question = question_of("GET", "/app");
    struct policy_result result;
    policy_decide(f.set, f.scratch, f.frame, NULL, &question, &none, 0, &result);
    cr_expect_eq(result.effect, PDP_EFFECT_DENY);
    cr_expect_eq(result.rule_count, 0);
}
