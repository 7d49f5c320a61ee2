// SPDX-License-Identifier: Apache-2.0
// Recursive descent over the grammar of the CEL specification, straight over the text.
#include "diff/plain.h"

#include <stdlib.h>

struct reader {
    struct str text;
    size_t at;
    struct arena *arena;
    bool failed;
};

static struct tree *expr(struct reader *r);

static struct tree *fail(struct reader *r)
{
    r->failed = true;
    return ARENA_NEW(r->arena, struct tree);
}

static void space(struct reader *r)
{
    while (r->at < r->text.len && strchr(" \t\r\n", r->text.at[r->at]) != NULL) {
        r->at++;
    }
}

static bool ahead(struct reader *r, const char *sign)
{
    space(r);
    return str_starts(str_sub(r->text, r->at, r->text.len), str_of(sign));
}

static bool take(struct reader *r, const char *sign)
{
    bool is = ahead(r, sign);
    r->at += is ? strlen(sign) : 0;
    return is;
}

static void need(struct reader *r, const char *sign)
{
    r->failed = !take(r, sign) || r->failed;
}

static struct tree *tree_new(struct reader *r, enum tree_kind kind, struct str name)
{
    struct tree *tree = ARENA_NEW(r->arena, struct tree);
    tree->kind = kind;
    tree->name = name;
    return tree;
}

static void append(struct reader *r, struct tree *to, struct tree *arg)
{
    struct tree **args = ARENA_ARRAY(r->arena, struct tree *, to->count + 1);
    if (to->count > 0) {
        memcpy(args, to->args, to->count * sizeof *args);
    }
    args[to->count++] = arg;
    to->args = args;
}

static struct tree *literal(struct reader *r, struct value value)
{
    struct tree *tree = tree_new(r, TREE_LIT, STR(""));
    tree->lit = value;
    return tree;
}

