// SPDX-License-Identifier: Apache-2.0
// What exceptions lift, and what they never do. Generated folders: the seed is fixed.
#include "unit/policy/fixture.h"

#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define NOON INT64_C(1795435200000) // 2026-11-23T12:00:00Z
#define LATER "expires: 2026-11-23T13:00:00Z\n"
#define HOUR INT64_C(3600000)

#define RULES                                                                                                \
    HEAD("Strengths", "s")                                                                                   \
    "levels: [{name: pwd, proves: 'true'}, {name: key, proves: 'true'}]\n" HEAD(                             \
        "Policy", "p") "rules:\n"                                                                            \
                       "  - {id: all, effect: allow, actions: [GET, PUT, POST, END]}\n"                      \
                       "  - {id: no, effect: deny, actions: [GET, DELETE], obligations: [{type: log}]}\n"    \
                       "  - {id: ever, effect: deny, actions: [PUT], exceptions: never}\n"                   \
                       "  - {id: unsure, effect: deny, actions: [POST], when: subject.x}\n"                  \
                       "  - {id: end, effect: terminate, actions: [END]}\n" HEAD(                            \
                           "Policy",                                                                         \
                           "closed") "combine: deny-unless-allow\ntarget: action.name == \"HEAD\"\nrules:\n" \
                                     "  - {id: some, effect: allow, when: 'false'}\n"
#define WHO "when: subject.id == \"alice\"\n"
#define EXCEPTION(name, rest) HEAD("Exception", name) rest

static const struct fact ALICE[] = {{"subject.id", {.kind = VALUE_STRING, .n = 5, .as.text = "alice"}}};
static const struct fact BOB[] = {{"subject.id", {.kind = VALUE_STRING, .n = 3, .as.text = "bob"}}};

static const struct {
    const char *exceptions, *action;
    const struct fact *facts;
    uint64_t proved;
    int64_t now_ms;
    enum pdp_effect effect;
    size_t named;
    int64_t until_ms; // of an allow
} CASES[] = {
    {"", "GET", ALICE, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: [p/no]\n" WHO LATER), "GET", ALICE, 0, NOON, PDP_EFFECT_ALLOW, 1, NOON + HOUR},
    {EXCEPTION("e", "lifts: p/no\n" LATER), "GET", BOB, 0, NOON, PDP_EFFECT_ALLOW, 1, NOON + HOUR},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "GET", ALICE, 0, NOON, PDP_EFFECT_ALLOW, 1, NOON + HOUR},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "END", ALICE, 0, NOON, PDP_EFFECT_ALLOW, 1, NOON + HOUR},
    // Not this rule, not this subject, nobody knows who it is.
    {EXCEPTION("e", "lifts: [p/unsure]\n" WHO LATER), "GET", ALICE, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "GET", BOB, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "GET", NULL, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    // A session is not ended where nobody knows whether that is lifted, unless the exception is out of force
    // anyway.
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "END", NULL, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: p/end\n" WHO LATER), "END", NULL, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: p/no\n" WHO LATER), "END", NULL, 0, NOON, PDP_EFFECT_TERMINATE, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "END", BOB, 0, NOON, PDP_EFFECT_TERMINATE, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "END", NULL, 0, NOON + HOUR, PDP_EFFECT_TERMINATE, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\nrequire: {strength: key}\n" WHO LATER), "END", NULL, 1, NOON,
     PDP_EFFECT_TERMINATE, 0, 0},
    // Until the very moment at which it expires.
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "GET", ALICE, 0, NOON + HOUR - 1, PDP_EFFECT_ALLOW, 1,
     NOON + HOUR},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "GET", ALICE, 0, NOON + HOUR, PDP_EFFECT_DENY, 0, 0},
    // What is unsure about a rule is lifted with it; rules for which nothing lifts are not.
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "POST", ALICE, 0, NOON, PDP_EFFECT_ALLOW, 1, NOON + HOUR},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "PUT", ALICE, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    // It allows nothing by itself, and does not change how a policy combines.
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "DELETE", ALICE, 0, NOON, PDP_EFFECT_DENY, 1, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "HEAD", ALICE, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\n" WHO LATER), "TRACE", ALICE, 0, NOON, PDP_EFFECT_DENY, 0, 0},
    // Its requirement: not proved, proved; how long the proof holds bounds the answer.
    {EXCEPTION("e", "lifts: ['*']\nrequire: {strength: key, max_age: 30m}\n" LATER), "GET", ALICE, 1, NOON,
     PDP_EFFECT_DENY, 0, 0},
    {EXCEPTION("e", "lifts: ['*']\nrequire: {strength: key, max_age: 30m}\n" LATER), "GET", ALICE, 2, NOON,
     PDP_EFFECT_ALLOW, 1, NOON + HOUR / 2},
    // Every one that counts is named.
    {EXCEPTION("e", "lifts: ['*']\n" LATER) EXCEPTION("f", "lifts: [p/no]\n" LATER)
         EXCEPTION("g", "lifts: [p/end]\n" LATER),
     "GET", ALICE, 0, NOON, PDP_EFFECT_ALLOW, 2, NOON + HOUR},
};

