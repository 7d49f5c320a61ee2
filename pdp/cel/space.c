// SPDX-License-Identifier: Apache-2.0
#include "cel/space.h"

#include "cel/cel.h"
#include "cel/lex.h"

#define DEPTH_MAX 200
#define KEEP (-1)

struct space {
    struct str text;
    bool plain;
    enum token_kind before;      // the token that was written last; TOK_END: none
    bool unary;                  // it was an operator of what follows alone
    bool optional;               // it was the `?` of an optional
    size_t depth;                // of brackets
    uint32_t choices[DEPTH_MAX]; // `?` at each depth whose `:` is still to come
};

static bool is_one_of(enum token_kind kind, const enum token_kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

static bool is_operator(enum token_kind kind)
{
    static const enum token_kind KINDS[] = {TOK_EQ,    TOK_NE,      TOK_LT, TOK_LE,   TOK_GT,
                                            TOK_GE,    TOK_AND,     TOK_OR, TOK_PLUS, TOK_STAR,
                                            TOK_SLASH, TOK_PERCENT, TOK_IN, TOK_MINUS};
    return is_one_of(kind, KINDS, COUNT_OF(KINDS));
}

static bool is_opening(enum token_kind kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACKET || kind == TOK_LBRACE;
}

static bool is_closing(enum token_kind kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACKET || kind == TOK_RBRACE;
}

// Can an operand end with it?
static bool ends_operand(enum token_kind kind)
{
    static const enum token_kind KINDS[] = {TOK_IDENT,  TOK_QUOTED, TOK_INT,  TOK_UINT,  TOK_DOUBLE,
                                            TOK_STRING, TOK_BYTES,  TOK_TRUE, TOK_FALSE, TOK_NULL};
    return is_closing(kind) || is_one_of(kind, KINDS, COUNT_OF(KINDS));
}

// The `?` of `a.?b`, `[?a]` and `{?a: b}`.
static bool starts_optional(const struct space *s, enum token_kind kind)
{
    static const enum token_kind KINDS[] = {TOK_DOT, TOK_LBRACKET, TOK_LBRACE, TOK_COMMA};
    return kind == TOK_QUESTION && is_one_of(s->before, KINDS, COUNT_OF(KINDS));
}

static int colon_gap(const struct space *s, bool ahead)
{
    if (s->plain) {
        return KEEP;
    }
    bool choice = s->depth < DEPTH_MAX && s->choices[s->depth] > 0;
    return ahead && !choice ? 0 : 1;
}

// Blanks between the token before and this one.
static int gap_of(const struct space *s, enum token_kind kind)
{
    enum token_kind was = s->before;
    if (was == TOK_DOT || kind == TOK_DOT || s->unary || s->optional) {
        return 0;
    }
    if (kind == TOK_COLON || was == TOK_COLON) {
        return colon_gap(s, kind == TOK_COLON);
    }
    if (is_opening(was) || is_closing(kind) || kind == TOK_COMMA) {
        return 0;
    }
    if (was == TOK_COMMA || was == TOK_QUESTION || kind == TOK_QUESTION || is_operator(was) ||
        is_operator(kind)) {
        return 1;
    }
    return is_opening(kind) && ends_operand(was) ? 0 : KEEP;
}

static void count_brackets(struct space *s, enum token_kind kind)
{
    if (is_opening(kind)) {
        s->depth++;
        if (s->depth < DEPTH_MAX) {
            s->choices[s->depth] = 0;
        }
    } else if (is_closing(kind) && s->depth > 0) {
        s->depth--;
    } else if (s->depth < DEPTH_MAX && kind == TOK_QUESTION && !s->optional) {
        s->choices[s->depth]++;
    } else if (s->depth < DEPTH_MAX && kind == TOK_COLON && s->choices[s->depth] > 0) {
        s->choices[s->depth]--;
    }
}

static void pass(struct space *s, enum token_kind kind)
{
    s->optional = starts_optional(s, kind);
    s->unary = kind == TOK_NOT || (kind == TOK_MINUS && !ends_operand(s->before));
    count_brackets(s, kind);
    s->before = kind;
}

static bool is_blank(struct str gap)
{
    for (size_t i = 0; i < gap.len; i++) {
        if (gap.at[i] != ' ' && gap.at[i] != '\t') {
            return false;
        }
    }
    return true;
}

static void put_gap(const struct space *s, struct str gap, enum token_kind kind, struct buf *out)
{
    int wanted = s->before == TOK_END || !is_blank(gap) ? KEEP : gap_of(s, kind);
    if (wanted == KEEP) {
        buf_str(out, gap);
    } else if (wanted > 0) {
        buf_byte(out, ' ');
    }
}

static bool is_simple(struct str body)
{
    size_t len = body.len;
    return str_find_byte(body, '"', 0) == len && str_find_byte(body, '\\', 0) == len &&
           str_find_byte(body, '\n', 0) == len;
}

// `'a'` becomes `"a"`.
static void put_token(const struct token *token, struct str raw, struct buf *out)
{
    bool single = token->kind == TOK_STRING && raw.len >= 2 && raw.at[0] == '\'' &&
                  !(raw.len >= 6 && raw.at[1] == '\'' && raw.at[2] == '\'');
    struct str body = single ? str_sub(raw, 1, raw.len - 2) : raw;
    if (single && is_simple(body)) {
        buf_byte(out, '"');
        buf_str(out, body);
        buf_byte(out, '"');
    } else {
        buf_str(out, raw);
    }
}

// The text written anew, whatever it is; false: a token is none.
static bool rewrite(struct space *s, struct arena *arena, struct buf *out)
{
    struct token token = {0};
    size_t from = 0;
    const struct cel_text whole = {.text = s->text};
    struct unit unit = {.text = &whole, .arena = arena, .depth_max = DEPTH_MAX};
    struct lexer lexer = {.unit = &unit, .text = s->text};
    for (lex_next(&lexer, &token); token.kind != TOK_END && token.kind != TOK_BAD; lex_next(&lexer, &token)) {
        put_gap(s, str_sub(s->text, from, token.at - from), token.kind, out);
        put_token(&token, str_sub(s->text, token.at, token.len), out);
        pass(s, token.kind);
        from = token.at + token.len;
    }
    buf_str(out, str_sub(s->text, from, SIZE_MAX));
    return token.kind == TOK_END && !out->failed;
}

static bool parses(struct str text, struct arena *arena)
{
    const struct cel_text whole = {.text = text};
    struct unit unit = {.text = &whole, .arena = arena, .depth_max = DEPTH_MAX};
    return parse_unit(&unit) == PDP_ERR_OK;
}

bool space_print(struct str text, bool plain, struct arena *arena, struct buf *out)
{
    AUTO(buf_fini) struct buf written = {0};
    struct space s = {.text = text, .plain = plain, .before = TOK_END};
    if (!parses(text, arena) || !rewrite(&s, arena, &written) ||
        !space_same(text, buf_view(&written), arena)) {
        return false;
    }
    buf_str(out, buf_view(&written));
    return true;
}

static bool same_token(const struct token *one, struct str one_text, const struct token *other,
                       struct str other_text)
{
    if (one->kind != other->kind) {
        return false;
    }
    if (one->kind == TOK_STRING || one->kind == TOK_BYTES) {
        return str_eq(value_text(&one->lit), value_text(&other->lit));
    }
    return str_eq(str_sub(one_text, one->at, one->len), str_sub(other_text, other->at, other->len));
}

bool space_same(struct str one, struct str other, struct arena *arena)
{
    const struct cel_text texts[] = {{.text = one}, {.text = other}};
    struct unit units[] = {{.text = &texts[0], .arena = arena}, {.text = &texts[1], .arena = arena}};
    struct lexer left = {.unit = &units[0], .text = one}, right = {.unit = &units[1], .text = other};
    for (;;) {
        struct token a = {0}, b = {0};
        lex_next(&left, &a);
        lex_next(&right, &b);
        if (a.kind == TOK_BAD || !same_token(&a, one, &b, other)) {
            return false;
        }
        if (a.kind == TOK_END) {
            return true;
        }
    }
}
