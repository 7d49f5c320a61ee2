// SPDX-License-Identifier: Apache-2.0
// Writing a rule set.
#include "diff/rules.h"

#include <stdio.h>

static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
static const char *const ACTIONS[] = {"GET", "POST", "x"};
static const char *const RESOURCES[] = {"/a", "/a/**", "/a/*", "/a/*/c", "/b", "/**", "/a/b/**", "/b/*"};
// What an index can use, and what it must not be misled by.
static const char *const KEYS[] = {"subject.a == \"x\"",
                                   "subject.level == \"x\"",
                                   "subject.level in [\"x\", \"hr\"]",
                                   "context.client.kind.startsWith(\"x\")",
                                   "resource.until > now",
                                   "\"x\" in subject.texts",
                                   "\"hr\" == subject.b",
                                   "subject.a in [\"x\", \"y\", \"hr\"]",
                                   "geo.country in [\"DE\", \"KP\"]",
                                   "geo.country == \"DE\"",
                                   "resource.id.startsWith(\"/a\")",
                                   "subject.b.startsWith(\"a\")",
                                   "action.name == \"GET\"",
                                   "resource.type == \"x\"",
                                   "subject.type in [\"user\"]",
                                   "context.client.a == \"y\"",
                                   "session.acr == \"aal2\"",
                                   "(subject.a == \"x\" || subject.a == \"y\")",
                                   "(geo.country == \"DE\" || geo.country in [\"KP\", \"FR\"])",
                                   "!(subject.a == \"x\")",
                                   "subject.a != \"x\"",
                                   "(subject.a == \"x\" || subject.b == \"y\")",
                                   "vars.v0",
                                   "subject.n == 1",
                                   "subject.a in [\"x\", 1]",
                                   "(subject.a == \"x\") == true",
                                   "has(subject.a)"};

static const struct tree *parsed(struct rules *rules, struct str text)
{
    const struct tree *tree = plain_parse(text, rules->arena);
    rules->failed = rules->failed || tree == NULL;
    return tree;
}

static const struct tree *call(struct rules *rules, const char *name, const struct tree *a,
                               const struct tree *b)
{
    struct tree *tree = ARENA_NEW(rules->arena, struct tree);
    *tree = (struct tree){.kind = TREE_CALL, .name = str_of(name), .count = b != NULL ? 2 : 1};
    tree->args = ARENA_ARRAY(rules->arena, struct tree *, 2);
    memcpy(tree->args, (const void *const[]){a, b}, tree->count * sizeof a);
    return tree;
}

// In single quotes: the generator writes none.
static const struct tree *put_expr(struct rules *rules, struct gen *g, struct buf *yaml, bool herded)
{
    struct buf text = {0};
    herded = herded && rules->herd.attribute != NULL && chance_below(g->chance, 4) > 0;
    if (herded) {
        herd_write(&rules->herd, g->chance, &text);
    } else if (chance_below(g->chance, 3) > 0) {
        uint32_t keys = 1 + chance_below(g->chance, 2);
        for (uint32_t i = 0; i < keys; i++) {
            uint32_t most = (uint32_t)COUNT_OF(KEYS);
            const char *key = KEYS[chance_below(g->chance, most)];
            buf_printf(&text, "%s%s", i > 0 ? " && " : "",
                       strcmp(key, "vars.v0") == 0 && g->var_count == 0 ? "true" : key);
        }
    }
    if (text.len == 0 || chance_below(g->chance, herded ? 6 : 2) == 0) {
        buf_str(&text, text.len > 0 ? STR(" && ") : STR(""));
        buf_byte(&text, '(');
        gen_expr(g, &text, GEN_BOOL, chance_below(g->chance, 4));
        buf_byte(&text, ')');
    }
    buf_byte(yaml, '\'');
    buf_str(yaml, buf_view(&text));
    buf_byte(yaml, '\'');
    const struct tree *tree = parsed(rules, arena_str(rules->arena, buf_view(&text), NULL));
    buf_fini(&text);
    return tree;
}

static const struct tree *put_when(struct rules *rules, struct gen *g, struct buf *yaml, uint32_t depth)
{
    uint32_t what = depth == 0 ? 0 : chance_below(g->chance, 8);
    if (what < 5) {
        return put_expr(rules, g, yaml, true);
    }
    if (what == 5) {
        buf_str(yaml, STR("{not: "));
        const struct tree *inner = put_when(rules, g, yaml, depth - 1);
        buf_byte(yaml, '}');
        return call(rules, "!", inner, NULL);
    }
    buf_str(yaml, what == 6 ? STR("{all: [") : STR("{any: ["));
    const struct tree *tree = put_when(rules, g, yaml, depth - 1);
    uint32_t more = chance_below(g->chance, 3);
    while (more-- > 0) {
        buf_str(yaml, STR(", "));
        tree = call(rules, what == 6 ? "&&" : "||", tree, put_when(rules, g, yaml, depth - 1));
    }
    buf_str(yaml, STR("]}"));
    // One of its kind alone is no operator, but what it gives must still be a truth: `true && x`.
    struct tree *yes = ARENA_NEW(rules->arena, struct tree);
    yes->lit = value_bool(what == 6);
    return call(rules, what == 6 ? "&&" : "||", yes, tree);
}

