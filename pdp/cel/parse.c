// SPDX-License-Identifier: Apache-2.0
#include "cel/foreign.h"

struct parser {
    struct unit *unit;
    struct lexer lexer;
    struct token tok;
    uint32_t end; // of the token before
    uint32_t depth;
};

struct kids {
    struct ast **list;
    size_t count, cap;
};

static struct ast *parse_expr(struct parser *p);
static struct ast *parse_unary(struct parser *p);

static struct ast *out_of_memory(struct unit *unit)
{
    unit_error(unit, PDP_ERR_NOMEM, 0, 0, "out of memory");
    return NULL;
}

struct ast *ast_new(struct unit *unit, enum ast_kind kind, uint32_t at, uint32_t end)
{
    struct ast *ast = ARENA_NEW(unit->arena, struct ast);
    if (ast == NULL) {
        return out_of_memory(unit);
    }
    ast->kind = (uint8_t)kind;
    ast->at = at;
    ast->len = end > at ? end - at : 0;
    ast->height = 1;
    return ast;
}

bool ast_children(struct unit *unit, struct ast *ast, struct ast *const *args, size_t count)
{
    if (count > 0) {
        ast->args = ARENA_ARRAY(unit->arena, struct ast *, count);
        if (ast->args == NULL) {
            return out_of_memory(unit) != NULL;
        }
    }
    ast->count = (uint32_t)count;
    uint32_t height = 0;
    for (size_t i = 0; i < count; i++) {
        ast->args[i] = args[i];
        height = args[i]->height > height ? args[i]->height : height;
    }
    ast->height = (uint16_t)(height + 1);
    if (ast->height > 4 * unit->depth_max) {
        unit_error(unit, PDP_ERR_DEPTH, ast->at, ast->len, "the expression is nested too deeply");
        return false;
    }
    return true;
}

struct ast *ast_call(struct unit *unit, enum func_id func, struct ast *const *args, size_t count, uint32_t at,
                     uint32_t end)
{
    struct ast *ast = ast_new(unit, AST_CALL, at, end);
    if (ast == NULL || !ast_children(unit, ast, args, count)) {
        return NULL;
    }
    ast->func = (uint16_t)func;
    return ast;
}

static bool kids_add(struct parser *p, struct kids *kids, struct ast *kid)
{
    if (kid == NULL) {
        return false;
    }
    if (kids->count == kids->cap) {
        size_t cap = kids->cap == 0 ? 8 : kids->cap * 2;
        struct ast **list = ARENA_ARRAY(p->unit->arena, struct ast *, cap);
        if (list == NULL) {
            return out_of_memory(p->unit) != NULL;
        }
        for (size_t i = 0; i < kids->count; i++) {
            list[i] = kids->list[i];
        }
        kids->list = list;
        kids->cap = cap;
    }
    kids->list[kids->count++] = kid;
    return true;
}

static void advance(struct parser *p)
{
    p->end = p->tok.at + p->tok.len;
    lex_next(&p->lexer, &p->tok);
}

static bool take(struct parser *p, enum token_kind kind)
{
    if (p->tok.kind != kind) {
        return false;
    }
    advance(p);
    return true;
}

static struct ast *unexpected(struct parser *p, const char *wanted)
{
    if (p->tok.kind == TOK_BAD) {
        return NULL;
    }
    if (p->tok.kind == TOK_END) {
        uint32_t len = (uint32_t)p->unit->text->text.len;
        unit_error(p->unit, PDP_ERR_SYNTAX, len, 1, "the expression ends where %s is expected", wanted);
    } else {
        unit_error(p->unit, PDP_ERR_SYNTAX, p->tok.at, p->tok.len, "%s is expected, but here is `%s`", wanted,
                   unit_quote(p->unit, p->tok.at, p->tok.len));
        foreign_token(p->unit, p->tok.at, p->tok.len);
    }
    return NULL;
}

static bool expect(struct parser *p, enum token_kind kind, const char *wanted)
{
    if (take(p, kind)) {
        return true;
    }
    unexpected(p, wanted);
    return false;
}

