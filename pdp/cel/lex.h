// SPDX-License-Identifier: Apache-2.0
// Text to tokens, literals decoded.
#ifndef CEL_LEX_H
#define CEL_LEX_H

#include "cel/ast.h"

enum token_kind {
    TOK_END,
    TOK_BAD, // reported
    TOK_IDENT,
    TOK_QUOTED, // `a-b`, after a dot
    TOK_INT,    // magnitude in lit.as.u
    TOK_UINT,
    TOK_DOUBLE,
    TOK_STRING,
    TOK_BYTES,
    TOK_TRUE,
    TOK_FALSE,
    TOK_NULL,
    TOK_IN,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_DOT,
    TOK_COMMA,
    TOK_COLON,
    TOK_QUESTION,
    TOK_NOT,
    TOK_MINUS,
    TOK_PLUS,
    TOK_STAR,
    TOK_SLASH,
    TOK_PERCENT,
    TOK_EQ,
    TOK_NE,
    TOK_LT,
    TOK_LE,
    TOK_GT,
    TOK_GE,
    TOK_AND,
    TOK_OR,
};

struct token {
    enum token_kind kind;
    uint32_t at, len;
    struct str text;  // IDENT, QUOTED: the name
    struct value lit; // literals
};

struct lexer {
    struct unit *unit;
    struct str text;
    size_t at;
};

// Moves to the next token. After a mistake, which is reported, all further tokens are BAD.
void lex_next(struct lexer *lexer, struct token *out);
// `break`, `for` …: no name of a variable, though one of a field.
bool lex_reserved(struct str name);
// Decodes the string or bytes literal at lexer->at (prefix included).
void lex_string(struct lexer *lexer, struct token *out);

#endif
