// SPDX-License-Identifier: Apache-2.0
// Texts drawn from a pattern: they match it, or just do not. The ends of classes, and as many repetitions as
// are just enough or just too many, are drawn more often than what lies between: there two patterns differ.
#include "cli/change/solve.h"

#define TEXT_MOST 6000 // bytes of a text
#define RANGES_MOST 48
#define DEPTH_MOST 40
#define NO_END UINT32_MAX

struct draw {
    struct luck *luck;
    struct str pattern;
    struct buf *out;
    unsigned depth;
    uint32_t steps; // that are left
};

static void draw_any_of(struct draw *d, size_t from, size_t to);

static char at(const struct draw *d, size_t i)
{
    return i < d->pattern.len ? d->pattern.at[i] : '\0';
}

static void put_cp(struct draw *d, uint32_t cp)
{
    char bytes[4];
    size_t len = str_put_cp(cp, bytes);
    if (d->out->len < TEXT_MOST) {
        buf_put(d->out, bytes, len);
    }
}

// ---- Where things end
// --------------------------------------------------------------------------------------

// Behind `\d`, `\pL`, `\p{Greek}`, `\x41`, `\x{1F600}`.
static size_t escape_end(const struct draw *d, size_t i)
{
    char c = at(d, i + 1);
    if ((c == 'p' || c == 'P' || c == 'x') && at(d, i + 2) == '{') {
        size_t end = str_find_byte(d->pattern, '}', i);
        return end < d->pattern.len ? end + 1 : d->pattern.len;
    }
    return i + (c == 'x' ? 4 : c == 'p' || c == 'P' ? 3 : 2);
}

static size_t class_end(const struct draw *d, size_t i)
{
    size_t first = i + 1 + (at(d, i + 1) == '^');
    for (size_t k = first; k < d->pattern.len; k++) {
        if (at(d, k) == '\\') {
            k = escape_end(d, k) - 1;
        } else if (at(d, k) == '[' && at(d, k + 1) == ':') {
            size_t end = str_find(d->pattern, STR(":]"), k);
            k = end != SIZE_MAX ? end + 1 : k;
        } else if (at(d, k) == ']' && k > first) {
            return k + 1;
        }
    }
    return d->pattern.len;
}

// Behind what begins there: one character, an escape, a class, or a group.
static size_t atom_end(const struct draw *d, size_t i)
{
    if (at(d, i) == '\\') {
        return escape_end(d, i);
    }
    if (at(d, i) == '[') {
        return class_end(d, i);
    }
    if (at(d, i) != '(') {
        uint32_t cp = 0;
        (void)str_next_cp(d->pattern, &i, &cp);
        return i;
    }
    size_t open = 0;
    do {
        open += at(d, i) == '(';
        open -= at(d, i) == ')';
        i = at(d, i) == '\\' ? escape_end(d, i) : at(d, i) == '[' ? class_end(d, i) : i + 1;
    } while (open > 0 && i < d->pattern.len);
    return i < d->pattern.len ? i : d->pattern.len;
}

// ---- Classes
// -----------------------------------------------------------------------------------------------

struct ranges {
    uint32_t lo[RANGES_MOST], hi[RANGES_MOST];
    uint32_t count;
};

static void add_range(struct ranges *r, uint32_t lo, uint32_t hi)
{
    if (r->count < RANGES_MOST) {
        r->lo[r->count] = lo;
        r->hi[r->count++] = hi;
    }
}

// What stands for several: `\d`, `\w`, `\s`. false: it is one character.
static bool add_kind(struct ranges *r, char kind)
{
    if (kind == 'd' || kind == 'w') {
        add_range(r, '0', '9');
    }
    if (kind == 'w') {
        add_range(r, 'a', 'z');
        add_range(r, 'A', 'Z');
        add_range(r, '_', '_');
    }
    if (kind == 's') {
        add_range(r, ' ', ' ');
        add_range(r, '\t', '\t');
    }
    if (kind == 'D' || kind == 'S' || kind == 'W' || kind == 'p' || kind == 'P') {
        add_range(r, kind == 'P' ? '0' : 'a', kind == 'P' ? '9' : 'z');
        add_range(r, kind == 'W' ? '-' : 'A', kind == 'W' ? '-' : 'Z');
    }
    return r->count > 0;
}

static void add_named(struct ranges *r, struct str name)
{
    bool alnum = str_eq(name, STR("alnum")) || str_eq(name, STR("word"));
    if (alnum || str_eq(name, STR("digit")) || str_eq(name, STR("xdigit"))) {
        add_range(r, '0', '9');
    }
    if (alnum || str_eq(name, STR("alpha")) || str_eq(name, STR("lower"))) {
        add_range(r, 'a', 'z');
    }
    if (alnum || str_eq(name, STR("alpha")) || str_eq(name, STR("upper"))) {
        add_range(r, 'A', 'Z');
    }
    if (str_eq(name, STR("punct"))) {
        add_range(r, '!', '/');
    }
    if (str_eq(name, STR("space"))) {
        add_range(r, ' ', ' ');
    }
}

