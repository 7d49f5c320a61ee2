// SPDX-License-Identifier: Apache-2.0
// What policies say: rules, targets, exceptions, strengths, counters, roles and scopes.
#include "cli/change/fact.h"

#include "base/time.h"
#include "policy/rollout.h"

#include <stdlib.h>

static void add_expr(struct side *side, struct fact fact, enum policy_owner owner, struct str named)
{
    fact.form = FACT_EXPR;
    fact.text = fact_condition(side, owner, named, fact.expr);
    fact_add(side, fact);
}

// ---- Rules ----------------------------------------------------------------------------------------------

static void put_require(struct buf *out, const struct policy_set *set, bool has, uint32_t strength,
                        int64_t max_age_s)
{
    if (!has) {
        buf_str(out, STR("nothing"));
        return;
    }
    buf_str(out, set->strengths[strength].name);
    if (max_age_s > 0) {
        buf_printf(out, " of the last %lld s", (long long)max_age_s);
    }
}

static void put_rollout(struct buf *out, const struct policy_set *set, uint32_t number)
{
    if (number == SET_NO_ROLLOUT) {
        buf_str(out, STR("everybody"));
        return;
    }
    const struct set_rollout *rollout = &set->rollouts[number];
    if (rollout->share == 0 && rollout->shadows) {
        buf_str(out, STR("nobody: in shadow"));
    } else {
        fact_number(out, rollout->share / (SET_ROLLOUT_ALL / 100.0));
        buf_printf(out, " %% by %s, the rest %s", rollout_by_name(rollout->by),
                   rollout->shadows ? "in shadow" : "not");
    }
}

static void put_obligations(struct buf *out, const struct policy_set *set, const uint32_t *numbers,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct verdict_obligation *obligation = &set->obligations[numbers[i]];
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        buf_escaped(out, obligation->type);
        if (obligation->id.len > 0) {
            buf_byte(out, ' ');
            buf_escaped(out, obligation->id);
        }
        if (obligation->properties != NULL) {
            buf_byte(out, ' ');
            fact_value(out, obligation->properties);
        }
    }
    buf_str(out, count == 0 ? STR("none") : STR(""));
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

// Sorts and drops what is there twice.
static uint32_t settle(struct str *list, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 0) {
        qsort(list, count, sizeof *list, by_text);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !str_eq(list[kept - 1], list[i])) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

static void add_set(struct side *side, struct fact fact, struct str *list, uint32_t count)
{
    side->failed = side->failed || list == NULL;
    fact.form = FACT_SET;
    fact.members = list;
    fact.member_count = list != NULL ? settle(list, count) : 0;
    fact.text = count == 0 ? STR("any") : STR("");
    fact_add(side, fact);
}

static void rule_keys(struct side *side, const struct set_rule *rule, struct fact fact)
{
    struct str *actions = ARENA_ARRAY(&side->arena, struct str, rule->action_count + 1);
    struct str *resources = ARENA_ARRAY(&side->arena, struct str, rule->resource_count + 1);
    for (uint32_t i = 0; actions != NULL && i < rule->action_count; i++) {
        actions[i] = rule->actions[i];
    }
    for (uint32_t i = 0; resources != NULL && i < rule->resource_count; i++) {
        resources[i] = rule->resources[i].text;
    }
    fact.aspect = "actions";
    add_set(side, fact, actions, rule->action_count);
    fact.aspect = "resources";
    add_set(side, fact, resources, rule->resource_count);
}

static void rule_times(struct side *side, const struct set_rule *rule, struct fact fact)
{
    AUTO(buf_fini) struct buf text = {0};
    fact.aspect = "times";
    if (rule->timed && rule->starts_ms != INT64_MIN) {
        buf_str(&text, STR("from "));
        time_print_ms(&text, rule->starts_ms);
    }
    if (rule->timed && rule->expires_ms != INT64_MAX) {
        buf_str(&text, text.len > 0 ? STR(" until ") : STR("until "));
        time_print_ms(&text, rule->expires_ms);
    }
    buf_str(&text, text.len == 0 ? STR("at any time") : STR(""));
    fact_add_buf(side, fact, &text);
}

static void rule_words(struct side *side, const struct set_rule *rule, struct fact fact)
{
    fact.words = true;
    fact.aspect = "message";
    fact.text = rule->message;
    fact_add(side, fact);
    fact.aspect = "reason";
    fact.text = rule->reason;
    fact_add(side, fact);
    fact.aspect = "audit";
    fact.text = rule->audit_always ? STR("always") : STR("as others");
    fact_add(side, fact);
}

