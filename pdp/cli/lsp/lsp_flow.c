// SPDX-License-Identifier: Apache-2.0
// Flow collections under the cursor: `{…}` and `[…]`.
#include "cli/lsp/lsp_scan.h"

static bool flow_key(const struct lsp_scan_frame *frame)
{
    return frame->kind == LSP_FLOW_MAP && !frame->in_value;
}

static void flow_found(struct lsp_scan *s, size_t from, size_t to, enum lsp_style style)
{
    const struct lsp_scan_frame *frame = lsp_scan_top(s);
    bool key = flow_key(frame);
    lsp_scan_found(s, key, !key, !key, from, to, style);
}

// One word of a flow collection, quoted or plain; returns where it ends.
static size_t flow_word(struct lsp_scan *s, size_t at, size_t indent)
{
    char c = s->text.at[at];
    bool quoted = c == '"' || c == '\'';
    size_t from = quoted ? at + 1 : at;
    bool closed = false;
    size_t end = from;
    if (quoted) {
        end = lsp_scan_quoted_end(s, from, c, indent, &closed);
    } else {
        while (end < s->end && !lsp_scan_among(s->text.at[end], ",]}\n") &&
               !(s->text.at[end] == ':' && lsp_scan_among(lsp_scan_byte(s, end + 1), " ,]}\n\r"))) {
            end++;
        }
    }
    size_t trimmed = end;
    while (!quoted && trimmed > from && s->text.at[trimmed - 1] == ' ') {
        trimmed--;
    }
    if (lsp_scan_here(s, from, quoted ? end : trimmed)) {
        flow_found(s, from, trimmed, c == '"' ? LSP_DOUBLE : c == '\'' ? LSP_SINGLE : LSP_PLAIN);
    }
    if (flow_key(lsp_scan_top(s))) {
        lsp_scan_top(s)->key = str_sub(s->text, from, trimmed - from);
        lsp_scan_note(s, lsp_scan_top(s)->number, lsp_scan_top(s)->key);
    }
    return quoted && closed ? end + 1 : end;
}

// A mark of a flow collection; false where the outermost one has ended.
static bool flow_mark(struct lsp_scan *s, char c, size_t base, size_t indent)
{
    if (c == '{' || c == '[') {
        lsp_scan_push(s, c == '{' ? LSP_FLOW_MAP : LSP_FLOW_SEQ, indent);
    } else if (c == ',') {
        lsp_scan_top(s)->in_value = false;
        lsp_scan_top(s)->key = (struct str){NULL, 0};
    } else if (c == ':') {
        lsp_scan_top(s)->in_value = true;
    } else if (c == '}' || c == ']') {
        s->depth--;
    }
    return s->depth > base && !s->deep;
}

size_t lsp_scan_flow(struct lsp_scan *s, size_t at, size_t indent)
{
    size_t base = s->depth;
    for (bool open = true; open && at < s->end;) {
        size_t next = lsp_scan_blanks(s, at);
        if (s->depth > base && next > at && lsp_scan_here(s, at, next - 1)) {
            flow_found(s, s->cursor, s->cursor, LSP_PLAIN);
        }
        at = next;
        char c = lsp_scan_byte(s, at);
        if (s->depth > base && lsp_scan_here(s, at, at) && lsp_scan_among(c, "{[}],:\n#")) {
            flow_found(s, at, at, LSP_PLAIN);
        }
        if (at >= s->end) {
            break;
        }
        if (c == '\n' || (c == '#' && at > 0 && s->text.at[at - 1] == ' ')) {
            size_t line = lsp_scan_eol(s, at) + 1;
            size_t first = lsp_scan_blanks(s, line);
            if (line >= s->end || (lsp_scan_byte(s, first) != '\n' && first - line <= indent)) {
                at = lsp_scan_eol(s, at);
                break;
            }
            at = line;
        } else if (lsp_scan_among(c, "{[}],:")) {
            open = flow_mark(s, c, base, indent);
            at++;
        } else {
            at = flow_word(s, at, indent);
        }
    }
    if (s->depth > base && at >= s->end && lsp_scan_here(s, at, at)) {
        flow_found(s, at, at, LSP_PLAIN);
    }
    s->depth = base < s->depth ? base : s->depth;
    return at;
}
