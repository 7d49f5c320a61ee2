// SPDX-License-Identifier: Apache-2.0
// Where to aim: which conditions a change is about, and what a question needs for them to matter.
#include "cli/change/search_aim.h"

#include "risk/model.h"

#include <math.h>

#include <stdlib.h>

#define ENTRIES_TRIED 64 // of a list's changed entries
#define TESTS_MOST 64    // of a condition
#define PAIRS_TRIED 32   // of an order

struct side *search_side(const struct searcher *searcher, size_t which)
{
    return which == 0 ? searcher->was : searcher->is;
}

uint32_t search_number(const struct change *change, size_t which)
{
    return which == 0 ? change->was : change->is;
}

struct solver search_solver(struct searcher *searcher, struct trial *trial, size_t which)
{
    return (struct solver){.trial = trial,
                           .luck = &searcher->luck,
                           .side = search_side(searcher, which),
                           .fixed_now = searcher->change->kind == FACT_ZONE,
                           .focus_list = UINT32_MAX};
}

// A side on which the change's thing is there.
size_t search_choose(struct searcher *searcher)
{
    size_t which = luck_below(&searcher->luck, 2);
    return search_number(searcher->change, which) != CHANGE_NONE ? which : 1 - which;
}

// ---- Rules
// -------------------------------------------------------------------------------------------------

static void aim_keys(struct solver *solver, const struct set_rule *rule)
{
    struct trial *trial = solver->trial;
    if (rule->action_count > 0) {
        trial_put(trial, STR("action.name"),
                  value_str(rule->actions[luck_below(solver->luck, rule->action_count)]));
    }
    if (rule->resource_count > 0) {
        struct str pattern = rule->resources[luck_below(solver->luck, rule->resource_count)].text;
        bool route = pattern.len > 0 && pattern.at[0] == '/';
        if (route) {
            trial_put(trial, STR("resource.type"), value_str(STR("route")));
        }
        trial_put(trial, STR("resource.id"), value_str(solve_path(solver, pattern)));
    }
}

// What only one side lists of actions or resources; or, where a side takes any, one that the other has not.
static void aim_listed(struct solver *solver, const struct change_part *part, const char *path)
{
    static const char *const PATHS[] = {"/elsewhere", "/", "/other/a"}, *const ACTIONS[] = {"OTHER", "GET"};
    if (part == NULL || part->was == NULL || part->is == NULL) {
        return;
    }
    bool ids = strcmp(path, "resource.id") == 0;
    bool any = part->was->member_count == 0 || part->is->member_count == 0;
    bool added = part->added_count > 0 && (part->removed_count == 0 || luck_one_in(solver->luck, 2));
    const struct str *list = added ? part->added : part->removed;
    uint32_t count = added ? part->added_count : part->removed_count;
    if (count > 0 && !(any && luck_one_in(solver->luck, 2))) {
        struct str text = list[luck_below(solver->luck, count)];
        trial_put(solver->trial, str_of(path), value_str(ids ? solve_path(solver, text) : text));
    } else if (any) {
        const char *other = ids ? PATHS[luck_below(solver->luck, COUNT_OF(PATHS))]
                                : ACTIONS[luck_below(solver->luck, COUNT_OF(ACTIONS))];
        trial_put(solver->trial, str_of(path), value_str(str_of(other)));
    }
}

void search_prove(struct solver *solver, uint32_t strength, bool yes)
{
    const struct policy_set *set = solver->side->parts.set;
    if (strength < set->strength_count) {
        solve(solver, set->strengths[strength].proves, yes);
    }
}

// Proved so long ago that it just counts, or just no longer does.
static void aim_age(struct solver *solver, int64_t max_age_s)
{
    if (max_age_s > 0 && luck_one_in(solver->luck, 2)) {
        static const int64_t AROUND[] = {-1, 1, -30, 30};
        int64_t age = max_age_s + AROUND[luck_below(solver->luck, COUNT_OF(AROUND))];
        solve_put(solver, STR("session.auth_time"), value_time_ms(solver->trial->now_ms - age * 1000));
    }
}

