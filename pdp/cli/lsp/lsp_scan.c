// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_scan.h"

bool lsp_scan_among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

char lsp_scan_byte(const struct lsp_scan *s, size_t at)
{
    return at < s->end ? s->text.at[at] : '\n';
}

size_t lsp_scan_eol(const struct lsp_scan *s, size_t at)
{
    size_t end = str_find_byte(str_sub(s->text, 0, s->end), '\n', at);
    return end;
}

size_t lsp_scan_blanks(const struct lsp_scan *s, size_t at)
{
    while (lsp_scan_byte(s, at) == ' ' || lsp_scan_byte(s, at) == '\t' || lsp_scan_byte(s, at) == '\r') {
        at++;
    }
    return at < s->end ? at : s->end;
}

size_t lsp_scan_column(const struct lsp_scan *s, size_t at)
{
    size_t col = 0;
    while (at > 0 && s->text.at[at - 1] != '\n') {
        at--;
        col++;
    }
    return col;
}

// ---- What is noted ------------------------------------------------------------------------------

void lsp_scan_push(struct lsp_scan *s, enum lsp_scan_kind kind, size_t indent)
{
    if (s->depth == LSP_DEPTH_MAX) {
        s->deep = true;
        return;
    }
    s->stack[s->depth++] = (struct lsp_scan_frame){.kind = kind, .indent = indent, .number = ++s->maps};
}

struct lsp_scan_frame *lsp_scan_top(struct lsp_scan *s)
{
    return s->depth > 0 ? &s->stack[s->depth - 1] : NULL;
}

void lsp_scan_note(struct lsp_scan *s, size_t map, struct str name)
{
    if (s->key_count == s->key_cap) {
        size_t cap = s->key_cap == 0 ? 256 : s->key_cap * 2;
        struct lsp_scan_key *grown = ARENA_ARRAY(s->arena, struct lsp_scan_key, cap);
        if (grown == NULL) {
            return;
        }
        if (s->key_count > 0) {
            memcpy(grown, s->keys, s->key_count * sizeof *grown);
        }
        s->keys = grown;
        s->key_cap = cap;
    }
    s->keys[s->key_count++] = (struct lsp_scan_key){map, name};
}

void lsp_scan_found(struct lsp_scan *s, bool key, bool value, bool own, size_t from, size_t to,
                    enum lsp_style style)
{
    struct lsp_where *out = s->out;
    if (s->done) {
        return;
    }
    s->done = true;
    out->key = key && !s->deep;
    out->value = value && !s->deep;
    out->from = from < s->cursor ? from : s->cursor;
    out->to = to > s->cursor ? to : s->cursor;
    out->style = style;
    for (size_t i = 0; i < s->depth; i++) {
        const struct lsp_scan_frame *frame = &s->stack[i];
        bool item = frame->kind == LSP_SEQ || frame->kind == LSP_FLOW_SEQ;
        if (item || i + 1 < s->depth || own) {
            out->path[out->depth++] = (struct lsp_step){item ? (struct str){NULL, 0} : frame->key, item};
        }
    }
    const struct lsp_scan_frame *last = lsp_scan_top(s);
    s->map = key && last != NULL && (last->kind == LSP_MAP || last->kind == LSP_FLOW_MAP) && !own
                 ? last->number
                 : 0;
}

size_t lsp_scan_quoted_end(const struct lsp_scan *s, size_t at, char quote, size_t indent, bool *closed)
{
    size_t line = lsp_scan_eol(s, at);
    *closed = false;
    for (; at < s->end; at++) {
        char c = s->text.at[at];
        if (c == '\\' && quote == '"') {
            at++;
        } else if (c == '\'' && quote == '\'' && lsp_scan_byte(s, at + 1) == '\'') {
            at++;
        } else if (c == quote) {
            *closed = true;
            return at;
        } else if (c == '\n') {
            size_t next = lsp_scan_blanks(s, at + 1);
            if (lsp_scan_byte(s, next) != '\n' && lsp_scan_column(s, next) <= indent) {
                return line;
            }
        }
    }
    return line;
}

bool lsp_scan_here(const struct lsp_scan *s, size_t from, size_t to)
{
    return !s->done && s->cursor >= from && s->cursor <= to;
}