static void facts_of_rule(struct side *side, uint32_t number)
{
    AUTO(buf_fini) struct buf text = {0};
    const struct policy_set *set = side->parts.set;
    const struct set_rule *rule = &set->rules[number];
    struct fact fact = {.kind = FACT_RULE, .name = rule->name, .number = number, .aspect = "effect"};
    if (rule->closing) {
        return; // part of how its policy combines
    }
    buf_printf(&text, "%s%s", pdp_effect_name(rule->effect),
               rule->ends_subject ? " all sessions of the subject" : "");
    fact_add_buf(side, fact, &text);
    fact.aspect = "condition";
    fact.expr = rule->when;
    add_expr(side, fact, POLICY_OWNER_RULE, rule->name);
    rule_keys(side, rule, fact);
    fact.aspect = "requirement";
    put_require(&text, set, rule->has_require, rule->strength, rule->max_age_s);
    fact_add_buf(side, fact, &text);
    fact.aspect = "rollout";
    put_rollout(&text, set, rule->rollout);
    fact_add_buf(side, fact, &text);
    fact.aspect = "obligations";
    put_obligations(&text, set, rule->obligations, rule->obligation_count);
    fact_add_buf(side, fact, &text);
    fact.aspect = "exceptions";
    fact.text = rule->never_lifted ? STR("never") : STR("may lift it");
    fact_add(side, fact);
    rule_times(side, rule, fact);
    rule_words(side, rule, fact);
}

// ---- Policies -------------------------------------------------------------------------------------------

static void rule_order(struct side *side, uint32_t policy, struct fact fact)
{
    const struct policy_set *set = side->parts.set;
    struct str *order = ARENA_ARRAY(&side->arena, struct str, set->rule_count + 1);
    fact.aspect = "order of rules";
    fact.form = FACT_ORDER;
    fact.members = order;
    for (uint32_t i = 0; order != NULL && i < set->rule_count; i++) {
        if (set->rules[i].policy == policy && !set->rules[i].closing) {
            order[fact.member_count++] = set->rules[i].name;
        }
    }
    side->failed = side->failed || order == NULL;
    fact_add(side, fact);
}

static void facts_of_policy(struct side *side, uint32_t number)
{
    static const char *const ALGORITHMS[] = {[COMBINE_MOST_RESTRICTIVE] = "most-restrictive",
                                             [COMBINE_FIRST_MATCH] = "first-match",
                                             [COMBINE_DENY_UNLESS_ALLOW] = "deny-unless-allow"};
    AUTO(buf_fini) struct buf text = {0};
    const struct set_policy *policy = &side->parts.set->policies[number];
    struct fact fact = {.kind = FACT_POLICY, .name = policy->name, .number = number, .aspect = "combine"};
    fact.text = str_of(ALGORITHMS[policy->algorithm]);
    fact_add(side, fact);
    fact.aspect = "target";
    fact.expr = policy->target;
    add_expr(side, fact, POLICY_OWNER_TARGET, policy->name);
    fact.aspect = "rollout";
    put_rollout(&text, side->parts.set, policy->rollout);
    fact_add_buf(side, fact, &text);
    if (policy->algorithm == COMBINE_FIRST_MATCH) {
        rule_order(side, number, fact);
    }
}

static bool lifts(const struct set_numbers *exceptions, uint32_t number)
{
    for (uint32_t i = 0; i < exceptions->count; i++) {
        if (exceptions->at[i] == number) {
            return true;
        }
    }
    return false;
}

static void exception_lifts(struct side *side, uint32_t number, struct fact fact)
{
    const struct policy_set *set = side->parts.set;
    struct str *lifted = ARENA_ARRAY(&side->arena, struct str, set->rule_count + 1);
    uint32_t count = 0;
    if (lifted != NULL && lifts(&set->lift_all, number)) {
        lifted[count++] = STR("every restriction");
    }
    for (uint32_t i = 0; lifted != NULL && set->lifts != NULL && i < set->rule_count; i++) {
        if (lifts(&set->lifts[i], number)) {
            lifted[count++] = set->rules[i].name;
        }
    }
    fact.aspect = "lifts";
    add_set(side, fact, lifted, count);
}

static void facts_of_exception(struct side *side, uint32_t number)
{
    AUTO(buf_fini) struct buf text = {0};
    const struct policy_set *set = side->parts.set;
    const struct set_exception *exception = &set->exceptions[number];
    struct fact fact = {
        .kind = FACT_EXCEPTION, .name = exception->name, .number = number, .aspect = "condition"};
    fact.expr = exception->when;
    add_expr(side, fact, POLICY_OWNER_EXCEPTION, exception->name);
    fact.aspect = "requirement";
    put_require(&text, set, exception->has_require, exception->strength, exception->max_age_s);
    fact_add_buf(side, fact, &text);
    fact.aspect = "expires";
    time_print_ms(&text, exception->expires_ms);
    fact_add_buf(side, fact, &text);
    fact.aspect = "obligations";
    put_obligations(&text, set, exception->obligations, exception->obligation_count);
    fact_add_buf(side, fact, &text);
    exception_lifts(side, number, fact);
}

