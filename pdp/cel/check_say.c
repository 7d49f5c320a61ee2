// SPDX-License-Identifier: Apache-2.0
// The checker's messages: what is there, what was expected, and a hint where a fix is likely.
#include "cel/check.h"

#include <stdio.h>

const char *say_ast(struct checker *c, const struct ast *ast)
{
    return unit_quote(c->unit, ast->at, ast->len);
}

static const char *kept(struct checker *c, struct buf *buf)
{
    buf_byte(buf, 0);
    struct str copy = arena_str(c->unit->arena, buf_view(buf), NULL);
    buf_fini(buf);
    return copy.len > 0 ? copy.at : "";
}

const char *say_name(struct checker *c, const struct type *type)
{
    struct buf buf = {0};
    types_print(&buf, unify_apply(&c->unify, type, true));
    return kept(c, &buf);
}

const char *say_type(struct checker *c, const struct type *type)
{
    const char *name = say_name(c, type);
    struct buf buf = {0};
    if (strcmp(name, "null") == 0) {
        return "null";
    }
    buf_printf(&buf, "%s %s", strchr("aeio", name[0]) != NULL ? "an" : "a", name);
    return kept(c, &buf);
}

static const char *type_of(struct checker *c, const struct ast *ast)
{
    return say_type(c, ast->type);
}

static enum type_kind kind_of(struct checker *c, const struct ast *ast)
{
    return unify_apply(&c->unify, ast->type, true)->kind;
}

// A network as a text, beside an address.
static bool is_network(const struct ast *ast)
{
    struct cidr cidr;
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_STRING &&
           str_find_byte(value_text(&ast->lit), '/', 0) < ast->lit.n &&
           cidr_parse(value_text(&ast->lit), true, &cidr);
}

static bool hint_network(struct checker *c, const struct ast *ip, const struct ast *network)
{
    if (is_network(network)) {
        unit_hint(c->unit, "write `cidr(%s).containsIP(%s)`, or ask a List of type `cidr`",
                  say_ast(c, network), say_ast(c, ip));
    }
    return is_network(network);
}

// What to write instead of a text, where the other side is of this kind.
static void hint_text(struct checker *c, enum type_kind other, const struct ast *ast, const struct ast *text)
{
    static const struct {
        uint8_t kind;
        const char *maker;
    } HINTS[] = {
        {T_LEVEL, "level"},         {T_STRENGTH, "strength"}, {T_IP, "ip"},
        {T_TIMESTAMP, "timestamp"}, {T_DURATION, "duration"},
    };
    if (other == T_IP && hint_network(c, ast, text)) {
        return;
    }
    if (types_is_number(types_of(other)) && text->kind == AST_LIT) {
        unit_hint(c->unit, "compare with a number, such as 60");
    }
    for (size_t i = 0; i < COUNT_OF(HINTS); i++) {
        if (HINTS[i].kind == other) {
            unit_hint(c->unit, "compare with %s(%s)", HINTS[i].maker, say_ast(c, text));
        }
    }
}

// A list beside what it may hold, a length of time beside a number of seconds.
static void hint_parts(struct checker *c, const struct ast *left, const struct ast *right)
{
    enum type_kind a = kind_of(c, left), b = kind_of(c, right);
    if ((a == T_LIST) != (b == T_LIST)) {
        const struct ast *list = a == T_LIST ? left : right, *part = a == T_LIST ? right : left;
        unit_hint(c->unit, "a list is asked by `%s in %s`", say_ast(c, part), say_ast(c, list));
    }
    if (a == T_DURATION && b == T_INT && right->kind == AST_LIT) {
        unit_hint(c->unit, "compare with duration(\"%ss\")", say_ast(c, right));
    }
}

static void hint_ordered(struct checker *c, const struct ast *left, const struct ast *right)
{
    enum type_kind a = kind_of(c, left), b = kind_of(c, right);
    const struct str *names = NULL;
    size_t count = 0;
    if (a == T_LEVEL || b == T_LEVEL) {
        names = c->p->env->levels;
        count = c->p->env->level_count;
    } else if (a == T_STRENGTH || b == T_STRENGTH) {
        names = c->p->env->strengths;
        count = c->p->env->strength_count;
    }
    if (count > 0 && (types_is_number(types_of(a)) || types_is_number(types_of(b)))) {
        unit_hint(c->unit, "compare with %s(\"" STR_FMT "\")",
                  a == T_LEVEL || b == T_LEVEL ? "level" : "strength", STR_ARG(names[count - 1]));
    }
}

// What is missing is no null: it is not there.
static void hint_null(struct checker *c, const struct ast *left, const struct ast *right)
{
    enum type_kind a = kind_of(c, left), b = kind_of(c, right);
    const struct ast *other = a == T_NULL ? right : left;
    if ((a == T_NULL) != (b == T_NULL) && other->ref_kind == REF_SLOT) {
        unit_hint(c->unit, "whether it is there is asked by `has(%s)`", say_ast(c, other));
    }
}