Test(policy_exceptions, lift_what_they_name_while_they_are_certain)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(fixture_fini) struct fixture f;
        AUTO(buf_fini) struct buf text = {0};
        buf_printf(&text, "%s%s", RULES, CASES[i].exceptions);
        fixture_load(&f, buf_view(&text));
        struct fact facts[2] = {{"action.name", value_str(str_of(CASES[i].action))},
                                {"tenant", value_null()}};
        if (CASES[i].facts != NULL) {
            facts[1] = CASES[i].facts[0];
        }
        f.facts = facts;
        f.fact_count = CASES[i].facts != NULL ? 2 : 1;
        f.proved = CASES[i].proved;
        f.now_ms = CASES[i].now_ms;
        for (int unindexed = 0; unindexed < 2; unindexed++) {
            struct policy_question question = {
                .action = str_of(CASES[i].action), .path = STR("/"), .unindexed = unindexed != 0};
            struct policy_result result = fixture_ask(&f, &question);
            cr_expect_eq(result.effect, CASES[i].effect, "%zu: effect %d", i, (int)result.effect);
            cr_expect_eq(result.exception_count, CASES[i].named, "%zu: %zu named", i, result.exception_count);
            bool same = result.effect != PDP_EFFECT_ALLOW || result.until_ms == CASES[i].until_ms;
            cr_expect(same, "%zu: until %lld", i, (long long)result.until_ms);
        }
    }
}

Test(policy_exceptions, obligations_join_those_of_the_rules)
{
    AUTO(fixture_fini) struct fixture f;
    fixture_load(&f, STR(RULES EXCEPTION("e", "lifts: [p/no]\n" LATER
                                              "obligations: [{type: log}, {type: notify}, {type: log}]\n")
                             EXCEPTION("g", "lifts: [p/end]\nobligations: [{type: mail}]\n" LATER)));
    f.now_ms = NOON;
    for (int i = 0; i < 3; i++) { // what was taken is forgotten
        struct policy_question question = {.action = STR("GET"), .path = STR("/")};
        struct policy_result result = fixture_ask(&f, &question);
        cr_assert_eq(result.obligation_count, 2u);
        cr_expect(str_eq(result.obligations[0].type, STR("log")));
        cr_expect(str_eq(result.obligations[1].type, STR("notify")));
        cr_expect(result.exception_count == 1 && str_eq(result.exceptions[0], STR("e")));
        question.action = STR("POST");
        cr_expect_eq(fixture_ask(&f, &question).exception_count, 0u);
    }
}

