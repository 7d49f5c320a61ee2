// SPDX-License-Identifier: Apache-2.0
#include "policy/narrow.h"

#include "policy/index.h"
#include "policy/match.h"
#include "policy/scratch.h"

#define TESTS_MOST 64 // of one condition; what follows narrows nothing

// Ranges on their way: those of all rules, behind them those of the test at hand.
struct list {
    struct entities_range *at;
    size_t count, cap;
};

struct narrow {
    const struct policy_set *set;
    struct cel_frame *frame;
    const struct narrow_ask *ask;
    struct arena *arena;
    struct list all, best, test;
    bool found; // `best` is what some test of the rule at hand leaves
};

// ---- Which allow rules may hold ---------------------------------------------------------------------

static bool is_no(struct narrow *n, uint32_t expr)
{
    return expr != SET_NO_EXPR && cel_truth(n->frame, expr) == TRUTH_NO;
}

static bool may_allow(struct narrow *n, uint32_t number)
{
    const struct set_rule *rule = &n->set->rules[number];
    const struct narrow_ask *ask = n->ask;
    bool muted = ask->muted != NULL && (ask->muted[number / 64] >> number % 64 & 1) != 0;
    if (rule->effect != PDP_EFFECT_ALLOW || rule->closing || muted ||
        (rule->timed && (ask->now_ms >= rule->expires_ms || ask->now_ms < rule->starts_ms)) ||
        match_actions(rule, ask->action) == TRUTH_NO || match_resources(rule, ask->path) == TRUTH_NO) {
        return false;
    }
    return !is_no(n, n->set->policies[rule->policy].target) && !is_no(n, rule->when);
}

// ---- What one of them leaves over ---------------------------------------------------------------------

// false: there is no room, and the test is as if it were not there.
static bool put(struct narrow *n, struct list *list, struct str text, bool prefix)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 16 : list->cap * 2;
        struct entities_range *more =
            cap <= NARROW_RANGES_MOST ? ARENA_ARRAY(n->arena, struct entities_range, cap) : NULL;
        if (more == NULL) {
            return false;
        }
        if (list->count > 0) {
            memcpy(more, list->at, list->count * sizeof *more);
        }
        list->at = more;
        list->cap = cap;
    }
    list->at[list->count++] = (struct entities_range){text, prefix};
    return true;
}

static size_t cost_of(const struct list *list)
{
    size_t cost = 0;
    for (size_t i = 0; i < list->count; i++) {
        cost += list->at[i].prefix ? 64 : 1; // a guess: how many ids begin so is not known here
    }
    return cost;
}

// The test at hand is one of several that must all hold: the one that leaves the least is enough.
static void end_test(struct narrow *n, bool usable)
{
    if (usable && (!n->found || cost_of(&n->test) < cost_of(&n->best))) {
        const struct list was = n->best;
        n->best = n->test;
        n->test = was;
        n->found = true;
    }
    n->test.count = 0;
}

static void by_actions(struct narrow *n, const struct set_rule *rule)
{
    bool usable = n->ask->part == SEARCH_ACTION && rule->action_count > 0;
    for (uint32_t i = 0; usable && i < rule->action_count; i++) {
        usable = put(n, &n->test, rule->actions[i], false);
    }
    end_test(n, usable);
}

static void by_resources(struct narrow *n, const struct set_rule *rule)
{
    bool usable = n->ask->part == SEARCH_RESOURCE && n->ask->by_path && rule->resource_count > 0;
    for (uint32_t i = 0; usable && i < rule->resource_count; i++) {
        struct glob_keys keys;
        usable = glob_keys_of(&rule->resources[i], &keys) &&
                 (keys.exact.len == 0 || put(n, &n->test, keys.exact, false)) &&
                 (keys.prefix.len == 0 || put(n, &n->test, keys.prefix, true));
    }
    end_test(n, usable);
}

// Is the attribute the one that is searched?
static bool is_searched(const struct narrow *n, uint32_t slot)
{
    static const struct str PATHS[] = {[SEARCH_SUBJECT] = {"subject.id", 10},
                                       [SEARCH_RESOURCE] = {"resource.id", 11},
                                       [SEARCH_ACTION] = {"action.name", 11}};
    struct str path = cel_slot_at(n->set->program, slot)->path;
    bool is_path = n->ask->part == SEARCH_RESOURCE && n->ask->by_path && str_eq(path, STR("resource.path"));
    return is_path || str_eq(path, PATHS[n->ask->part]);
}

static bool put_key(struct narrow *n, const struct cel_key *key)
{
    bool prefix = key->op == CEL_KEY_PREFIX;
    if (key->op != CEL_KEY_EQ && key->op != CEL_KEY_IN && !prefix) {
        return false;
    }
    bool usable = true;
    for (size_t i = 0; usable && i < key->count; i++) {
        struct str text = key->values != NULL ? value_text(&key->values[i]) : key->text;
        usable = !(prefix && text.len == 0) && put(n, &n->test, text, prefix);
    }
    return usable;
}

// Each group of keys is a test: any of its alternatives must hold.
static void by_condition(struct narrow *n, uint32_t expr)
{
    struct cel_key keys[TESTS_MOST];
    size_t count = expr != SET_NO_EXPR ? cel_keys(n->set->program, expr, keys, TESTS_MOST) : 0;
    for (size_t i = 0; i < count;) {
        uint32_t group = keys[i].group;
        bool usable = is_searched(n, keys[i].slot);
        for (; i < count && keys[i].group == group; i++) {
            usable = usable && put_key(n, &keys[i]);
        }
        end_test(n, usable);
    }
}

// false: it leaves everything, or there is no room.
static bool take_rule(struct narrow *n, const struct set_rule *rule)
{
    n->found = false;
    n->best.count = n->test.count = 0;
    by_actions(n, rule);
    by_resources(n, rule);
    by_condition(n, n->set->policies[rule->policy].target);
    by_condition(n, rule->when);
    for (size_t i = 0; n->found && i < n->best.count; i++) {
        n->found = put(n, &n->all, n->best.at[i].text, n->best.at[i].prefix);
    }
    return n->found;
}

// ---- All of them ----------------------------------------------------------------------------------------

void policy_narrow(const struct policy_set *set, struct policy_scratch *scratch, struct cel_frame *frame,
                   const struct narrow_ask *ask, struct arena *arena, struct narrowed *out)
{
    static const struct entities_range NOTHING;
    struct narrow n = {.set = set, .frame = frame, .ask = ask, .arena = arena};
    const struct policy_question question = {.action = ask->action, .path = ask->path};
    bool skipped = false;
    *out = (struct narrowed){.all = true};
    size_t count = set->by_rule != NULL
                       ? index_ask(set->by_rule, &scratch->ask, frame, &question, true, &skipped)
                       : set->rule_count;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = set->by_rule != NULL ? scratch->ask.list[i] : (uint32_t)i;
        if (may_allow(&n, number) && !take_rule(&n, &set->rules[number])) {
            return;
        }
    }
    size_t kept = entities_ranges_sort(n.all.at, n.all.count);
    *out = (struct narrowed){.ranges = n.all.at != NULL ? n.all.at : &NOTHING, .count = kept};
}
