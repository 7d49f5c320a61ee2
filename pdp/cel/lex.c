// SPDX-License-Identifier: Apache-2.0
#include "cel/foreign.h"

static const char *const RESERVED[] = {"as",        "break",  "const",  "continue", "else", "for",
                                       "function",  "if",     "import", "let",      "loop", "package",
                                       "namespace", "return", "var",    "void",     "while"};

static const struct {
    char text[3];
    uint8_t kind;
} SIGNS[] = {
    {"==", TOK_EQ},      {"!=", TOK_NE},     {"<=", TOK_LE},    {">=", TOK_GE},      {"&&", TOK_AND},
    {"||", TOK_OR},      {"(", TOK_LPAREN},  {")", TOK_RPAREN}, {"[", TOK_LBRACKET}, {"]", TOK_RBRACKET},
    {"{", TOK_LBRACE},   {"}", TOK_RBRACE},  {".", TOK_DOT},    {",", TOK_COMMA},    {":", TOK_COLON},
    {"?", TOK_QUESTION}, {"!", TOK_NOT},     {"-", TOK_MINUS},  {"+", TOK_PLUS},     {"*", TOK_STAR},
    {"/", TOK_SLASH},    {"%", TOK_PERCENT}, {"<", TOK_LT},     {">", TOK_GT},
};

static int peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.len ? (unsigned char)lexer->text.at[at] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_space(struct lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            lexer->at = str_find_byte(lexer->text, '\n', lexer->at);
        } else {
            return;
        }
    }
}

static void bad(struct lexer *lexer, struct token *out, size_t from, const char *what)
{
    uint32_t at = (uint32_t)from;
    uint32_t len = (uint32_t)(lexer->at > from ? lexer->at - from : 1);
    unit_error(lexer->unit, PDP_ERR_SYNTAX, at, len, "%s", what);
    lexer->at = lexer->text.len;
    out->kind = TOK_BAD;
}

static void lex_hex(struct lexer *lexer, struct token *out, size_t from)
{
    uint64_t value = 0;
    bool fits = true;
    lexer->at += 2;
    for (; is_hex(peek(lexer, 0)); lexer->at++) {
        int c = peek(lexer, 0);
        uint64_t digit = (uint64_t)(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
        fits = fits && value >> 60 == 0;
        value = (value << 4) | digit;
    }
    out->kind = TOK_INT;
    out->lit = (struct value){.kind = VALUE_UINT, .as.u = value};
    if (!fits) {
        bad(lexer, out, from, "the number does not fit in 64 bits");
    }
}

static void lex_digits(struct lexer *lexer)
{
    while (is_digit(peek(lexer, 0))) {
        lexer->at++;
    }
}

static bool lex_fraction(struct lexer *lexer)
{
    bool is_double = false;
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        is_double = true;
        lexer->at++;
        lex_digits(lexer);
    }
    int c = peek(lexer, 0);
    if (c == 'e' || c == 'E') {
        size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-' ? 2 : 1;
        if (is_digit(peek(lexer, sign))) {
            is_double = true;
            lexer->at += sign;
            lex_digits(lexer);
        }
    }
    return is_double;
}

static void lex_decimal(struct lexer *lexer, struct token *out, size_t from)
{
    lex_digits(lexer);
    bool is_double = lex_fraction(lexer);
    struct str digits = str_sub(lexer->text, from, lexer->at - from);
    if (is_double) {
        double value = 0;
        out->kind = TOK_DOUBLE;
        char with_zero[400];
        if (digits.at[0] == '.' && digits.len < sizeof with_zero - 1) {
            with_zero[0] = '0';
            memcpy(with_zero + 1, digits.at, digits.len);
            digits = (struct str){with_zero, digits.len + 1};
        }
        if (!str_to_double(digits, &value) || value - value != 0) { // infinity too
            bad(lexer, out, from, "the number is out of range");
            return;
        }
        out->lit = value_double(value);
        return;
    }
    uint64_t value = 0;
    out->kind = TOK_INT;
    if (!str_to_u64(digits, &value)) {
        bad(lexer, out, from, "the number does not fit in 64 bits");
        return;
    }
    out->lit = (struct value){.kind = VALUE_UINT, .as.u = value};
}