Test(policy_exceptions, a_lifted_rule_is_not_the_first_match)
{
    static const char FIRST[] =
        HEAD("Policy", "p") "combine: first-match\nrules:\n"
                            "  - {id: no, effect: deny}\n  - {id: all, effect: allow}\n";
    AUTO(fixture_fini) struct fixture f;
    AUTO(buf_fini) struct buf text = {0};
    buf_printf(&text, "%s%s", FIRST, EXCEPTION("e", "lifts: [p/no]\n" WHO LATER));
    fixture_load(&f, buf_view(&text));
    struct policy_question question = {.action = STR("GET"), .path = STR("/")};
    f.facts = ALICE;
    f.fact_count = 1;
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_ALLOW);
    f.facts = BOB;
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_DENY);
}

// ---- Mistakes ---------------------------------------------------------------------------------------

static const struct {
    const char *text, *words; // words: a part of what is said
} REFUSED[] = {
    {RULES EXCEPTION("e", "lifts: [p/nope]\n" LATER), ":9: error: no rule is called `p/nope`\n"},
    {RULES EXCEPTION("e", "lifts: [p/unsur]\n" LATER), "  hint: did you mean `p/unsure`?\n"},
    {RULES EXCEPTION("e", "lifts: [unrelated]\n" LATER),
     "  hint: a rule is named as `POLICY/RULE`; `*` names all that restrict\n"},
    {RULES EXCEPTION("e", "lifts: [p/all]\n" LATER),
     "error: `p/all` allows: an exception lifts restrictions only\n"},
    {RULES EXCEPTION("e", "lifts: [p/ever]\n" LATER), "error: `p/ever` is marked `exceptions: never`\n"},
    {RULES EXCEPTION("e", "lifts: [closed/deny-unless-allow]\n" LATER),
     "is how its policy combines, and cannot be lifted\n"},
    {RULES EXCEPTION("e", "lifts: []\n" LATER), "error: `lifts` is empty\n"},
    {RULES EXCEPTION("e", LATER), "error: Exception needs `lifts`\n"},
    {RULES EXCEPTION("e", "lifts: ['*']\n"), "error: Exception needs `expires`\n"},
    {RULES EXCEPTION("e", "lifts: ['*']\nexpires: never\n"), "error: `expires` must be a time"},
    {RULES EXCEPTION("e", "lifts: ['*']\nwhen: ~\n" LATER), "error: `when` is empty\n"},
    {RULES EXCEPTION("e", "lifts: ['*']\nwhen: 'geo.country'\n" LATER), "error: "},
    {RULES EXCEPTION("e", "lifts: ['*']\nrequire: {strength: kei}\n" LATER), "  hint: did you mean `key`?\n"},
    {RULES EXCEPTION("e", "lifts: ['*']\nobligations: [{tipe: x}]\n" LATER),
     "  hint: did you mean `type`?\n"},
    {RULES EXCEPTION("e", "lifts: ['*']\n" LATER) EXCEPTION("e", "lifts: ['*']\n" LATER),
     "another Exception is called `e`\n"},
    {"apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p, ticket: SEC-1}\nrules: [{id: a, effect: deny}]\n",
     "p.yaml:3:29: error: only an Exception has a `ticket`\n"},
};

Test(policy_exceptions, refuse_with_a_place)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(fixture_fini) struct fixture f;
        fixture_read(&f, str_of(REFUSED[i].text));
        cr_expect_neq(f.err, PDP_ERR_OK, "%zu", i);
        cr_expect_eq(f.diags.errors, 1u, "%zu: got\n%s", i, (char *)f.words.at);
        cr_expect(strstr((char *)f.words.at, REFUSED[i].words) != NULL, "%zu: got\n%s", i,
                  (char *)f.words.at);
    }
}

// ---- Properties -------------------------------------------------------------------------------------

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static unsigned chance(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

#define POLICIES_MOST 3u
#define RULES_MOST 4u

struct made {
    unsigned algorithm, target, rules;
    struct {
        unsigned effect, truth;
        bool never, named;
    } rule[RULES_MOST];
};

static const char *const EFFECTS[] = {"deny", "step_up", "terminate", "allow"};
static const char *const TRUTHS[] = {"subject.yes", "subject.no", "subject.gone"};
static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};

