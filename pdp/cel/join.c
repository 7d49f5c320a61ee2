// SPDX-License-Identifier: Apache-2.0
// Conjunctions and disjunctions of nodes, and what the other folders make of expressions.
#include "cel/frame.h"

#include <stdlib.h>

struct operands {
    uint32_t *list;
    uint32_t count, cap;
};

static enum pdp_err add(struct operands *operands, uint32_t id)
{
    void *list = operands->list;
    enum pdp_err err = program_grow(&list, &operands->cap, operands->count, sizeof *operands->list);
    operands->list = list;
    TRY(err);
    operands->list[operands->count++] = id;
    return PDP_ERR_OK;
}

static bool is_bool_const(const struct cel_program *p, uint32_t id, bool b)
{
    const struct node *node = &p->nodes[id];
    return node->op == OP_CONST && node->kind == VALUE_BOOL && p->consts[node->a].as.b == b;
}

// Collects operands, those of nested nodes of the same kind in their place; *decided: one settles it.
static enum pdp_err collect(const struct cel_program *p, enum op op, const uint32_t *args, size_t count,
                            struct operands *out, bool *decided)
{
    for (size_t i = 0; i < count; i++) {
        const struct node *node = &p->nodes[args[i]];
        *decided = *decided || is_bool_const(p, args[i], op == OP_OR);
        if (node->op == op) { // its own operands were flattened when it was made
            for (uint32_t n = 0; n < node->b; n++) {
                TRY(add(out, p->args[node->a + n]));
            }
        } else if (!is_bool_const(p, args[i], op == OP_AND)) {
            TRY(add(out, args[i]));
        }
    }
    return PDP_ERR_OK;
}

static void drop_repeated(struct operands *operands)
{
    enum {
        NEAR = 32
    }; // beyond that, repetitions cost a memo and no more
    uint32_t kept = 0;
    for (uint32_t i = 0; i < operands->count; i++) {
        bool seen = false;
        for (uint32_t n = kept > NEAR ? kept - NEAR : 0; !seen && n < kept; n++) {
            seen = operands->list[n] == operands->list[i];
        }
        if (!seen) {
            operands->list[kept++] = operands->list[i];
        }
    }
    operands->count = kept;
}

enum pdp_err build_join(struct cel_program *p, enum op op, const uint32_t *args, size_t count, uint32_t *out)
{
    struct operands operands = {0};
    bool decided = false;
    *out = NODE_NONE;
    enum pdp_err err = collect(p, op, args, count, &operands, &decided);
    if (err == PDP_ERR_OK) {
        drop_repeated(&operands);
        if (decided || operands.count == 0) {
            struct value value = value_bool(decided == (op == OP_OR));
            err = node_const(p, &value, out);
        } else if (operands.count == 1 && p->nodes[operands.list[0]].kind == VALUE_BOOL) {
            *out = operands.list[0];
        } else {
            err = build_nary(p, op, operands.list, operands.count, 0, VALUE_BOOL, out);
        }
    }
    free(operands.list);
    return err;
}

static enum pdp_err known(const struct cel_program *p, const uint32_t *exprs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (exprs[i] >= p->node_count) {
            return PDP_ERR_RANGE;
        }
    }
    return p->sealed ? PDP_ERR_STATE : PDP_ERR_OK;
}

enum pdp_err cel_join(struct cel_program *program, bool every, const uint32_t *exprs, size_t count,
                      uint32_t *expr)
{
    *expr = NODE_NONE;
    TRY(known(program, exprs, count));
    TRY(build_join(program, every ? OP_AND : OP_OR, exprs, count, expr));
    program->nodes[*expr].uses++;
    return PDP_ERR_OK;
}

enum pdp_err cel_negate(struct cel_program *program, uint32_t inner, uint32_t *expr)
{
    *expr = NODE_NONE;
    TRY(known(program, &inner, 1));
    TRY(build_node(program, OP_NOT, inner, 0, 0, VALUE_BOOL, expr));
    program->nodes[*expr].uses++;
    return PDP_ERR_OK;
}

