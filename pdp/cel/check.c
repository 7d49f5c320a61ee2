// SPDX-License-Identifier: Apache-2.0
#include "cel/check.h"

static const struct type *dyn(void)
{
    return types_of(T_DYN);
}

static const struct type *plain(struct checker *c, const struct ast *ast)
{
    return unify_apply(&c->unify, ast->type, false);
}

static const struct type *literal_type(const struct ast *ast)
{
    static const uint8_t KINDS[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = T_NULL,   [VALUE_BOOL] = T_BOOL,     [VALUE_INT] = T_INT,
        [VALUE_UINT] = T_UINT,   [VALUE_DOUBLE] = T_DOUBLE, [VALUE_STRING] = T_STRING,
        [VALUE_BYTES] = T_BYTES, [VALUE_LEVEL] = T_LEVEL,   [VALUE_STRENGTH] = T_STRENGTH,
    };
    return types_of((enum type_kind)KINDS[ast->lit.kind]);
}

// The type of `base.name`, or NULL where there are no fields.
static const struct type *field_of(struct checker *c, const struct type *base)
{
    switch (base->kind) {
    case T_MAP:
        return base->args[1];
    case T_DYN:
    case T_ERROR:
    case T_PARAM:
        return dyn();
    default:
        break;
    }
    if (types_is_optional(base)) {
        const struct type *inner = field_of(c, unify_apply(&c->unify, base->args[0], false));
        return inner == NULL ? NULL : types_optional(c->unit->arena, inner);
    }
    return NULL;
}

static const struct type *check_select(struct checker *c, struct ast *ast)
{
    const struct type *named = NULL;
    if ((ast->flags & AST_OPTIONAL) == 0 && check_name(c, ast, &named)) {
        return (ast->flags & AST_TEST) != 0 && named->kind != T_ERROR ? types_of(T_BOOL) : named;
    }
    struct ast *target = ast->args[0];
    check_expr(c, target);
    const struct type *base = plain(c, target);
    const struct type *field = field_of(c, base);
    if (field == NULL) {
        unit_error(c->unit, PDP_ERR_TYPE, target->at, target->len, "`%s` is %s, which has no fields",
                   say_ast(c, target), say_type(c, base));
        if (base->kind == T_TIMESTAMP) {
            unit_hint(c->unit, "a part of a time is asked by a function, such as `%s.getHours()`",
                      say_ast(c, target));
        }
        return types_of(T_ERROR);
    }
    if ((ast->flags & AST_TEST) != 0) {
        return types_of(T_BOOL);
    }
    if ((ast->flags & AST_OPTIONAL) != 0 && !types_is_optional(base)) {
        return types_optional(c->unit->arena, field);
    }
    return field;
}

// The common type of elements: the most general one, dyn where they do not agree.
static const struct type *joined(struct checker *c, const struct type *so_far, const struct type *next)
{
    if (so_far == NULL) {
        return next;
    }
    if (unify_assignable(&c->unify, so_far, next)) {
        return unify_general(so_far, next);
    }
    return dyn();
}

static const struct type *elem_type(struct checker *c, struct ast *elem, bool optional)
{
    check_expr(c, elem);
    const struct type *type = plain(c, elem);
    if (!optional || type->kind == T_DYN || type->kind == T_ERROR) {
        return type;
    }
    if (!types_is_optional(type)) {
        say_not(c, elem, "an optional");
        return types_of(T_ERROR);
    }
    return type->args[0];
}

static const struct type *check_list(struct checker *c, struct ast *ast)
{
    const struct type *elem = NULL;
    for (uint32_t i = 0; i < ast->count; i++) {
        elem = joined(c, elem, elem_type(c, ast->args[i], (ast->args[i]->flags & AST_ELEM) != 0));
    }
    return types_list(c->unit->arena, elem != NULL ? elem : unify_fresh(&c->unify));
}

static const struct type *check_map(struct checker *c, struct ast *ast)
{
    const struct type *key = NULL, *value = NULL;
    for (uint32_t i = 0; i + 1 < ast->count; i += 2) {
        bool optional = (ast->args[i]->flags & AST_ELEM) != 0;
        key = joined(c, key, elem_type(c, ast->args[i], false));
        value = joined(c, value, elem_type(c, ast->args[i + 1], optional));
    }
    if (key == NULL) {
        key = unify_fresh(&c->unify);
        value = unify_fresh(&c->unify);
    }
    return types_map(c->unit->arena, key, value);
}

static bool push(struct checker *c, struct ast *at, struct str name, const struct type *type)
{
    if (c->scope_count == CHECK_SCOPE_MAX) {
        unit_error(c->unit, PDP_ERR_DEPTH, at->at, at->len, "too many variables are in scope here");
        return false;
    }
    c->scope[c->scope_count++] = (struct check_local){name, type};
    return true;
}

static const struct type *check_bind(struct checker *c, struct ast *ast)
{
    const struct type *type = check_expr(c, ast->args[0]);
    if (!push(c, ast, ast->var, type)) {
        return types_of(T_ERROR);
    }
    const struct type *result = check_expr(c, ast->args[1]);
    c->scope_count--;
    return result;
}

