// SPDX-License-Identifier: Apache-2.0
// "How rules become one verdict" over every rule, as semantics/composition.py has it.
#include "diff/rules.h"

enum outcome {
    NOTHING,
    ALLOW,
    STEP_UP,
    DENY,
    TERMINATE
};

struct court {
    const struct rules *rules;
    const struct world *world;
    struct arena *arena;
    struct str action, path;
    enum outcome outcomes[RULES_POLICIES][RULES_MAX + 1];
};

static enum truth both(enum truth a, enum truth b)
{
    if (a == TRUTH_NO || b == TRUTH_NO) {
        return TRUTH_NO;
    }
    return a == TRUTH_UNSURE || b == TRUTH_UNSURE ? TRUTH_UNSURE : TRUTH_YES;
}

static enum truth truth_of(const struct court *c, const struct rules_policy *policy, const struct tree *tree)
{
    struct plain p = {c->world, c->arena, policy->vars, policy->var_count};
    struct value v = tree != NULL ? plain_eval(&p, tree, NULL) : value_bool(true);
    return v.kind != VALUE_BOOL ? TRUTH_UNSURE : v.as.b ? TRUTH_YES : TRUTH_NO;
}

static enum truth any_tenant(const struct court *c, const struct rules_scope *scope)
{
    const struct value *tenant = &c->world->attrs[ATTR_TENANT];
    bool is = scope->tenant_count == 0;
    for (size_t i = 0; i < scope->tenant_count; i++) {
        is = is || value_is_text(tenant, str_of(scope->tenants[i]));
    }
    return scope->tenant_count > 0 && tenant->kind != VALUE_STRING ? TRUTH_UNSURE : is ? TRUTH_YES : TRUTH_NO;
}

// All scopes that a folder stands in hold.
static enum truth scope_truth(const struct court *c, int folder)
{
    static const struct rules_policy none = {.var_count = 0};
    enum truth truth = TRUTH_YES;
    for (; folder >= 0; folder = RULES_PARENTS[folder]) {
        const struct rules_scope *scope = &c->rules->scopes[folder];
        if (scope->there) {
            truth = both(truth, both(any_tenant(c, scope), truth_of(c, &none, scope->target)));
        }
    }
    return truth;
}

static struct str cut(struct str *rest)
{
    size_t end = str_find_byte(*rest, '/', 1);
    struct str segment = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end, rest->len);
    return segment;
}

// Segments with their slash in front: `/*` is one that is not empty, `/ **` the path so far and all below it.
static bool path_matches(struct str pattern, struct str path)
{
    while (pattern.len > 0) {
        struct str want = cut(&pattern);
        if (str_eq(want, STR("/**"))) {
            return path.len == 0 || path.at[0] == '/';
        }
        struct str got = cut(&path);
        if (str_eq(want, STR("/*")) ? got.len < 2 : !str_eq(want, got)) {
            return false;
        }
    }
    return path.len == 0;
}

static enum truth any_action(const struct court *c, const struct rules_rule *rule)
{
    bool is = rule->action_count == 0;
    for (size_t i = 0; i < rule->action_count; i++) {
        is = is || str_eq(str_of(rule->actions[i]), c->action);
    }
    return rule->action_count > 0 && c->action.at == NULL ? TRUTH_UNSURE : is ? TRUTH_YES : TRUTH_NO;
}

static enum truth any_resource(const struct court *c, const struct rules_rule *rule)
{
    bool is = rule->resource_count == 0;
    for (size_t i = 0; i < rule->resource_count; i++) {
        is = is || path_matches(str_of(rule->resources[i]), c->path);
    }
    return rule->resource_count > 0 && c->path.at == NULL ? TRUTH_UNSURE : is ? TRUTH_YES : TRUTH_NO;
}

static enum truth hard_evidence(const struct court *c, const struct rules_policy *policy,
                                const struct rules_rule *rule)
{
    struct plain p = {c->world, c->arena, policy->vars, policy->var_count};
    bool risky = (rule->when != NULL && plain_reads(&p, rule->when, STR("risk"))) ||
                 (policy->target != NULL && plain_reads(&p, policy->target, STR("risk")));
    const struct value *hard = &c->world->attrs[ATTR_RISK_HARD];
    if (rule->effect != PDP_EFFECT_TERMINATE || !risky) {
        return TRUTH_YES;
    }
    return hard->kind != VALUE_DOUBLE ? TRUTH_UNSURE : hard->as.d > 0 ? TRUTH_YES : TRUTH_NO;
}

static enum truth holds(const struct court *c, enum rules_hold hold)
{
    switch (hold) {
    case RULES_SHADOW:
        return c->world->shadow ? TRUTH_YES : TRUTH_NO;
    case RULES_NOBODY:
        return TRUTH_NO;
    case RULES_SOME:
        return TRUTH_UNSURE;
    case RULES_SOME_SHADOW:
        return c->world->shadow ? TRUTH_YES : TRUTH_UNSURE;
    default:
        return TRUTH_YES;
    }
}

static bool proved(const struct court *c, const struct rules_rule *rule)
{
    return rule->effect == PDP_EFFECT_STEP_UP && (c->world->proved >> rule->strength & 1) != 0;
}

static enum truth in_force(const struct court *c, const struct rules_exception *exception)
{
    static const struct rules_policy NO_VARIABLES;
    bool proves = !exception->has_require || (c->world->proved >> exception->strength & 1) != 0;
    if (c->world->now_ms >= exception->expires_ms || !proves) {
        return TRUTH_NO;
    }
    return both(scope_truth(c, (int)exception->folder), truth_of(c, &NO_VARIABLES, exception->when));
}

