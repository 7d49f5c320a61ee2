// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_where.h"

enum frame_kind {
    MAP,
    SEQ,
    FLOW_MAP,
    FLOW_SEQ
};

struct frame {
    enum frame_kind kind;
    size_t indent; // column of its keys or dashes; of a flow collection that of what holds it
    size_t number; // of this map
    struct str key;
    bool in_value; // of a flow map: behind the colon
};

struct key {
    size_t map;
    struct str name;
};

struct scan {
    struct str text;
    size_t cursor, end; // of the document
    size_t at;
    struct frame stack[LSP_DEPTH_MAX];
    size_t depth, maps;
    struct key *keys;
    size_t key_count, key_cap;
    struct arena *arena;
    struct lsp_where *out;
    size_t map; // that the cursor's key is in; 0: none
    bool done;  // the cursor was passed
    bool deep;  // deeper than we look
};

static bool among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static char byte_at(const struct scan *s, size_t at)
{
    return at < s->end ? s->text.at[at] : '\n';
}

static size_t eol(const struct scan *s, size_t at)
{
    size_t end = str_find_byte(str_sub(s->text, 0, s->end), '\n', at);
    return end;
}

static size_t skip_spaces(const struct scan *s, size_t at)
{
    while (byte_at(s, at) == ' ' || byte_at(s, at) == '\t' || byte_at(s, at) == '\r') {
        at++;
    }
    return at < s->end ? at : s->end;
}

static size_t column(const struct scan *s, size_t at)
{
    size_t col = 0;
    while (at > 0 && s->text.at[at - 1] != '\n') {
        at--;
        col++;
    }
    return col;
}

// ---- What is noted ------------------------------------------------------------------------------

static void push(struct scan *s, enum frame_kind kind, size_t indent)
{
    if (s->depth == LSP_DEPTH_MAX) {
        s->deep = true;
        return;
    }
    s->stack[s->depth++] = (struct frame){.kind = kind, .indent = indent, .number = ++s->maps};
}

static struct frame *top(struct scan *s)
{
    return s->depth > 0 ? &s->stack[s->depth - 1] : NULL;
}

static void note_key(struct scan *s, size_t map, struct str name)
{
    if (s->key_count == s->key_cap) {
        size_t cap = s->key_cap == 0 ? 256 : s->key_cap * 2;
        struct key *grown = ARENA_ARRAY(s->arena, struct key, cap);
        if (grown == NULL) {
            return;
        }
        if (s->key_count > 0) {
            memcpy(grown, s->keys, s->key_count * sizeof *grown);
        }
        s->keys = grown;
        s->key_cap = cap;
    }
    s->keys[s->key_count++] = (struct key){map, name};
}

// The cursor is here: the path as the stack has it. `own`: the key of the innermost map is part of it.
static void found(struct scan *s, bool key, bool value, bool own, size_t from, size_t to,
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
        const struct frame *frame = &s->stack[i];
        bool item = frame->kind == SEQ || frame->kind == FLOW_SEQ;
        if (item || i + 1 < s->depth || own) {
            out->path[out->depth++] = (struct lsp_step){item ? (struct str){NULL, 0} : frame->key, item};
        }
    }
    const struct frame *last = top(s);
    s->map = key && last != NULL && (last->kind == MAP || last->kind == FLOW_MAP) && !own ? last->number : 0;
}

// ---- Scalars ------------------------------------------------------------------------------------

// The end of quoted text that begins behind `at`: of its last byte. It goes on to lines that are indented
// further than `indent`; one that is not closed ends with its line.
static size_t quoted_end(const struct scan *s, size_t at, char quote, size_t indent, bool *closed)
{
    size_t line = eol(s, at);
    *closed = false;
    for (; at < s->end; at++) {
        char c = s->text.at[at];
        if (c == '\\' && quote == '"') {
            at++;
        } else if (c == '\'' && quote == '\'' && byte_at(s, at + 1) == '\'') {
            at++;
        } else if (c == quote) {
            *closed = true;
            return at;
        } else if (c == '\n') {
            size_t next = skip_spaces(s, at + 1);
            if (byte_at(s, next) != '\n' && column(s, next) <= indent) {
                return line;
            }
        }
    }
    return line;
}