// Types of the variables of a comprehension over `range`; false: it cannot be walked.
static bool walk_types(const struct ast *ast, const struct type *range, const struct type **first,
                       const struct type **second)
{
    bool two = ast->var2.len > 0;
    bool optional = ast->comp >= COMP_OPT_MAP;
    *first = *second = dyn();
    if (range->kind == T_DYN || range->kind == T_ERROR || range->kind == T_PARAM) {
        return true;
    }
    if (optional) {
        *first = types_is_optional(range) ? range->args[0] : dyn();
        return types_is_optional(range);
    }
    if (range->kind == T_LIST) {
        *first = two ? types_of(T_INT) : range->args[0];
        *second = range->args[0];
        return true;
    }
    if (range->kind == T_MAP) {
        *first = range->args[0];
        *second = range->args[1];
        return true;
    }
    return false;
}

static const struct type *entries_type(struct checker *c, struct ast *entry)
{
    const struct type *type = plain(c, entry);
    if (type->kind != T_MAP && type->kind != T_DYN && type->kind != T_ERROR) {
        say_not(c, entry, "a map of one entry");
        return types_of(T_ERROR);
    }
    return type;
}

static const struct type *comp_result(struct checker *c, struct ast *ast, const struct type *key)
{
    struct arena *arena = c->unit->arena;
    struct ast *last = ast->args[ast->count - 1];
    switch (ast->comp) {
    case COMP_LIST:
        return types_list(arena, plain(c, last));
    case COMP_MAP:
        return types_map(arena, key, plain(c, last));
    case COMP_ENTRIES:
        return entries_type(c, last);
    case COMP_OPT_MAP:
        return types_optional(arena, plain(c, last));
    case COMP_OPT_FLAT:
        return plain(c, last);
    default:
        return types_of(T_BOOL);
    }
}

static const struct type *check_comp(struct checker *c, struct ast *ast)
{
    struct ast *range = ast->args[0];
    const struct type *first = NULL, *second = NULL;
    check_expr(c, range);
    if (!walk_types(ast, plain(c, range), &first, &second)) {
        say_not(c, range, ast->comp >= COMP_OPT_MAP ? "an optional" : "a list or a map");
    }
    uint32_t mark = c->scope_count;
    bool room = push(c, ast, ast->var, first) && (ast->var2.len == 0 || push(c, ast, ast->var2, second));
    for (uint32_t i = 1; room && i < ast->count; i++) {
        check_expr(c, ast->args[i]);
    }
    c->scope_count = mark;
    if (!room) {
        return types_of(T_ERROR);
    }
    bool test = ast->comp < COMP_OPT_MAP;
    if (test && !unify_assignable(&c->unify, types_of(T_BOOL), ast->args[1]->type)) {
        say_not(c, ast->args[1], "a bool");
    }
    return comp_result(c, ast, first);
}

static const struct type *check_ident(struct checker *c, struct ast *ast)
{
    const struct type *type = NULL;
    return check_name(c, ast, &type) ? type : types_of(T_ERROR);
}

static const struct type *check_args(struct checker *c, struct ast *ast)
{
    bool compares = ast->count == 2 && ast->func >= F_EQ && ast->func <= F_GE;
    for (uint32_t i = 0; i < ast->count; i++) {
        bool has_other = compares || (ast->func == F_IN && i == 1);
        c->beside = has_other ? ast->args[1 - i] : NULL;
        check_expr(c, ast->args[i]);
    }
    c->beside = NULL;
    return check_call(c, ast);
}

const struct type *check_expr(struct checker *c, struct ast *ast)
{
    const struct ast *beside = c->beside;
    c->beside = ast->kind == AST_IDENT || ast->kind == AST_LIST ? beside : NULL;
    switch ((enum ast_kind)ast->kind) {
    case AST_LIT:
        ast->type = literal_type(ast);
        break;
    case AST_IDENT:
        ast->type = check_ident(c, ast);
        break;
    case AST_SELECT:
        ast->type = check_select(c, ast);
        break;
    case AST_CALL:
        ast->type = check_args(c, ast);
        break;
    case AST_LIST:
        ast->type = check_list(c, ast);
        break;
    case AST_MAP:
        ast->type = check_map(c, ast);
        break;
    case AST_COMP:
        ast->type = check_comp(c, ast);
        break;
    case AST_BIND:
        ast->type = check_bind(c, ast);
        break;
    }
    c->beside = beside;
    if (c->untyped && ast->type->kind != T_SET) {
        ast->type = dyn();
    }
    return ast->type;
}

enum pdp_err check_unit(struct cel_program *p, struct unit *unit, const struct check_names *names,
                        const struct type **type)
{
    *type = dyn();
    struct checker *c = ARENA_NEW(unit->arena, struct checker);
    if (c == NULL) {
        return unit_error(unit, PDP_ERR_NOMEM, 0, 0, "out of memory");
    }
    c->p = p;
    c->unit = unit;
    c->names = names;
    c->unify.arena = unit->arena;
    c->untyped = p->extra != NULL && p->extra->untyped;
    check_expr(c, unit->root);
    *type = unify_apply(&c->unify, unit->root->type, true);
    if (c->unify.failed) {
        return unit_error(unit, PDP_ERR_NOMEM, 0, 0, "out of memory");
    }
    return unit->err;
}
