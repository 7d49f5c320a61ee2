// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_where.h"

#include "cli/lsp/lsp_scan.h"

// ---- Scalars ------------------------------------------------------------------------------------

// Where a comment begins, or the line ends; trailing blanks left out.
static size_t plain_end(const struct lsp_scan *s, size_t at)
{
    size_t end = lsp_scan_eol(s, at);
    for (size_t i = at; i + 1 < end; i++) {
        if (s->text.at[i] == ' ' && s->text.at[i + 1] == '#') {
            end = i;
        }
    }
    while (end > at && (s->text.at[end - 1] == ' ' || s->text.at[end - 1] == '\r')) {
        end--;
    }
    return end;
}

// Past all lines that are blank or indented further than `indent`.
static size_t block_end(const struct lsp_scan *s, size_t at, size_t indent)
{
    while (at < s->end) {
        size_t first = lsp_scan_blanks(s, at);
        if (lsp_scan_byte(s, first) != '\n' && first - at <= indent) {
            break;
        }
        at = lsp_scan_eol(s, at) + 1;
    }
    return at < s->end ? at : s->end;
}

// Past the lines that a plain scalar goes on to: text that is indented further than `indent`.
static size_t plain_lines_end(const struct lsp_scan *s, size_t at, size_t indent)
{
    while (at < s->end) {
        size_t first = lsp_scan_blanks(s, at);
        if (lsp_scan_among(lsp_scan_byte(s, first), "\n#") || first - at <= indent) {
            break;
        }
        at = lsp_scan_eol(s, at) + 1;
    }
    return at < s->end ? at : s->end;
}

// ---- Block collections --------------------------------------------------------------------------

// A value that begins at `at`, on the line of its key or dash. Returns where the next line to look at begins.
// `indent`: column of the key or dash; `own`: there is a key.
static size_t value(struct lsp_scan *s, size_t at, size_t indent, bool own)
{
    char c = lsp_scan_byte(s, at);
    if (c == '{' || c == '[') {
        return lsp_scan_eol(s, lsp_scan_flow(s, at, indent)) + 1;
    }
    if (c == '|' || c == '>') {
        size_t from = lsp_scan_eol(s, at) + 1;
        size_t to = block_end(s, from, indent);
        if (from < s->end && lsp_scan_here(s, from, to > from ? to - 1 : from)) {
            lsp_scan_found(s, false, true, own, from, to, LSP_BLOCK);
        }
        return to;
    }
    if (c == '"' || c == '\'') {
        bool closed = false;
        size_t to = lsp_scan_quoted_end(s, at + 1, c, indent, &closed);
        if (lsp_scan_here(s, at + 1, to)) {
            lsp_scan_found(s, false, true, own, at + 1, to, c == '"' ? LSP_DOUBLE : LSP_SINGLE);
        }
        return lsp_scan_eol(s, to) + 1;
    }
    size_t to = plain_end(s, at);
    size_t next = lsp_scan_eol(s, at) + 1;
    size_t all = to > at ? plain_lines_end(s, next, indent) : next; // lines that it goes on to
    bool more = all > next;
    if (lsp_scan_here(s, at, more ? all - 1 : to)) {
        lsp_scan_found(s, !own, true, own, at, more ? all - 1 : to, LSP_PLAIN);
    }
    return more ? all : next;
}

// The key that begins at `at`; *after is behind its colon. false: there is none.
static bool key_at(const struct lsp_scan *s, size_t at, struct str *key, size_t *after)
{
    char c = lsp_scan_byte(s, at);
    size_t line = lsp_scan_eol(s, at);
    size_t end = at;
    if (c == '"' || c == '\'') {
        end = str_find_byte(str_sub(s->text, 0, line), c, at + 1);
        *key = str_sub(s->text, at + 1, end - at - 1);
        *after = end + 2;
        return lsp_scan_byte(s, end + 1) == ':' && end < line;
    }
    while (end < line && !(s->text.at[end] == ':' && lsp_scan_among(lsp_scan_byte(s, end + 1), " \n\r"))) {
        if (s->text.at[end] == '#' && end > at && s->text.at[end - 1] == ' ') {
            return false;
        }
        end++;
    }
    *key = str_sub(s->text, at, end - at);
    *after = end + 1;
    return end < line && end > at && !lsp_scan_among(c, "{[|>");
}