static bool is_wanted(enum cel_type want, const struct type *type)
{
    bool number = type->kind == T_INT || type->kind == T_UINT || type->kind == T_DOUBLE;
    return type->kind == T_DYN || (want == CEL_BOOL     ? type->kind == T_BOOL
                                   : want == CEL_DOUBLE ? number
                                                        : true);
}

enum pdp_err cel_add(struct cel_program *program, const struct cel_text *text, enum cel_type want,
                     const struct cel_var *vars, size_t var_count, uint32_t flags, struct diags *diags,
                     uint32_t *expr)
{
    enum {
        TEXT_MAX = 1 << 20
    };
    *expr = NODE_NONE;
    arena_reset(&program->scratch);
    struct unit unit = {
        .text = text, .diags = diags, .arena = &program->scratch, .depth_max = program->limits.depth};
    unit.no_macros = program->extra != NULL && program->extra->no_macros;
    if (program->sealed) {
        return PDP_ERR_STATE;
    }
    if (text->text.len > TEXT_MAX) {
        return unit_error(&unit, PDP_ERR_LIMIT, 0, 0, "the expression is longer than 1 MiB");
    }
    struct check_names names = {vars, var_count, flags};
    const struct type *type = NULL;
    TRY(parse_unit(&unit));
    TRY(check_unit(program, &unit, &names, &type));
    if (program->extra != NULL) {
        program->extra->deduced = type;
    }
    if (!is_wanted(want, type)) {
        struct buf word = {0};
        types_print(&word, type);
        unit_error(&unit, PDP_ERR_TYPE, unit.root->at, unit.root->len, "`%s` is of type " STR_FMT ", but %s",
                   unit_quote(&unit, unit.root->at, unit.root->len), STR_ARG(buf_view(&word)),
                   want == CEL_BOOL ? "a condition is true or false" : "a number is expected");
        buf_fini(&word);
        return PDP_ERR_TYPE;
    }
    uint32_t node = NODE_NONE;
    TRY(build_unit(program, &unit, &node));
    program->nodes[node].uses++;
    *expr = node;
    return PDP_ERR_OK;
}

bool program_remembers(const struct node *node)
{
    switch (node->op) {
    case OP_CONST:
    case OP_SLOT:
    case OP_NOW:
    case OP_LOCAL:
    case OP_HAS_SLOT:
    case OP_EQ_TEXT:
        return false;
    default:
        return node->uses > 1 && node->low == NODE_CLOSED && (node->flags & NODE_RAW_NOW) == 0;
    }
}

enum pdp_err cel_seal(struct cel_program *program)
{
    for (uint32_t i = 0; i < program->node_count; i++) {
        if (program_remembers(&program->nodes[i])) {
            program->nodes[i].memo = program->memo_count++;
        }
    }
    program->sealed = true;
    free(program->places);
    program->places = NULL;
    program->place_count = program->place_cap = 0;
    bound_free(&program->bounds);
    arena_fini(&program->scratch);
    arena_fini(&program->folding);
    return PDP_ERR_OK;
}

enum truth cel_constant(const struct cel_program *program, uint32_t expr)
{
    if (expr >= program->node_count) {
        return TRUTH_UNSURE;
    }
    return is_bool_const(program, expr, true)    ? TRUTH_YES
           : is_bool_const(program, expr, false) ? TRUTH_NO
                                                 : TRUTH_UNSURE;
}

const struct value *cel_constant_value(const struct cel_program *program, uint32_t expr)
{
    bool constant = expr < program->node_count && program->nodes[expr].op == OP_CONST;
    return constant ? &program->consts[program->nodes[expr].a] : NULL;
}

bool cel_is_attr(const struct cel_program *program, uint32_t expr, uint32_t *slot)
{
    bool attr = expr < program->node_count && program->nodes[expr].op == OP_SLOT;
    *slot = attr ? program->nodes[expr].a : UINT32_MAX;
    return attr;
}