static void aim_times(struct solver *solver, const struct set_rule *rule)
{
    static const int64_t AROUND[] = {-1000, 0, 1000, 86400000};
    int64_t by = AROUND[luck_below(solver->luck, COUNT_OF(AROUND))];
    bool starts = rule->timed && rule->starts_ms != INT64_MIN,
         ends = rule->timed && rule->expires_ms != INT64_MAX;
    if (solver->fixed_now) {
        return;
    }
    if (starts && (!ends || luck_one_in(solver->luck, 2))) {
        solver->trial->now_ms = rule->starts_ms + by;
    } else if (ends) {
        solver->trial->now_ms = rule->expires_ms - by;
    }
}

void search_aim_rule(struct solver *solver, uint32_t number, bool yes)
{
    const struct policy_set *set = solver->side->parts.set;
    if (number >= set->rule_count) {
        return;
    }
    const struct set_rule *rule = &set->rules[number];
    solve(solver, set->policies[rule->policy].target, true);
    if (rule->timed) {
        aim_times(solver, rule);
    }
    aim_keys(solver, rule);
    solve(solver, rule->when, yes);
    if (rule->has_require) {
        bool proved = luck_one_in(solver->luck, 2);
        search_prove(solver, rule->strength, proved);
        aim_age(solver, rule->max_age_s);
    }
}

// Something that allows, so that what restricts shows. Its actions and paths only where nothing else said
// one.
void search_allow(struct solver *solver)
{
    const struct policy_set *set = solver->side->parts.set;
    uint32_t from = set->rule_count > 0 ? luck_below(solver->luck, set->rule_count) : 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[(from + i) % set->rule_count];
        if (rule->effect == PDP_EFFECT_ALLOW) {
            struct trial *trial = solver->trial;
            const struct value *action = trial_get(trial, STR("action.name"));
            const struct value *id = trial_get(trial, STR("resource.id"));
            struct value kept_action = action != NULL ? *action : value_null();
            struct value kept_id = id != NULL ? *id : value_null();
            bool keep = luck_below(solver->luck, 3) > 0;
            solve(solver, set->policies[rule->policy].target, true);
            aim_keys(solver, rule);
            solve(solver, rule->when, true);
            if (keep && action != NULL) {
                trial_put(trial, STR("action.name"), kept_action);
            }
            if (keep && id != NULL) {
                trial_put(trial, STR("resource.id"), kept_id);
            }
            return;
        }
    }
}

static bool same_value(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && (a->kind == VALUE_STRING ? str_eq(value_text(a), value_text(b))
                                                          : a->n == b->n && a->as.u == b->as.u);
}

static bool has_test(const struct solve_test *list, size_t count, const struct solve_test *test)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(list[i].path, test->path) && same_value(&list[i].value, &test->value)) {
            return true;
        }
    }
    return false;
}

// What one of two conditions tests and the other does not.
static void aim_apart(struct solver *a, uint32_t a_expr, struct solver *b, uint32_t b_expr)
{
    struct solve_test one[TESTS_MOST], two[TESTS_MOST], apart[2 * TESTS_MOST];
    size_t one_count = solve_tests(a, a_expr, one, TESTS_MOST);
    size_t two_count = solve_tests(b, b_expr, two, TESTS_MOST), count = 0;
    for (size_t i = 0; i < one_count; i++) {
        if (!has_test(two, two_count, &one[i])) {
            apart[count++] = one[i];
        }
    }
    for (size_t i = 0; i < two_count; i++) {
        if (!has_test(one, one_count, &two[i])) {
            apart[count++] = two[i];
        }
    }
    if (count > 0) {
        solve_meet(a, &apart[luck_below(a->luck, (uint32_t)count)]);
    }
}

// ---- One kind of change each ------------------------------------------------------------------------------