static size_t put_keys(struct gen *g, struct buf *yaml, const char *key, const char *const *from,
                       size_t count, const char **out)
{
    size_t n = chance_below(g->chance, 5) < 3 ? 0 : 1 + chance_below(g->chance, RULES_KEYS);
    for (size_t i = 0; i < n; i++) {
        out[i] = from[chance_below(g->chance, (uint32_t)count)];
    }
    n = n == 2 && strcmp(out[0], out[1]) == 0 ? 1 : n;
    if (n > 0) {
        buf_printf(yaml, "    %s: ['%s'%s%s%s]\n", key, out[0], n > 1 ? ", '" : "", n > 1 ? out[1] : "",
                   n > 1 ? "'" : "");
    }
    return n;
}

static enum rules_hold put_hold(struct gen *g, struct buf *yaml, const char *indent)
{
    static const char *const HOLDS[RULES_HOLD_COUNT] = {
        [RULES_SHADOW] = "shadow: true",
        [RULES_NOBODY] = "rollout: {percent: 0}",
        [RULES_ALL] = "rollout: {percent: 100, rest: shadow}",
        [RULES_SOME] = "rollout: {percent: 50, by: device}",
        [RULES_SOME_SHADOW] = "rollout: {percent: 0.5, rest: shadow}",
    };
    enum rules_hold hold = chance_below(g->chance, 6) > 0
                               ? RULES_EVERYBODY
                               : (enum rules_hold)chance_below(g->chance, RULES_HOLD_COUNT);
    if (HOLDS[hold] != NULL) {
        buf_printf(yaml, "%s%s\n", indent, HOLDS[hold]);
    }
    return hold;
}

// A time around those of the questions, or far from them.
static int64_t put_time(struct gen *g, struct buf *yaml, const char *key, const char *end)
{
    static const struct {
        const char *text;
        int64_t epoch_s;
    } TIMES[] = {{"2025-11-24T00:00:00Z", 1763942400},
                 {"2025-11-26T13:00:00+01:00", 1764158400},
                 {"2020-01-01T00:00:00Z", 1577836800},
                 {"2039-01-01T00:00:00Z", 2177452800}};
    uint32_t which = chance_below(g->chance, COUNT_OF(TIMES));
    buf_printf(yaml, "%s%s%s", key, TIMES[which].text, end);
    return TIMES[which].epoch_s * 1000;
}

static void put_times(struct gen *g, struct buf *yaml, struct rules_rule *rule)
{
    uint32_t luck = chance_below(g->chance, 12);
    rule->starts_ms = INT64_MIN;
    rule->expires_ms = INT64_MAX;
    if (luck == 0) {
        rule->starts_ms = put_time(g, yaml, "    starts: ", "\n");
    } else if (luck == 1) {
        rule->expires_ms = put_time(g, yaml, "    expires: ", "\n");
    }
}

static void put_rule(struct rules *rules, struct gen *g, struct buf *yaml, struct rules_policy *policy)
{
    static const enum pdp_effect EFFECTS[] = {PDP_EFFECT_ALLOW, PDP_EFFECT_ALLOW,   PDP_EFFECT_ALLOW,
                                              PDP_EFFECT_DENY,  PDP_EFFECT_STEP_UP, PDP_EFFECT_TERMINATE};
    struct rules_rule *rule = &policy->rules[policy->rule_count];
    rule->effect = EFFECTS[chance_below(g->chance, COUNT_OF(EFFECTS))];
    buf_printf(yaml, "  - id: r%u\n    effect: %s\n", policy->rule_count, pdp_effect_name(rule->effect));
    rule->hold = put_hold(g, yaml, "    ");
    rule->action_count = put_keys(g, yaml, "actions", ACTIONS, COUNT_OF(ACTIONS), rule->actions);
    rule->resource_count = put_keys(g, yaml, "resources", RESOURCES, COUNT_OF(RESOURCES), rule->resources);
    if (rule->effect == PDP_EFFECT_STEP_UP) {
        rule->strength = chance_below(g->chance, WORLD_STRENGTHS);
        rule->max_age_s = chance_below(g->chance, 3) * INT64_C(60);
        buf_printf(yaml, "    require: {strength: " STR_FMT, STR_ARG(WORLD_STRENGTH_NAMES[rule->strength]));
        if (rule->max_age_s > 0) {
            buf_printf(yaml, ", max_age: %lldm", (long long)rule->max_age_s / 60);
        }
        buf_str(yaml, STR("}\n"));
    }
    put_times(g, yaml, rule);
    rule->never_lifted = rule->effect != PDP_EFFECT_ALLOW && chance_below(g->chance, 5) == 0;
    buf_str(yaml, rule->never_lifted ? STR("    exceptions: never\n") : STR(""));
    if (chance_below(g->chance, 8) > 0) {
        buf_str(yaml, STR("    when: "));
        rule->when = put_when(rules, g, yaml, 2);
        buf_byte(yaml, '\n');
    }
    policy->rule_count++;
}

