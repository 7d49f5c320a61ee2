// SPDX-License-Identifier: Apache-2.0
// The index against looking at every rule, and documents against the model's stored cases.
#include "unit/policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define STRENGTHS                                                         \
    "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n" \
    "  - {name: proved, proves: 'true'}\n  - {name: unproved, proves: 'false'}\n"

static uint64_t state = 88172645463325252U;

static unsigned roll(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static const char *pick(const char *const *words, size_t count)
{
    return words[roll((unsigned)count)];
}
#define PICK(words) pick(words, COUNT_OF(words))

static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
static const char *const CONDITIONS[] = {
    "subject.dept == \"hr\"",
    "subject.dept == \"it\" && device.managed",
    "subject.dept in [\"hr\", \"legal\"]",
    "subject.id.startsWith(\"svc-\")",
    "subject.id.startsWith(\"svc-a\") && subject.dept == \"it\"",
    "resource.type == \"route\"",
    "subject.dept == \"hr\" || subject.dept == \"it\"",
    "subject.dept == \"hr\" && device.managed || subject.dept == \"it\" && resource.type == \"route\"",
    "subject.id.endsWith(\"-a1\")",
    "subject.id.contains(\"lic\") || subject.id.startsWith(\"svc\")",
    "subject.id.matches(\"^svc-[a-z]\")",
    "subject.id.matches(\"^alice$\")",
    "subject.id.matches(\"[a-z]+ice\") || subject.id == \"sv\"",
    "subject.id.matches(\"a long text, the middle of it.*[0-9]\")",
    "subject.id.contains(\"of a long text\")",
    "\"hr\" in subject.roles",
    "\"it\" in subject.roles && device.managed",
    "\"hr\" in subject.roles || \"legal\" in subject.roles",
    "resource.type == \"queue\" || subject.dept == \"hr\"",
    "!(subject.dept == \"hr\")",
    "subject.dept != \"hr\"",
    "device.managed",
    "subject.level == \"a\"",
    "resource.owner == subject.id",
    "geo.country == \"DE\"",
    "\"DE\" == geo.country",
    "geo.country == \"KP\" && resource.type == \"route\"",
    "true",
    "false",
};
static const char *const ACTIONS[] = {"GET", "PUT", "POST", "DELETE"};
static const char *const GLOBS[] = {"/a", "/a/**", "/a/b/**", "/a/*", "/a/*/c", "/**", "/b/c", "/b/**", "/"};
static const char *const PATHS[] = {"/a", "/a/b", "/a/b/c", "/a/", "/b/c", "/b/c/d", "/", "/c", "queue-1"};

static void put_rule(struct buf *out, unsigned number)
{
    static const char *const EFFECTS[] = {"allow", "allow", "step_up", "deny", "terminate"};
    const char *effect = PICK(EFFECTS);
    buf_printf(out, "  - id: r%u\n    effect: %s\n", number, effect);
    if (strcmp(effect, "step_up") == 0) {
        buf_printf(out, "    require: {strength: %s}\n", roll(2) != 0 ? "proved" : "unproved");
    }
    if (roll(3) == 0) {
        buf_printf(out, "    actions: [%s, %s]\n", PICK(ACTIONS), PICK(ACTIONS));
    }
    if (roll(3) == 0) {
        buf_printf(out, "    resources: [\"%s\", \"%s\"]\n", PICK(GLOBS), PICK(GLOBS));
    }
    if (roll(4) != 0) {
        buf_printf(out, "    when: '%s'\n", PICK(CONDITIONS));
    }
}

static void put_policies(struct buf *out)
{
    buf_str(out, STR(STRENGTHS));
    unsigned policies = 1 + roll(8);
    for (unsigned i = 0; i < policies; i++) {
        buf_printf(out, "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", i,
                   PICK(ALGORITHMS));
        if (roll(2) == 0) {
            buf_printf(out, "target: '%s'\n", PICK(CONDITIONS));
        }
        buf_str(out, STR("rules:\n"));
        unsigned rules = 1 + roll(roll(4) == 0 ? 60 : 6);
        for (unsigned k = 0; k < rules; k++) {
            put_rule(out, k);
        }
    }
}

// Each attribute is missing, of another type, or one of a few texts.
static void put_fact(struct fact *fact, const char *path, const char *const *texts, size_t count)
{
    *fact = (struct fact){path, {0}};
    unsigned what = roll((unsigned)count + 2);
    if (what < count) {
        fact->value = value_str(str_of(texts[what]));
    } else if (what == count) {
        fact->value = value_int(7);
    } else {
        fact->path = "";
    }
}

// A list of a few, one that is long, a map that has them for keys, or nothing.
static struct value any_roles(void)
{
    static struct value list[300];
    static struct value_entry map[2];
    static const char *const ROLES[] = {"hr", "it", "legal", "x", "", "staff"};
    unsigned what = roll(8), n = what == 0 ? COUNT_OF(list) : roll(4);
    for (unsigned i = 0; i < n; i++) {
        list[i] = what == 1 ? value_int(i) : value_str(str_of(PICK(ROLES)));
    }
    for (unsigned i = 0; i < COUNT_OF(map); i++) {
        map[i] = (struct value_entry){value_str(str_of(ROLES[i + roll(2) * 2])), value_int(1)};
    }
    return what == 2   ? (struct value){.kind = VALUE_MAP, .n = COUNT_OF(map), .as.map = map}
           : what == 3 ? value_str(STR("hr"))
           : what == 4 ? value_null()
                       : (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

static size_t put_facts(struct fact *facts)
{
    static const char *const DEPTS[] = {"hr", "it", "legal", ""};
    static const char *const IDS[] = {"svc-", "svc-a1", "alice", "sv",
                                      "the end of a long text, the middle of it 7"};
    static const char *const TYPES[] = {"route", "queue"};
    static const char *const COUNTRIES[] = {"DE", "KP"};
    static const char *const LEVELS[] = {"a", "b"};
    put_fact(&facts[0], "subject.dept", DEPTS, COUNT_OF(DEPTS));
    put_fact(&facts[1], "subject.id", IDS, COUNT_OF(IDS));
    put_fact(&facts[2], "resource.type", TYPES, COUNT_OF(TYPES));
    put_fact(&facts[3], "geo.country", COUNTRIES, COUNT_OF(COUNTRIES));
    put_fact(&facts[4], "subject.level", LEVELS, COUNT_OF(LEVELS));
    put_fact(&facts[5], "resource.owner", IDS, COUNT_OF(IDS));
    facts[6] = (struct fact){roll(3) != 0 ? "device.managed" : "", value_bool(roll(2) != 0)};
    facts[7] = (struct fact){"subject.roles", any_roles()};
    return 8;
}

static void print(const struct policy_result *r, struct buf *out)
{
    buf_printf(out, "%s %s %u %lld %u/%lld:", pdp_effect_name(r->effect), pdp_code_name(r->code), r->first,
               (long long)r->until_ms, r->has_require ? r->require_strength : 99,
               (long long)r->require_max_age_s);
    for (size_t i = 0; i < r->rule_count; i++) {
        buf_printf(out, " %u", r->rules[i]);
    }
    for (size_t i = 0; i < r->missing_count; i++) {
        buf_printf(out, "; " STR_FMT, STR_ARG(r->missing[i]));
    }
    buf_byte(out, '\0');
}

Test(policy_index, gives_what_looking_at_every_rule_gives, .timeout = 120)
{
    unsigned indexed = 0;
    unsigned effects[PDP_EFFECT_COUNT] = {0};
    for (int round = 0; round < 200; round++) {
        AUTO(buf_fini) struct buf text = {0};
        AUTO(fixture_fini) struct fixture f;
        put_policies(&text);
        fixture_load(&f, buf_view(&text));
        f.proved = 1;
        struct policy_describe facts;
        policy_set_describe(f.set, &facts);
        indexed += facts.indexed;
        for (int k = 0; k < 60; k++) {
            struct fact known[9];
            f.facts = known;
            f.fact_count = put_facts(known);
            struct policy_question question = {
                .action = str_of(roll(8) != 0 ? PICK(ACTIONS) : NULL),
                .path = str_of(roll(8) != 0 ? PICK(PATHS) : NULL),
            };
            AUTO(buf_fini) struct buf with = {0};
            AUTO(buf_fini) struct buf without = {0};
            struct policy_result result = fixture_ask(&f, &question);
            print(&result, &with);
            effects[result.effect]++;
            question.unindexed = true;
            result = fixture_ask(&f, &question);
            print(&result, &without);
            cr_assert_str_eq((char *)with.at, (char *)without.at, "indexed %s\nelse    %s\n%.*s",
                             (char *)with.at, (char *)without.at, (int)text.len, (char *)text.at);
        }
    }
    cr_expect(indexed > 1000, "%u rules were indexed", indexed);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        cr_expect(effects[i] > 20, "%s came out %u times", pdp_effect_name((enum pdp_effect)i), effects[i]);
    }
}

// ---- Stored cases, end to end -----------------------------------------------------------------------

static void put_case_rule(struct buf *out, unsigned number, const char *rule)
{
    const char *effect = rule[0] == 'a'   ? "allow"
                         : rule[0] == 's' ? "step_up"
                         : rule[0] == 't' ? "terminate"
                                          : "deny";
    buf_printf(out, "  - {id: r%u, effect: %s, when: subject.%c", number, effect, rule[1]);
    if (rule[0] == 's') {
        buf_printf(out, ", require: {strength: %s}", rule[2] == 'p' ? "proved" : "unproved");
    }
    buf_str(out, STR("}\n"));
}

// false for a policy without rules: a document cannot say that.
static bool put_case(struct buf *out, const char *text)
{
    buf_str(out, STR(STRENGTHS));
    for (unsigned policy = 0; text[0] != '-' && *text != '='; policy++) {
        const char *algorithm = text[0] == 'm'   ? ALGORITHMS[0]
                                : text[0] == 'f' ? ALGORITHMS[1]
                                                 : ALGORITHMS[2];
        buf_printf(out,
                   "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n"
                   "target: subject.%c\nrules:\n",
                   policy, algorithm, text[2]);
        unsigned rules = 0;
        for (text += 4; *text != ';' && *text != ' '; text++) {
            if (*text == '-') {
                return false;
            }
            if (*text != ',') {
                put_case_rule(out, rules++, text);
                text += text[2] == 'p' ? 2 : 1;
            }
        }
        text++;
    }
    return true;
}

Test(policy_index, agrees_with_the_model_end_to_end, .timeout = 120)
{
    static const struct fact TRUTHS[] = {{"subject.y", {.kind = VALUE_BOOL, .as.b = true}},
                                         {"subject.n", {.kind = VALUE_BOOL}}};
    FILE *file = fopen("tests/cases/verdicts/cases.txt", "r");
    cr_assert_not_null(file);
    char line[512];
    unsigned count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        AUTO(buf_fini) struct buf text = {0};
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || !put_case(&text, line)) {
            continue;
        }
        AUTO(fixture_fini) struct fixture f;
        fixture_load(&f, buf_view(&text));
        f.facts = TRUTHS;
        f.fact_count = 2;
        f.proved = 1;
        struct policy_question question = {.action = STR("GET"), .path = STR("/")};
        struct policy_result result = fixture_ask(&f, &question);
        cr_expect_str_eq(pdp_effect_name(result.effect), strstr(line, "= ") + 2, "%s", line);
        count++;
    }
    fclose(file);
    cr_expect(count > 2000, "%u cases", count);
}