// Where a comment begins, or the line ends; trailing blanks left out.
static size_t plain_end(const struct scan *s, size_t at)
{
    size_t end = eol(s, at);
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
static size_t block_end(const struct scan *s, size_t at, size_t indent)
{
    while (at < s->end) {
        size_t first = skip_spaces(s, at);
        if (byte_at(s, first) != '\n' && first - at <= indent) {
            break;
        }
        at = eol(s, at) + 1;
    }
    return at < s->end ? at : s->end;
}

// Past the lines that a plain scalar goes on to: text that is indented further than `indent`.
static size_t plain_lines_end(const struct scan *s, size_t at, size_t indent)
{
    while (at < s->end) {
        size_t first = skip_spaces(s, at);
        if (among(byte_at(s, first), "\n#") || first - at <= indent) {
            break;
        }
        at = eol(s, at) + 1;
    }
    return at < s->end ? at : s->end;
}

static bool here(const struct scan *s, size_t from, size_t to)
{
    return !s->done && s->cursor >= from && s->cursor <= to;
}

// ---- Flow collections: `{…}` and `[…]` ----------------------------------------------------------

static bool flow_key(const struct frame *frame)
{
    return frame->kind == FLOW_MAP && !frame->in_value;
}

static void flow_found(struct scan *s, size_t from, size_t to, enum lsp_style style)
{
    const struct frame *frame = top(s);
    bool key = flow_key(frame);
    found(s, key, !key, !key, from, to, style);
}

// One word of a flow collection, quoted or plain; returns where it ends.
static size_t flow_word(struct scan *s, size_t at, size_t indent)
{
    char c = s->text.at[at];
    bool quoted = c == '"' || c == '\'';
    size_t from = quoted ? at + 1 : at;
    bool closed = false;
    size_t end = from;
    if (quoted) {
        end = quoted_end(s, from, c, indent, &closed);
    } else {
        while (end < s->end && !among(s->text.at[end], ",]}\n") &&
               !(s->text.at[end] == ':' && among(byte_at(s, end + 1), " ,]}\n\r"))) {
            end++;
        }
    }
    size_t trimmed = end;
    while (!quoted && trimmed > from && s->text.at[trimmed - 1] == ' ') {
        trimmed--;
    }
    if (here(s, from, quoted ? end : trimmed)) {
        flow_found(s, from, trimmed, c == '"' ? LSP_DOUBLE : c == '\'' ? LSP_SINGLE : LSP_PLAIN);
    }
    if (flow_key(top(s))) {
        top(s)->key = str_sub(s->text, from, trimmed - from);
        note_key(s, top(s)->number, top(s)->key);
    }
    return quoted && closed ? end + 1 : end;
}

// A mark of a flow collection; false where the outermost one has ended.
static bool flow_mark(struct scan *s, char c, size_t base, size_t indent)
{
    if (c == '{' || c == '[') {
        push(s, c == '{' ? FLOW_MAP : FLOW_SEQ, indent);
    } else if (c == ',') {
        top(s)->in_value = false;
        top(s)->key = (struct str){NULL, 0};
    } else if (c == ':') {
        top(s)->in_value = true;
    } else if (c == '}' || c == ']') {
        s->depth--;
    }
    return s->depth > base && !s->deep;
}

// From the first `{` or `[` on; returns past its end. A line that is indented no further than what holds it
// ends it too: somebody is still writing it.
static size_t flow(struct scan *s, size_t at, size_t indent)
{
    size_t base = s->depth;
    for (bool open = true; open && at < s->end;) {
        size_t next = skip_spaces(s, at);
        if (s->depth > base && next > at && here(s, at, next - 1)) {
            flow_found(s, s->cursor, s->cursor, LSP_PLAIN);
        }
        at = next;
        char c = byte_at(s, at);
        if (s->depth > base && here(s, at, at) && among(c, "{[}],:\n#")) {
            flow_found(s, at, at, LSP_PLAIN);
        }
        if (at >= s->end) {
            break;
        }
        if (c == '\n' || (c == '#' && at > 0 && s->text.at[at - 1] == ' ')) {
            size_t line = eol(s, at) + 1;
            size_t first = skip_spaces(s, line);
            if (line >= s->end || (byte_at(s, first) != '\n' && first - line <= indent)) {
                at = eol(s, at);
                break;
            }
            at = line;
        } else if (among(c, "{[}],:")) {
            open = flow_mark(s, c, base, indent);
            at++;
        } else {
            at = flow_word(s, at, indent);
        }
    }
    if (s->depth > base && at >= s->end && here(s, at, at)) {
        flow_found(s, at, at, LSP_PLAIN);
    }
    s->depth = base < s->depth ? base : s->depth;
    return at;
}

// ---- Block collections --------------------------------------------------------------------------

// A value that begins at `at`, on the line of its key or dash. Returns where the next line to look at begins.
// `indent`: column of the key or dash; `own`: there is a key.
static size_t value(struct scan *s, size_t at, size_t indent, bool own)
{
    char c = byte_at(s, at);
    if (c == '{' || c == '[') {
        return eol(s, flow(s, at, indent)) + 1;
    }
    if (c == '|' || c == '>') {
        size_t from = eol(s, at) + 1;
        size_t to = block_end(s, from, indent);
        if (from < s->end && here(s, from, to > from ? to - 1 : from)) {
            found(s, false, true, own, from, to, LSP_BLOCK);
        }
        return to;
    }
    if (c == '"' || c == '\'') {
        bool closed = false;
        size_t to = quoted_end(s, at + 1, c, indent, &closed);
        if (here(s, at + 1, to)) {
            found(s, false, true, own, at + 1, to, c == '"' ? LSP_DOUBLE : LSP_SINGLE);
        }
        return eol(s, to) + 1;
    }
    size_t to = plain_end(s, at);
    size_t next = eol(s, at) + 1;
    size_t all = to > at ? plain_lines_end(s, next, indent) : next; // lines that it goes on to
    bool more = all > next;
    if (here(s, at, more ? all - 1 : to)) {
        found(s, !own, true, own, at, more ? all - 1 : to, LSP_PLAIN);
    }
    return more ? all : next;
}

// The key that begins at `at`; *after is behind its colon. false: there is none.
static bool key_at(const struct scan *s, size_t at, struct str *key, size_t *after)
{
    char c = byte_at(s, at);
    size_t line = eol(s, at);
    size_t end = at;
    if (c == '"' || c == '\'') {
        end = str_find_byte(str_sub(s->text, 0, line), c, at + 1);
        *key = str_sub(s->text, at + 1, end - at - 1);
        *after = end + 2;
        return byte_at(s, end + 1) == ':' && end < line;
    }
    while (end < line && !(s->text.at[end] == ':' && among(byte_at(s, end + 1), " \n\r"))) {
        if (s->text.at[end] == '#' && end > at && s->text.at[end - 1] == ' ') {
            return false;
        }
        end++;
    }
    *key = str_sub(s->text, at, end - at);
    *after = end + 1;
    return end < line && end > at && !among(c, "{[|>");
}

static void note_kind(struct scan *s, struct str key, size_t at)
{
    if (s->depth == 1 && str_eq(key, STR("kind"))) {
        s->out->kind = str_trim(str_sub(s->text, at, plain_end(s, at) - at));
    }
}

// Text without a key: half a key, a scalar, or a collection in brackets.
static size_t bare(struct scan *s, size_t at, size_t col)
{
    const struct frame *holds = top(s);
    bool in_map = holds != NULL && holds->kind == MAP;
    bool in_list = holds != NULL && holds->kind == SEQ;
    bool deeper = in_map && holds->indent < col;
    bool plain = !among(byte_at(s, at), "{[|>\"'");
    bool on_it = here(s, at, plain_end(s, at));
    if (in_map && !deeper && plain) { // a key of which the colon is missing yet
        if (on_it) {
            found(s, true, false, false, at, plain_end(s, at), LSP_PLAIN);
        }
        return eol(s, at) + 1;
    }
    if (on_it && holds == NULL) {
        found(s, true, false, true, at, plain_end(s, at), LSP_PLAIN);
    } else if (on_it && deeper && plain) { // of the key above: its text, or a map
        found(s, true, true, true, at, plain_end(s, at), LSP_PLAIN);
    }
    return value(s, at, deeper || in_list ? holds->indent : col, in_map);
}

// What stands at column `col` (byte `at`), behind dashes if there are any.
static size_t entry(struct scan *s, size_t at, size_t col)
{
    struct str key = {NULL, 0};
    size_t after = 0;
    if (!key_at(s, at, &key, &after)) {
        return bare(s, at, col);
    }
    if (top(s) == NULL || top(s)->kind != MAP || top(s)->indent != col) {
        push(s, MAP, col);
    }
    struct frame *map = top(s);
    map->key = key;
    note_key(s, map->number, key);
    size_t key_from = (size_t)(key.at - s->text.at);
    size_t first = skip_spaces(s, after);
    bool empty = byte_at(s, first) == '\n';
    if (here(s, key_from, key_from + key.len)) {
        found(s, true, false, false, key_from, key_from + key.len, LSP_PLAIN);
    } else if ((first > after || empty) && here(s, after, first > after ? first - 1 : after)) {
        found(s, false, true, true, s->cursor, s->cursor, LSP_PLAIN);
    }
    note_kind(s, key, first);
    if (!empty && byte_at(s, first) != '#') {
        return value(s, first, col, true);
    }
    if (here(s, first, first)) {
        found(s, false, true, true, first, first, LSP_PLAIN);
    }
    return eol(s, first) + 1;
}

static void pop_to(struct scan *s, size_t indent, bool dash)
{
    while (s->depth > 0) {
        const struct frame *frame = top(s);
        if (frame->indent < indent || (frame->indent == indent && (frame->kind == MAP || dash))) {
            break;
        }
        s->depth--;
    }
}

static bool is_dash(const struct scan *s, size_t at)
{
    return byte_at(s, at) == '-' && among(byte_at(s, at + 1), " \n\r");
}

// A line on which only blanks stand, and the cursor: what may be written there?
static void blank(struct scan *s, size_t line)
{
    size_t col = s->cursor - line;
    pop_to(s, col, false);
    const struct frame *holds = top(s);
    bool deeper = holds != NULL && holds->kind == MAP && holds->indent < col;
    found(s, true, deeper, deeper || holds == NULL || holds->kind == SEQ, s->cursor, s->cursor, LSP_PLAIN);
}

static size_t line(struct scan *s, size_t start)
{
    size_t at = skip_spaces(s, start);
    if (byte_at(s, at) == '\n' || byte_at(s, at) == '#') {
        bool empty = byte_at(s, at) == '\n';
        if (here(s, start, eol(s, start)) && (empty || s->cursor <= at)) {
            blank(s, start);
        } else if (here(s, start, eol(s, start))) {
            s->done = true; // in a comment
        }
        return eol(s, start) + 1;
    }
    size_t col = at - start;
    pop_to(s, col, is_dash(s, at));
    if (here(s, start, at > start ? at - 1 : start) && at > start) {
        found(s, true, false, top(s) == NULL, s->cursor, s->cursor, LSP_PLAIN);
    }
    while (is_dash(s, at)) {
        if (top(s) == NULL || top(s)->kind != SEQ || top(s)->indent != col) {
            push(s, SEQ, col);
        }
        size_t next = skip_spaces(s, at + 1);
        if (here(s, at + 1, next) && byte_at(s, next) == '\n') {
            found(s, true, true, true, s->cursor, s->cursor, LSP_PLAIN);
        }
        col += next - at;
        at = next;
        if (byte_at(s, at) == '\n') {
            return eol(s, at) + 1;
        }
    }
    return entry(s, at, col);
}

// ---- The document -------------------------------------------------------------------------------

static bool is_mark(struct str text, size_t at)
{
    struct str three = str_sub(text, at, 3);
    return str_eq(three, STR("---")) && (at + 3 >= text.len || among(text.at[at + 3], " \n\r"));
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

static void siblings(struct scan *s)
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
    struct scan s = {.text = text, .cursor = cursor, .arena = arena, .out = out};
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
        size_t start = cursor - column(&s, cursor);
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
