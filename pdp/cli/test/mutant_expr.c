// SPDX-License-Identifier: Apache-2.0
// Mistakes within one expression. Edits are of the document's bytes, so that quotes and comments stay.
#include "cel/lex.h"
#include "cli/test/mutant_inner.h"

#include <string.h>

struct expr {
    struct find *find;
    const struct conf_node *node;
    struct str text;
    struct arena arena; // of the tree
    const struct token *tokens;
    size_t token_count;
};

struct range {
    uint32_t at, end;
};

static void walk_truth(struct expr *e, const struct ast *ast, enum find_role role);
static void walk_inner(struct expr *e, const struct ast *ast);

// ---- Edits of the scalar ----------------------------------------------------------------------------

// Can a plain scalar hold it? Only what an edit may bring about is looked for: what stood there before,
// could.
static bool is_plain(struct str text)
{
    return text.len > 0 && strchr("-?:,[]{}#&*!|>'\"%@` ", text.at[0]) == NULL;
}

static struct str quoted(struct expr *e, struct str text)
{
    AUTO(buf_fini) struct buf out = {0};
    buf_byte(&out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        buf_byte(&out, (unsigned char)text.at[i]);
        if (text.at[i] == '\'') {
            buf_byte(&out, '\'');
        }
    }
    buf_byte(&out, '\'');
    return arena_str(e->find->arena, buf_view(&out), NULL);
}

struct swap {
    struct range range;
    const char *before, *after; // around what stands there
    struct str instead;         // NULL text: what stands there stays
};

// The expression as it is then.
static struct str changed(struct expr *e, const struct swap *swap)
{
    struct str kept = str_sub(e->text, swap->range.at, swap->range.end - swap->range.at);
    AUTO(buf_fini) struct buf out = {0};
    buf_str(&out, str_sub(e->text, 0, swap->range.at));
    buf_str(&out, str_of(swap->before));
    buf_str(&out, swap->instead.at != NULL ? swap->instead : kept);
    buf_str(&out, str_of(swap->after));
    buf_str(&out, str_sub(e->text, swap->range.end, e->text.len));
    return arena_str(e->find->arena, buf_view(&out), NULL);
}

static void edit(struct expr *e, enum mutant_op op, struct swap swap, struct str what)
{
    uint32_t len = swap.range.end - swap.range.at;
    struct place place = conf_place(e->node, swap.range.at, len);
    struct str kept = swap.instead.at != NULL ? swap.instead : find_raw(place);
    struct str text = arena_printf(e->find->arena, "%s" STR_FMT "%s", swap.before, (int)kept.len,
                                   kept.at != NULL ? kept.at : "", swap.after);
    struct mutant_edit one = {place.at, place.len, text};
    struct str whole = changed(e, &swap);
    if (e->node->style == CONF_PLAIN && !is_plain(whole)) {
        one = (struct mutant_edit){e->node->place.at, e->node->place.len, quoted(e, whole)};
    }
    find_add(e->find, op, place, &one, 1, STR_FMT, STR_ARG(what));
}

static struct str say(struct expr *e, struct range range, const char *what)
{
    struct str text = find_shown(e->find, str_sub(e->text, range.at, range.end - range.at));
    return arena_printf(e->find->arena, "`" STR_FMT "` %s", STR_ARG(text), what);
}

static void replace(struct expr *e, enum mutant_op op, struct range range, struct str instead)
{
    if (instead.len == 0) {
        return;
    }
    struct str becomes = arena_printf(e->find->arena, "becomes `" STR_FMT "`", STR_ARG(instead));
    edit(e, op, (struct swap){range, "", "", instead}, say(e, range, becomes.at != NULL ? becomes.at : ""));
}

// ---- Ranges -----------------------------------------------------------------------------------------

// The first token that does not begin before a byte.
static size_t token_at(const struct expr *e, uint32_t at)
{
    size_t i = 0;
    while (i < e->token_count && e->tokens[i].at < at) {
        i++;
    }
    return i;
}

// A node's bytes with the brackets that belong to its parts: those of `(a || b) && c` begin at the bracket.
static struct range range_of(const struct expr *e, const struct ast *ast)
{
    struct range range = {ast->at, ast->at + ast->len};
    size_t first = token_at(e, range.at), last = token_at(e, range.end);
    int depth = 0, open = 0;
    for (size_t i = first; i < last; i++) {
        depth += e->tokens[i].kind == TOK_LPAREN;
        depth -= e->tokens[i].kind == TOK_RPAREN;
        open = depth < -open ? -depth : open;
    }
    for (; open > 0 && first > 0; open--, depth++) {
        range.at = e->tokens[--first].at;
    }
    for (; depth > 0 && last < e->token_count; depth--, last++) {
        range.end = e->tokens[last].at + e->tokens[last].len;
    }
    return range;
}

