// SPDX-License-Identifier: Apache-2.0
// Whose conditions read what changed, and what stands between them and an answer.
#include "cli/change/search.h"

#include "cel/within.h"

#define ZONE_DEPTH 24 // of a condition: a walk goes no deeper

// ---- What stands in the way
// --------------------------------------------------------------------------------

static uint32_t rule_named(const struct policy_set *set, struct str name)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (str_eq(set->rules[i].name, name)) {
            return i;
        }
    }
    return CHANGE_NONE;
}

bool search_repair(struct searcher *searcher, struct trial *trial)
{
    size_t which = luck_below(&searcher->luck, 2);
    const struct twin_last *last = which == 0 ? &searcher->twin.was_last : &searcher->twin.is_last;
    struct solver solver = search_solver(searcher, trial, which);
    const struct policy_set *set = solver.side->parts.set;
    if (last->effect == PDP_EFFECT_ALLOW) {
        return luck_one_in(&searcher->luck, 3); // perhaps not on the other side
    }
    struct str name = last->rule_count > 0
                          ? last->rules[luck_below(&searcher->luck, (uint32_t)last->rule_count)]
                          : (struct str){0};
    uint32_t rule = last->rule_count > 0 ? rule_named(set, name) : CHANGE_NONE;
    if (rule == CHANGE_NONE || set->rules[rule].closing) {
        search_allow(&solver);
        return true;
    }
    if (searcher->change->kind == FACT_RULE && str_eq(name, searcher->change->name)) {
        return luck_one_in(&searcher->luck, 2);
    }
    if (set->rules[rule].has_require && luck_one_in(&searcher->luck, 2)) {
        search_prove(&solver, set->rules[rule].strength, true);
    } else {
        solve(&solver, set->rules[rule].when, false);
    }
    return true;
}

// ---- Who reads what changed ------------------------------------------------------------------------------

static bool reads_slot(const struct side *side, uint32_t expr, struct str path)
{
    return expr != SET_NO_EXPR && cel_reads(side->parts.program, expr, path);
}

static bool needs_strength(const struct side *side, const struct set_rule *rule, struct str strength)
{
    return rule->has_require && rule->strength < side->parts.set->strength_count &&
           (str_eq(side->parts.set->strengths[rule->strength].name, strength) || strength.len > 0);
}

static bool asks_zone(const struct cel_program *p, uint32_t id, struct str zone, uint32_t depth)
{
    const struct node *node = &p->nodes[id];
    uint64_t number = 0;
    if (node->op == OP_WITHIN && map_get(&p->zone_map, zone, &number) &&
        p->windows[node->b]->tz == p->zones[number]) {
        return true;
    }
    const struct value *value = node->op == OP_CONST ? &p->consts[node->a] : NULL;
    bool asks = value != NULL && value->kind == VALUE_STRING && str_eq(value_text(value), zone);
    for (uint32_t i = 0; !asks && depth > 0 && program_operand(p, node, i) != NODE_NONE; i++) {
        asks = asks_zone(p, program_operand(p, node, i), zone, depth - 1);
    }
    return asks;
}

static bool reads_changed(const struct searcher *searcher, size_t which, const struct set_rule *rule)
{
    const struct side *side = search_side(searcher, which);
    const struct change *change = searcher->change;
    uint32_t exprs[] = {rule->when, side->parts.set->policies[rule->policy].target};
    bool reads = false;
    for (size_t i = 0; i < COUNT_OF(exprs); i++) {
        switch (change->kind) {
        case FACT_LIST:
            reads = reads || (search_number(change, which) != CHANGE_NONE && exprs[i] != SET_NO_EXPR &&
                              solve_asks_list(side->parts.program, exprs[i], search_number(change, which)));
            break;
        case FACT_ROLE:
            reads = reads || reads_slot(side, exprs[i], STR("subject.roles"));
            break;
        case FACT_SCHEMA:
            reads = reads || reads_slot(side, exprs[i], change->name);
            break;
        case FACT_RISK:
        case FACT_SIGNAL:
            reads = reads || reads_slot(side, exprs[i], STR("risk"));
            break;
        case FACT_COUNTER:
            reads = reads || reads_slot(side, exprs[i], STR("counters"));
            break;
        case FACT_ZONE:
            reads = reads || (exprs[i] != SET_NO_EXPR &&
                              asks_zone(side->parts.program, exprs[i], change->name, ZONE_DEPTH));
            break;
        case FACT_STRENGTH:
            reads = reads || needs_strength(side, rule, change->name);
            break;
        default:
            reads = true;
            break;
        }
    }
    return reads;
}

// Of the whole program: rules, targets, exceptions, sessions, signals and counters.
static bool program_asks(const struct cel_program *program, uint32_t list)
{
    bool asks = false;
    for (uint32_t i = 0; i < program->node_count && !asks; i++) {
        const struct node *node = &program->nodes[i];
        asks = node->op == OP_IN_SET && program->env->sets[node->b].id == list;
    }
    return asks;
}

static bool program_reads(const struct cel_program *program, struct str path)
{
    bool reads = false;
    for (uint32_t i = 0; i < program->slot_count && !reads; i++) {
        struct str slot = program->slots[i].info.path;
        reads = str_eq(slot, path) || (str_starts(slot, path) && slot.at[path.len] == '.') ||
                (str_starts(path, slot) && path.at[slot.len] == '.');
    }
    return reads;
}

static bool side_reads(const struct side *side, const struct change *change, uint32_t number)
{
    const struct cel_program *program = side->parts.program;
    AUTO(buf_fini) struct buf counter = {0};
    switch (change->kind) {
    case FACT_LIST:
        return number != CHANGE_NONE &&
               (program_asks(program, number) ||
                (side->parts.lists->at[number] != NULL && // it says what an address is
                 side->parts.lists->at[number]->head.network != NULL));
    case FACT_ROLE:
        return program_reads(program, STR("subject.roles"));
    case FACT_COUNTER:
        buf_printf(&counter, "counters." STR_FMT, STR_ARG(change->name));
        return counter.failed || program_reads(program, buf_view(&counter));
    default:
        return true;
    }
}

bool search_reads(const struct searcher *searcher)
{
    const struct change *change = searcher->change;
    return side_reads(searcher->was, change, change->was) || side_reads(searcher->is, change, change->is);
}

void search_roots(struct searcher *searcher)
{
    for (size_t which = 0; which < 2; which++) {
        const struct policy_set *set = search_side(searcher, which)->parts.set;
        searcher->root_count[which] = 0;
        for (uint32_t i = 0; i < set->rule_count; i++) {
            if (!set->rules[i].closing && reads_changed(searcher, which, &set->rules[i])) {
                searcher->roots[which][searcher->root_count[which]++] = i;
            }
        }
    }
}