// ---- Hostile and large questions ----------------------------------------------------------------------

Test(policy_index, long_texts_are_looked_up_no_further_than_keys_reach)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf path = {0};
    AUTO(fixture_fini) struct fixture f;
    buf_str(&text, STR("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                       "  - {id: all, effect: allow}\n"));
    buf_str(&text, STR("  - {id: long, effect: deny, resources: [\"/"));
    for (int i = 0; i < 100; i++) {
        buf_str(&text, STR("seg/"));
    }
    buf_str(&text, STR("**\"]}\n"));
    fixture_load(&f, buf_view(&text));
    for (int i = 0; i < 60000; i++) {
        buf_byte(&path, '/');
    }
    struct policy_question question = {.action = STR("GET"), .path = buf_view(&path)};
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_ALLOW);
    path.len = 0;
    buf_byte(&path, '/');
    for (int i = 0; i < 100; i++) {
        buf_str(&path, STR("seg/"));
    }
    buf_str(&path, STR("x"));
    question.path = buf_view(&path);
    cr_expect_eq(fixture_ask(&f, &question).effect, PDP_EFFECT_DENY);
}

Test(policy_index, few_of_many_rules_are_looked_at)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(fixture_fini) struct fixture f;
    buf_str(&text, STR("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"));
    for (int i = 0; i < 2000; i++) {
        buf_printf(&text, "  - {id: r%d, effect: deny, resources: [\"/app/%d/**\"], when: 'subject.a%d'}\n",
                   i, i, i);
    }
    fixture_load(&f, buf_view(&text));
    struct policy_question question = {.action = STR("GET"), .path = STR("/app/77/x")};
    f.resolved = 0;
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(f.resolved, 1, "%u attributes were asked for", f.resolved);
    cr_expect(result.rule_count == 1 && str_eq(policy_rule_name(f.set, result.first), STR("p/r77")));
}