static uint32_t escaped_cp(const struct draw *d, size_t i)
{
    static const char FROM[] = "ntrfv", TO[] = "\n\t\r\f\v";
    char c = at(d, i + 1);
    for (size_t k = 0; FROM[k] != '\0'; k++) {
        if (c == FROM[k]) {
            return (unsigned char)TO[k];
        }
    }
    if (c != 'x') {
        return (unsigned char)c;
    }
    uint32_t cp = 0;
    for (size_t k = i + 2; k < escape_end(d, i) && cp < 0x110000; k++) {
        char h = at(d, k);
        uint32_t digit = h >= '0' && h <= '9' ? (uint32_t)(h - '0') : (uint32_t)((h | 32) - 'a' + 10);
        cp = h == '{' || h == '}' ? cp : cp * 16 + (digit & 15);
    }
    return cp;
}

// One character of a class; *i moves behind it.
static uint32_t class_cp(const struct draw *d, size_t *i)
{
    uint32_t cp = 0;
    if (at(d, *i) == '\\') {
        cp = escaped_cp(d, *i);
        *i = escape_end(d, *i);
    } else {
        (void)str_next_cp(d->pattern, i, &cp);
    }
    return cp;
}

static void read_class(const struct draw *d, size_t from, size_t to, struct ranges *r)
{
    for (size_t i = from; i < to;) {
        struct ranges kind = {.count = 0};
        size_t named = str_find(d->pattern, STR(":]"), i);
        if (at(d, i) == '[' && at(d, i + 1) == ':' && named < to) {
            add_named(r, str_sub(d->pattern, i + 2, named - i - 2));
            i = named + 2;
        } else if (at(d, i) == '\\' && add_kind(&kind, at(d, i + 1))) {
            (void)add_kind(r, at(d, i + 1));
            i = escape_end(d, i);
        } else {
            uint32_t lo = class_cp(d, &i), hi = lo;
            if (at(d, i) == '-' && i + 1 < to) {
                i++;
                hi = class_cp(d, &i);
            }
            add_range(r, lo, hi);
        }
    }
}

static bool in_ranges(const struct ranges *r, uint32_t cp)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (cp >= r->lo[i] && cp <= r->hi[i]) {
            return true;
        }
    }
    return false;
}

// The ends most often, what lies just beside them now and then.
static uint32_t draw_cp(struct draw *d, const struct ranges *r, bool beside)
{
    uint32_t i = luck_below(d->luck, r->count), lo = r->lo[i], hi = r->hi[i];
    if (beside) {
        return luck_one_in(d->luck, 2) ? hi + 1 : lo > 1 ? lo - 1 : hi + 1;
    }
    uint32_t which = luck_below(d->luck, 3);
    return which == 0 ? lo : which == 1 ? hi : lo + luck_below(d->luck, hi >= lo ? hi - lo + 1 : 1);
}

static void draw_class(struct draw *d, size_t from, size_t to)
{
    static const char OTHERS[] = "a0-_.Z /@";
    struct ranges r = {.count = 0};
    bool negated = at(d, from + 1) == '^';
    read_class(d, from + 1 + negated, to - 1, &r);
    bool beside = r.count > 0 && (negated ? luck_one_in(d->luck, 2) : luck_one_in(d->luck, 16));
    uint32_t cp = r.count > 0 && (!negated || beside) ? draw_cp(d, &r, beside) : 'a';
    for (uint32_t tries = 0; negated && (!beside || in_ranges(&r, cp)) && tries < 8; tries++) {
        cp = (unsigned char)OTHERS[luck_below(d->luck, sizeof OTHERS - 1)];
        beside = beside && in_ranges(&r, cp);
    }
    put_cp(d, cp);
}

// ---- The pattern
// -------------------------------------------------------------------------------------------

static void draw_group(struct draw *d, size_t from, size_t to)
{
    size_t inner = from + 1;
    if (at(d, inner) == '?') { // flags or a name; flags alone stand for nothing
        while (inner < to - 1 && at(d, inner) != ':' && at(d, inner) != '>') {
            inner++;
        }
        inner++;
    }
    if (inner < to && d->depth < DEPTH_MOST) {
        d->depth++;
        draw_any_of(d, inner, to - 1);
        d->depth--;
    }
}