static void aim_at_rule(struct searcher *searcher, struct trial *trial)
{
    const struct change *change = searcher->change;
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which),
                  other = search_solver(searcher, trial, 1 - which);
    if (luck_below(&searcher->luck, 3) > 0) {
        search_allow(&solver);
    }
    uint32_t twin = search_number(change, 1 - which);
    if (twin != CHANGE_NONE && luck_one_in(&searcher->luck, 2)) {
        solve(&other, search_side(searcher, 1 - which)->parts.set->rules[twin].when, false);
        if (luck_one_in(&searcher->luck, 2)) {
            aim_times(&other, &search_side(searcher, 1 - which)->parts.set->rules[twin]);
        }
    }
    search_aim_rule(&solver, search_number(change, which), luck_below(&searcher->luck, 8) > 0);
    if (twin != CHANGE_NONE && luck_one_in(&searcher->luck, 2)) {
        aim_apart(&solver, solver.side->parts.set->rules[search_number(change, which)].when, &other,
                  other.side->parts.set->rules[twin].when);
    }
    if (twin != CHANGE_NONE && luck_one_in(&searcher->luck, 2)) {
        aim_age(&other, search_side(searcher, 1 - which)->parts.set->rules[twin].max_age_s);
    }
    aim_listed(&solver, change_part_of(change, "actions"), "action.name");
    aim_listed(&solver, change_part_of(change, "resources"), "resource.id");
}

// A rule of the policy, on a side.
static uint32_t rule_of_policy(struct searcher *searcher, size_t which, uint32_t policy)
{
    const struct policy_set *set = search_side(searcher, which)->parts.set;
    uint32_t from = set->rule_count > 0 ? luck_below(&searcher->luck, set->rule_count) : 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        uint32_t rule = (from + i) % set->rule_count;
        if (set->rules[rule].policy == policy && !set->rules[rule].closing) {
            return rule;
        }
    }
    return CHANGE_NONE;
}

static void aim_at_policy(struct searcher *searcher, struct trial *trial)
{
    const struct change *change = searcher->change;
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which),
                  other = search_solver(searcher, trial, 1 - which);
    if (luck_one_in(&searcher->luck, 2)) {
        search_allow(&solver);
    }
    for (uint32_t i = 0; i <= luck_below(&searcher->luck, 3); i++) {
        search_aim_rule(&solver, rule_of_policy(searcher, which, search_number(change, which)), true);
    }
    uint32_t twin = search_number(change, 1 - which);
    if (twin != CHANGE_NONE && change_part_of(change, "target") != NULL) {
        solve(&other, other.side->parts.set->policies[twin].target, false);
        if (luck_one_in(&searcher->luck, 2)) {
            aim_apart(&solver, solver.side->parts.set->policies[search_number(change, which)].target, &other,
                      other.side->parts.set->policies[twin].target);
        }
    }
}

static void aim_at_exception(struct searcher *searcher, struct trial *trial)
{
    size_t which = search_choose(searcher);
    const struct policy_set *set = search_side(searcher, which)->parts.set;
    const struct set_exception *exception = &set->exceptions[search_number(searcher->change, which)];
    struct solver solver = search_solver(searcher, trial, which),
                  other = search_solver(searcher, trial, 1 - which);
    uint32_t rule = set->rule_count > 0 ? luck_below(&searcher->luck, set->rule_count) : 0;
    search_allow(&solver);
    for (uint32_t i = 0; i < set->rule_count; i++, rule = (rule + 1) % set->rule_count) {
        if (set->rules[rule].effect != PDP_EFFECT_ALLOW && !set->rules[rule].closing) {
            break;
        }
    }
    search_aim_rule(&solver, rule, true);
    uint32_t twin = search_number(searcher->change, 1 - which);
    if (twin != CHANGE_NONE && luck_one_in(&searcher->luck, 2)) {
        solve(&other, search_side(searcher, 1 - which)->parts.set->exceptions[twin].when, false);
    }
    solve(&solver, exception->when, luck_below(&searcher->luck, 5) > 0);
    if (exception->has_require) {
        search_prove(&solver, exception->strength, luck_below(&searcher->luck, 3) > 0);
        aim_age(&solver, exception->max_age_s);
    }
    if (change_part_of(searcher->change, "expires") != NULL || luck_one_in(&searcher->luck, 4)) {
        trial->now_ms = exception->expires_ms + ((int64_t)luck_below(&searcher->luck, 3) - 1) * 1000;
    }
}