// Lifted: as if it had not been there. Perhaps lifted: it restricts, and ends no session.
static enum outcome unlifted(const struct court *c, uint32_t policy, uint32_t rule, enum outcome what)
{
    const struct rules_rule *of = &c->rules->policies[policy].rules[rule];
    bool perhaps = false;
    if (of->effect == PDP_EFFECT_ALLOW || of->never_lifted || what == NOTHING) {
        return what;
    }
    for (uint32_t i = 0; i < c->rules->exception_count; i++) {
        const struct rules_exception *exception = &c->rules->exceptions[i];
        bool below = rules_below(c->rules, c->rules->policies[policy].folder, exception->folder);
        bool names = exception->all ? below : exception->policy == policy && exception->rule == rule;
        enum truth truth = names ? in_force(c, exception) : TRUTH_NO;
        if (truth == TRUTH_YES) {
            return NOTHING;
        }
        perhaps = perhaps || truth == TRUTH_UNSURE;
    }
    return perhaps && what == TERMINATE ? DENY : what;
}

static enum truth in_time(const struct court *c, const struct rules_rule *rule)
{
    return c->world->now_ms >= rule->starts_ms && c->world->now_ms < rule->expires_ms ? TRUTH_YES : TRUTH_NO;
}

static enum outcome outcome(const struct court *c, const struct rules_rule *rule, enum truth truth)
{
    if (truth == TRUTH_NO) {
        return NOTHING;
    }
    switch (rule->effect) {
    case PDP_EFFECT_TERMINATE:
        return truth == TRUTH_YES ? TERMINATE : DENY;
    case PDP_EFFECT_STEP_UP:
        return proved(c, rule) ? NOTHING : STEP_UP;
    case PDP_EFFECT_ALLOW:
        return truth == TRUTH_YES ? ALLOW : NOTHING;
    default:
        return DENY;
    }
}

static void judge_policy(struct court *c, uint32_t number)
{
    const struct rules_policy *policy = &c->rules->policies[number];
    enum truth target = both(both(scope_truth(c, (int)policy->folder), holds(c, policy->hold)),
                             truth_of(c, policy, policy->target));
    bool allowed = false;
    for (uint32_t i = 0; i < policy->rule_count && target != TRUTH_NO; i++) {
        const struct rules_rule *rule = &policy->rules[i];
        enum truth truth =
            both(both(both(target, holds(c, rule->hold)), truth_of(c, policy, rule->when)),
                 both(both(any_action(c, rule), any_resource(c, rule)), hard_evidence(c, policy, rule)));
        truth = both(truth, in_time(c, rule));
        enum outcome what = outcome(c, rule, truth);
        if (policy->algorithm == RULES_FIRST && truth == TRUTH_UNSURE && !proved(c, rule)) {
            what = DENY;
        }
        what = unlifted(c, number, i, what);
        c->outcomes[number][i] = what;
        allowed = allowed || what == ALLOW;
        if (policy->algorithm == RULES_FIRST && what != NOTHING) {
            return;
        }
    }
    if (policy->algorithm == RULES_DENY && target != TRUTH_NO && !allowed) {
        c->outcomes[number][policy->rule_count] = DENY;
    }
}

static void add_require(struct rules_verdict *out, const struct rules_rule *rule)
{
    if (!out->has_require || rule->strength > out->require_strength) {
        out->require_strength = rule->strength;
    }
    if (rule->max_age_s > 0 && (out->require_max_age_s == 0 || rule->max_age_s < out->require_max_age_s)) {
        out->require_max_age_s = rule->max_age_s;
    }
    out->has_require = true;
}

static void list(const struct court *c, enum outcome decided, struct rules_verdict *out)
{
    for (uint32_t i = 0; i < c->rules->policy_count; i++) {
        for (uint32_t k = 0; k <= c->rules->policies[i].rule_count; k++) {
            if (c->outcomes[i][k] == decided) {
                out->rules[out->rule_count].policy = i;
                out->rules[out->rule_count++].rule = k;
                if (decided == STEP_UP) {
                    add_require(out, &c->rules->policies[i].rules[k]);
                }
            }
        }
    }
}

void rules_judge(const struct rules *rules, const struct world *world, struct arena *arena, struct str action,
                 struct str path, struct rules_verdict *out)
{
    struct court c = {.rules = rules, .world = world, .arena = arena, .action = action, .path = path};
    bool seen[TERMINATE + 1] = {false};
    *out = (struct rules_verdict){0};
    for (uint32_t i = 0; i < rules->policy_count; i++) {
        judge_policy(&c, i);
        for (size_t k = 0; k <= RULES_MAX; k++) {
            seen[c.outcomes[i][k]] = true;
        }
    }
    enum outcome decided = seen[TERMINATE]              ? TERMINATE
                           : seen[DENY] || !seen[ALLOW] ? DENY
                           : seen[STEP_UP]              ? STEP_UP
                                                        : ALLOW;
    static const enum pdp_effect EFFECTS[] = {[DENY] = PDP_EFFECT_DENY,
                                              [ALLOW] = PDP_EFFECT_ALLOW,
                                              [STEP_UP] = PDP_EFFECT_STEP_UP,
                                              [TERMINATE] = PDP_EFFECT_TERMINATE};
    out->effect = EFFECTS[decided];
    list(&c, decided, out);
}
