// SPDX-License-Identifier: Apache-2.0
// Which overload of a function takes these arguments, and what it gives.
#include "cel/check.h"

enum {
    ARGS_MAX = 8
};

// Reads one type of an overload's letters. `params` are A, B, C, made when first seen.
static const struct type *letter_type(struct checker *c, const char **at, const struct type **params)
{
    static const struct {
        char letter;
        uint8_t kind;
    } LETTERS[] = {
        {'b', T_BOOL},  {'i', T_INT},  {'u', T_UINT},  {'d', T_DOUBLE},    {'s', T_STRING},
        {'y', T_BYTES}, {'n', T_NULL}, {'*', T_DYN},   {'t', T_TIMESTAMP}, {'p', T_DURATION},
        {'I', T_IP},    {'N', T_CIDR}, {'E', T_LEVEL}, {'S', T_STRENGTH},  {'Z', T_SET},
    };
    char letter = *(*at)++;
    if (letter >= 'A' && letter <= 'C') {
        const struct type **param = &params[letter - 'A'];
        *param = *param != NULL ? *param : unify_fresh(&c->unify);
        return *param;
    }
    struct arena *arena = c->unit->arena;
    if (letter == 'L') {
        return types_list(arena, letter_type(c, at, params));
    }
    if (letter == 'O') {
        return types_optional(arena, letter_type(c, at, params));
    }
    if (letter == 'Y') {
        return types_type(arena, letter_type(c, at, params));
    }
    if (letter == 'M') {
        const struct type *key = letter_type(c, at, params);
        return types_map(arena, key, letter_type(c, at, params));
    }
    for (size_t i = 0; i < COUNT_OF(LETTERS); i++) {
        if (LETTERS[i].letter == letter) {
            return types_of((enum type_kind)LETTERS[i].kind);
        }
    }
    return types_of(T_DYN);
}

// Two results of overloads that both fit (arguments that are dyn): one if they are the same, else dyn.
static const struct type *either(const struct type *a, const struct type *b)
{
    return a == NULL || types_equal(a, b) ? b : types_of(T_DYN);
}

// Tries one overload, `sig` at its first letter. NULL: it does not fit.
static const struct type *try_sig(struct checker *c, const char *sig, const struct type *const *args,
                                  uint32_t count)
{
    const struct type *params[3] = {NULL, NULL, NULL};
    const struct type *wanted[ARGS_MAX];
    uint32_t n = 0;
    while (*sig != ':' && n < ARGS_MAX) {
        wanted[n++] = letter_type(c, &sig, params);
    }
    if (n != count || !unify_assignable_all(&c->unify, wanted, args, count)) {
        return NULL;
    }
    sig++;
    return unify_apply(&c->unify, letter_type(c, &sig, params), false);
}

static const struct type *try_sigs(struct checker *c, const char *sigs, const struct type *const *args,
                                   uint32_t count)
{
    const struct type *result = NULL;
    for (const char *sig = sigs; sig != NULL; sig = strchr(sig, ' '), sig = sig != NULL ? sig + 1 : NULL) {
        const struct type *one = try_sig(c, sig, args, count);
        if (one != NULL) {
            result = either(result, one);
        }
    }
    return result;
}

static bool truth_like(struct checker *c, const struct type *type)
{
    return unify_assignable(&c->unify, types_of(T_BOOL), type);
}

static const struct type *check_logic(struct checker *c, struct ast *ast)
{
    for (uint32_t i = 0; i < ast->count; i++) {
        if (!truth_like(c, ast->args[i]->type)) {
            say_not(c, ast->args[i], "a bool");
        }
    }
    return types_of(T_BOOL);
}

static const struct type *plain(struct checker *c, const struct ast *ast)
{
    return unify_apply(&c->unify, ast->type, false);
}

// Numbers of all types compare with one another, beyond what the types alone would allow.
static bool numbers_meet(struct checker *c, const struct ast *ast)
{
    const struct type *left = plain(c, ast->args[0]), *right = plain(c, ast->args[1]);
    if (ast->func == F_IN) {
        if (right->kind != T_LIST && right->kind != T_MAP) {
            return false;
        }
        right = right->args[0];
    }
    return types_is_number(left) && types_is_number(right);
}

static bool is_equality(const struct ast *ast)
{
    return ast->func == F_EQ || ast->func == F_NE;
}

// `x in lists.NAME`.
static const struct type *check_in_set(struct checker *c, struct ast *ast, const struct type *set)
{
    static const struct {
        uint8_t kinds[2];
        const char *wants;
    } HOLDS[] = {
        [CEL_SET_STRING] = {{T_STRING, T_STRING}, "strings"},
        [CEL_SET_CIDR] = {{T_IP, T_STRING}, "networks"},
        [CEL_SET_COUNTRY] = {{T_STRING, T_STRING}, "countries"},
        [CEL_SET_ASN] = {{T_INT, T_UINT}, "AS numbers"},
    };
    const struct type *left = plain(c, ast->args[0]);
    uint32_t kind = set->id < COUNT_OF(HOLDS) ? set->id : 0;
    if (left->kind != T_DYN && left->kind != T_ERROR && left->kind != T_PARAM &&
        left->kind != HOLDS[kind].kinds[0] && left->kind != HOLDS[kind].kinds[1]) {
        unit_error(c->unit, PDP_ERR_TYPE, ast->args[0]->at, ast->args[0]->len,
                   "`%s` is %s, but `%s` holds %s", say_ast(c, ast->args[0]), say_type(c, left),
                   say_ast(c, ast->args[1]), HOLDS[kind].wants);
        return types_of(T_ERROR);
    }
    return types_of(T_BOOL);
}