// Rules that were found to read what changed, on a side; CHANGE_NONE: none does.
uint32_t search_root(struct searcher *searcher, size_t which)
{
    uint32_t count = searcher->root_count[which];
    return count > 0 ? searcher->roots[which][luck_below(&searcher->luck, count)] : CHANGE_NONE;
}

void search_aim_root(struct searcher *searcher, struct trial *trial, size_t which, struct solver *solver)
{
    (void)trial;
    if (luck_below(&searcher->luck, 4) > 0) {
        search_allow(solver);
    }
    search_aim_rule(solver, search_root(searcher, which), luck_below(&searcher->luck, 6) > 0);
}

static void aim_at_strength(struct searcher *searcher, struct trial *trial)
{
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which),
                  other = search_solver(searcher, trial, 1 - which);
    uint32_t twin = search_number(searcher->change, 1 - which);
    search_aim_root(searcher, trial, which, &solver);
    if (twin != CHANGE_NONE && luck_one_in(&searcher->luck, 2)) {
        search_prove(&other, twin, false);
    }
    search_prove(&solver, search_number(searcher->change, which), luck_below(&searcher->luck, 3) > 0);
}

static void aim_at_list(struct searcher *searcher, struct trial *trial)
{
    const struct change_part *part = change_part_of(searcher->change, "entries");
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    if (part != NULL) {
        bool whole = part->was == NULL || part->is == NULL;
        const struct fact *only = part->was != NULL ? part->was : part->is;
        bool added =
            !whole && part->added_count > 0 && (part->removed_count == 0 || luck_one_in(&searcher->luck, 2));
        solver.focus_list = search_number(searcher->change, which);
        solver.focus = whole ? only->members : added ? part->added : part->removed;
        solver.focus_count = whole ? only->member_count : added ? part->added_count : part->removed_count;
        solver.focus_count = solver.focus_count < ENTRIES_TRIED ? solver.focus_count : ENTRIES_TRIED;
    }
    search_aim_root(searcher, trial, which, &solver);
}

static void aim_at_role(struct searcher *searcher, struct trial *trial)
{
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    struct value *role = ARENA_NEW(trial->arena, struct value);
    search_aim_root(searcher, trial, which, &solver);
    if (role != NULL) {
        *role = value_str(searcher->change->name);
        trial_put(trial, STR("subject.roles"), (struct value){.kind = VALUE_LIST, .n = 1, .as.list = role});
    }
}

static void aim_at_schema(struct searcher *searcher, struct trial *trial)
{
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    const struct policy_schema *schema = solver.side->parts.schema;
    search_aim_root(searcher, trial, which, &solver);
    static const char *const WRONG[] = {"none-of-these", "2026-11-23T09:00:00Z", "5m", "203.0.113.7", ""};
    for (uint32_t i = 0; i < schema->count; i++) {
        if (!str_eq(schema->attrs[i].info.path, searcher->change->name)) {
            continue;
        }
        uint32_t luck = luck_below(&searcher->luck, 4);
        if (luck == 0) {
            trial_drop(trial, searcher->change->name);
        } else if (luck == 1) {
            solve_put(&solver, searcher->change->name, solve_sample(&solver, &schema->attrs[i].info));
        } else if (luck == 2) {
            solve_put(&solver, searcher->change->name,
                      value_str(str_of(WRONG[luck_below(&searcher->luck, COUNT_OF(WRONG))])));
        }
    }
}

static void aim_at_entities(struct searcher *searcher, struct trial *trial)
{
    const struct change_part *part = change_part_of(searcher->change, "ids");
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    search_aim_root(searcher, trial, which, &solver);
    const struct entities *all = &solver.side->parts.set->entities;
    uint32_t type = search_number(searcher->change, which);
    if (part == NULL || type >= all->type_count || all->types[type].id_count == 0) {
        return;
    }
    const struct entities_type *of = &all->types[type];
    const char *root = luck_one_in(&searcher->luck, 2) ? "subject" : "resource";
    struct str kind = arena_printf(trial->arena, "%s.type", root),
               id = arena_printf(trial->arena, "%s.id", root);
    struct str below = arena_printf(trial->arena, "%s.", root);
    for (uint32_t i = trial->count; i-- > 0;) { // what is stored shows where nothing is sent
        if (str_starts(trial->list[i].path, below)) {
            trial_drop(trial, trial->list[i].path);
        }
    }
    trial_put(trial, kind, value_str(of->name));
    trial_put(trial, id, value_str(of->ids[luck_below(&searcher->luck, of->id_count)].id));
}