static bool enter(struct parser *p)
{
    if (++p->depth <= p->unit->depth_max) {
        return true;
    }
    if (p->tok.kind != TOK_BAD) {
        unit_error(p->unit, PDP_ERR_DEPTH, p->tok.at, p->tok.len, "the expression is nested too deeply");
    }
    return false;
}

static struct ast *literal(struct parser *p, struct value value)
{
    struct ast *ast = ast_new(p->unit, AST_LIT, p->tok.at, p->tok.at + p->tok.len);
    if (ast != NULL) {
        ast->lit = value;
        advance(p);
    }
    return ast;
}

// An integer literal; `negative`: a minus stands before it at `at`.
static struct ast *integer(struct parser *p, bool negative, uint32_t at)
{
    uint64_t magnitude = p->tok.lit.as.u;
    uint64_t most = negative ? UINT64_C(1) << 63 : INT64_MAX;
    if (magnitude > most) {
        unit_error(p->unit, PDP_ERR_RANGE, at, p->tok.at + p->tok.len - at,
                   "the number does not fit in a 64-bit int");
        return NULL;
    }
    return literal(p, value_int(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude));
}

static bool parse_args(struct parser *p, enum token_kind close, const char *wanted, bool optional,
                       struct kids *kids)
{
    while (p->tok.kind != close) {
        bool is_optional = optional && take(p, TOK_QUESTION);
        struct ast *kid = parse_expr(p);
        if (!kids_add(p, kids, kid)) {
            return false;
        }
        kid->flags |= is_optional ? AST_ELEM : 0;
        if (!take(p, TOK_COMMA)) {
            break;
        }
        if (p->tok.kind == close && close == TOK_RPAREN) {
            unexpected(p, "an argument");
            return false;
        }
    }
    return expect(p, close, wanted);
}

static struct ast *parse_list(struct parser *p)
{
    uint32_t at = p->tok.at;
    struct kids kids = {0};
    advance(p);
    if (!parse_args(p, TOK_RBRACKET, "`]` or `,`", true, &kids)) {
        return NULL;
    }
    struct ast *ast = ast_new(p->unit, AST_LIST, at, p->end);
    return ast != NULL && ast_children(p->unit, ast, kids.list, kids.count) ? ast : NULL;
}

static bool parse_entry(struct parser *p, struct kids *kids)
{
    bool optional = take(p, TOK_QUESTION);
    struct ast *key = parse_expr(p);
    if (!kids_add(p, kids, key) || !expect(p, TOK_COLON, "`:`")) {
        return false;
    }
    key->flags |= optional ? AST_ELEM : 0;
    return kids_add(p, kids, parse_expr(p));
}

static struct ast *parse_map(struct parser *p)
{
    uint32_t at = p->tok.at;
    struct kids kids = {0};
    advance(p);
    while (p->tok.kind != TOK_RBRACE) {
        if (!parse_entry(p, &kids)) {
            return NULL;
        }
        if (!take(p, TOK_COMMA)) {
            break;
        }
    }
    if (!expect(p, TOK_RBRACE, "`}` or `,`")) {
        return NULL;
    }
    struct ast *ast = ast_new(p->unit, AST_MAP, at, p->end);
    return ast != NULL && ast_children(p->unit, ast, kids.list, kids.count) ? ast : NULL;
}

// The dotted name `a.b.c` that a chain of plain selections spells, or an empty text.
static struct str dotted(struct parser *p, const struct ast *ast)
{
    struct str parts[8];
    size_t count = 0, len = 0;
    for (; ast->kind == AST_SELECT && count < 7 && ast->flags == 0; ast = ast->args[0]) {
        parts[count] = ast->name;
        len += parts[count++].len + 1;
    }
    if (ast->kind != AST_IDENT || (ast->flags & AST_ROOTED) != 0) {
        return (struct str){NULL, 0};
    }
    parts[count] = ast->name;
    len += parts[count++].len;
    char *text = arena_alloc(p->unit->arena, len, 1);
    if (text == NULL) {
        return (struct str){NULL, 0};
    }
    size_t at = 0;
    while (count-- > 0) {
        memcpy(text + at, parts[count].at, parts[count].len);
        at += parts[count].len;
        if (count > 0) {
            text[at++] = '.';
        }
    }
    return (struct str){text, len};
}