static void note_kind(struct lsp_scan *s, struct str key, size_t at)
{
    if (s->depth == 1 && str_eq(key, STR("kind"))) {
        s->out->kind = str_trim(str_sub(s->text, at, plain_end(s, at) - at));
    }
}

// Text without a key: half a key, a scalar, or a collection in brackets.
static size_t bare(struct lsp_scan *s, size_t at, size_t col)
{
    const struct lsp_scan_frame *holds = lsp_scan_top(s);
    bool in_map = holds != NULL && holds->kind == LSP_MAP;
    bool in_list = holds != NULL && holds->kind == LSP_SEQ;
    bool deeper = in_map && holds->indent < col;
    bool plain = !lsp_scan_among(lsp_scan_byte(s, at), "{[|>\"'");
    bool on_it = lsp_scan_here(s, at, plain_end(s, at));
    if (in_map && !deeper && plain) { // a key of which the colon is missing yet
        if (on_it) {
            lsp_scan_found(s, true, false, false, at, plain_end(s, at), LSP_PLAIN);
        }
        return lsp_scan_eol(s, at) + 1;
    }
    if (on_it && holds == NULL) {
        lsp_scan_found(s, true, false, true, at, plain_end(s, at), LSP_PLAIN);
    } else if (on_it && deeper && plain) { // of the key above: its text, or a map
        lsp_scan_found(s, true, true, true, at, plain_end(s, at), LSP_PLAIN);
    }
    return value(s, at, deeper || in_list ? holds->indent : col, in_map);
}

// What stands at column `col` (byte `at`), behind dashes if there are any.
static size_t entry(struct lsp_scan *s, size_t at, size_t col)
{
    struct str key = {NULL, 0};
    size_t after = 0;
    if (!key_at(s, at, &key, &after)) {
        return bare(s, at, col);
    }
    if (lsp_scan_top(s) == NULL || lsp_scan_top(s)->kind != LSP_MAP || lsp_scan_top(s)->indent != col) {
        lsp_scan_push(s, LSP_MAP, col);
    }
    struct lsp_scan_frame *map = lsp_scan_top(s);
    map->key = key;
    lsp_scan_note(s, map->number, key);
    size_t key_from = (size_t)(key.at - s->text.at);
    size_t first = lsp_scan_blanks(s, after);
    bool empty = lsp_scan_byte(s, first) == '\n';
    if (lsp_scan_here(s, key_from, key_from + key.len)) {
        lsp_scan_found(s, true, false, false, key_from, key_from + key.len, LSP_PLAIN);
    } else if ((first > after || empty) && lsp_scan_here(s, after, first > after ? first - 1 : after)) {
        lsp_scan_found(s, false, true, true, s->cursor, s->cursor, LSP_PLAIN);
    }
    note_kind(s, key, first);
    if (!empty && lsp_scan_byte(s, first) != '#') {
        return value(s, first, col, true);
    }
    if (lsp_scan_here(s, first, first)) {
        lsp_scan_found(s, false, true, true, first, first, LSP_PLAIN);
    }
    return lsp_scan_eol(s, first) + 1;
}

static void pop_to(struct lsp_scan *s, size_t indent, bool dash)
{
    while (s->depth > 0) {
        const struct lsp_scan_frame *frame = lsp_scan_top(s);
        if (frame->indent < indent || (frame->indent == indent && (frame->kind == LSP_MAP || dash))) {
            break;
        }
        s->depth--;
    }
}

static bool is_dash(const struct lsp_scan *s, size_t at)
{
    return lsp_scan_byte(s, at) == '-' && lsp_scan_among(lsp_scan_byte(s, at + 1), " \n\r");
}

// A line on which only blanks stand, and the cursor: what may be written there?
static void blank(struct lsp_scan *s, size_t line)
{
    size_t col = s->cursor - line;
    pop_to(s, col, false);
    const struct lsp_scan_frame *holds = lsp_scan_top(s);
    bool deeper = holds != NULL && holds->kind == LSP_MAP && holds->indent < col;
    lsp_scan_found(s, true, deeper, deeper || holds == NULL || holds->kind == LSP_SEQ, s->cursor, s->cursor,
                   LSP_PLAIN);
}

