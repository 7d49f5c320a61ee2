// SPDX-License-Identifier: Apache-2.0
#include "diff/pairs.h"

const int PAIR_WORLD_AT[PAIR_ROOTS] = {0, 2, 3};
const char *const PAIR_FIELD_NAMES[PAIR_FIELDS] = {"s0", "s1", "n0", "n1", "b0", "b1", "t0", "t1"};
static const char *const OURS[PAIR_ROOTS] = {"subject", "resource", "context"};
static const char *const THEIRS[PAIR_ROOTS] = {"principal", "resource", "context"};
static const char *const TEXTS[] = {"x", "y", "xy", "", "yx", "ä"};
static const int64_t NUMBERS[] = {-2, -1, 0, 1, 2, 3, 7, INT64_C(9007199254740991)};

static uint32_t below(struct pair *p, uint32_t limit)
{
    return chance_below(p->chance, limit);
}

static void put(struct pair *p, const char *ours, const char *theirs)
{
    buf_str(&p->ours, str_of(ours));
    buf_str(&p->theirs, str_of(theirs));
}

static void put_same(struct pair *p, const char *text)
{
    put(p, text, text);
}

// `kind` is the first letter of the field's name.
static void put_attribute(struct pair *p, char kind)
{
    uint32_t root = below(p, PAIR_ROOTS), number = below(p, 2);
    buf_printf(&p->ours, "%s.%c%u", OURS[root], kind, number);
    buf_printf(&p->theirs, "%s.%c%u", THEIRS[root], kind, number);
}

static void put_text(struct pair *p)
{
    const char *text = TEXTS[below(p, COUNT_OF(TEXTS))];
    buf_printf(&p->ours, "\"%s\"", text);
    buf_printf(&p->theirs, "\"%s\"", text);
}

static void put_string(struct pair *p)
{
    if (below(p, 3) == 0) {
        put_text(p);
    } else {
        put_attribute(p, 's');
    }
}

static void put_number(struct pair *p, uint32_t depth)
{
    static const char *const SIGNS[] = {" + ", " - ", " * "};
    static const char *const LITERALS[] = {"0", "1", "2", "3", "(-1)", "9223372036854775807"};
    uint32_t what = below(p, depth > 0 ? 8 : 6);
    if (what < 2) {
        put_same(p, LITERALS[below(p, COUNT_OF(LITERALS))]);
    } else if (what < 6) {
        put_attribute(p, 'n');
    } else {
        put_same(p, "(");
        put_number(p, depth - 1);
        put_same(p, SIGNS[below(p, COUNT_OF(SIGNS))]);
        put_number(p, depth - 1);
        put_same(p, ")");
    }
}

static void put_texts(struct pair *p)
{
    put_same(p, "[");
    put_text(p);
    put_same(p, ", ");
    put_text(p);
    put_same(p, "]");
}