// A call on a target is one of a namespaced function (`math.ceil(x)`) where that name is in the table.
static bool namespaced(struct parser *p, const struct ast *target, struct str name, struct ast *call)
{
    struct str space = dotted(p, target);
    if (space.len == 0) {
        return false;
    }
    struct str whole = arena_printf(p->unit->arena, STR_FMT "." STR_FMT, STR_ARG(space), STR_ARG(name));
    enum func_id func = func_find(whole, false);
    bool cel = str_eq(space, STR("cel"));
    if (func == F_NONE && !cel) {
        return false;
    }
    call->func = (uint16_t)func;
    call->name = whole;
    call->name_at = target->at;
    call->name_len = call->at + call->len > target->at ? p->end - target->at : 0;
    return true;
}

static struct ast *finish_call(struct parser *p, struct ast *call)
{
    return call != NULL && (p->unit->no_macros || macro_expand(p->unit, &call)) ? call : NULL;
}

// At `(`, after a name. `target` NULL: a plain call.
static struct ast *parse_call(struct parser *p, struct ast *target, const struct token *name)
{
    struct kids kids = {0};
    if (target != NULL && !kids_add(p, &kids, target)) {
        return NULL;
    }
    advance(p);
    if (!parse_args(p, TOK_RPAREN, "`)` or `,`", false, &kids)) {
        return NULL;
    }
    struct ast *call = ast_new(p->unit, AST_CALL, target != NULL ? target->at : name->at, p->end);
    if (call == NULL) {
        return NULL;
    }
    call->name = name->text;
    call->name_at = name->at;
    call->name_len = name->len;
    size_t skip = 0;
    if (target != NULL && namespaced(p, target, name->text, call)) {
        skip = 1;
        call->name_len = name->at + name->len - target->at;
    } else {
        call->flags |= target != NULL ? AST_MEMBER : 0;
        call->func = (uint16_t)func_find(name->text, target != NULL);
    }
    bool good = ast_children(p->unit, call, kids.list == NULL ? NULL : kids.list + skip, kids.count - skip);
    return good ? finish_call(p, call) : NULL;
}

static struct ast *parse_name(struct parser *p, bool rooted, uint32_t at)
{
    struct token name = p->tok;
    if (name.kind != TOK_IDENT) {
        return unexpected(p, "a name");
    }
    advance(p);
    if (p->tok.kind == TOK_LPAREN) {
        return parse_call(p, NULL, &name);
    }
    if (lex_reserved(name.text)) {
        unit_error(p->unit, PDP_ERR_SYNTAX, name.at, name.len, "`%s` is a reserved word",
                   unit_quote(p->unit, name.at, name.len));
        foreign_word(p->unit, name.text);
        return NULL;
    }
    struct ast *ast = ast_new(p->unit, AST_IDENT, at, p->end);
    if (ast != NULL) {
        ast->name = name.text;
        ast->name_at = name.at;
        ast->name_len = name.len;
        ast->flags = rooted ? AST_ROOTED : 0;
    }
    return ast;
}

static struct ast *parse_parens(struct parser *p)
{
    advance(p);
    struct ast *ast = parse_expr(p);
    return ast != NULL && expect(p, TOK_RPAREN, "`)`") ? ast : NULL;
}