static struct tree *call(struct reader *r, const char *name, struct tree *a, struct tree *b)
{
    struct tree *tree = tree_new(r, TREE_CALL, str_of(name));
    append(r, tree, a);
    if (b != NULL) {
        append(r, tree, b);
    }
    return tree;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char now(const struct reader *r, size_t further)
{
    return r->at + further < r->text.len ? r->text.at[r->at + further] : '\0';
}

static struct str word(struct reader *r)
{
    space(r);
    size_t from = r->at;
    while (is_letter(now(r, 0)) || (r->at > from && is_digit(now(r, 0)))) {
        r->at++;
    }
    return str_sub(r->text, from, r->at - from);
}

static struct tree *number(struct reader *r, bool negative)
{
    char digits[64];
    size_t n = 0;
    bool real = false, hex = now(r, 0) == '0' && (now(r, 1) | 32) == 'x';
    digits[n++] = negative ? '-' : '+';
    for (; n < sizeof digits - 1; n++, r->at++) {
        char c = now(r, 0);
        bool exponent = !hex && (c | 32) == 'e';
        bool sign = n > 1 && !hex && (digits[n - 1] | 32) == 'e' && (c == '+' || c == '-');
        bool dot = !hex && c == '.' && is_digit(now(r, 1));
        bool hexits = hex && ((c | 32) == 'x' || ((c | 32) >= 'a' && (c | 32) <= 'f'));
        if (!is_digit(c) && !exponent && !sign && !dot && !hexits) {
            break;
        }
        real = real || exponent || dot;
        digits[n] = c;
    }
    digits[n] = '\0';
    if (real) {
        return literal(r, value_double(strtod(digits, NULL)));
    }
    if ((now(r, 0) | 32) == 'u') {
        r->at++;
        return literal(r,
                       (struct value){.kind = VALUE_UINT, .as.u = strtoull(digits + 1, NULL, hex ? 16 : 10)});
    }
    return literal(r, value_int(strtoll(digits, NULL, hex ? 16 : 10)));
}

static uint32_t hex_number(struct reader *r, size_t digits)
{
    char text[9] = {0};
    for (size_t i = 0; i < digits; i++) {
        text[i] = now(r, 0);
        r->at++;
    }
    return (uint32_t)strtoul(text, NULL, 16);
}

static size_t escape(struct reader *r, bool bytes, char out[4])
{
    static const char FROM[] = "abfnrtv\\'\"`?", TO[] = "\a\b\f\n\r\t\v\\'\"`?";
    char c = now(r, 0);
    const char *known = c != '\0' ? strchr(FROM, c) : NULL;
    r->at++;
    if (known != NULL) {
        out[0] = TO[known - FROM];
        return 1;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    r->failed = r->failed || digits == 0;
    uint32_t cp = hex_number(r, digits);
    if (bytes) {
        out[0] = (char)cp;
        return 1;
    }
    return str_put_cp(cp, out);
}

static struct tree *quoted(struct reader *r, bool raw, bool bytes)
{
    char quote = now(r, 0);
    size_t room = r->text.len - r->at + 1, n = 0;
    char *text = arena_alloc(r->arena, room * 4, 1);
    for (r->at++; now(r, 0) != quote && r->at < r->text.len;) {
        if (now(r, 0) == '\\' && !raw) {
            r->at++;
            n += escape(r, bytes, text + n);
        } else {
            text[n++] = now(r, 0);
            r->at++;
        }
    }
    r->at++;
    struct value value = value_str((struct str){text, n});
    value.kind = bytes ? VALUE_BYTES : VALUE_STRING;
    return literal(r, value);
}

static void arguments(struct reader *r, struct tree *to, const char *end)
{
    while (!take(r, end) && !r->failed) {
        append(r, to, expr(r));
        if (to->kind == TREE_MAP) {
            need(r, ":");
            append(r, to, expr(r));
        }
        if (!ahead(r, end)) {
            need(r, ",");
        }
    }
}

static struct tree *named(struct reader *r)
{
    struct str name = word(r);
    bool quote = now(r, 0) == '"' || now(r, 0) == '\'';
    if (quote && name.len == 1 && (name.at[0] == 'r' || name.at[0] == 'b')) {
        return quoted(r, name.at[0] == 'r', name.at[0] == 'b');
    }
    if (str_eq(name, STR("true")) || str_eq(name, STR("false"))) {
        return literal(r, value_bool(name.len == 4));
    }
    if (str_eq(name, STR("null"))) {
        return literal(r, value_null());
    }
    if (take(r, "(")) {
        struct tree *tree = tree_new(r, TREE_CALL, name);
        arguments(r, tree, ")");
        return tree;
    }
    return name.len > 0 ? tree_new(r, TREE_NAME, name) : fail(r);
}

static struct tree *primary(struct reader *r)
{
    space(r);
    if (take(r, "(")) {
        struct tree *inner = expr(r);
        need(r, ")");
        return inner;
    }
    if (take(r, "[")) {
        struct tree *list = tree_new(r, TREE_LIST, STR(""));
        arguments(r, list, "]");
        return list;
    }
    if (take(r, "{")) {
        struct tree *map = tree_new(r, TREE_MAP, STR(""));
        arguments(r, map, "}");
        return map;
    }
    if (is_digit(now(r, 0))) {
        return number(r, false);
    }
    if (now(r, 0) == '"' || now(r, 0) == '\'') {
        return quoted(r, false, false);
    }
    return named(r);
}

static struct tree *member(struct reader *r)
{
    struct tree *tree = primary(r);
    while (!r->failed) {
        if (take(r, ".")) {
            struct str name = word(r);
            bool is_call = take(r, "(");
            struct tree *next = tree_new(r, is_call ? TREE_CALL : TREE_FIELD, name);
            next->member = is_call;
            append(r, next, tree);
            tree = next;
            if (is_call) {
                arguments(r, tree, ")");
            }
        } else if (take(r, "[")) {
            tree = call(r, "[]", tree, expr(r));
            need(r, "]");
        } else {
            break;
        }
    }
    return tree;
}

static struct tree *unary(struct reader *r)
{
    if (!ahead(r, "!=") && take(r, "!")) {
        return call(r, "!", unary(r), NULL);
    }
    if (take(r, "-")) {
        space(r);
        if (!is_digit(now(r, 0))) {
            return call(r, "neg", unary(r), NULL);
        }
        // The sign belongs to the number; what follows it, to both.
        return number(r, true);
    }
    return member(r);
}

// Signs of one level of precedence, longer ones first.
static const char *const LEVELS[][8] = {
    {"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">", "in"}, {"+", "-"}, {"*", "/", "%"},
};

static const char *sign_at(struct reader *r, size_t level)
{
    for (size_t i = 0; i < 8 && LEVELS[level][i] != NULL; i++) {
        const char *sign = LEVELS[level][i];
        if (ahead(r, sign)) {
            bool is_word = is_letter(sign[0]);
            char after = now(r, strlen(sign));
            if (!is_word || !(is_letter(after) || is_digit(after))) {
                return sign;
            }
        }
    }
    return NULL;
}

static struct tree *binary(struct reader *r, size_t level)
{
    if (level == COUNT_OF(LEVELS)) {
        return unary(r);
    }
    struct tree *left = binary(r, level + 1);
    const char *sign = NULL;
    while (!r->failed && (sign = sign_at(r, level)) != NULL) {
        need(r, sign);
        left = call(r, sign, left, binary(r, level + 1));
    }
    return left;
}

static struct tree *expr(struct reader *r)
{
    struct tree *test = binary(r, 0);
    if (r->failed || !take(r, "?")) {
        return test;
    }
    struct tree *tree = call(r, "?:", test, binary(r, 0));
    need(r, ":");
    append(r, tree, expr(r));
    return tree;
}

struct tree *plain_parse(struct str text, struct arena *arena)
{
    struct reader r = {.text = text, .arena = arena};
    struct tree *tree = expr(&r);
    space(&r);
    return r.failed || r.at != text.len ? NULL : tree;
}