void say_mismatch(struct checker *c, const struct ast *left, const struct ast *right)
{
    unit_error(c->unit, PDP_ERR_TYPE, right->at, right->len, "`%s` is %s, but `%s` is %s", say_ast(c, left),
               type_of(c, left), say_ast(c, right), type_of(c, right));
    if (kind_of(c, right) == T_STRING) {
        hint_text(c, kind_of(c, left), left, right);
    } else if (kind_of(c, left) == T_STRING) {
        hint_text(c, kind_of(c, right), right, left);
    }
    hint_null(c, left, right);
    hint_ordered(c, left, right);
    hint_parts(c, left, right);
}

void say_not(struct checker *c, const struct ast *ast, const char *expected)
{
    unit_error(c->unit, PDP_ERR_TYPE, ast->at, ast->len, "`%s` is %s, but %s is expected", say_ast(c, ast),
               type_of(c, ast), expected);
}

// What other languages call it. Empty: they do not either.
static struct str foreign_function(struct str name, bool member)
{
    static const struct {
        const char *theirs, *ours;
    } FOREIGN[] = {
        {"beginsWith", "startsWith"},
        {"hasPrefix", "startsWith"},
        {"hasSuffix", "endsWith"},
        {"includes", "contains"},
        {"match", "matches"},
        {"regex", "matches"},
        {"length", "size"},
        {"len", "size"},
        {"count", "size"},
        {"lower", "lowerAscii"},
        {"toLowerCase", "lowerAscii"},
        {"toLower", "lowerAscii"},
        {"upper", "upperAscii"},
        {"toUpperCase", "upperAscii"},
        {"toUpper", "upperAscii"},
    };
    for (size_t i = 0; i < COUNT_OF(FOREIGN); i++) {
        if (str_eq(name, str_of(FOREIGN[i].theirs)) && func_find(str_of(FOREIGN[i].ours), member) != F_NONE) {
            return str_of(FOREIGN[i].ours);
        }
    }
    return (struct str){NULL, 0};
}

static void unknown_function(struct checker *c, const struct ast *call)
{
    bool member = (call->flags & AST_MEMBER) != 0;
    const char *name = unit_quote_str(c->unit, call->name);
    unit_error(c->unit, PDP_ERR_UNKNOWN, call->name_at, call->name_len, "there is no function `%s`", name);
    if (!member && call->count == 0 && str_eq(call->name, STR("now"))) {
        unit_hint(c->unit, "write `now`, without brackets");
        return;
    }
    if (member && (str_eq(call->name, STR("any")) || str_eq(call->name, STR("some")))) {
        unit_hint(c->unit, "did you mean `exists`?");
        return;
    }
    if (func_find(call->name, !member) != F_NONE) {
        unit_hint(c->unit, member ? "write %s(…), without a value before the dot" : "write value.%s(…)",
                  name);
        return;
    }
    struct str near = foreign_function(call->name, member);
    near = near.len > 0 ? near : func_nearest(call->name, member);
    if (near.len > 0) {
        unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(near));
    }
}

// Arguments that the overloads of a function take, `most` and `least` of them.
static void arity_of(const struct func *func, uint32_t *least, uint32_t *most)
{
    *least = UINT32_MAX;
    *most = 0;
    uint32_t n = 0;
    for (const char *at = func->sigs; *at != '\0'; at++) {
        if (*at == ':') {
            *least = n < *least ? n : *least;
            *most = n > *most ? n : *most;
            const char *space = strchr(at, ' ');
            if (space == NULL) {
                break;
            }
            at = space;
            n = 0;
        } else if (strchr("LOY", *at) == NULL) {
            n += *at == 'M' ? (uint32_t)-1 : 1;
        }
    }
}

static bool wrong_count(struct checker *c, const struct ast *call)
{
    uint32_t least = 0, most = 0, self = (call->flags & AST_MEMBER) != 0;
    const struct func *func = &FUNCS[call->func];
    arity_of(func, &least, &most);
    if (call->count >= least && call->count <= most) {
        return false;
    }
    char wants[32];
    if (least == most) {
        snprintf(wants, sizeof wants, "%u", least - self);
    } else {
        snprintf(wants, sizeof wants, "%u to %u", least - self, most - self);
    }
    unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len, "`%s` takes %s argument%s, not %u", func->name,
               wants, most - self == 1 ? "" : "s", call->count - self);
    return true;
}