static void make(struct made *made, unsigned count)
{
    for (unsigned p = 0; p < count; p++) {
        made[p].algorithm = chance(3);
        made[p].target = chance(4);
        made[p].rules = 1 + chance(RULES_MOST);
        for (unsigned r = 0; r < made[p].rules; r++) {
            made[p].rule[r].effect = chance(2) == 0 ? 3 : chance(3);
            made[p].rule[r].truth = chance(4) % 3;
            made[p].rule[r].never = made[p].rule[r].effect != 3 && chance(4) == 0;
            made[p].rule[r].named = made[p].rule[r].effect != 3 && !made[p].rule[r].never && chance(2) == 0;
        }
    }
}

enum as {
    AS_MADE,
    AS_LIFTED, // what the exception names is written as never true
    AS_UNSURE  // an end of the session that it names is written as unsure
};

static const char *truth_as(unsigned effect, unsigned truth, enum as as)
{
    bool ends = effect == 2 && truth == 0;
    return as == AS_LIFTED ? "'false'" : as == AS_UNSURE && ends ? "subject.gone" : TRUTHS[truth];
}

// `all`: the exception names every restriction.
static void put(struct buf *out, const struct made *made, unsigned count, bool all, enum as as)
{
    buf_clear(out);
    buf_str(out, STR(HEAD("Strengths",
                          "s") "levels: [{name: pwd, proves: 'true'}, {name: key, proves: 'true'}]\n"));
    for (unsigned p = 0; p < count; p++) {
        buf_printf(out, HEAD("Policy", "p%u") "combine: %s\n", p, ALGORITHMS[made[p].algorithm]);
        if (made[p].target > 0) {
            buf_printf(out, "target: %s\n", TRUTHS[made[p].target - 1]);
        }
        buf_str(out, STR("rules:\n"));
        for (unsigned r = 0; r < made[p].rules; r++) {
            bool named =
                made[p].rule[r].effect != 3 && !made[p].rule[r].never && (all || made[p].rule[r].named);
            buf_printf(out, "  - {id: r%u, effect: %s, when: %s%s%s}\n", r, EFFECTS[made[p].rule[r].effect],
                       truth_as(made[p].rule[r].effect, made[p].rule[r].truth, named ? as : AS_MADE),
                       made[p].rule[r].effect == 1 ? ", require: {strength: key}" : "",
                       made[p].rule[r].never ? ", exceptions: never" : "");
        }
    }
}

static bool put_exception(struct buf *out, const struct made *made, unsigned count, bool all,
                          const char *rest)
{
    bool any = all;
    buf_str(out, STR(HEAD("Exception", "e") "lifts:\n"));
    buf_str(out, all ? STR("  - '*'\n") : STR(""));
    for (unsigned p = 0; p < count && !all; p++) {
        for (unsigned r = 0; r < made[p].rules; r++) {
            if (made[p].rule[r].named) {
                buf_printf(out, "  - p%u/r%u\n", p, r);
                any = true;
            }
        }
    }
    buf_str(out, str_of(rest));
    return any;
}

static void same(const struct policy_result *a, const struct policy_result *b, const char *what,
                 const struct buf *text)
{
    bool equal = a->effect == b->effect && a->code == b->code && a->rule_count == b->rule_count &&
                 a->first == b->first && a->has_require == b->has_require &&
                 a->missing_count == b->missing_count;
    for (size_t i = 0; equal && i < a->rule_count; i++) {
        equal = a->rules[i] == b->rules[i];
    }
    cr_expect(equal, "%s: effect %d, code %d, rules %zu, first %u; %d, %d, %zu, %u\n" STR_FMT, what,
              (int)a->effect, (int)a->code, a->rule_count, a->first, (int)b->effect, (int)b->code,
              b->rule_count, b->first, STR_ARG(buf_view(text)));
}