// Two that stand the other way round, by where the old side has them.
static bool turned_pair(struct luck *luck, const struct change_part *part, uint32_t *one, uint32_t *two)
{
    uint32_t count = part->was->member_count, last = CHANGE_NONE;
    for (uint32_t i = 0; i < PAIRS_TRIED && count > 0; i++) {
        uint32_t a = luck_below(luck, count), b = luck_below(luck, count);
        *one = a < b ? a : b;
        *two = a < b ? b : a;
        if (a != b && part->places[*two] != CHANGE_NONE && part->places[*one] != CHANGE_NONE &&
            part->places[*two] < part->places[*one]) {
            return true;
        }
    }
    uint32_t from = luck_below(luck, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (from + i) % count;
        if (part->places[at] == CHANGE_NONE) {
            continue;
        }
        if (last != CHANGE_NONE && last < at && part->places[at] < part->places[last]) {
            *one = last;
            *two = at;
            return true;
        }
        last = at;
    }
    return false;
}

// An exception that lifts a restriction, which holds.
static void aim_lifting(struct solver *solver, uint32_t number)
{
    const struct set_exception *exception = &solver->side->parts.set->exceptions[number];
    solve(solver, exception->when, true);
    if (exception->has_require) {
        search_prove(solver, exception->strength, true);
    }
}

static void aim_at_order(struct searcher *searcher, struct trial *trial)
{
    const struct change_part *part = change_part_of(searcher->change, "order");
    struct solver solver = search_solver(searcher, trial, 0);
    const struct policy_set *set = solver.side->parts.set;
    uint32_t pair[2];
    if (part == NULL || part->places == NULL || !turned_pair(&searcher->luck, part, &pair[0], &pair[1])) {
        return;
    }
    bool lifts = str_eq(searcher->change->name, STR(FACT_ORDER_EXCEPTIONS));
    if (luck_below(&searcher->luck, 3) > 0) {
        search_allow(&solver);
    }
    uint32_t rule = luck_below(&searcher->luck, set->rule_count);
    for (uint32_t i = 0; lifts && i < set->rule_count && set->rules[rule].effect == PDP_EFFECT_ALLOW; i++) {
        rule = (rule + 1) % set->rule_count;
    }
    if (lifts) {
        search_aim_rule(&solver, rule, true);
    }
    size_t first = luck_below(&searcher->luck, 2); // what is put last stands
    for (size_t i = 0; i < 2; i++) {
        uint32_t number = part->was->numbers[pair[(first + i) % 2]];
        if (lifts) {
            aim_lifting(&solver, number);
        } else if (set->rules[number].closing) {
            solve(&solver, set->policies[set->rules[number].policy].target, true);
        } else {
            search_aim_rule(&solver, number, true);
        }
    }
}

static void (*const AIM[FACT_KIND_COUNT])(struct searcher *searcher, struct trial *trial) = {
    [FACT_POLICY] = aim_at_policy,       [FACT_RULE] = aim_at_rule,
    [FACT_EXCEPTION] = aim_at_exception, [FACT_STRENGTH] = aim_at_strength,
    [FACT_LIST] = aim_at_list,           [FACT_ROLE] = aim_at_role,
    [FACT_COUNTER] = search_aim_counter, [FACT_SESSION] = search_aim_session,
    [FACT_RISK] = search_aim_risk,       [FACT_SIGNAL] = search_aim_signal,
    [FACT_SCHEMA] = aim_at_schema,       [FACT_ENTITIES] = aim_at_entities,
    [FACT_SEQUENCE] = aim_at_order,      [FACT_ZONE] = search_aim_zone,
};

void search_aim(struct searcher *searcher, struct trial *trial)
{
    if (AIM[searcher->change->kind] != NULL) {
        AIM[searcher->change->kind](searcher, trial);
    }
}
