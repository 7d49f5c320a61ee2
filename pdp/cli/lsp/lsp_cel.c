// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_cel.h"

#include "cli/lsp/lsp_text.h"

struct str lsp_cel_text(struct str raw, enum lsp_style style, struct arena *arena)
{
    if (style != LSP_SINGLE && style != LSP_DOUBLE) {
        return raw;
    }
    char *out = arena_alloc(arena, raw.len + 1, 1);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < raw.len; i++) {
        bool twice = style == LSP_SINGLE && raw.at[i] == '\'' && i + 1 < raw.len && raw.at[i + 1] == '\'';
        bool escaped = style == LSP_DOUBLE && raw.at[i] == '\\' && i + 1 < raw.len;
        i += twice || escaped;
        out[len++] = raw.at[i];
    }
    return (struct str){out, len};
}

// ---- Quotes -------------------------------------------------------------------------------------

// Is the end of the text in quotes? *from is the first byte in them.
static bool in_quotes(struct str text, size_t *from, bool *comment)
{
    *comment = false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.at[at];
        if (c == '/' && at + 1 < text.len && text.at[at + 1] == '/') {
            size_t end = str_find_byte(text, '\n', at);
            *comment = end == text.len;
            at = end;
            continue;
        }
        if (c != '"' && c != '\'') {
            continue;
        }
        bool raw = at > 0 && (text.at[at - 1] == 'r' || text.at[at - 1] == 'R');
        size_t end = at + 1;
        while (end < text.len && text.at[end] != c && text.at[end] != '\n') {
            end += text.at[end] == '\\' && !raw ? 2 : 1;
        }
        if (end >= text.len) {
            *from = at + 1;
            return true;
        }
        at = end;
    }
    return false;
}

static size_t before_blanks(struct str text, size_t at)
{
    while (at > 0 && (text.at[at - 1] == ' ' || text.at[at - 1] == '\n' || text.at[at - 1] == '\t')) {
        at--;
    }
    return at;
}

static bool in_chain(char c)
{
    return lsp_is_word(c) || c == '.';
}

// The name that ends at `end`.
static struct str name_before(struct str text, size_t end)
{
    size_t from = end;
    while (from > 0 && in_chain(text.at[from - 1])) {
        from--;
    }
    return str_sub(text, from, end - from);
}

// What the quotes that begin at `quote` stand beside: `level(`, `x ==`, `x in [`.
static void surroundings(struct str text, size_t quote, struct lsp_cel *out)
{
    size_t at = before_blanks(text, quote);
    if (at > 0 && text.at[at - 1] == '(') {
        out->call = name_before(text, at - 1);
        return;
    }
    bool compares = at > 1 && text.at[at - 1] == '=' && (text.at[at - 2] == '=' || text.at[at - 2] == '!');
    if (compares) {
        out->beside = name_before(text, before_blanks(text, at - 2));
        return;
    }
    while (at > 0 && (text.at[at - 1] == ',' || text.at[at - 1] == '"' || text.at[at - 1] == '\'' ||
                      text.at[at - 1] == ' ' || text.at[at - 1] == '-' || lsp_is_word(text.at[at - 1]))) {
        at--; // the other texts of a list
    }
    if (at > 0 && text.at[at - 1] == '[') {
        at = before_blanks(text, at - 1);
        if (str_eq(name_before(text, at), STR("in"))) {
            out->beside = name_before(text, before_blanks(text, at - 2));
        }
    }
}

// ---- Names --------------------------------------------------------------------------------------

static struct str last_word(struct str chain)
{
    size_t from = chain.len;
    while (from > 0 && chain.at[from - 1] != '.') {
        from--;
    }
    return str_sub(chain, from, chain.len);
}

void lsp_cel_at(struct str text, struct lsp_cel *out)
{
    size_t from = 0;
    bool comment = false;
    *out = (struct lsp_cel){0};
    if (in_quotes(text, &from, &comment)) {
        out->at = LSP_CEL_TEXT;
        out->typed = str_sub(text, from, text.len);
        surroundings(text, from - 1, out);
        return;
    }
    struct str chain = name_before(text, text.len);
    if (comment || (chain.len > 0 && chain.at[0] >= '0' && chain.at[0] <= '9')) {
        return;
    }
    out->at = chain.len > 0 && chain.at[0] == '.' ? LSP_CEL_MEMBER : LSP_CEL_NAME;
    out->chain = out->at == LSP_CEL_MEMBER ? str_sub(chain, 1, chain.len) : chain;
    out->word = last_word(chain);
}

struct str lsp_cel_around(struct str text, size_t at)
{
    size_t end = at < text.len ? at : text.len;
    while (end < text.len && lsp_is_word(text.at[end])) {
        end++;
    }
    struct str name = name_before(text, end);
    while (name.len > 0 && name.at[0] == '.') {
        name = str_sub(name, 1, name.len);
    }
    return name;
}
