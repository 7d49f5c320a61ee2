// SPDX-License-Identifier: Apache-2.0
// The literals that every match of a pattern must hold. Reads what regex_vet has let through and translated:
// what is not understood here is no literal, and a pattern that could mean something else throughout has no
// gate.
#include "cel/regex.h"

#include <stdlib.h>

struct reader {
    struct str text;
    size_t at;
    struct buf run;   // literals in a row
    struct buf first; // the run right behind ^
    struct buf best;  // the longest
    bool tied;        // begins with ^
    bool pure;        // nothing but one run so far
    bool rest;        // ends with .*
};

enum piece {
    PIECE_LITERAL,
    PIECE_OTHER, // matches something
    PIECE_PLACE, // matches a place: \b
    PIECE_ANY,   // .
    PIECE_END,   // $ at the end
    PIECE_GIVE_UP,
};

static int peek(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->text.len ? (unsigned char)r->text.at[r->at + ahead] : -1;
}

// ---- Pieces -----------------------------------------------------------------------------------------

static size_t code_point(const struct reader *r, size_t from)
{
    size_t at = from;
    uint32_t cp = 0;
    str_next_cp(r->text, &at, &cp);
    return at - from;
}

// To behind the ] of a class.
static void skip_class(struct reader *r)
{
    r->at += peek(r, 1) == '^' ? 2 : 1;
    while (r->at < r->text.len && peek(r, 0) != ']') {
        if (peek(r, 0) == '[' && peek(r, 1) == ':') {
            size_t end = str_find(r->text, STR(":]"), r->at + 2);
            r->at = end == SIZE_MAX ? r->text.len : end + 2;
        } else {
            r->at += peek(r, 0) == '\\' ? 2 : 1;
        }
    }
    r->at++;
}

// To behind the ) of a group: what it holds may be one of several things.
static enum piece skip_group(struct reader *r)
{
    int next = peek(r, 2);
    if (peek(r, 1) == '?' && next != ':' && next != 'P' && next != '<') {
        return PIECE_GIVE_UP; // (?i): what follows means something else
    }
    int open = 0;
    do {
        int c = peek(r, 0);
        if (c == '[') {
            skip_class(r);
            continue;
        }
        open += c == '(' ? 1 : c == ')' ? -1 : 0;
        r->at += c == '\\' ? 2 : 1;
    } while (open > 0 && r->at < r->text.len);
    return open == 0 ? PIECE_OTHER : PIECE_GIVE_UP;
}

static enum piece read_escape(struct reader *r, struct str *literal)
{
    static const char CONTROLS[] = "tnrf";
    static const struct str MEANT[] = {{"\t", 1}, {"\n", 1}, {"\r", 1}, {"\f", 1}};
    int c = peek(r, 1);
    bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const char *control = c > 0 ? strchr(CONTROLS, c) : NULL;
    if (c < 0) {
        return PIECE_GIVE_UP;
    }
    if (!word) {
        size_t len = code_point(r, r->at + 1);
        *literal = str_sub(r->text, r->at + 1, len);
        r->at += 1 + len;
        return PIECE_LITERAL;
    }
    r->at += 2;
    if (control != NULL) {
        *literal = MEANT[control - CONTROLS];
        return PIECE_LITERAL;
    }
    if (c == 'b' || c == 'B' || c == 'A' || c == 'z') {
        return PIECE_PLACE;
    }
    return c == 'd' || c == 'D' || c == 'w' || c == 'W' ? PIECE_OTHER : PIECE_GIVE_UP;
}

static enum piece read_piece(struct reader *r, struct str *literal)
{
    int c = peek(r, 0);
    switch (c) {
    case '|':
    case ')': // of no group: PCRE2 says so
        return PIECE_GIVE_UP;
    case '(':
        return skip_group(r);
    case '[':
        skip_class(r);
        return PIECE_OTHER;
    case '\\':
        return read_escape(r, literal);
    case '.':
        r->at++;
        return PIECE_ANY;
    case '^':
        r->at++;
        return PIECE_PLACE;
    case '$':
        r->at++;
        return r->at == r->text.len ? PIECE_END : PIECE_PLACE;
    default:
        *literal = str_sub(r->text, r->at, code_point(r, r->at));
        r->at += literal->len;
        return PIECE_LITERAL;
    }
}