static void compare(struct pair *p)
{
    static const char *const ORDERS[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
    if (below(p, 2) == 0) {
        put_number(p, 1);
        put_same(p, ORDERS[below(p, COUNT_OF(ORDERS))]);
        put_number(p, 1);
    } else {
        put_string(p);
        put_same(p, ORDERS[4 + below(p, 2)]);
        put_string(p);
    }
}

static void truth(struct pair *p)
{
    put_attribute(p, 'b');
    if (below(p, 3) == 0) {
        put_same(p, below(p, 2) == 0 ? " == true" : " != false");
    }
}

// `x like "a*"` and its like; the patterns hold no star of their own.
static void like(struct pair *p)
{
    static const char *const WORDS[] = {"x", "y", "xy", "ä"};
    static const struct {
        const char *ours, *before, *after;
    } KINDS[] = {{"startsWith", "", "*"}, {"endsWith", "*", ""}, {"contains", "*", "*"}};
    uint32_t kind = below(p, COUNT_OF(KINDS));
    const char *word = WORDS[below(p, COUNT_OF(WORDS))];
    put_attribute(p, 's');
    buf_printf(&p->ours, ".%s(\"%s\")", KINDS[kind].ours, word);
    buf_printf(&p->theirs, " like \"%s%s%s\"", KINDS[kind].before, word, KINDS[kind].after);
}

static void append(struct pair *p, const struct pair *part, bool ours)
{
    buf_str(ours ? &p->ours : &p->theirs, buf_view(ours ? &part->ours : &part->theirs));
}

// The two sides stand the other way round in Cedar: `ours` is in front of the word between, theirs behind.
static void crossed(struct pair *p, const struct pair *what, const struct pair *set, const char *ours,
                    const char *between, const char *end, const char *theirs)
{
    buf_str(&p->ours, str_of(ours));
    append(p, what, true);
    buf_str(&p->ours, str_of(between));
    append(p, set, true);
    buf_str(&p->ours, str_of(end));
    append(p, set, false);
    buf_printf(&p->theirs, ".%s(", theirs);
    append(p, what, false);
    buf_byte(&p->theirs, ')');
}

static void member(struct pair *p)
{
    struct pair what = {.chance = p->chance}, set = {.chance = p->chance};
    uint32_t kind = below(p, 4);
    if (kind < 2) { // a text in a set
        put_string(&what);
        (kind == 0 ? put_texts(&set) : put_attribute(&set, 't'));
        crossed(p, &what, &set, "", " in ", "", "contains");
    } else {
        (below(p, 2) == 0 ? put_texts(&what) : put_attribute(&what, 't'));
        put_attribute(&set, 't');
        crossed(p, &what, &set, "", kind == 2 ? ".all(e, e in " : ".exists(e, e in ", ")",
                kind == 2 ? "containsAll" : "containsAny");
    }
    pair_fini(&what);
    pair_fini(&set);
}

static void has(struct pair *p)
{
    uint32_t root = below(p, PAIR_ROOTS);
    const char *field = PAIR_FIELD_NAMES[below(p, PAIR_FIELDS)];
    buf_printf(&p->ours, "has(%s.%s)", OURS[root], field);
    buf_printf(&p->theirs, "%s has %s", THEIRS[root], field);
    p->has = true;
}

static void empty(struct pair *p)
{
    put(p, "size(", "");
    put_attribute(p, 't');
    put(p, ") == 0", ".isEmpty()");
}

static void joined(struct pair *p, uint32_t depth)
{
    uint32_t what = below(p, 8);
    if (what < 6) {
        pair_condition(p, depth - 1);
        put_same(p, what < 3 ? " && " : " || ");
        pair_condition(p, depth - 1);
    } else if (what == 6) {
        put_same(p, "!");
        pair_condition(p, depth - 1);
    } else {
        put(p, "", "if ");
        pair_condition(p, depth - 1);
        put(p, " ? ", " then ");
        pair_condition(p, depth - 1);
        put(p, " : ", " else ");
        pair_condition(p, depth - 1);
    }
}

void pair_condition(struct pair *p, uint32_t depth)
{
    static void (*const ATOMS[])(struct pair *) = {compare, compare, truth, like, member, member, empty, has};
    put_same(p, "(");
    if (depth == 0 || below(p, 4) == 0) {
        ATOMS[below(p, (uint32_t)COUNT_OF(ATOMS) - p->no_has)](p);
    } else {
        joined(p, depth);
    }
    put_same(p, ")");
}

void pair_fini(struct pair *p)
{
    buf_fini(&p->ours);
    buf_fini(&p->theirs);
}

// ---- Values ---------------------------------------------------------------------------------------------

struct value pair_value(struct chance *chance, struct arena *arena, char kind)
{
    uint32_t n = chance_below(chance, 3);
    struct value *list = NULL;
    switch (kind) {
    case 's':
        return value_str(str_of(TEXTS[chance_below(chance, COUNT_OF(TEXTS))]));
    case 'n':
        return value_int(NUMBERS[chance_below(chance, COUNT_OF(NUMBERS))]);
    case 'b':
        return value_bool(chance_below(chance, 2) == 1);
    default:
        list = ARENA_ARRAY(arena, struct value, n + 1);
        for (uint32_t i = 0; i < n; i++) {
            list[i] = pair_value(chance, arena, 's');
        }
        return (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
    }
}

struct value pair_root(struct chance *chance, struct arena *arena, const struct value *known,
                       uint32_t left_out)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, PAIR_FIELDS);
    uint32_t n = 0;
    for (size_t i = 0; i < PAIR_FIELDS; i++) {
        struct str name = str_of(PAIR_FIELD_NAMES[i]);
        const struct value *has = known != NULL ? value_get(known, name) : NULL;
        if (has != NULL || chance_below(chance, 10) >= left_out) {
            entries[n++] = (struct value_entry){value_str(name),
                                                has != NULL ? *has : pair_value(chance, arena, name.at[0])};
        }
    }
    return (struct value){.kind = VALUE_MAP, .n = n, .as.map = entries};
}