const int RULES_PARENTS[RULES_FOLDERS] = {-1, 0, 1, 0};
// In the order of their paths, with the files in them.
static const char *const FOLDERS[RULES_FOLDERS] = {"r/", "r/x/", "r/x/y/", "r/z/"};

static void begin_file(struct rules *rules, const struct buf *yaml, uint32_t folder, const char *name)
{
    size_t at = rules->file_count++;
    snprintf(rules->files[at].name, sizeof rules->files[at].name, "%s%s.yaml", FOLDERS[folder], name);
    rules->files[at].from = yaml->len;
}

bool rules_below(const struct rules *rules, uint32_t folder, uint32_t of)
{
    int scope = (int)of, at = (int)folder;
    while (scope >= 0 && !rules->scopes[scope].there) {
        scope = RULES_PARENTS[scope];
    }
    while (at >= 0 && at != scope) {
        at = RULES_PARENTS[at];
    }
    return scope < 0 || at == scope;
}

static void put_scope(struct rules *rules, struct gen *g, struct buf *yaml, uint32_t folder)
{
    static const char *const TENANTS[] = {"x", "DE", "admin", "nobody"};
    struct rules_scope *scope = &rules->scopes[folder];
    scope->there = chance_below(g->chance, folder == 0 ? 8 : 3) == 0;
    if (!scope->there) {
        return;
    }
    begin_file(rules, yaml, folder, "scope");
    buf_printf(yaml, "---\napiVersion: pdp/v1\nkind: Scope\nmetadata: {name: s%u}\n", folder);
    const char *key = KEYS[chance_below(g->chance, (uint32_t)COUNT_OF(KEYS))];
    if (chance_below(g->chance, 4) > 0 && strcmp(key, "vars.v0") != 0) {
        buf_printf(yaml, "target: '%s'\n", key);
        scope->target = parsed(rules, str_of(key));
    }
    scope->tenant_count = chance_below(g->chance, 3);
    for (size_t i = 0; i < scope->tenant_count; i++) {
        scope->tenants[i] = TENANTS[chance_below(g->chance, COUNT_OF(TENANTS))];
        buf_printf(yaml, "%s%s", i == 0 ? "tenants: [" : ", ", scope->tenants[i]);
    }
    buf_str(yaml, scope->tenant_count > 0 ? STR("]\n") : STR(""));
}

static void put_policy(struct rules *rules, struct gen *g, struct buf *yaml, uint32_t number)
{
    static const struct str VARS[RULES_VARS] = {{"v0", 2}, {"v1", 2}, {"v2", 2}};
    static const enum gen_type TYPES[RULES_VARS] = {GEN_BOOL, GEN_STRING, GEN_BOOL};
    struct rules_policy *policy = &rules->policies[number];
    // Policies are numbered by the paths of their files.
    uint32_t least = number > 0 ? rules->policies[number - 1].folder : 0;
    char name[16];
    snprintf(name, sizeof name, "p%u", number);
    policy->folder = least + chance_below(g->chance, RULES_FOLDERS - least);
    begin_file(rules, yaml, policy->folder, name);
    policy->algorithm = chance_below(g->chance, RULES_ALGORITHM_COUNT);
    g->var_count = 0;
    buf_printf(yaml, "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", number,
               ALGORITHMS[policy->algorithm]);
    policy->hold = put_hold(g, yaml, "");
    uint32_t vars = chance_below(g->chance, RULES_VARS + 1);
    buf_str(yaml, vars > 0 ? STR("variables:\n") : STR(""));
    for (uint32_t i = 0; i < vars; i++) {
        struct buf text = {0};
        gen_expr(g, &text, TYPES[i], chance_below(g->chance, 3));
        buf_printf(yaml, "  " STR_FMT ": '", STR_ARG(VARS[i]));
        buf_str(yaml, buf_view(&text));
        buf_str(yaml, STR("'\n"));
        policy->vars[i] =
            (struct plain_var){VARS[i], parsed(rules, arena_str(rules->arena, buf_view(&text), NULL))};
        buf_fini(&text);
        g->vars[i].name = VARS[i];
        g->vars[i].type = TYPES[i];
        policy->var_count = g->var_count = i + 1;
    }
    if (chance_below(g->chance, 2) == 0) {
        buf_str(yaml, STR("target: "));
        policy->target = put_expr(rules, g, yaml, false);
        buf_byte(yaml, '\n');
    }
    buf_str(yaml, STR("rules:\n"));
    uint32_t count = 1 + chance_below(g->chance, RULES_MAX);
    while (policy->rule_count < count) {
        put_rule(rules, g, yaml, policy);
    }
    // Parts of one policy may name its variables: none are written again in the next.
    memset(g->pool_count, 0, sizeof g->pool_count);
}