static void say_arguments(struct checker *c, const struct ast *call)
{
    struct buf types = {0};
    uint32_t self = (call->flags & AST_MEMBER) != 0;
    for (uint32_t i = self; i < call->count; i++) {
        buf_printf(&types, "%s%s", i > self ? ", " : "", say_name(c, call->args[i]->type));
    }
    const char *list = kept(c, &types);
    if (self == 1) {
        unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len,
                   "`%s` cannot be called on `%s`, which is %s, with (%s)", FUNCS[call->func].name,
                   say_ast(c, call->args[0]), type_of(c, call->args[0]), list);
        if (kind_of(c, call->args[0]) == T_IP) {
            unit_hint(c->unit, "an address is asked by `cidr(\"10.0.0.0/8\").containsIP(%s)`",
                      say_ast(c, call->args[0]));
        }
    } else {
        unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len, "`%s` does not take (%s)",
                   FUNCS[call->func].name, list);
        if (call->func == F_DURATION) {
            unit_hint(c->unit, "a duration is written with its unit, such as duration(\"15m\")");
        }
    }
}

static const char *operator_text(const struct ast *call)
{
    static const char *const TEXTS[F_COUNT] = {[F_NOT] = "!", [F_NEG] = "-", [F_ADD] = "+", [F_SUB] = "-",
                                               [F_MUL] = "*", [F_DIV] = "/", [F_MOD] = "%"};
    return TEXTS[call->func];
}

// `!"hr" in subject.roles`: the `!` holds for the text alone.
static void hint_not_in(struct checker *c, const struct ast *call)
{
    struct str text = c->unit->text->text;
    struct str rest = str_trim(str_sub(text, call->at + call->len, text.len));
    if (call->func == F_NOT && (str_starts(rest, STR("in ")) || str_starts(rest, STR("== ")))) {
        unit_hint(c->unit, "`!` goes before the whole: `!(%s " STR_FMT " …)`", say_ast(c, call->args[0]),
                  STR_ARG(str_sub(rest, 0, 2)));
    }
}

// `1 < x < 3` is `(1 < x) < 3`.
static void hint_chain(struct checker *c, const struct ast *call)
{
    static const char *const SIGNS[F_COUNT] = {[F_LT] = "<", [F_LE] = "<=", [F_GT] = ">", [F_GE] = ">="};
    const struct ast *left = call->args[0];
    if (left->kind == AST_CALL && left->count == 2 && SIGNS[left->func] != NULL &&
        SIGNS[call->func] != NULL) {
        unit_hint(c->unit, "write `%s && %s %s %s`", say_ast(c, left), say_ast(c, left->args[1]),
                  SIGNS[call->func], say_ast(c, call->args[1]));
    }
}

// Texts in a list of what an address is sought in.
static void hint_members(struct checker *c, const struct ast *call)
{
    const struct ast *ip = call->args[0], *list = call->args[1];
    bool holds = list->kind == AST_LIST && list->count > 0 && kind_of(c, list->args[0]) == T_STRING;
    if (kind_of(c, ip) == T_IP && holds && !hint_network(c, ip, list->args[0])) {
        unit_hint(c->unit, "write ip(%s)", say_ast(c, list->args[0]));
    }
}

void say_no_overload(struct checker *c, const struct ast *call)
{
    const char *sign = operator_text(call);
    if (call->func == F_NONE) {
        unknown_function(c, call);
    } else if (call->func >= F_EQ && call->func <= F_GE) {
        const struct ast *left = call->args[0], *right = call->args[1];
        if (types_equal(unify_apply(&c->unify, left->type, true),
                        unify_apply(&c->unify, right->type, true))) {
            say_not(c, left, "something that has an order");
        } else {
            say_mismatch(c, left, right);
            hint_chain(c, call);
        }
    } else if (call->func == F_IN) {
        enum type_kind kind = kind_of(c, call->args[1]);
        if (kind == T_LIST || kind == T_MAP) {
            unit_error(c->unit, PDP_ERR_TYPE, call->args[0]->at, call->args[0]->len,
                       "`%s` is %s, but `%s` is a %s", say_ast(c, call->args[0]), type_of(c, call->args[0]),
                       say_ast(c, call->args[1]), say_name(c, call->args[1]->type));
            hint_members(c, call);
        } else {
            say_not(c, call->args[1], "a list or a map");
        }
    } else if (call->func == F_INDEX || call->func == F_OPT_INDEX) {
        unit_error(c->unit, PDP_ERR_TYPE, call->args[1]->at, call->args[1]->len,
                   "`%s` is %s, which has no element `%s`", say_ast(c, call->args[0]),
                   type_of(c, call->args[0]), say_ast(c, call->args[1]));
    } else if (sign != NULL && call->count == 2) {
        unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len, "`%s` does not go between %s and %s", sign,
                   type_of(c, call->args[0]), type_of(c, call->args[1]));
    } else if (sign != NULL) {
        unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len, "`%s` cannot stand before %s", sign,
                   type_of(c, call->args[0]));
        hint_not_in(c, call);
    } else if (!wrong_count(c, call)) {
        say_arguments(c, call);
    }
}