static void facts_of_strength(struct side *side, uint32_t number)
{
    const struct policy_set *set = side->parts.set;
    const struct set_strength *strength = &set->strengths[number];
    struct fact fact = {
        .kind = FACT_STRENGTH, .name = strength->name, .number = number, .aspect = "proved by"};
    fact.expr = strength->proves;
    add_expr(side, fact, POLICY_OWNER_STRENGTH, strength->name);
    struct str *weaker = ARENA_ARRAY(&side->arena, struct str, set->strength_count + 1);
    struct str *acr = ARENA_ARRAY(&side->arena, struct str, strength->acr_count + 1);
    for (uint32_t i = 0; weaker != NULL && i < number; i++) {
        weaker[i] = set->strengths[i].name;
    }
    for (size_t i = 0; acr != NULL && i < strength->acr_count; i++) {
        acr[i] = strength->acr[i];
    }
    fact.aspect = "stronger than";
    add_set(side, fact, weaker, number);
    fact.aspect = "asks for";
    fact.words = true;
    add_set(side, fact, acr, (uint32_t)strength->acr_count);
}

static void facts_of_counters(struct side *side)
{
    size_t count = 0;
    const struct policy_counter *all = policy_counters(side->parts.set, &count);
    for (size_t i = 0; i < count; i++) {
        struct fact fact = {
            .kind = FACT_COUNTER, .name = all[i].name, .number = (uint32_t)i, .aspect = "counts"};
        AUTO(buf_fini) struct buf key = {0};
        buf_printf(&key, "%s in ", all[i].any ? "any answer" : "what was allowed");
        fact_span(&key, all[i].window_ms);
        fact_add_buf(side, fact, &key);
        for (uint32_t k = 0; k < all[i].key_count; k++) {
            buf_str(&key, k > 0 ? STR(", ") : STR(""));
            buf_str(&key, cel_slot_at(side->parts.program, all[i].key[k])->path);
        }
        fact.aspect = "key";
        fact_add_buf(side, fact, &key);
        fact.aspect = "adds";
        fact.expr = all[i].add;
        add_expr(side, fact, POLICY_OWNER_COUNTER, STR(""));
        fact.aspect = "when";
        fact.expr = all[i].when;
        add_expr(side, fact, POLICY_OWNER_COUNTER, all[i].name);
    }
}

static void facts_of_roles(struct side *side)
{
    const struct roles *roles = &side->parts.set->roles;
    for (uint32_t role = 0; role < roles->count; role++) {
        struct str *others = ARENA_ARRAY(&side->arena, struct str, roles->count + 1);
        uint32_t count = 0;
        for (uint32_t other = 0; others != NULL && other < roles->count; other++) {
            if (roles_implies(roles, role, other)) {
                others[count++] = roles->names[other];
            }
        }
        if (count > 0) {
            add_set(side,
                    (struct fact){
                        .kind = FACT_ROLE, .name = roles->names[role], .number = role, .aspect = "brings"},
                    others, count);
        }
    }
}

static void facts_of_scopes(struct side *side)
{
    const struct policy_set *set = side->parts.set;
    for (uint32_t i = 0; i < set->scope_count; i++) {
        AUTO(buf_fini) struct buf text = {0};
        struct fact fact = {.kind = FACT_SCOPE,
                            .name = set->scopes[i].name,
                            .number = i,
                            .aspect = "effects below",
                            .words = true};
        for (uint32_t effect = 0; effect < PDP_EFFECT_COUNT; effect++) {
            if ((set->scopes[i].effects >> effect & 1) != 0) {
                buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", pdp_effect_name((enum pdp_effect)effect));
            }
        }
        fact_add_buf(side, fact, &text);
    }
}

void facts_of_policies(struct side *side)
{
    const struct policy_set *set = side->parts.set;
    for (uint32_t i = 0; i < set->policy_count; i++) {
        facts_of_policy(side, i);
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        facts_of_rule(side, i);
    }
    for (uint32_t i = 0; i < set->exception_count; i++) {
        facts_of_exception(side, i);
    }
    for (uint32_t i = 0; i < set->strength_count; i++) {
        facts_of_strength(side, i);
    }
    facts_of_counters(side);
    facts_of_roles(side);
    facts_of_scopes(side);
}
