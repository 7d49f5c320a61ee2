// SPDX-License-Identifier: Apache-2.0
// What stands in a condition: attributes, constants, lists, tests of one against another; and names.
#include "cli/change/solve.h"

#include "cel/func.h"

static const struct cel_program *program_of(const struct solver *s)
{
    return s->side->parts.program;
}

static const struct node *node_at(const struct solver *s, uint32_t id)
{
    return &program_of(s)->nodes[id];
}

static const struct value *const_at(const struct solver *s, uint32_t id)
{
    const struct node *node = node_at(s, id);
    return node->op == OP_CONST ? &program_of(s)->consts[node->a] : NULL;
}

static void note_slot(struct solve_walk *walk, uint32_t slot)
{
    for (size_t i = 0; i < walk->slot_count; i++) {
        if (walk->slots[i] == slot) {
            return;
        }
    }
    if (walk->slot_count < walk->slot_most) {
        walk->slots[walk->slot_count++] = slot;
    }
}

void solve_walk_node(struct solve_walk *walk, uint32_t id)
{
    const struct cel_program *p = walk->program;
    const struct node *node = &p->nodes[id];
    if (walk->left == 0) {
        return;
    }
    walk->left--;
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        note_slot(walk, node->a);
    }
    bool holds = node->op == OP_CONST || node->op == OP_EQ_TEXT || node->op == OP_IN_TEXTS;
    if (holds && walk->const_count < walk->const_most) {
        walk->consts[walk->const_count++] = &p->consts[node->op == OP_CONST ? node->a : node->b];
    }
    walk->asks = walk->asks || (node->op == OP_IN_SET && p->env->sets[node->b].id == walk->list);
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        solve_walk_node(walk, program_operand(p, node, i));
    }
}

size_t solve_slots(const struct cel_program *program, uint32_t expr, uint32_t *out, size_t most)
{
    struct solve_walk walk = {
        .program = program, .slots = out, .slot_most = most, .list = UINT32_MAX, .left = SOLVE_NODES_MOST};
    if (expr < program->node_count) {
        solve_walk_node(&walk, expr);
    }
    return walk.slot_count;
}

bool solve_asks_list(const struct cel_program *program, uint32_t expr, uint32_t list)
{
    struct solve_walk walk = {.program = program, .list = list, .left = SOLVE_NODES_MOST * 10};
    if (expr < program->node_count) {
        solve_walk_node(&walk, expr);
    }
    return walk.asks;
}

// ---- Names ---------------------------------------------------------------------------------------------

struct str solve_name(struct solver *s, uint32_t id)
{
    static const uint8_t THROUGH[] = {F_DYN, F_STRING, F_INT, F_DOUBLE, F_LOWER, F_UPPER, F_TRIM, F_IP};
    const struct node *node = node_at(s, id);
    struct arena *arena = s->trial->arena;
    if (node->op == OP_SLOT) {
        return program_of(s)->slots[node->a].info.path;
    }
    if (node->op == OP_NOW) {
        return STR("now");
    }
    if (node->op == OP_LOCAL) {
        return arena_printf(arena, SOLVE_LOCAL "%u", node->a);
    }
    if (node->op == OP_FIELD || node->op == OP_OPT_FIELD) {
        struct str base = solve_name(s, node->a);
        const struct value *name = &program_of(s)->consts[node->b];
        return base.len > 0 && name->kind == VALUE_STRING
                   ? arena_printf(arena, STR_FMT "." STR_FMT, STR_ARG(base), STR_ARG(value_text(name)))
                   : (struct str){0};
    }
    if (node->op == OP_OR_VALUE) {
        return solve_name(s, node->a);
    }
    for (size_t i = 0; node->op == OP_CALL && node->b > 0 && i < sizeof THROUGH; i++) {
        if (node->c == THROUGH[i]) {
            return solve_name(s, program_operand(program_of(s), node, 0));
        }
    }
    return (struct str){0};
}

// ---- Tests of an attribute against a constant -------------------------------------------------------------

struct tests {
    struct solver *solver;
    struct solve_test *list;
    size_t count, most;
    uint32_t left;
};

static void note_test(struct tests *tests, struct str path, const struct value *value, bool element)
{
    if (path.len > 0 && tests->count < tests->most) {
        tests->list[tests->count++] = (struct solve_test){path, *value, element};
    }
}

static void walk_tests(struct tests *tests, uint32_t id)
{
    struct solver *s = tests->solver;
    const struct cel_program *p = program_of(s);
    const struct node *node = node_at(s, id);
    if (tests->left == 0) {
        return;
    }
    tests->left--;
    if (node->op == OP_EQ_TEXT) {
        note_test(tests, p->slots[node->a].info.path, &p->consts[node->b], false);
    } else if (node->op == OP_IN_TEXTS) {
        for (uint32_t i = 0; i < p->consts[node->b].n; i++) {
            note_test(tests, solve_name(s, node->a), &p->consts[node->b].as.list[i], false);
        }
    } else if (node->op == OP_EQ || node->op == OP_NE || node->op == OP_ORDER || node->op == OP_IN) {
        const struct value *a = const_at(s, node->a), *b = const_at(s, node->b);
        if (node->op == OP_IN && b != NULL && b->kind == VALUE_LIST) {
            for (uint32_t i = 0; i < b->n; i++) {
                note_test(tests, solve_name(s, node->a), &b->as.list[i], false);
            }
        } else if (a != NULL || b != NULL) {
            note_test(tests, solve_name(s, a != NULL ? node->b : node->a), a != NULL ? a : b,
                      node->op == OP_IN);
        }
    }
    for (uint32_t i = 0; program_operand(p, node, i) != NODE_NONE; i++) {
        walk_tests(tests, program_operand(p, node, i));
    }
}

size_t solve_tests(struct solver *solver, uint32_t expr, struct solve_test *out, size_t most)
{
    struct tests tests = {solver, out, 0, most, SOLVE_NODES_MOST};
    if (expr < program_of(solver)->node_count) {
        walk_tests(&tests, expr);
    }
    return tests.count;
}
