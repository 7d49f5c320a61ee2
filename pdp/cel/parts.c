// SPDX-License-Identifier: Apache-2.0
#include "cel/parts.h"

#include "cel/cel.h"
#include "cel/lex.h"

#define PARTS_DEPTH_MAX 200

static enum cel_part_op op_of(const struct ast *ast)
{
    if (ast->kind != AST_CALL) {
        return CEL_PART_ATOM;
    }
    switch (ast->func) {
    case F_AND:
        return CEL_PART_ALL;
    case F_OR:
        return CEL_PART_ANY;
    case F_NOT:
        return CEL_PART_NOT;
    default:
        return CEL_PART_ATOM;
    }
}

static size_t count_parts(const struct ast *ast)
{
    size_t count = 1;
    for (uint32_t i = 0; op_of(ast) != CEL_PART_ATOM && i < ast->count; i++) {
        count += count_parts(ast->args[i]);
    }
    return count;
}

// `!!a`: both begin where the first does in the tree; the inner one begins with the next sign.
static uint32_t begin_within(struct str text, const struct ast *outer, uint32_t at, const struct ast *inner)
{
    if (op_of(outer) != CEL_PART_NOT || op_of(inner) != CEL_PART_NOT || inner->at > at) {
        return inner->at;
    }
    return (uint32_t)str_find_byte(text, '!', at + 1);
}

static void put_parts(struct str text, const struct ast *ast, uint32_t at, uint32_t parent,
                      struct cel_part *out, uint32_t *count)
{
    uint32_t own = (*count)++;
    out[own] = (struct cel_part){op_of(ast), at, ast->at + ast->len - at, parent};
    for (uint32_t i = 0; op_of(ast) != CEL_PART_ATOM && i < ast->count; i++) {
        put_parts(text, ast->args[i], begin_within(text, ast, at, ast->args[i]), own, out, count);
    }
}

// Parts that hold a byte of the text lie one within the other: while the text goes by, they are a stack.
struct widen {
    struct cel_part *parts;
    size_t count, next; // the first that is not reached yet
    uint32_t *open;     // parts that are reached and not left, the innermost last
    size_t depth;
};

static void leave(struct widen *w, uint32_t at)
{
    while (w->depth > 0 && w->parts[w->open[w->depth - 1]].at + w->parts[w->open[w->depth - 1]].len <= at) {
        w->depth--;
    }
}

// `(a || b) && c`: the tree's ranges begin behind the bracket of their first operand. Of the parts that hold
// the closing bracket, those begin with the opening one that began behind it.
static void widen(struct widen *w, uint32_t opener, uint32_t closer)
{
    for (; w->next < w->count && w->parts[w->next].at <= closer; w->next++) {
        leave(w, w->parts[w->next].at);
        w->open[w->depth++] = (uint32_t)w->next;
    }
    leave(w, closer);
    for (size_t i = w->depth; i-- > 0 && w->parts[w->open[i]].at > opener;) {
        struct cel_part *part = &w->parts[w->open[i]];
        part->len += part->at - opener;
        part->at = opener;
    }
}

// Inner pairs close first, so that a part that is widened by one is seen by the next.
static void balance(struct unit *unit, struct widen *w)
{
    uint32_t open[PARTS_DEPTH_MAX + 1];
    size_t depth = 0;
    struct token token = {0};
    struct lexer lexer = {.unit = unit, .text = unit->text->text};
    for (lex_next(&lexer, &token); token.kind != TOK_END && token.kind != TOK_BAD; lex_next(&lexer, &token)) {
        bool opens = token.kind == TOK_LPAREN || token.kind == TOK_LBRACKET || token.kind == TOK_LBRACE;
        bool closes = token.kind == TOK_RPAREN || token.kind == TOK_RBRACKET || token.kind == TOK_RBRACE;
        if (opens && depth < COUNT_OF(open)) {
            open[depth++] = token.at;
        } else if (closes && depth > 0) {
            widen(w, open[--depth], token.at);
        }
    }
}

enum pdp_err cel_parts(struct str text, struct arena *arena, struct cel_part **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    const struct cel_text whole = {.text = text};
    struct unit unit = {.text = &whole, .arena = arena, .depth_max = PARTS_DEPTH_MAX};
    TRY(parse_unit(&unit));
    size_t most = count_parts(unit.root);
    struct cel_part *parts = ARENA_ARRAY(arena, struct cel_part, most);
    uint32_t *open = ARENA_ARRAY(arena, uint32_t, most);
    if (parts == NULL || open == NULL) {
        return PDP_ERR_NOMEM;
    }
    uint32_t made = 0;
    put_parts(text, unit.root, unit.root->at, UINT32_MAX, parts, &made);
    balance(&unit, &(struct widen){.parts = parts, .count = made, .open = open});
    *out = parts;
    *count = made;
    return PDP_ERR_OK;
}
