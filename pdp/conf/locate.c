// SPDX-License-Identifier: Apache-2.0
// From a byte of a scalar's text back to the byte it came from, by walking text and source side by side.
#include "conf/conf.h"

#include "base/num.h"

#include <stdlib.h>

#define MARK_EVERY 32 // bytes of the text

// Where the two walks stand. What libyaml dropped, folded or unescaped is one step: some bytes of the
// source that gave some bytes (perhaps none) of the text.
struct locate {
    struct str raw;  // the scalar's stretch of the source
    struct str text; // what it became
    size_t from, to; // of the step in `raw`
    size_t at, next; // of the step in `text`
    uint32_t indent; // of a block scalar's lines
    size_t unfolded; // blanks up to here lead to no line break
};

static char raw_at(const struct locate *l, size_t at)
{
    return at < l->raw.len ? l->raw.at[at] : '\0';
}

static size_t skip_blanks(const struct locate *l, size_t at)
{
    while (raw_at(l, at) == ' ' || raw_at(l, at) == '\t') {
        at++;
    }
    return at;
}

// Past one line break, or `at` itself where there is none.
static size_t skip_break(const struct locate *l, size_t at)
{
    size_t feed = raw_at(l, at) == '\r' ? at + 1 : at;
    return raw_at(l, feed) == '\n' ? feed + 1 : at;
}

// Past blanks, breaks and blanks; *breaks counts the breaks.
static size_t skip_breaks(const struct locate *l, size_t at, size_t *breaks)
{
    *breaks = 0;
    at = skip_blanks(l, at);
    for (size_t next = skip_break(l, at); next != at; next = skip_break(l, at)) {
        at = skip_blanks(l, next);
        (*breaks)++;
    }
    return at;
}

// Line breaks inside a plain or quoted scalar: one is a space, of more the first is dropped.
static bool flow_fold(struct locate *l)
{
    size_t breaks = 0;
    if (l->from < l->unfolded) {
        return false;
    }
    size_t at = skip_breaks(l, l->from, &breaks);
    if (breaks == 0) {
        l->unfolded = at;
        return false;
    }
    l->to = at;
    l->next = l->at + (breaks > 1 ? breaks - 1 : 1);
    return true;
}

// The text tells how many bytes an escape became: a code point's length is in its first byte.
static size_t cp_len(const struct locate *l)
{
    size_t at = l->at;
    uint32_t cp = 0;
    if (at < l->text.len) {
        (void)str_next_cp(l->text, &at, &cp);
    }
    return at - l->at;
}

static void escape(struct locate *l)
{
    static const struct {
        char letter;
        uint8_t digits;
    } HEX[] = {{'x', 2}, {'u', 4}, {'U', 8}};
    size_t end = skip_break(l, l->from + 1);
    if (end != l->from + 1) { // an escaped line break gives nothing; blank lines after it count in full
        size_t breaks = 0;
        l->to = skip_breaks(l, end, &breaks);
        l->next = l->at + breaks;
        return;
    }
    l->to = l->from + 2;
    for (size_t i = 0; i < COUNT_OF(HEX); i++) {
        l->to += raw_at(l, l->from + 1) == HEX[i].letter ? HEX[i].digits : 0;
    }
    l->next = l->at + cp_len(l);
}

static void flow_step(struct locate *l, enum conf_style style)
{
    if (flow_fold(l)) {
        return;
    }
    if (style == CONF_DOUBLE && raw_at(l, l->from) == '\\') {
        escape(l);
        return;
    }
    bool doubled = style == CONF_SINGLE && raw_at(l, l->from) == '\'' && raw_at(l, l->from + 1) == '\'';
    l->to = l->from + (doubled ? 2 : 1);
    l->next = l->at + 1;
}

// Past the indentation of a block scalar's line.
static size_t skip_indent(const struct locate *l, size_t at)
{
    for (uint32_t i = 0; i < l->indent && raw_at(l, at) == ' '; i++) {
        at++;
    }
    return at;
}

// A fold of a folded scalar: line feeds where lines are blank or indented further, else a space.
static size_t folded(const struct locate *l, size_t breaks)
{
    size_t feeds = 0;
    while (feeds < breaks && l->at + feeds < l->text.len && l->text.at[l->at + feeds] == '\n') {
        feeds++;
    }
    bool space = feeds == 0 && l->at < l->text.len && l->text.at[l->at] == ' ';
    return space ? 1 : feeds;
}

static void block_step(struct locate *l, enum conf_style style)
{
    size_t after = skip_break(l, l->from);
    if (after == l->from) {
        l->to = l->from + 1;
        l->next = l->at + 1;
        return;
    }
    size_t breaks = 0;
    size_t at = l->from;
    while (after != at) {
        breaks++;
        at = skip_indent(l, after);
        after = style == CONF_FOLDED ? skip_break(l, at) : at;
    }
    l->to = at;
    l->next = l->at + (style == CONF_FOLDED ? folded(l, breaks) : 1);
}

static size_t first_visible(struct str s, size_t *line)
{
    *line = 0;
    for (size_t at = 0; at < s.len; at++) {
        if (s.at[at] == '\n') {
            *line = at + 1;
        } else if (s.at[at] != ' ' && s.at[at] != '\r') {
            return at;
        }
    }
    return s.len;
}