static size_t line(struct lsp_scan *s, size_t start)
{
    size_t at = lsp_scan_blanks(s, start);
    if (lsp_scan_byte(s, at) == '\n' || lsp_scan_byte(s, at) == '#') {
        bool empty = lsp_scan_byte(s, at) == '\n';
        if (lsp_scan_here(s, start, lsp_scan_eol(s, start)) && (empty || s->cursor <= at)) {
            blank(s, start);
        } else if (lsp_scan_here(s, start, lsp_scan_eol(s, start))) {
            s->done = true; // in a comment
        }
        return lsp_scan_eol(s, start) + 1;
    }
    size_t col = at - start;
    pop_to(s, col, is_dash(s, at));
    if (lsp_scan_here(s, start, at > start ? at - 1 : start) && at > start) {
        lsp_scan_found(s, true, false, lsp_scan_top(s) == NULL, s->cursor, s->cursor, LSP_PLAIN);
    }
    while (is_dash(s, at)) {
        if (lsp_scan_top(s) == NULL || lsp_scan_top(s)->kind != LSP_SEQ || lsp_scan_top(s)->indent != col) {
            lsp_scan_push(s, LSP_SEQ, col);
        }
        size_t next = lsp_scan_blanks(s, at + 1);
        if (lsp_scan_here(s, at + 1, next) && lsp_scan_byte(s, next) == '\n') {
            lsp_scan_found(s, true, true, true, s->cursor, s->cursor, LSP_PLAIN);
        }
        col += next - at;
        at = next;
        if (lsp_scan_byte(s, at) == '\n') {
            return lsp_scan_eol(s, at) + 1;
        }
    }
    return entry(s, at, col);
}

// ---- The document -------------------------------------------------------------------------------

static bool is_mark(struct str text, size_t at)
{
    struct str three = str_sub(text, at, 3);
    return str_eq(three, STR("---")) && (at + 3 >= text.len || lsp_scan_among(text.at[at + 3], " \n\r"));
}

// The document that holds the cursor, without the marks around it.
static void find_document(struct str text, size_t cursor, size_t *from, size_t *to)
{
    *from = 0;
    *to = text.len;
    for (size_t at = 0; at < text.len;) {
        size_t next = str_find_byte(text, '\n', at) + 1;
        if (is_mark(text, at)) {
            if (at > cursor) {
                *to = at;
                return;
            }
            *from = next < text.len ? next : text.len;
        }
        at = next;
    }
}

static void siblings(struct lsp_scan *s)
{
    struct str *list = ARENA_ARRAY(s->arena, struct str, s->key_count + 1);
    for (size_t i = 0; list != NULL && s->map != 0 && i < s->key_count; i++) {
        struct str name = s->keys[i].name;
        if (s->keys[i].map == s->map && (size_t)(name.at - s->text.at) != s->out->from) {
            list[s->out->sibling_count++] = name;
        }
    }
    s->out->siblings = list;
}

void lsp_where(struct str text, size_t cursor, struct arena *arena, struct lsp_where *out)
{
    *out = (struct lsp_where){.from = cursor, .to = cursor};
    struct lsp_scan s = {.text = text, .cursor = cursor, .arena = arena, .out = out};
    size_t from = 0;
    find_document(text, cursor, &from, &s.end);
    out->document = str_sub(text, from, s.end - from);
    if (cursor < from) { // on the mark itself
        return;
    }
    for (size_t at = from; at < s.end && !s.deep;) {
        size_t next = line(&s, at);
        at = next > at ? next : at + 1;
    }
    if (!s.done && !s.deep && cursor >= s.end) { // behind the last line break
        size_t start = cursor - lsp_scan_column(&s, cursor);
        if (str_trim(str_sub(text, start, cursor - start)).len == 0) {
            blank(&s, start);
        }
    }
    siblings(&s);
}

bool lsp_where_is(const struct lsp_where *where, const char *pattern)
{
    struct str rest = str_of(pattern);
    size_t step = 0;
    for (size_t at = 0; at < rest.len; step++) {
        size_t end = str_find_byte(rest, '/', at);
        struct str part = str_sub(rest, at, end - at);
        if (str_eq(part, STR("**"))) {
            return true;
        }
        if (step >= where->depth) {
            return false;
        }
        const struct lsp_step *is = &where->path[step];
        bool same = str_eq(part, STR("*")) || (is->item ? str_eq(part, STR("-")) : str_eq(part, is->key));
        if (!same) {
            return false;
        }
        at = end + 1;
    }
    return step == where->depth;
}