// The sign between two operands.
static struct range sign_of(const struct expr *e, const struct ast *ast)
{
    size_t i = token_at(e, ast->args[0]->at + ast->args[0]->len);
    while (i < e->token_count && e->tokens[i].kind == TOK_RPAREN) {
        i++;
    }
    return i < e->token_count ? (struct range){e->tokens[i].at, e->tokens[i].at + e->tokens[i].len}
                              : (struct range){ast->at, ast->at};
}

// ---- Parts of a condition ---------------------------------------------------------------------------

static void leave_out(struct expr *e, const struct ast *ast, enum find_role role)
{
    enum mutant_op op;
    struct str instead;
    if (ast->kind == AST_LIT || !find_left_out(role, &op, &instead)) {
        return;
    }
    struct range range = range_of(e, ast);
    edit(e, op, (struct swap){range, "", "", instead}, say(e, range, "is left out"));
}

static const struct {
    uint16_t func, edge; // F_NONE: there is no such edge
    const char *negated, *moved;
} SIGNS[] = {
    {F_EQ, F_NONE, "!=", NULL}, {F_NE, F_NONE, "==", NULL}, {F_LT, F_LE, ">=", "<="},
    {F_LE, F_LT, ">", "<"},     {F_GT, F_GE, "<=", ">="},   {F_GE, F_GT, "<", ">"},
};

// The row of a comparison, or COUNT_OF(SIGNS).
static size_t sign_row(const struct ast *ast)
{
    size_t row = 0;
    while (row < COUNT_OF(SIGNS) && (ast->kind != AST_CALL || SIGNS[row].func != ast->func)) {
        row++;
    }
    return row;
}

static bool is_operator(const struct ast *ast)
{
    return ast->kind == AST_CALL && (ast->func <= F_IN || ast->func == F_INDEX || ast->func == F_OPT_INDEX);
}

static void negate(struct expr *e, const struct ast *ast)
{
    size_t row = sign_row(ast);
    if (ast->kind == AST_LIT) {
        return;
    }
    if (row < COUNT_OF(SIGNS)) {
        replace(e, MUTANT_COMPARE, sign_of(e, ast), str_of(SIGNS[row].negated));
        return;
    }
    struct range range = range_of(e, ast);
    bool wraps = is_operator(ast) || ast->kind == AST_BIND;
    edit(e, MUTANT_NEGATE, (struct swap){range, wraps ? "!(" : "!", wraps ? ")" : "", {0}},
         say(e, range, "is negated"));
}

static void un_negate(struct expr *e, const struct ast *ast)
{
    struct range sign = {ast->at, ast->at + 1};
    edit(e, MUTANT_NEGATE, (struct swap){sign, "", "", STR("")}, say(e, range_of(e, ast), "is negated"));
}

static bool gives_bool(const char *sigs)
{
    size_t len = strlen(sigs);
    return len >= 2 && sigs[len - 1] == 'b' && sigs[len - 2] == ':';
}

// Is it a truth by its form?
static bool is_truth(const struct ast *ast)
{
    switch (ast->kind) {
    case AST_SELECT:
        return (ast->flags & AST_TEST) != 0;
    case AST_COMP:
        return ast->comp <= COMP_ONE;
    case AST_CALL:
        return ast->func < F_COUNT && FUNCS[ast->func].sigs != NULL && gives_bool(FUNCS[ast->func].sigs);
    default:
        return false;
    }
}

static void walk_truth(struct expr *e, const struct ast *ast, enum find_role role)
{
    bool is_and = ast->kind == AST_CALL && ast->func == F_AND;
    bool is_or = ast->kind == AST_CALL && ast->func == F_OR;
    // To leave all conjuncts of a condition out is noticed wherever leaving one out is.
    if (!is_and || role != FIND_WHOLE) {
        leave_out(e, ast, role);
    }
    if (is_and || is_or) {
        for (uint32_t i = 0; i < ast->count; i++) {
            walk_truth(e, ast->args[i], is_and ? FIND_CONJUNCT : FIND_DISJUNCT);
        }
    } else if (ast->kind == AST_CALL && ast->func == F_NOT) {
        un_negate(e, ast);
        walk_truth(e, ast->args[0], FIND_NEGATED);
    } else {
        if (role != FIND_NEGATED) {
            negate(e, ast);
        }
        walk_inner(e, ast);
    }
}