static void lex_number(struct lexer *lexer, struct token *out)
{
    size_t from = lexer->at;
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) | 32) == 'x' && is_hex(peek(lexer, 2));
    (hex ? lex_hex : lex_decimal)(lexer, out, from);
    if (out->kind == TOK_INT && (peek(lexer, 0) == 'u' || peek(lexer, 0) == 'U')) {
        out->kind = TOK_UINT;
        lexer->at++;
    }
    if (out->kind != TOK_BAD && is_letter(peek(lexer, 0))) {
        lexer->at++;
        bad(lexer, out, from, "a number runs into a name");
        foreign_number(lexer->unit, str_sub(lexer->text, from, lexer->text.len));
    }
}

static void lex_name(struct lexer *lexer, struct token *out)
{
    size_t from = lexer->at;
    while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0))) {
        lexer->at++;
    }
    static const struct {
        const char *text;
        uint8_t kind;
    } WORDS[] = {{"true", TOK_TRUE}, {"false", TOK_FALSE}, {"null", TOK_NULL}, {"in", TOK_IN}};
    out->kind = TOK_IDENT;
    out->text = str_sub(lexer->text, from, lexer->at - from);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_eq(out->text, str_of(WORDS[i].text))) {
            out->kind = (enum token_kind)WORDS[i].kind;
        }
    }
}

bool lex_reserved(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++) {
        if (str_eq(name, str_of(RESERVED[i]))) {
            return true;
        }
    }
    return false;
}

// `a-b` in back-quotes: letters, digits, and _ . - / and space.
static void lex_quoted(struct lexer *lexer, struct token *out)
{
    size_t from = lexer->at;
    size_t end = str_find_byte(lexer->text, '`', from + 1);
    out->kind = TOK_QUOTED;
    out->text = str_sub(lexer->text, from + 1, end - from - 1);
    bool good = end < lexer->text.len && out->text.len > 0;
    for (size_t i = 0; good && i < out->text.len; i++) {
        int c = (unsigned char)out->text.at[i];
        good = is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '/' || c == ' ';
    }
    lexer->at = end + 1;
    if (!good) {
        lexer->at = from + 1;
        bad(lexer, out, from, "a field name in back-quotes holds only letters, digits and _ . - / and space");
    }
}

static bool starts_string(const struct lexer *lexer)
{
    size_t ahead = 0;
    int c = peek(lexer, 0);
    bool raw = false, bytes = false;
    while ((c == 'r' || c == 'R' || c == 'b' || c == 'B') && ahead < 2) {
        bool *which = (c | 32) == 'r' ? &raw : &bytes;
        if (*which) {
            return false;
        }
        *which = true;
        c = peek(lexer, ++ahead);
    }
    return c == '"' || c == '\'';
}

static void lex_sign(struct lexer *lexer, struct token *out)
{
    struct str rest = str_sub(lexer->text, lexer->at, 2);
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++) {
        struct str sign = str_of(SIGNS[i].text);
        if (str_starts(rest, sign)) {
            out->kind = (enum token_kind)SIGNS[i].kind;
            lexer->at += sign.len;
            return;
        }
    }
    size_t from = lexer->at;
    uint32_t cp = 0;
    const char *what, *hint;
    foreign_sign(str_sub(lexer->text, from, lexer->text.len), &what, &hint);
    str_next_cp(lexer->text, &lexer->at, &cp);
    bad(lexer, out, from, what != NULL ? what : "unexpected character");
    if (hint != NULL) {
        unit_hint(lexer->unit, "%s", hint);
    }
}

void lex_next(struct lexer *lexer, struct token *out)
{
    skip_space(lexer);
    *out = (struct token){.kind = TOK_END, .at = (uint32_t)lexer->at};
    if (lexer->unit->err != PDP_ERR_OK) {
        out->kind = TOK_BAD;
        return;
    }
    int c = peek(lexer, 0);
    if (c < 0) {
        return;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        lex_number(lexer, out);
    } else if (starts_string(lexer)) {
        lex_string(lexer, out);
    } else if (is_letter(c)) {
        lex_name(lexer, out);
    } else if (c == '`') {
        lex_quoted(lexer, out);
    } else {
        lex_sign(lexer, out);
    }
    out->len = (uint32_t)(lexer->at - out->at);
}
