// SPDX-License-Identifier: Apache-2.0
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LINE_SHOWN = 160,
    CARETS_MOST = 80
};

void diags_init(struct diags *diags, size_t most)
{
    *diags = (struct diags){.most = most};
    arena_init(&diags->arena, 16 * 1024, 0);
}

void diags_fini(struct diags *diags)
{
    free(diags->list);
    arena_fini(&diags->arena);
    *diags = (struct diags){.most = diags->most};
}

static struct diag *diags_slot(struct diags *diags)
{
    if (diags->count >= diags->most) {
        return NULL;
    }
    if (diags->count == diags->cap) {
        size_t cap = diags->cap == 0 ? 16 : diags->cap * 2;
        struct diag *list = realloc(diags->list, cap * sizeof *list);
        if (list == NULL) {
            return NULL;
        }
        diags->list = list;
        diags->cap = cap;
    }
    return &diags->list[diags->count++];
}

static PRINTF_LIKE(2, 0) struct str format(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = len >= 0 ? arena_alloc(arena, (size_t)len + 1, 1) : NULL;
    if (text == NULL) {
        return (struct str){NULL, 0};
    }
    vsnprintf(text, (size_t)len + 1, fmt, args);
    return (struct str){text, (size_t)len};
}

enum pdp_err diag_error(struct diags *diags, enum pdp_err err, struct place place, const char *fmt, ...)
{
    diags->errors++;
    struct diag *diag = diags_slot(diags);
    if (diag != NULL) {
        va_list args;
        va_start(args, fmt);
        *diag = (struct diag){DIAG_ERROR, err, place, format(&diags->arena, fmt, args), {NULL, 0}};
        va_end(args);
    }
    return err;
}

void diag_warning(struct diags *diags, struct place place, const char *fmt, ...)
{
    diags->warnings++;
    struct diag *diag = diags_slot(diags);
    if (diag != NULL) {
        va_list args;
        va_start(args, fmt);
        *diag = (struct diag){DIAG_WARNING, PDP_ERR_OK, place, format(&diags->arena, fmt, args), {NULL, 0}};
        va_end(args);
    }
}

bool diag_wants_hint(const struct diags *diags)
{
    return diags->count > 0 && diags->errors + diags->warnings <= diags->count;
}

void diag_hint(struct diags *diags, const char *fmt, ...)
{
    if (!diag_wants_hint(diags)) {
        return;
    }
    struct diag *diag = &diags->list[diags->count - 1];
    if (diag->hint.len == 0) {
        va_list args;
        va_start(args, fmt);
        diag->hint = format(&diags->arena, fmt, args);
        va_end(args);
    }
}

// A walk through one source, so that many places in a long one cost one walk in all where they come in order.
struct walk {
    const struct source *src;
    size_t at; // start of a line
    uint32_t number;
};

// Eight bytes at a time: a list may have a million lines before its mistake.
static uint32_t count_lines(const char *at, size_t len)
{
    static const uint64_t ONES = UINT64_C(0x0101010101010101);
    static const uint64_t LOW = UINT64_C(0x7F7F7F7F7F7F7F7F);
    uint32_t count = 0;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word = 0;
        memcpy(&word, at, sizeof word);
        word ^= ONES * '\n';
        uint64_t other = ((word & LOW) + LOW) | word; // the high bit of each byte that is no line end
        count += 8 - (uint32_t)__builtin_popcountll(other & ~LOW);
    }
    for (; len > 0; at++, len--) {
        count += *at == '\n';
    }
    return count;
}

// The line that holds a place: its first byte and its length without the line end.
static struct str line_of(struct walk *walk, struct place place, uint32_t *number)
{
    struct str text = place.src->text;
    size_t at = place.at < text.len ? place.at : text.len;
    if (walk->src != place.src || walk->at > at) {
        *walk = (struct walk){place.src, 0, 1};
    }
    if (at > walk->at) {
        const char *from = text.at + walk->at;
        const char *end = memrchr(from, '\n', at - walk->at);
        if (end != NULL) {
            walk->number += count_lines(from, (size_t)(end - from) + 1);
            walk->at = (size_t)(end - text.at) + 1;
        }
    }
    *number = walk->number;
    struct str line = str_sub(text, walk->at, str_find_byte(text, '\n', walk->at) - walk->at);
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

// Columns that bytes take on a screen: code points, broken bytes one each.
static size_t columns(struct str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.len; count++) {
        uint32_t cp = 0;
        (void)str_next_cp(s, &at, &cp);
    }
    return count;
}