// ---- What is compared -------------------------------------------------------------------------------

static void both_ways(struct expr *e, const struct ast *ast, enum mutant_op op, bool quotes,
                      struct str (*step)(struct arena *arena, struct str text, bool up))
{
    struct range range = {ast->at + (quotes ? 1 : 0), ast->at + ast->len - (quotes ? 1 : 0)};
    struct str text = str_sub(e->text, range.at, range.end - range.at);
    replace(e, op, range, step(e->find->arena, text, false));
    replace(e, op, range, step(e->find->arena, text, true));
}

// A text between one quote on each side, without escapes.
static bool is_simple_text(const struct expr *e, const struct ast *ast)
{
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_STRING && ast->len == ast->lit.n + 2 &&
           (e->text.at[ast->at] == '"' || e->text.at[ast->at] == '\'');
}

static void named_level(struct expr *e, const struct ast *ast, const struct str *names, size_t count)
{
    struct range range = {ast->at + 1, ast->at + ast->len - 1};
    struct str name = str_sub(e->text, range.at, range.end - range.at);
    replace(e, MUTANT_LEVEL, range, find_step_name(names, count, name, false));
    replace(e, MUTANT_LEVEL, range, find_step_name(names, count, name, true));
}

static void thresholds(struct expr *e, const struct ast *ast)
{
    bool texts = ast->kind == AST_CALL && ast->count == 1 && is_simple_text(e, ast->args[0]);
    if (ast->kind == AST_LIT &&
        (ast->lit.kind == VALUE_INT || ast->lit.kind == VALUE_UINT || ast->lit.kind == VALUE_DOUBLE)) {
        both_ways(e, ast, MUTANT_THRESHOLD, false, find_step_number);
    } else if (texts && ast->func == F_DURATION) {
        both_ways(e, ast->args[0], MUTANT_THRESHOLD, true, find_step_duration);
    } else if (texts && ast->func == F_LEVEL) {
        named_level(e, ast->args[0], RISK_LEVEL_NAMES, RISK_LEVEL_COUNT);
    } else if (texts && ast->func == F_STRENGTH) {
        named_level(e, ast->args[0], e->find->strengths, e->find->strength_count);
    } else if (ast->kind == AST_CALL && (ast->func == F_NEG || (ast->func >= F_ADD && ast->func <= F_MOD))) {
        for (uint32_t i = 0; i < ast->count; i++) {
            thresholds(e, ast->args[i]);
        }
    }
}

// `x in ["a", "b"]`: each entry goes once.
static void entries(struct expr *e, const struct ast *list)
{
    for (uint32_t i = 0; list->kind == AST_LIST && list->count > 1 && i < list->count; i++) {
        const struct ast *entry = list->args[i];
        if (entry->kind != AST_LIT) {
            continue;
        }
        struct range range = {entry->at, entry->at + entry->len};
        struct str what = say(e, range, "is left out of the list");
        if (i + 1 < list->count) {
            range.end = range_of(e, list->args[i + 1]).at;
        } else {
            range.at = range_of(e, list->args[i - 1]).end;
        }
        edit(e, MUTANT_ENTRY, (struct swap){range, "", "", STR("")}, what);
    }
}

// Between its quotes; false where it is no text, or one of bytes.
static bool text_range(const struct expr *e, const struct ast *ast, struct range *out, bool *raw)
{
    if (ast->kind != AST_LIT || ast->lit.kind != VALUE_STRING || ast->len < 2) {
        return false;
    }
    *raw = e->text.at[ast->at] == 'r' || e->text.at[ast->at] == 'R';
    *out = (struct range){ast->at + (*raw ? 1 : 0), ast->at + ast->len};
    char quote = e->text.at[out->at];
    bool three =
        out->end - out->at >= 6 && e->text.at[out->at + 1] == quote && e->text.at[out->at + 2] == quote;
    out->at += three ? 3 : 1;
    out->end -= three ? 3 : 1;
    return (quote == '"' || quote == '\'') && out->at <= out->end;
}