static const struct fact TRUE_AND_FALSE[] = {
    {"subject.yes", {.kind = VALUE_BOOL, .as.b = true}},
    {"subject.no", {.kind = VALUE_BOOL, .as.b = false}},
};

static struct policy_result ask(struct fixture *f, struct buf *text)
{
    static const struct policy_question QUESTION = {.action = {"GET", 3}, .path = {"/", 1}};
    fixture_load(f, buf_view(text));
    f->facts = TRUE_AND_FALSE;
    f->fact_count = COUNT_OF(TRUE_AND_FALSE);
    f->now_ms = NOON;
    return fixture_ask(f, &QUESTION);
}

#define OUT_UNSURE 1
// In no case may it lift: not true, unsure, over, not proved.
static const char *const OUT[] = {
    "when: subject.no\nexpires: 2026-11-23T13:00:00Z\n",
    [OUT_UNSURE] = "when: subject.gone\nexpires: 2026-11-23T13:00:00Z\n",
    "when: subject.yes\nexpires: 2026-11-23T12:00:00Z\n",
    "when: subject.yes\nrequire: {strength: pwd}\nexpires: 2026-11-23T13:00:00Z\n",
};

static bool allows(const struct fixture *f, const struct made *made, const struct policy_result *result)
{
    unsigned p = 0, r = 0;
    struct str name = result->rule_count > 0 ? policy_rule_name(f->set, result->rules[0]) : STR("");
    char text[32] = "";
    memcpy(text, name.at, name.len < sizeof text ? name.len : 0);
    return sscanf(text, "p%u/r%u", &p, &r) == 2 && made[p].rule[r].effect == 3 && made[p].rule[r].truth == 0;
}

Test(policy_exceptions, only_take_rules_away, .timeout = 200)
{
    unsigned opened = 0, unchanged = 0;
    AUTO(buf_fini) struct buf text = {0};
    for (unsigned round = 0; round < 1500; round++) {
        struct made made[POLICIES_MOST];
        struct fixture plain, with, without;
        unsigned count = 1 + chance(POLICIES_MOST);
        bool all = chance(2) == 0;
        const char *out = OUT[chance(COUNT_OF(OUT))];
        make(made, count);
        put(&text, made, count, all, AS_MADE);
        struct policy_result before = ask(&plain, &text);
        if (!put_exception(&text, made, count, all, "when: subject.yes\n" LATER)) {
            fixture_fini(&plain);
            continue;
        }
        struct policy_result after = ask(&with, &text);
        put(&text, made, count, all, AS_LIFTED);
        struct policy_result removed = ask(&without, &text);
        same(&after, &removed, "an exception is not as if the rules were not there", &text);
        bool opens = before.effect != PDP_EFFECT_ALLOW && after.effect == PDP_EFFECT_ALLOW;
        cr_expect(!opens || allows(&with, made, &after), "an exception allowed:\n" STR_FMT,
                  STR_ARG(buf_view(&text)));
        cr_expect(!opens || after.exception_count == 1, "it opened and is not named");
        opened += opens;
        unchanged += before.effect == after.effect;
        fixture_fini(&with);
        put(&text, made, count, all, AS_MADE);
        (void)put_exception(&text, made, count, all, out);
        struct policy_result off = ask(&with, &text);
        put(&text, made, count, all, out == OUT[OUT_UNSURE] ? AS_UNSURE : AS_MADE);
        fixture_fini(&plain);
        before = ask(&plain, &text);
        same(&before, &off, out, &text);
        cr_expect_eq(off.exception_count, 0u, "%s", out);
        fixture_fini(&plain);
        fixture_fini(&with);
        fixture_fini(&without);
    }
    cr_expect(opened > 100 && unchanged > 100, "%u opened, %u unchanged: not much of a test", opened,
              unchanged);
}
