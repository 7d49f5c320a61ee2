// SPDX-License-Identifier: Apache-2.0
// After the program is sealed: the indexes of a set, and what it takes to ask them.
#include "policy/scratch.h"

#include <stdlib.h>

static bool unsure_counts(const struct policy_set *set, const struct set_rule *rule)
{
    return rule->effect != PDP_EFFECT_ALLOW || set->policies[rule->policy].algorithm == COMBINE_FIRST_MATCH;
}

static enum pdp_err index_rules(struct policy_set *set, struct arena *arena)
{
    struct index_item *items = ARENA_ARRAY(arena, struct index_item, (size_t)set->rule_count + 1);
    if (items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[i];
        items[i] = (struct index_item){
            .exprs = {set->policies[rule->policy].target, rule->when},
            .actions = rule->actions,
            .resources = rule->resources,
            .action_count = rule->action_count,
            .resource_count = rule->resource_count,
            .unsure_counts = unsure_counts(set, rule),
        };
    }
    return index_build(items, set->rule_count, set, &set->by_rule);
}

static enum pdp_err index_targets(struct policy_set *set, struct arena *arena)
{
    struct index_item *items = ARENA_ARRAY(arena, struct index_item, (size_t)set->policy_count + 1);
    if (items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < set->policy_count; i++) {
        items[i] =
            (struct index_item){.exprs = {set->policies[i].target, SET_NO_EXPR}, .unsure_counts = true};
    }
    return index_build(items, set->policy_count, set, &set->by_target);
}

enum pdp_err policy_set_index(struct policy_set *set, struct diags *diags)
{
    (void)diags; // nothing that a document says can be wrong any more
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    TRY(index_rules(set, &arena));
    return index_targets(set, &arena);
}

// Rules that somebody wrote.
static uint32_t count_written(const struct policy_set *set)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        count += !set->rules[i].closing;
    }
    return count;
}

void policy_set_describe(const struct policy_set *set, struct policy_describe *out)
{
    *out = (struct policy_describe){
        .policies = set->policy_count,
        .rules = count_written(set),
        .lists = set->list_count,
        .strengths = set->strength_count,
        .counters = set->counter_count,
        .indexed = set->by_rule != NULL ? set->by_rule->indexed : 0,
    };
}

enum pdp_err policy_scratch_new(const struct policy_set *set, struct policy_scratch **out)
{
    *out = NULL;
    size_t most = (set->rule_count > set->policy_count ? set->rule_count : set->policy_count) + (size_t)1;
    AUTO(policy_scratch_free) struct policy_scratch *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL) {
        return PDP_ERR_NOMEM;
    }
    scratch->ask.list = calloc(most, sizeof(*scratch->ask.list));
    scratch->ask.bits = calloc(most / 64 + 1, sizeof(*scratch->ask.bits));
    scratch->matched = calloc(most, sizeof(*scratch->matched));
    scratch->taken = calloc((size_t)set->obligation_count / 64 + 1, sizeof(*scratch->taken));
    scratch->lifting = calloc((size_t)set->exception_count + 1, sizeof(*scratch->lifting));
    if (scratch->ask.list == NULL || scratch->ask.bits == NULL || scratch->matched == NULL ||
        scratch->taken == NULL || scratch->lifting == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(scratch);
    return PDP_ERR_OK;
}

void policy_scratch_free(struct policy_scratch **scratch)
{
    if (*scratch != NULL) {
        free((*scratch)->ask.list);
        free((*scratch)->ask.bits);
        free((*scratch)->matched);
        free((*scratch)->taken);
        free((*scratch)->lifting);
        free(*scratch);
        *scratch = NULL;
    }
}
