// SPDX-License-Identifier: Apache-2.0
// What RE2 accepts of a pattern, and the few spellings that mean something else to PCRE2.
#include "cel/regex.h"

struct vet {
    struct str text;
    size_t at;
    struct buf *out;
    const char *why;
    size_t why_at;
};

static int peek(const struct vet *v, size_t ahead)
{
    return v->at + ahead < v->text.len ? (unsigned char)v->text.at[v->at + ahead] : -1;
}

static bool refuse(struct vet *v, size_t at, const char *why)
{
    v->why = why;
    v->why_at = at;
    return false;
}

static void copy(struct vet *v, size_t count)
{
    struct str part = str_sub(v->text, v->at, count);
    buf_str(v->out, part);
    v->at += part.len;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// (?P<name> and (?<name>: copied to the `>`.
static bool group_name(struct vet *v, size_t skip)
{
    size_t end = v->at + skip;
    while (end < v->text.len && is_word((unsigned char)v->text.at[end])) {
        end++;
    }
    if (end == v->at + skip || end >= v->text.len || v->text.at[end] != '>') {
        return refuse(v, v->at, "a group's name is letters, digits and _");
    }
    copy(v, end + 1 - v->at);
    return true;
}

// (?i), (?i:, (?-s), (?: and the like, at the byte after `(?`.
static bool group_flags(struct vet *v)
{
    size_t ahead = 2;
    while (peek(v, ahead) > 0 && strchr("imsU-", peek(v, ahead)) != NULL) {
        ahead++;
    }
    int c = peek(v, ahead);
    if (c != ':' && (c != ')' || ahead == 2)) {
        return refuse(v, v->at, "this kind of group is not supported");
    }
    copy(v, c == ')' ? ahead : ahead + 1);
    return true;
}

static bool vet_group(struct vet *v)
{
    if (peek(v, 1) == '*') {
        return refuse(v, v->at, "verbs such as (*…) are not supported");
    }
    if (peek(v, 1) != '?') {
        copy(v, 1);
        return true;
    }
    int c = peek(v, 2), next = peek(v, 3);
    if (c == '=' || c == '!' || (c == '<' && (next == '=' || next == '!'))) {
        return refuse(v, v->at, "look-around is not supported");
    }
    if (c == '>') {
        return refuse(v, v->at, "atomic groups are not supported");
    }
    if (c == 'P' && next == '<') {
        return group_name(v, 4);
    }
    if (c == '<') {
        return group_name(v, 3);
    }
    if (c == 'P' && next == '=') {
        return refuse(v, v->at, "back-references are not supported");
    }
    return group_flags(v);
}

// \p{Greek}, \x{1F600}: to the brace.
static bool copy_braced(struct vet *v)
{
    if (peek(v, 2) != '{') {
        copy(v, 3);
        return true;
    }
    size_t end = str_find_byte(v->text, '}', v->at);
    if (end >= v->text.len) {
        return refuse(v, v->at, "this escape has no closing }");
    }
    copy(v, end + 1 - v->at);
    return true;
}

// \Q…\E, as literal text.
static void copy_quoted(struct vet *v)
{
    size_t end = str_find(v->text, STR("\\E"), v->at + 2);
    size_t stop = end == SIZE_MAX ? v->text.len : end;
    for (v->at += 2; v->at < stop;) {
        int c = peek(v, 0);
        if (c < 128 && !is_word(c)) {
            buf_byte(v->out, '\\');
        }
        copy(v, 1);
    }
    v->at = end == SIZE_MAX ? stop : stop + 2;
}

static bool vet_escape(struct vet *v, bool in_class)
{
    int c = peek(v, 1);
    if (c < 0) {
        return refuse(v, v->at, "the pattern ends in a backslash");
    }
    if (c >= '1' && c <= '9') {
        return refuse(v, v->at, "back-references are not supported");
    }
    if (c == 'p' || c == 'P' || (c == 'x' && peek(v, 2) == '{')) {
        return copy_braced(v);
    }
    if (c == 'Q' && !in_class) {
        copy_quoted(v);
        return true;
    }
    if (c == 'v') { // PCRE2: a class of its own
        buf_str(v->out, STR("\\x0B"));
        v->at += 2;
        return true;
    }
    if (c == 's' || c == 'S') { // PCRE2 counts the vertical tab in
        struct str in = in_class ? STR("\\t\\n\\f\\r ") : STR("[\\t\\n\\f\\r ]");
        if (c == 'S' && in_class) {
            return refuse(v, v->at, "\\S inside [ ] is not supported");
        }
        buf_str(v->out, c == 's' ? in : STR("[^\\t\\n\\f\\r ]"));
        v->at += 2;
        return true;
    }
    if (is_word(c) && strchr(in_class ? "afnrtxdDwW0" : "afnrtxdDwWbBAz0", c) == NULL) {
        return refuse(v, v->at,
                      c == 'k' || c == 'g' ? "back-references are not supported"
                                           : "this escape is not supported");
    }
    copy(v, 2);
    return true;
}

// [:alpha:] in a class. What only looks like one would end elsewhere for PCRE2 than it seems to here.
static bool class_name(struct vet *v)
{
    size_t ahead = peek(v, 2) == '^' ? 3 : 2, from = ahead;
    while (peek(v, ahead) >= 'a' && peek(v, ahead) <= 'z') {
        ahead++;
    }
    if (ahead == from || peek(v, ahead) != ':' || peek(v, ahead + 1) != ']') {
        return refuse(v, v->at, "a class within a class looks like [:alpha:]; write a plain [ as \\[");
    }
    copy(v, ahead + 2);
    return true;
}

static bool vet_class(struct vet *v)
{
    size_t from = v->at;
    copy(v, peek(v, 1) == '^' ? 2 : 1);
    bool first = true;
    for (;; first = false) {
        int c = peek(v, 0);
        if (c < 0) {
            return refuse(v, from, "this [ is never closed");
        }
        if (c == ']' && !first) {
            copy(v, 1);
            return true;
        }
        if (c == '[' && peek(v, 1) == ':') {
            if (!class_name(v)) {
                return false;
            }
        } else if (c == '[' || (c == ']' && first)) {
            buf_byte(v->out, '\\');
            copy(v, 1);
        } else if (c != '\\') {
            copy(v, 1);
        } else if (!vet_escape(v, true)) {
            return false;
        }
    }
}

// {n}, {n,} or {n,m} at the place; 0: none, so the brace is itself. Else its length.
static size_t counted(struct vet *v, bool *too_many)
{
    size_t ahead = 1;
    unsigned most = 0, number = 0;
    for (; is_digit(peek(v, ahead)); ahead++) {
        number = number > 9999 ? number : number * 10 + (unsigned)(peek(v, ahead) - '0');
    }
    if (ahead == 1) {
        return 0;
    }
    most = number;
    if (peek(v, ahead) == ',') {
        number = 0;
        for (ahead++; is_digit(peek(v, ahead)); ahead++) {
            number = number > 9999 ? number : number * 10 + (unsigned)(peek(v, ahead) - '0');
        }
        most = number > most ? number : most;
    }
    *too_many = most > 1000;
    return peek(v, ahead) == '}' ? ahead + 1 : 0;
}

// * + ? {n} after something. *repeats: a repetition was there.
static bool vet_repeat(struct vet *v, bool *repeats)
{
    int c = peek(v, 0);
    bool too_many = false;
    size_t len = c == '*' || c == '+' || c == '?' ? 1 : c == '{' ? counted(v, &too_many) : 0;
    *repeats = len > 0;
    if (len == 0) {
        return true;
    }
    if (too_many) {
        return refuse(v, v->at, "more than 1000 repetitions are not supported");
    }
    size_t at = v->at;
    copy(v, len);
    if (peek(v, 0) == '?') {
        copy(v, 1);
    } else if (peek(v, 0) == '+') {
        return refuse(v, v->at, "possessive repetition is not supported");
    }
    int next = peek(v, 0);
    if (next == '*' || next == '+' || next == '?' || (next == '{' && counted(v, &too_many) > 0)) {
        return refuse(v, at, "a repetition of a repetition is not supported");
    }
    return true;
}

static bool vet_all(struct vet *v)
{
    bool can_repeat = false;
    while (v->at < v->text.len) {
        bool repeats = false;
        size_t at = v->at;
        if (!vet_repeat(v, &repeats)) {
            return false;
        }
        if (repeats) {
            if (!can_repeat) {
                return refuse(v, at, "there is nothing to repeat");
            }
            can_repeat = false;
            continue;
        }
        int c = peek(v, 0);
        can_repeat = c != '(' && c != '|' && c != '^';
        bool good = true;
        if (c == '(') {
            good = vet_group(v);
        } else if (c == '[') {
            good = vet_class(v);
        } else if (c == '\\') {
            good = vet_escape(v, false);
        } else {
            if (c == '{') {
                buf_byte(v->out, '\\');
            }
            copy(v, 1);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

enum pdp_err regex_vet(struct str pattern, struct buf *translated, const char **why, size_t *at)
{
    struct vet v = {.text = pattern, .out = translated};
    *why = NULL;
    *at = 0;
    if (pattern.len > REGEX_BYTES_MAX) {
        *why = "the pattern is too long";
        return PDP_ERR_LIMIT;
    }
    if (!vet_all(&v)) {
        *why = v.why;
        *at = v.why_at;
        return PDP_ERR_UNSUPPORTED;
    }
    return translated->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
