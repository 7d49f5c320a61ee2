// SPDX-License-Identifier: Apache-2.0
#include "cel/lex.h"

struct quoted {
    struct lexer *lexer;
    struct token *out;
    bool raw, bytes;
    char quote;
    size_t marks; // 1 or 3
    size_t from;
    char *to; // decoded so far; never longer than the text
    size_t len;
};

static void fail(struct quoted *q, size_t at, size_t len, const char *what)
{
    unit_error(q->lexer->unit, PDP_ERR_SYNTAX, (uint32_t)at, (uint32_t)len, "%s", what);
    q->lexer->at = q->lexer->text.len;
    q->out->kind = TOK_BAD;
}

static bool at_end_from(const struct quoted *q, size_t at)
{
    struct str rest = str_sub(q->lexer->text, at, q->marks);
    if (rest.len < q->marks) {
        return false;
    }
    for (size_t i = 0; i < q->marks; i++) {
        if (rest.at[i] != q->quote) {
            return false;
        }
    }
    return true;
}

static bool at_end(const struct quoted *q)
{
    return at_end_from(q, q->lexer->at);
}

static void open(struct quoted *q)
{
    struct lexer *lexer = q->lexer;
    for (;; lexer->at++) {
        char c = lexer->text.at[lexer->at];
        if (c == 'r' || c == 'R') {
            q->raw = true;
        } else if (c == 'b' || c == 'B') {
            q->bytes = true;
        } else {
            break;
        }
    }
    q->quote = lexer->text.at[lexer->at];
    q->marks = 3;
    if (!at_end(q)) {
        q->marks = 1;
    }
    lexer->at += q->marks;
}

static int digit_of(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 32;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

// `count` digits of a base at the lexer's place; false where one is none.
static bool digits(struct quoted *q, size_t count, int base, uint32_t *out)
{
    struct str text = str_sub(q->lexer->text, q->lexer->at, count);
    *out = 0;
    if (text.len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of((unsigned char)text.at[i]);
        if (digit >= base) {
            return false;
        }
        *out = *out * (uint32_t)base + (uint32_t)digit;
    }
    q->lexer->at += count;
    return true;
}

static bool put_cp(struct quoted *q, uint32_t cp, bool as_byte)
{
    if (as_byte) {
        q->to[q->len++] = (char)(unsigned char)cp;
        return cp < 256;
    }
    char utf8[4];
    size_t n = str_put_cp(cp, utf8);
    memcpy(q->to + q->len, utf8, n);
    q->len += n;
    return n > 0;
}

// After the backslash. false: no such escape.
static bool escape(struct quoted *q)
{
    static const char SIMPLE[] = "abfnrtv\\?\"'`";
    static const char MEANS[] = "\a\b\f\n\r\t\v\\?\"'`";
    struct lexer *lexer = q->lexer;
    if (lexer->at >= lexer->text.len) {
        return false;
    }
    char c = lexer->text.at[lexer->at];
    const char *simple = c != '\0' ? strchr(SIMPLE, c) : NULL;
    uint32_t cp = 0;
    if (simple != NULL) {
        q->to[q->len++] = MEANS[simple - SIMPLE];
        lexer->at++;
        return true;
    }
    if (c >= '0' && c <= '3') {
        return digits(q, 3, 8, &cp) && put_cp(q, cp, q->bytes);
    }
    lexer->at++;
    switch (c) {
    case 'x':
    case 'X':
        return digits(q, 2, 16, &cp) && put_cp(q, cp, q->bytes);
    case 'u':
        return !q->bytes && digits(q, 4, 16, &cp) && put_cp(q, cp, false);
    case 'U':
        return !q->bytes && digits(q, 8, 16, &cp) && put_cp(q, cp, false);
    default:
        return false;
    }
}

static void body(struct quoted *q)
{
    struct lexer *lexer = q->lexer;
    while (!at_end(q)) {
        if (lexer->at >= lexer->text.len) {
            fail(q, q->from, q->lexer->text.len - q->from, "the text has no closing quote");
            return;
        }
        char c = lexer->text.at[lexer->at];
        if (q->marks == 1 && (c == '\n' || c == '\r')) {
            fail(q, q->from, lexer->at - q->from, "the text has no closing quote on its line");
            return;
        }
        size_t at = lexer->at++;
        if (c != '\\' || q->raw) {
            q->to[q->len++] = c;
        } else if (!escape(q)) {
            size_t end = lexer->at > at + 1 ? lexer->at : at + 2;
            fail(q, at, (end < lexer->text.len ? end : lexer->text.len) - at, "no such escape");
            unit_hint(lexer->unit, "for a pattern write r\"…\", in which a backslash is only itself");
            return;
        }
    }
    lexer->at += q->marks;
}

// An upper bound of what the literal decodes to, so that many literals do not cost the text's length each.
static size_t extent(const struct quoted *q)
{
    struct str text = q->lexer->text;
    size_t at = q->lexer->at;
    while (at < text.len && !(text.at[at] == q->quote && (q->marks == 1 || at_end_from(q, at)))) {
        at += text.at[at] == '\\' && !q->raw ? 2 : 1;
    }
    return (at < text.len ? at : text.len) - q->lexer->at;
}

void lex_string(struct lexer *lexer, struct token *out)
{
    struct quoted q = {.lexer = lexer, .out = out, .from = lexer->at};
    open(&q);
    out->kind = q.bytes ? TOK_BYTES : TOK_STRING;
    // Only `\U` of 10 bytes gives 4, and every other escape no more than it takes.
    q.to = arena_alloc(lexer->unit->arena, extent(&q) + 4, 1);
    if (q.to == NULL) {
        fail(&q, q.from, 1, "out of memory");
        return;
    }
    body(&q);
    // Escapes in texts are whole code points: what was UTF-8 stays UTF-8.
    out->lit = value_str((struct str){q.to, q.len});
    out->lit.kind = q.bytes ? VALUE_BYTES : VALUE_STRING;
}
