// SPDX-License-Identifier: Apache-2.0
// `# pdp:lint-ok CODE reason` silences findings of a code on its line, or on the next line that is no
// comment.
#include "lint/inner.h"

#include <stdlib.h>

static const struct str MARK = {"pdp:lint-ok", 11};

struct silence {
    const struct source *source;
    uint32_t line, of; // where it stands; the line whose findings it silences
    enum lint_code code;
    struct place place;
    bool used;
};

struct silences {
    struct lint *l;
    struct silence *list;
    size_t count, cap;
};

static void add(struct silences *all, struct silence silence)
{
    if (all->count == all->cap) {
        size_t cap = all->cap == 0 ? 32 : all->cap * 2;
        struct silence *more = realloc(all->list, cap * sizeof *more);
        if (more == NULL) {
            all->l->err = PDP_ERR_NOMEM;
            return;
        }
        all->list = more;
        all->cap = cap;
    }
    all->list[all->count++] = silence;
}

static struct str word(struct str text, size_t *at)
{
    while (*at < text.len && (text.at[*at] == ' ' || text.at[*at] == '\t')) {
        (*at)++;
    }
    size_t from = *at;
    while (*at < text.len && text.at[*at] != ' ' && text.at[*at] != '\t') {
        (*at)++;
    }
    return str_sub(text, from, *at - from);
}

// The line at `from`, up to its end.
static struct str line_at(struct str text, size_t from)
{
    struct str line = str_sub(text, from, str_find_byte(text, '\n', from) - from);
    line.len -= line.len > 0 && line.at[line.len - 1] == '\r';
    return line;
}

static bool is_comment(struct str line)
{
    struct str trimmed = str_trim(line);
    return trimmed.len > 0 && trimmed.at[0] == '#';
}

// The line that is meant: its own, or where it is all comment, the next that is none. `at`: where that
// begins.
static uint32_t line_meant(struct str text, size_t at, uint32_t line)
{
    while (at < text.len && is_comment(line_at(text, at))) {
        at = str_find_byte(text, '\n', at) + 1;
        line++;
    }
    return line;
}

// A comment that bears the mark, at a place of its line.
static void read_one(struct silences *all, const struct source *source, size_t start, size_t at,
                     uint32_t line)
{
    struct str whole = line_at(source->text, start);
    size_t next = at + MARK.len;
    struct str code = word(whole, &next), reason = str_trim(str_sub(whole, next, SIZE_MAX));
    struct place place = {source, (uint32_t)(start + at), (uint32_t)(next - at)};
    enum lint_code which = lint_code_of(code);
    struct str shown = lint_shown(all->l, code);
    if (code.len == 0) {
        struct lint_finding *found = lint_add(all->l, LINT_SILENCE, place, "a silence names no code");
        lint_hint(all->l, found, "write `# pdp:lint-ok CODE reason`, with a code such as L06");
    } else if (which == LINT_COUNT || which == LINT_SILENCE) {
        struct lint_finding *found =
            lint_add(all->l, LINT_SILENCE, place, "no finding that can be silenced is called `" STR_FMT "`",
                     STR_ARG(shown));
        lint_hint(all->l, found, "write `# pdp:lint-ok CODE reason`, with a code such as L06");
    } else if (reason.len == 0) {
        struct lint_finding *found = lint_add(all->l, LINT_SILENCE, place,
                                              "the silence of `" STR_FMT "` gives no reason", STR_ARG(shown));
        lint_hint(all->l, found, "say behind the code why it is meant so, for whoever reads it next");
    } else {
        add(all, (struct silence){.source = source,
                                  .line = line,
                                  .of = line_meant(source->text, start, line),
                                  .code = which,
                                  .place = place});
    }
}

// Is the mark at `at` behind a `#` that begins a comment: at the start of the line or behind a blank, with
// nothing but blanks between?
static bool in_comment(struct str line, size_t at)
{
    size_t before = at;
    while (before > 0 && (line.at[before - 1] == ' ' || line.at[before - 1] == '\t')) {
        before--;
    }
    bool sharp = before > 0 && line.at[before - 1] == '#';
    return sharp && (before == 1 || line.at[before - 2] == ' ' || line.at[before - 2] == '\t');
}

static size_t mark_in(struct str line)
{
    size_t at = str_find(line, MARK, 0);
    while (at != SIZE_MAX && !in_comment(line, at)) {
        at = str_find(line, MARK, at + 1);
    }
    return at;
}

static void read_source(struct silences *all, const struct source *source)
{
    struct str text = source->text;
    uint32_t line = 1;
    if (str_find(text, MARK, 0) == SIZE_MAX) {
        return;
    }
    for (size_t start = 0; start < text.len; line++) {
        size_t at = mark_in(line_at(text, start));
        if (at != SIZE_MAX) {
            read_one(all, source, start, at, line);
        }
        start = str_find_byte(text, '\n', start) + 1;
    }
}

static bool silenced(struct silences *all, const struct lint_finding *finding)
{
    uint32_t line = 0, column = 0;
    bool is = false;
    if (all->count == 0 || finding->code == LINT_SILENCE || finding->place.src == NULL) {
        return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct silence *silence = &all->list[i];
        if (silence->code != finding->code || silence->source != finding->place.src) {
            continue;
        }
        if (line == 0) {
            place_line_col(finding->place, &line, &column);
        }
        if (silence->of == line) {
            silence->used = is = true;
        }
    }
    return is;
}

void silence_all(struct lint *l)
{
    struct silences all = {.l = l};
    for (size_t i = 0; i < l->in->source_count; i++) {
        read_source(&all, &l->in->sources[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < l->out->count; i++) {
        if (!silenced(&all, &l->out->list[i])) {
            l->out->list[kept++] = l->out->list[i];
        }
    }
    l->out->silenced = l->out->count - kept;
    l->out->count = kept;
    for (size_t i = 0; i < all.count; i++) {
        if (!all.list[i].used) {
            struct lint_finding *found =
                lint_add(l, LINT_SILENCE, all.list[i].place, "the silence of `" STR_FMT "` silences nothing",
                         STR_ARG(LINT_ROWS[all.list[i].code].code));
            lint_hint(l, found, "take it out: what it was for is gone, or stands on another line");
        }
    }
    free(all.list);
}