static const struct type *check_cond(struct checker *c, struct ast *ast)
{
    if (!truth_like(c, ast->args[0]->type)) {
        say_not(c, ast->args[0], "a bool");
    }
    const struct type *branches[] = {ast->args[1]->type, ast->args[2]->type};
    const struct type *wanted = unify_fresh(&c->unify);
    const struct type *both[] = {wanted, wanted};
    if (!unify_assignable_all(&c->unify, both, branches, 2)) {
        say_mismatch(c, ast->args[1], ast->args[2]);
        return types_of(T_ERROR);
    }
    return unify_apply(&c->unify, wanted, false);
}

// A function that the tests declare. NULL: there is none, or none fits.
static const struct type *try_extra(struct checker *c, const struct ast *ast, const struct type *const *args)
{
    const struct cel_extra *extra = c->p->extra;
    const struct type *result = NULL;
    for (size_t i = 0; extra != NULL && i < extra->func_count; i++) {
        const struct extra_func *func = &extra->funcs[i];
        if (!str_eq(func->name, ast->name) || func->count != ast->count) {
            continue;
        }
        // The declaration's parameters 0, 1, … become fresh ones here.
        struct unify fresh = {.arena = c->unit->arena};
        while (c->unify.count < 8 && !c->unify.failed) {
            unify_fresh(&c->unify); // so that no parameter of ours has the number of one of theirs
        }
        for (uint32_t n = 0; n < 8; n++) {
            const struct type *own = unify_fresh(&c->unify);
            if (unify_fresh(&fresh)->kind == T_PARAM) {
                fresh.bound[n] = own;
            }
        }
        const struct type *wanted[ARGS_MAX];
        for (uint32_t n = 0; n < func->count; n++) {
            wanted[n] = unify_apply(&fresh, func->params[n], false);
        }
        if (unify_assignable_all(&c->unify, wanted, args, func->count)) {
            const struct type *made = unify_apply(&fresh, func->result, false);
            result = either(result, unify_apply(&c->unify, made, false));
        }
    }
    return result;
}

static const struct type *check_general(struct checker *c, struct ast *ast)
{
    const struct type *args[ARGS_MAX];
    if (ast->count > ARGS_MAX) {
        say_no_overload(c, ast);
        return types_of(T_ERROR);
    }
    for (uint32_t i = 0; i < ast->count; i++) {
        args[i] = ast->args[i]->type;
    }
    if (ast->func == F_NONE) {
        const struct type *result = try_extra(c, ast, args);
        if (result == NULL && !c->untyped) {
            say_no_overload(c, ast);
        }
        return result != NULL ? result : types_of(T_ERROR);
    }
    const struct type *result = try_sigs(c, FUNCS[ast->func].sigs, args, ast->count);
    if (result == NULL && (is_equality(ast) || ast->func == F_IN) && numbers_meet(c, ast)) {
        return types_of(T_BOOL);
    }
    if (result == NULL && !c->untyped) {
        say_no_overload(c, ast);
    }
    return result != NULL ? result : types_of(T_ERROR);
}

// A list document is nothing but the right side of `in`.
static bool misused_set(struct checker *c, const struct ast *ast)
{
    for (uint32_t i = 0; i < ast->count; i++) {
        if (ast->args[i]->type->kind == T_SET) {
            say_not(c, ast->args[i], "a value");
            unit_hint(c->unit, "lists are used as `x in %s`", say_ast(c, ast->args[i]));
            return true;
        }
    }
    return false;
}

const struct type *check_call(struct checker *c, struct ast *ast)
{
    if (ast->func == F_IN && ast->args[1]->type->kind == T_SET) {
        return check_in_set(c, ast, ast->args[1]->type);
    }
    if (misused_set(c, ast)) {
        return types_of(T_ERROR);
    }
    if (c->untyped && (ast->func == F_AND || ast->func == F_OR || ast->func == F_COND)) {
        return types_of(T_DYN);
    }
    if (ast->func == F_AND || ast->func == F_OR) {
        return check_logic(c, ast);
    }
    if (ast->func == F_COND) {
        return check_cond(c, ast);
    }
    const struct type *type = check_general(c, ast);
    if (type->kind != T_ERROR) {
        check_enum(c, ast);
        check_doubt(c, ast);
        type = check_known(c, ast) ? type : types_of(T_ERROR);
    }
    return check_special(c, ast, type);
}