static void walk_to(struct walk *walk, struct place place, uint32_t *line, uint32_t *col)
{
    *line = 0;
    *col = 0;
    if (place.src != NULL) {
        struct str text = line_of(walk, place, line);
        size_t from = (size_t)(text.at - place.src->text.at);
        size_t at = place.at < place.src->text.len ? place.at : place.src->text.len;
        *col = (uint32_t)columns(str_sub(place.src->text, from, at - from)) + 1;
    }
}

void place_line_col(struct place place, uint32_t *line, uint32_t *col)
{
    struct walk walk = {0};
    walk_to(&walk, place, line, col);
}

// Copies a line for showing: as it is, with tabs as one space, so that carets stand right; what a terminal
// must not see escaped.
static void put_line(struct buf *out, struct str line)
{
    size_t from = 0;
    for (size_t at = 0; at < line.len; at++) {
        if (line.at[at] == '\t' || line.at[at] == '\\') {
            buf_escaped(out, str_sub(line, from, at - from));
            buf_byte(out, line.at[at] == '\t' ? ' ' : '\\');
            from = at + 1;
        }
    }
    buf_escaped(out, str_sub(line, from, SIZE_MAX));
}

static void put_snippet(struct buf *out, struct walk *walk, struct place place)
{
    uint32_t number = 0;
    struct str line = line_of(walk, place, &number);
    if (line.len == 0) {
        return;
    }
    size_t offset = (size_t)(place.src->text.at + place.at - line.at);
    offset = offset < line.len ? offset : line.len;
    // A long line is shown around its mistake.
    size_t from = offset > LINE_SHOWN / 2 && line.len > LINE_SHOWN ? offset - LINE_SHOWN / 2 : 0;
    while (from > 0 && ((unsigned char)line.at[from] & 0xC0) == 0x80) {
        from--;
    }
    struct str shown = str_sub(line, from, LINE_SHOWN);
    size_t before = out->len;
    buf_printf(out, "%5u", number);
    int width = (int)(out->len - before);
    buf_printf(out, " | %s", from > 0 ? "…" : "");
    put_line(out, shown);
    buf_str(out, str_sub(STR("…"), 0, from + shown.len < line.len ? 3 : 0));
    buf_printf(out, "\n%*s | ", width, "");
    size_t pad = columns(str_sub(shown, 0, offset - from)) + (from > 0 ? 1 : 0);
    for (size_t i = 0; i < pad; i++) {
        buf_byte(out, ' ');
    }
    size_t carets = columns(str_sub(shown, offset - from, place.len));
    carets = carets > CARETS_MOST ? CARETS_MOST : carets;
    buf_byte(out, '^');
    for (size_t i = 1; i < carets; i++) {
        buf_byte(out, '~');
    }
    buf_byte(out, '\n');
}

static void render(const struct diag *diag, struct walk *walk, struct buf *out)
{
    static const char *const KINDS[] = {
        [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};
    const char *kind = KINDS[diag->severity];
    if (diag->place.src != NULL) {
        uint32_t line = 0, col = 0;
        walk_to(walk, diag->place, &line, &col);
        buf_escaped(out, diag->place.src->name);
        if (diag->place.src->text.len > 0) {
            buf_printf(out, ":%u:%u", line, col);
        }
        buf_str(out, STR(": "));
    }
    buf_printf(out, "%s: ", kind);
    buf_str(out, diag->message);
    buf_byte(out, '\n');
    if (diag->place.src != NULL && diag->place.src->text.len > 0) {
        put_snippet(out, walk, diag->place);
    }
    if (diag->hint.len > 0) {
        buf_str(out, STR("  hint: "));
        buf_str(out, diag->hint);
        buf_byte(out, '\n');
    }
}

void diag_render(const struct diag *diag, struct buf *out)
{
    struct walk walk = {0};
    render(diag, &walk, out);
}

static int by_place(const void *a, const void *b)
{
    const struct diag *one = a, *two = b;
    if (one->place.src != two->place.src) {
        if (one->place.src == NULL || two->place.src == NULL) {
            return one->place.src == NULL ? 1 : -1; // what has no place comes last
        }
        int order = str_cmp(one->place.src->name, two->place.src->name);
        if (order != 0) {
            return order;
        }
    }
    if (one->place.at != two->place.at) {
        return one->place.at < two->place.at ? -1 : 1;
    }
    return str_cmp(one->message, two->message);
}

void diags_render(struct diags *diags, struct buf *out)
{
    if (diags->count > 1) {
        qsort(diags->list, diags->count, sizeof *diags->list, by_place);
    }
    struct walk walk = {0};
    for (size_t i = 0; i < diags->count; i++) {
        render(&diags->list[i], &walk, out);
    }
    size_t all = diags->errors + diags->warnings;
    if (all > diags->count) {
        buf_printf(out, "… and %zu more\n", all - diags->count);
    }
}