// All rules, or one that may be named: it restricts, and is not marked.
static void put_lifts(const struct rules *rules, struct gen *g, struct buf *yaml, struct rules_exception *out)
{
    out->policy = chance_below(g->chance, rules->policy_count);
    out->rule = chance_below(g->chance, rules->policies[out->policy].rule_count);
    const struct rules_rule *rule = &rules->policies[out->policy].rules[out->rule];
    out->all = rule->effect == PDP_EFFECT_ALLOW || rule->never_lifted || chance_below(g->chance, 2) == 0 ||
               !rules_below(rules, rules->policies[out->policy].folder, out->folder);
    if (out->all) {
        buf_str(yaml, STR("lifts: ['*']\n"));
    } else {
        buf_printf(yaml, "lifts: [p%u/r%u]\n", out->policy, out->rule);
    }
}

static void put_exception(struct rules *rules, struct gen *g, struct buf *yaml)
{
    struct rules_exception *out = &rules->exceptions[rules->exception_count];
    char name[16];
    snprintf(name, sizeof name, "e%u", rules->exception_count);
    out->folder = chance_below(g->chance, RULES_FOLDERS);
    begin_file(rules, yaml, out->folder, name);
    buf_printf(yaml, "---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e%u}\n",
               rules->exception_count++);
    put_lifts(rules, g, yaml, out);
    out->expires_ms = put_time(g, yaml, "expires: ", "\n");
    out->has_require = chance_below(g->chance, 3) == 0;
    out->strength = chance_below(g->chance, WORLD_STRENGTHS);
    if (out->has_require) {
        buf_printf(yaml, "require: {strength: " STR_FMT "}\n", STR_ARG(WORLD_STRENGTH_NAMES[out->strength]));
    }
    if (chance_below(g->chance, 8) > 0) {
        buf_str(yaml, STR("when: "));
        out->when = put_expr(rules, g, yaml, false);
        buf_byte(yaml, '\n');
    }
}

void rules_write(struct rules *rules, struct chance *chance, struct arena *arena, struct buf *yaml)
{
    struct gen *g = ARENA_NEW(arena, struct gen);
    *rules = (struct rules){.arena = arena, .policy_count = 1 + chance_below(chance, RULES_POLICIES)};
    g->chance = chance;
    g->arena = arena;
    herd_choose(&rules->herd, chance);
    begin_file(rules, yaml, 0, "all");
    buf_str(yaml, STR("apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"));
    for (size_t i = 0; i < WORLD_STRENGTHS; i++) {
        buf_printf(yaml, "  - {name: " STR_FMT ", proves: 'session.acr == \"a%zu\"'}\n",
                   STR_ARG(WORLD_STRENGTH_NAMES[i]), i);
    }
    static const char *const LISTS[WORLD_SETS] = {
        "type: string\nentries: [x, admin]", "type: cidr\nentries: [10.0.0.0/8, '2001:db8::/32']",
        "type: country\nentries: [KP]", "type: asn\nentries: ['64512', '7']",
        "type: string\nmax_age: 1h\nupdated: 2020-01-01T00:00:00Z\nentries: [x]"};
    for (size_t i = 0; i < WORLD_SETS; i++) {
        buf_printf(yaml, "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: " STR_FMT "}\n%s\n",
                   STR_ARG(WORLD_SET_NAMES[i]), LISTS[i]);
    }
    for (uint32_t i = 0; i < RULES_FOLDERS; i++) {
        put_scope(rules, g, yaml, i);
    }
    for (uint32_t i = 0; i < rules->policy_count; i++) {
        put_policy(rules, g, yaml, i);
    }
    g->var_count = 0;
    for (uint32_t left = chance_below(chance, 3); left > 1 && rules->exception_count < RULES_EXCEPTIONS;) {
        put_exception(rules, g, yaml);
        left = 1 + chance_below(chance, 2);
    }
}