static struct ast *parse_primary(struct parser *p)
{
    uint32_t at = p->tok.at;
    switch (p->tok.kind) {
    case TOK_INT:
        return integer(p, false, at);
    case TOK_UINT:
        return literal(p, (struct value){.kind = VALUE_UINT, .as.u = p->tok.lit.as.u});
    case TOK_DOUBLE:
    case TOK_STRING:
    case TOK_BYTES:
        return literal(p, p->tok.lit);
    case TOK_TRUE:
    case TOK_FALSE:
        return literal(p, value_bool(p->tok.kind == TOK_TRUE));
    case TOK_NULL:
        return literal(p, value_null());
    case TOK_LPAREN:
        return parse_parens(p);
    case TOK_LBRACKET:
        return parse_list(p);
    case TOK_LBRACE:
        return parse_map(p);
    case TOK_DOT:
        advance(p);
        return parse_name(p, true, at);
    case TOK_IDENT:
        return parse_name(p, false, at);
    default:
        return unexpected(p, "a value");
    }
}

static struct ast *parse_field(struct parser *p, struct ast *target)
{
    advance(p);
    bool optional = take(p, TOK_QUESTION);
    struct token name = p->tok;
    if (name.kind != TOK_IDENT && name.kind != TOK_QUOTED) {
        return unexpected(p, "the name of a field");
    }
    advance(p);
    if (!optional && name.kind == TOK_IDENT && p->tok.kind == TOK_LPAREN) {
        return parse_call(p, target, &name);
    }
    struct ast *ast = ast_new(p->unit, AST_SELECT, target->at, p->end);
    if (ast == NULL || !ast_children(p->unit, ast, &target, 1)) {
        return NULL;
    }
    ast->name = name.text;
    ast->name_at = name.at;
    ast->name_len = name.len;
    ast->flags = optional ? AST_OPTIONAL : 0;
    return ast;
}

static struct ast *parse_index(struct parser *p, struct ast *target)
{
    advance(p);
    bool optional = take(p, TOK_QUESTION);
    struct ast *index = parse_expr(p);
    if (index == NULL || !expect(p, TOK_RBRACKET, "`]`")) {
        return NULL;
    }
    struct ast *args[] = {target, index};
    return ast_call(p->unit, optional ? F_OPT_INDEX : F_INDEX, args, 2, target->at, p->end);
}

static struct ast *parse_postfix(struct parser *p, struct ast *ast)
{
    while (ast != NULL) {
        if (p->tok.kind == TOK_DOT) {
            ast = parse_field(p, ast);
        } else if (p->tok.kind == TOK_LBRACKET) {
            ast = parse_index(p, ast);
        } else if (p->tok.kind == TOK_LBRACE && (ast->kind == AST_IDENT || ast->kind == AST_SELECT)) {
            unit_error(p->unit, PDP_ERR_UNSUPPORTED, ast->at, ast->len,
                       "messages cannot be made here; `%s` is no type",
                       unit_quote(p->unit, ast->at, ast->len));
            return NULL;
        } else {
            return ast;
        }
    }
    return NULL;
}

// Twice is not nothing: it still wants what can be negated, the smallest integer cannot. More often is the
// same as once or twice.
static struct ast *apply_sign(struct parser *p, struct ast *inner, enum func_id func, size_t times,
                              uint32_t at)
{
    size_t left = times == 0 ? 0 : 2 - (times & 1);
    for (; left > 0 && inner != NULL; left--) {
        inner = ast_call(p->unit, func, &inner, 1, at, p->end);
    }
    return inner;
}

static struct ast *parse_negative(struct parser *p)
{
    uint32_t at = p->tok.at;
    size_t signs = 0;
    while (p->tok.kind == TOK_MINUS) {
        at = signs == 0 ? p->tok.at : at;
        signs++;
        uint32_t last = p->tok.at;
        advance(p);
        if (p->tok.kind != TOK_MINUS && (p->tok.kind == TOK_INT || p->tok.kind == TOK_DOUBLE)) {
            struct ast *number = NULL;
            if (p->tok.kind == TOK_INT) {
                number = integer(p, true, last);
            } else {
                number = literal(p, value_double(-p->tok.lit.as.d));
            }
            if (number != NULL) {
                number->len += number->at - last;
                number->at = last;
            }
            number = parse_postfix(p, number);
            return apply_sign(p, number, F_NEG, signs - 1, at);
        }
    }
    return apply_sign(p, parse_postfix(p, parse_primary(p)), F_NEG, signs, at);
}