static void draw_escape(struct draw *d, size_t from)
{
    struct ranges r = {.count = 0};
    char c = at(d, from + 1);
    if (add_kind(&r, c)) {
        put_cp(d, draw_cp(d, &r, luck_one_in(d->luck, 16)));
    } else if (c != 'b' && c != 'B' && c != 'A' && c != 'z') {
        put_cp(d, escaped_cp(d, from));
    }
}

static void draw_atom(struct draw *d, size_t from, size_t to)
{
    static const char ANY[] = "a1-./ Z";
    char c = at(d, from);
    if (d->steps == 0) {
        return;
    }
    d->steps--;
    if (c == '(') {
        draw_group(d, from, to);
    } else if (c == '[') {
        draw_class(d, from, to);
    } else if (c == '\\') {
        draw_escape(d, from);
    } else if (c == '.') {
        put_cp(d, (unsigned char)ANY[luck_below(d->luck, sizeof ANY - 1)]);
    } else if (c != '^' && c != '$') {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter && luck_one_in(d->luck, 24)) {
            put_cp(d, (unsigned char)(c ^ 32)); // which `(?i)` alone takes
        } else if (d->out->len < TEXT_MOST) {
            buf_str(d->out, str_sub(d->pattern, from, to - from));
        }
    }
}

static uint32_t read_number(const struct draw *d, size_t *i)
{
    uint32_t number = 0;
    while (at(d, *i) >= '0' && at(d, *i) <= '9') {
        number = number < 100000 ? number * 10 + (uint32_t)(at(d, *i) - '0') : number;
        (*i)++;
    }
    return number;
}

// `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`, and a `?` behind them; returns where they end.
static size_t read_repeat(const struct draw *d, size_t i, uint32_t *least, uint32_t *most)
{
    char c = at(d, i);
    *least = *most = 1;
    if (c == '*' || c == '+' || c == '?') {
        *least = c == '+';
        *most = c == '?' ? 1 : NO_END;
        i++;
    } else if (c == '{' && at(d, i + 1) >= '0' && at(d, i + 1) <= '9') {
        i++;
        *least = *most = read_number(d, &i);
        if (at(d, i) == ',') {
            i++;
            *most = at(d, i) == '}' ? NO_END : read_number(d, &i);
        }
        i += at(d, i) == '}';
    } else {
        return i;
    }
    return i + (at(d, i) == '?' || at(d, i) == '+');
}

static uint32_t times_of(struct draw *d, uint32_t least, uint32_t most)
{
    if (least == 1 && most == 1) {
        return 1;
    }
    if (luck_one_in(d->luck, 10)) {
        return luck_one_in(d->luck, 2) || most == NO_END ? (least > 0 ? least - 1 : 0) : most + 1;
    }
    uint32_t end = most == NO_END ? least + 2 : most;
    uint32_t which = luck_below(d->luck, 3);
    return which == 0   ? least
           : which == 1 ? end
                        : least + luck_below(d->luck, end >= least ? end - least + 1 : 1);
}

static void draw_sequence(struct draw *d, size_t from, size_t to)
{
    for (size_t i = from; i < to;) {
        uint32_t least = 1, most = 1;
        size_t end = atom_end(d, i);
        end = end > i && end <= to ? end : to;
        size_t next = read_repeat(d, end, &least, &most);
        uint32_t times = times_of(d, least, most);
        for (uint32_t n = 0; n < times && d->out->len < TEXT_MOST && d->steps > 0; n++) {
            size_t before = d->out->len;
            draw_atom(d, i, end);
            if (d->out->len == before && n > 8) {
                break; // it stands for nothing, however often
            }
        }
        i = next < to ? next : to;
    }
}

static void draw_any_of(struct draw *d, size_t from, size_t to)
{
    uint32_t count = 1;
    for (size_t i = from; i < to; i = at(d, i) == '|' ? i + 1 : atom_end(d, i)) {
        count += at(d, i) == '|';
    }
    uint32_t which = luck_below(d->luck, count);
    size_t start = from, i = from;
    for (; i < to && !(at(d, i) == '|' && which == 0);) {
        if (at(d, i) == '|') {
            which--;
            start = i + 1;
        }
        i = at(d, i) == '|' ? i + 1 : atom_end(d, i);
    }
    draw_sequence(d, start, i < to ? i : to);
}

struct str solve_text(struct arena *arena, struct luck *luck, struct str pattern)
{
    AUTO(buf_fini) struct buf out = {0};
    struct draw d = {.luck = luck, .pattern = pattern, .out = &out, .steps = 4 * TEXT_MOST};
    if (luck_one_in(luck, 12)) {
        buf_byte(&out, 'x'); // where it may begin anywhere
    }
    draw_any_of(&d, 0, pattern.len);
    if (luck_one_in(luck, 12)) {
        buf_byte(&out, 'x');
    }
    return arena_str(arena, buf_view(&out), NULL);
}