// How often the piece must be there at least; *again: a repetition follows.
static unsigned read_least(struct reader *r, bool *again)
{
    int c = peek(r, 0);
    unsigned least = 1;
    *again = c == '*' || c == '+' || c == '?' || c == '{';
    if (!*again) {
        return 1;
    }
    if (c == '{') {
        least = peek(r, 1) != '0';
        r->at = str_find_byte(r->text, '}', r->at);
    } else {
        least = c == '+';
    }
    r->at++;
    r->at += peek(r, 0) == '?';
    return least;
}

// ---- Runs -------------------------------------------------------------------------------------------

static void keep(struct buf *out, const struct buf *run)
{
    buf_clear(out);
    buf_str(out, buf_view(run));
}

static void end_run(struct reader *r)
{
    if (r->pure && r->tied) {
        keep(&r->first, &r->run);
    }
    if (r->run.len > r->best.len) {
        keep(&r->best, &r->run);
    }
    buf_clear(&r->run);
    r->pure = false;
}

// One piece with its repetition; false: this pattern has no gate.
static bool read_one(struct reader *r, bool *ended)
{
    struct str literal = {0};
    bool again = false, leading = r->at == 0;
    enum piece piece = read_piece(r, &literal);
    if (piece == PIECE_GIVE_UP) {
        return false;
    }
    *ended = piece == PIECE_END;
    if (*ended) {
        return true;
    }
    bool star = peek(r, 0) == '*';
    unsigned least = read_least(r, &again);
    if (piece == PIECE_ANY && star) {
        bool last = r->at == r->text.len || (peek(r, 0) == '$' && r->at + 1 == r->text.len);
        if (leading || (last && r->at == r->text.len)) {
            return true; // `.*x` is found where x is; `x.*` too
        }
        if (last && r->pure && r->tied) {
            r->rest = true;
            return true;
        }
    }
    if (piece == PIECE_LITERAL && least > 0) {
        buf_str(&r->run, literal);
    }
    if (piece != PIECE_LITERAL || again) {
        end_run(r);
    }
    return true;
}

static bool read_all(struct reader *r, bool *ended)
{
    *ended = false;
    if (peek(r, 0) == '^') {
        r->tied = true;
        r->at = 1;
        if (peek(r, 0) == '*' || peek(r, 0) == '?') { // vetted: ^ is never repeated
            return false;
        }
    }
    while (r->at < r->text.len && !*ended) {
        if (!read_one(r, ended)) {
            return false;
        }
    }
    return true;
}

static struct str own(char **at, const struct buf *text)
{
    struct str copy = {*at, text->len};
    if (text->len > 0) {
        memcpy(*at, text->at, text->len);
    }
    *at += text->len;
    return copy;
}

static enum pdp_err write_gate(struct reader *r, bool ended, struct regex_gate *out)
{
    bool pure = r->pure;
    if (r->tied && pure) {
        keep(&r->first, &r->run);
    }
    if (r->run.len > r->best.len) {
        keep(&r->best, &r->run);
    }
    out->memory = malloc(r->first.len + r->run.len + r->best.len + 1);
    if (out->memory == NULL || r->first.failed || r->run.failed || r->best.failed) {
        return PDP_ERR_NOMEM;
    }
    char *at = out->memory;
    out->prefix = own(&at, &r->first);
    out->suffix = ended && !r->rest ? own(&at, &r->run) : (struct str){at, 0};
    out->part = own(&at, &r->best);
    out->form = !pure              ? REGEX_FORM_ANY
                : r->rest          ? REGEX_FORM_LINE
                : r->tied && ended ? REGEX_FORM_WHOLE
                : r->tied          ? REGEX_FORM_PREFIX
                : ended            ? REGEX_FORM_SUFFIX
                                   : REGEX_FORM_PART;
    return PDP_ERR_OK;
}

void regex_gate_fini(struct regex_gate *gate)
{
    free(gate->memory);
    *gate = (struct regex_gate){0};
}

enum pdp_err regex_gate_read(struct str translated, struct regex_gate *out)
{
    struct reader r = {.text = translated, .pure = true};
    bool ended = false;
    *out = (struct regex_gate){0};
    enum pdp_err err = read_all(&r, &ended) ? write_gate(&r, ended, out) : PDP_ERR_OK;
    buf_fini(&r.run);
    buf_fini(&r.first);
    buf_fini(&r.best);
    return err;
}