static void take_steps(struct expr *e, struct range range, const struct find_steps *steps)
{
    struct str text = str_sub(e->text, range.at, range.end - range.at);
    struct str was = find_shown(e->find, text);
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct find_step *step = &steps->list[i];
        struct range part = {range.at + step->at, range.at + step->at + step->len};
        struct str then =
            arena_printf(e->find->arena, STR_FMT STR_FMT STR_FMT, STR_ARG(str_sub(text, 0, step->at)),
                         STR_ARG(step->instead), STR_ARG(str_sub(text, step->at + step->len, text.len)));
        struct str what = arena_printf(e->find->arena, "`" STR_FMT "` becomes `" STR_FMT "`", STR_ARG(was),
                                       STR_ARG(find_shown(e->find, then)));
        edit(e, step->op, (struct swap){part, "", "", step->instead}, what);
    }
}

// Texts that are more than compared: patterns, hours, beginnings, ends and parts.
static void meanings(struct expr *e, const struct ast *call)
{
    struct range range;
    bool raw = false;
    if (call->count < 2 || !text_range(e, call->args[1], &range, &raw)) {
        return;
    }
    struct find_steps steps = {.count = 0};
    struct str text = str_sub(e->text, range.at, range.end - range.at);
    bool simple = is_simple_text(e, call->args[1]);
    bool starts = call->func == F_STARTS, ends = call->func == F_ENDS, holds = call->func == F_CONTAINS;
    if (call->func == F_MATCHES || call->func == F_MATCHES_OF) {
        find_pattern(text, raw, &steps);
    } else if (simple && call->func == F_WITHIN) {
        find_hours(e->find->arena, text, &steps);
    } else if (simple && (starts || ends || holds)) {
        find_shorter(text, ends || holds, starts || holds, &steps);
    }
    take_steps(e, range, &steps);
}

static void walk_comp(struct expr *e, const struct ast *ast)
{
    walk_inner(e, ast->args[0]);
    if (ast->comp < COMP_OPT_MAP && ast->args[1]->kind != AST_LIT) {
        walk_truth(e, ast->args[1], FIND_CONJUNCT);
    }
    if (ast->count > 2) {
        walk_inner(e, ast->args[2]);
    }
}

static void walk_inner(struct expr *e, const struct ast *ast)
{
    size_t row = sign_row(ast);
    if (ast->kind == AST_COMP) {
        walk_comp(e, ast);
        return;
    }
    if (row < COUNT_OF(SIGNS)) {
        if (SIGNS[row].moved != NULL) {
            replace(e, MUTANT_EDGE, sign_of(e, ast), str_of(SIGNS[row].moved));
        }
        thresholds(e, ast->args[0]);
        thresholds(e, ast->args[1]);
    } else if (ast->kind == AST_CALL && ast->func == F_IN) {
        entries(e, ast->args[1]);
    } else if (ast->kind == AST_CALL) {
        meanings(e, ast);
    }
    for (uint32_t i = 0; i < ast->count; i++) {
        const struct ast *arg = ast->args[i];
        bool condition = ast->kind == AST_CALL && ast->func == F_COND && i == 0;
        if (condition || (is_truth(arg) && arg->kind == AST_CALL)) {
            walk_truth(e, arg, FIND_INNER);
        } else {
            walk_inner(e, arg);
        }
    }
}

// ---- One expression ---------------------------------------------------------------------------------

static bool read_tokens(struct expr *e, struct unit *unit)
{
    struct lexer lexer = {.unit = unit, .text = e->text};
    struct token *tokens = ARENA_ARRAY(&e->arena, struct token, e->text.len + 1);
    if (tokens == NULL) {
        return false;
    }
    do {
        lex_next(&lexer, &tokens[e->token_count]);
    } while (tokens[e->token_count].kind != TOK_END && tokens[e->token_count].kind != TOK_BAD &&
             ++e->token_count <= e->text.len);
    e->tokens = tokens;
    return true;
}

void find_expr(struct find *find, const struct conf_node *node, enum find_role role, bool truth)
{
    if (node == NULL || node->kind != CONF_SCALAR) {
        return;
    }
    struct expr e = {.find = find, .node = node, .text = node->text};
    struct cel_text text = {.text = node->text};
    arena_init(&e.arena, 0, 0);
    struct unit unit = {.text = &text, .arena = &e.arena, .depth_max = 64};
    if (parse_unit(&unit) == PDP_ERR_OK && read_tokens(&e, &unit)) {
        if (truth || is_truth(unit.root)) {
            walk_truth(&e, unit.root, role);
        } else {
            walk_inner(&e, unit.root);
        }
    }
    arena_fini(&e.arena);
}
