// SPDX-License-Identifier: Apache-2.0
// Mistakes within a regular expression, as it stands in the expression's text: escapes are not undone, so
// that an edit is one of bytes that somebody wrote.
#include "cli/test/mutant_inner.h"

enum {
    DEPTH_MAX = 32
};

struct scan {
    struct str text;
    bool raw; // a backslash is one: r"…"
    struct find_steps *out;
    size_t at;
    struct {
        size_t from; // of the alternative
        bool others; // there is one before it
    } groups[DEPTH_MAX];
    size_t depth;
};

// How long what stands at a byte is: one character, or an escape.
static size_t unit_len(const struct scan *s, size_t at)
{
    size_t left = s->text.len - at;
    size_t len = 1;
    if (s->text.at[at] == '\\' && s->raw) {
        len = 2;
    } else if (s->text.at[at] == '\\') { // `\\` of the text is the backslash of the pattern
        bool slash = left > 2 && s->text.at[at + 1] == '\\';
        len = !slash ? 2 : s->text.at[at + 2] == '\\' ? 4 : 3;
    }
    while (len < left && ((unsigned char)s->text.at[at + len] & 0xc0) == 0x80) {
        len++;
    }
    return len < left ? len : left;
}

// ---- Classes ----------------------------------------------------------------------------------------

static bool is_between(char c, char from, char to)
{
    return c >= from && c <= to;
}

// Digits and letters of one case have neighbours that anybody knows.
static bool same_kind(char a, char b)
{
    return (is_between(a, '0', '9') && is_between(b, '0', '9')) ||
           (is_between(a, 'a', 'z') && is_between(b, 'a', 'z')) ||
           (is_between(a, 'A', 'Z') && is_between(b, 'A', 'Z'));
}

static void step_letter(struct scan *s, size_t at, int by)
{
    static const char ALL[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char c = s->text.at[at];
    char then = (char)(c + by);
    if (same_kind(c, then)) {
        const char *found = strchr(ALL, then);
        find_step(s->out, MUTANT_CLASS, at, at + 1, (struct str){found, 1});
    }
}

static void step_range(struct scan *s, size_t at, size_t end)
{
    if (end - at == 3 && same_kind(s->text.at[at], s->text.at[at + 2]) &&
        s->text.at[at] != s->text.at[at + 2]) {
        step_letter(s, at, 1);
        step_letter(s, at, -1);
        step_letter(s, at + 2, -1);
        step_letter(s, at + 2, 1);
    }
}

// `x`, `a-z`, `\d`, `[:alpha:]`; *range says which.
static size_t element_end(const struct scan *s, size_t at, bool *range)
{
    struct str rest = str_sub(s->text, at, s->text.len);
    size_t named = str_starts(rest, STR("[:")) ? str_find(s->text, STR(":]"), at) : SIZE_MAX;
    size_t end = at + unit_len(s, at);
    *range = false;
    if (named != SIZE_MAX) {
        return named + 2;
    }
    if (end + 1 < s->text.len && s->text.at[end] == '-' && s->text.at[end + 1] != ']') {
        *range = true;
        return end + 1 + unit_len(s, end + 1);
    }
    return end;
}

// From behind the `[`; stops behind the `]`.
static void class_of(struct scan *s)
{
    size_t count = 0, last = 0, first_end = 0;
    bool range = false, first_range = false;
    s->at += s->at < s->text.len && s->text.at[s->at] == '^' ? 1 : 0;
    size_t first = s->at;
    while (s->at < s->text.len && (count == 0 || s->text.at[s->at] != ']')) {
        last = s->at;
        s->at = element_end(s, s->at, &range);
        first_end = count == 0 ? s->at : first_end;
        first_range = count == 0 ? range : first_range;
        if (range) {
            step_range(s, last, s->at);
        }
        count++;
    }
    if (count > 1 && !first_range) {
        find_step(s->out, MUTANT_CLASS, first, first_end, STR(""));
    }
    if (count > 1 && !range) {
        find_step(s->out, MUTANT_CLASS, last, s->at, STR(""));
    }
    s->at++;
}

// ---- Groups -----------------------------------------------------------------------------------------

// `(`, `(?:`, `(?P<name>`, `(?i)`: from behind the bracket.
static void open_group(struct scan *s)
{
    size_t begin = s->at - 1;
    if (s->at < s->text.len && s->text.at[s->at] == '?') {
        while (s->at < s->text.len && strchr(":>)", s->text.at[s->at]) == NULL) {
            s->at++;
        }
        bool flags = s->at < s->text.len && s->text.at[s->at] == ')';
        s->at++;
        if (flags) { // they hold for all that follows
            s->groups[s->depth].from = s->groups[s->depth].from == begin ? s->at : s->groups[s->depth].from;
            return;
        }
    }
    s->depth++;
    s->groups[s->depth].from = s->at;
    s->groups[s->depth].others = false;
}

// At the `|` behind an alternative.
static void next_alternative(struct scan *s)
{
    find_step(s->out, MUTANT_ALTERNATIVE, s->groups[s->depth].from, s->at, STR(""));
    s->groups[s->depth].from = s->at;
    s->groups[s->depth].others = true;
}

// The last one goes with the `|` before it.
static void end_group(struct scan *s, size_t at)
{
    if (s->groups[s->depth].others) {
        find_step(s->out, MUTANT_ALTERNATIVE, s->groups[s->depth].from - 1, at, STR(""));
    }
}

// ---- All of it --------------------------------------------------------------------------------------

static void one(struct scan *s)
{
    size_t at = s->at;
    char c = s->text.at[at];
    s->at += unit_len(s, at);
    if (c == '[') {
        class_of(s);
    } else if (c == '(') {
        open_group(s);
    } else if (c == '|') {
        next_alternative(s);
    } else if (c == ')' && s->depth > 0) {
        end_group(s, at);
        s->depth--;
    } else if (c == '^' || c == '$') {
        find_step(s->out, MUTANT_ANCHOR, at, s->at, STR(""));
    } else if (c == '+') {
        find_step(s->out, MUTANT_REPEAT, at, s->at, STR("*"));
    }
}

void find_pattern(struct str text, bool raw, struct find_steps *out)
{
    struct scan s = {.text = text, .raw = raw, .out = out};
    while (s.at < text.len && s.depth + 1 < DEPTH_MAX) {
        one(&s);
    }
    if (s.at >= text.len) {
        end_group(&s, text.len);
    }
}