// The header of a block scalar (`|`, `>-`, `|2`) and its first line's indentation give no text. How deep
// its lines are indented is seen where source and text first show something.
static void block_begin(struct locate *l)
{
    size_t header = str_find_byte(l->raw, '\n', 0);
    l->from = header < l->raw.len ? header + 1 : header;
    struct str body = str_sub(l->raw, l->from, SIZE_MAX);
    size_t raw_line = 0;
    size_t text_line = 0;
    size_t raw = first_visible(body, &raw_line) - raw_line;
    size_t text = first_visible(l->text, &text_line) - text_line;
    l->indent = raw > text ? (uint32_t)(raw - text) : 0;
    l->from = skip_indent(l, l->from);
}

static struct locate begin(const struct conf_node *scalar)
{
    struct locate l = {.raw = str_sub(scalar->place.src->text, scalar->place.at, scalar->place.len),
                       .text = scalar->text};
    if (scalar->style == CONF_LITERAL || scalar->style == CONF_FOLDED) {
        block_begin(&l);
    }
    l.to = l.from;
    return l;
}

// Where the walk was when it had come to a multiple of MARK_EVERY.
struct mark {
    uint32_t from, to, at, next;
};

struct conf_places {
    const struct conf_node *scalar;
    struct locate now;
    struct mark *marks; // NULL: none are kept
    size_t count;
    uint64_t steps;
};

// Takes steps until the one that gave byte `at` of the text, or until the source ends.
static void walk(struct conf_places *p, size_t at)
{
    struct locate *l = &p->now;
    enum conf_style style = p->scalar->style;
    bool block = style == CONF_LITERAL || style == CONF_FOLDED;
    while (l->next <= at && l->to < l->raw.len) {
        l->from = l->to;
        l->at = l->next;
        if (block) {
            block_step(l, style);
        } else {
            flow_step(l, style);
        }
        p->steps++;
    }
}

static void keep_mark(struct conf_places *p)
{
    const struct locate *l = &p->now;
    p->marks[p->count++] =
        (struct mark){(uint32_t)l->from, (uint32_t)l->to, (uint32_t)l->at, (uint32_t)l->next};
}

static void go_to_mark(struct conf_places *p, size_t number)
{
    const struct mark *mark = &p->marks[number];
    p->now.from = mark->from;
    p->now.to = mark->to;
    p->now.at = mark->at;
    p->now.next = mark->next;
    p->now.unfolded = 0;
}

// To the step that gave byte `at`: from where the walk is, from the last mark before it, or from the
// beginning.
static void seek(struct conf_places *p, size_t at)
{
    size_t number = at / MARK_EVERY;
    if (p->marks != NULL && p->count > 0 &&
        (p->now.at > at || p->count <= number || at - p->now.at > MARK_EVERY)) {
        go_to_mark(p, (size_t)num_min((int64_t)number, (int64_t)p->count - 1));
    } else if (p->now.at > at) {
        p->now = begin(p->scalar);
    }
    while (p->marks != NULL && p->count <= number) {
        walk(p, p->count * MARK_EVERY);
        keep_mark(p);
    }
    walk(p, at);
}
// The first byte of what gave `at`, and past the end the end.
static size_t from_of(const struct conf_places *p, size_t at)
{
    return p->now.next <= at ? p->now.to : p->now.from;
}

static struct place place_of(struct conf_places *p, uint32_t at, uint32_t len)
{
    const struct conf_node *scalar = p->scalar;
    at = at < scalar->text.len ? at : (uint32_t)scalar->text.len;
    len = len < scalar->text.len - at ? len : (uint32_t)scalar->text.len - at;
    seek(p, at);
    size_t from = from_of(p, at);
    if (len > 0) {
        seek(p, (size_t)at + len - 1);
    }
    size_t to = len > 0 ? p->now.to : from;
    to = to < p->now.raw.len ? to : p->now.raw.len;
    from = from < to ? from : to;
    return (struct place){scalar->place.src, scalar->place.at + (uint32_t)from, (uint32_t)(to - from)};
}

static bool is_walked(const struct conf_node *scalar)
{
    return scalar->kind == CONF_SCALAR && scalar->place.src != NULL;
}

struct place conf_place(const struct conf_node *scalar, uint32_t at, uint32_t len)
{
    if (scalar == NULL || !is_walked(scalar)) {
        return scalar != NULL ? scalar->place : (struct place){0};
    }
    struct conf_places once = {.scalar = scalar, .now = begin(scalar)};
    return place_of(&once, at, len);
}

struct place conf_locate(void *node, uint32_t at, uint32_t len)
{
    return conf_place(node, at, len);
}

// ---- Many places of one scalar ------------------------------------------------------------------------

enum pdp_err conf_places_new(const struct conf_node *scalar, struct conf_places **out)
{
    *out = NULL;
    AUTO(conf_places_free) struct conf_places *places = calloc(1, sizeof *places);
    if (places == NULL) {
        return PDP_ERR_NOMEM;
    }
    places->scalar = scalar;
    if (is_walked(scalar)) {
        places->now = begin(scalar);
        places->marks = calloc(scalar->text.len / MARK_EVERY + 1, sizeof *places->marks);
    }
    if (is_walked(scalar) && places->marks == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(places);
    return PDP_ERR_OK;
}

void conf_places_free(struct conf_places **places)
{
    if (*places != NULL) {
        free((*places)->marks);
        free(*places);
        *places = NULL;
    }
}

struct place conf_places_at(void *places, uint32_t at, uint32_t len)
{
    struct conf_places *p = places;
    return is_walked(p->scalar) ? place_of(p, at, len) : p->scalar->place;
}

uint64_t conf_places_steps(const struct conf_places *places)
{
    return places->steps;
}