static struct ast *parse_unary(struct parser *p)
{
    uint32_t at = p->tok.at;
    if (p->tok.kind == TOK_MINUS) {
        return parse_negative(p);
    }
    size_t nots = 0;
    while (take(p, TOK_NOT)) {
        nots++;
    }
    return apply_sign(p, parse_postfix(p, parse_primary(p)), F_NOT, nots, at);
}

static const struct {
    uint8_t rank, func;
} BINARY[TOK_OR + 1] = {
    [TOK_LT] = {1, F_LT},     [TOK_LE] = {1, F_LE},    [TOK_GT] = {1, F_GT},     [TOK_GE] = {1, F_GE},
    [TOK_EQ] = {1, F_EQ},     [TOK_NE] = {1, F_NE},    [TOK_IN] = {1, F_IN},     [TOK_PLUS] = {2, F_ADD},
    [TOK_MINUS] = {2, F_SUB}, [TOK_STAR] = {3, F_MUL}, [TOK_SLASH] = {3, F_DIV}, [TOK_PERCENT] = {3, F_MOD},
};

static struct ast *parse_binary(struct parser *p, uint8_t rank)
{
    if (rank > 3) {
        return parse_unary(p);
    }
    struct ast *left = parse_binary(p, (uint8_t)(rank + 1));
    while (left != NULL && BINARY[p->tok.kind].rank == rank) {
        enum func_id func = (enum func_id)BINARY[p->tok.kind].func;
        advance(p);
        struct ast *right = parse_binary(p, (uint8_t)(rank + 1));
        if (right == NULL) {
            return NULL;
        }
        struct ast *args[] = {left, right};
        left = ast_call(p->unit, func, args, 2, left->at, p->end);
    }
    return left;
}

// `a && b && c` is one node, so that long conditions are not deep ones.
static struct ast *parse_logic(struct parser *p, enum token_kind sign)
{
    struct ast *first = sign == TOK_OR ? parse_logic(p, TOK_AND) : parse_binary(p, 1);
    if (first == NULL || p->tok.kind != sign) {
        return first;
    }
    struct kids kids = {0};
    if (!kids_add(p, &kids, first)) {
        return NULL;
    }
    while (take(p, sign)) {
        struct ast *next = sign == TOK_OR ? parse_logic(p, TOK_AND) : parse_binary(p, 1);
        if (!kids_add(p, &kids, next)) {
            return NULL;
        }
    }
    return ast_call(p->unit, sign == TOK_OR ? F_OR : F_AND, kids.list, kids.count, first->at, p->end);
}

static struct ast *parse_inner(struct parser *p)
{
    struct ast *cond = parse_logic(p, TOK_OR);
    if (cond == NULL || !take(p, TOK_QUESTION)) {
        return cond;
    }
    struct ast *yes = parse_logic(p, TOK_OR);
    if (yes == NULL || !expect(p, TOK_COLON, "`:`")) {
        return NULL;
    }
    struct ast *no = parse_expr(p);
    struct ast *args[] = {cond, yes, no};
    return no == NULL ? NULL : ast_call(p->unit, F_COND, args, 3, cond->at, p->end);
}

static struct ast *parse_expr(struct parser *p)
{
    struct ast *ast = enter(p) ? parse_inner(p) : NULL;
    p->depth--;
    return ast;
}

enum pdp_err parse_unit(struct unit *unit)
{
    unit->root = NULL;
    if (!str_is_utf8(unit->text->text)) {
        return unit_error(unit, PDP_ERR_UTF8, 0, 0, "the expression is not valid UTF-8");
    }
    struct parser p = {.unit = unit, .lexer = {.unit = unit, .text = unit->text->text}};
    advance(&p);
    struct ast *root = parse_expr(&p);
    if (root != NULL && p.tok.kind != TOK_END) {
        unexpected(&p, "an operator or the end");
        root = NULL;
    }
    unit->root = root;
    return unit->err != PDP_ERR_OK ? unit->err : root == NULL ? PDP_ERR_SYNTAX : PDP_ERR_OK;
}
