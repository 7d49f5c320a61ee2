// SPDX-License-Identifier: Apache-2.0
#include "lint/span.h"

#define NANOS_PER_S UINT32_C(1000000000)
// From here on comparisons of integers with doubles are rounded.
static const double EXACT_BELOW = 9007199254740992.0;

const uint32_t SPAN_KINDS[SPAN_GROUP_COUNT] = {
    [SPAN_NUMBER] = 1U << VALUE_INT | 1U << VALUE_UINT | 1U << VALUE_DOUBLE,
    [SPAN_BOOL] = 1U << VALUE_BOOL,
    [SPAN_TIME] = 1U << VALUE_TIMESTAMP,
    [SPAN_DURATION] = 1U << VALUE_DURATION,
    [SPAN_LEVEL] = 1U << VALUE_LEVEL,
    [SPAN_STRENGTH] = 1U << VALUE_STRENGTH,
};
const struct spans SPANS_ALL = {1, {{{INT64_MIN, 0}, {INT64_MAX, UINT32_MAX}}}};

enum span_group span_group_of(uint8_t kind)
{
    for (int group = SPAN_NONE + 1; group < SPAN_GROUP_COUNT; group++) {
        if ((SPAN_KINDS[group] >> kind & 1) != 0) {
            return (enum span_group)group;
        }
    }
    return SPAN_NONE;
}

int span_cmp(struct span_key a, struct span_key b)
{
    if (a.hi != b.hi) {
        return a.hi < b.hi ? -1 : 1;
    }
    return a.lo != b.lo ? (a.lo < b.lo ? -1 : 1) : 0;
}

// ---- Keys -------------------------------------------------------------------------------------------

// The bits of doubles, put in the order of the doubles; zero is one, whatever its sign.
static int64_t of_double(double d)
{
    int64_t bits = 0;
    d = d == 0 ? 0.0 : d;
    memcpy(&bits, &d, sizeof bits);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

static double to_double(int64_t key)
{
    int64_t bits = key >= 0 ? key : INT64_MIN - key;
    double d = 0;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static bool number_key(double d, struct span_key *out)
{
    *out = (struct span_key){d == d ? of_double(d) : 0, 0};
    return d > -EXACT_BELOW && d < EXACT_BELOW;
}

static bool duration_key(const struct value *v, struct span_key *out)
{
    int64_t nanos = 0;
    bool negative = v->as.i < 0 || v->flag == 1;
    bool fits = __builtin_mul_overflow(v->as.i, (int64_t)NANOS_PER_S, &nanos) == 0 &&
                __builtin_add_overflow(nanos, negative ? -(int64_t)v->n : (int64_t)v->n, &nanos) == 0;
    *out = (struct span_key){nanos, 0};
    return fits;
}

bool span_key_of(const struct value *value, struct span_key *out)
{
    *out = (struct span_key){0, 0};
    switch (value->kind) {
    case VALUE_INT:
        return number_key((double)value->as.i, out);
    case VALUE_UINT:
        return number_key((double)value->as.u, out);
    case VALUE_DOUBLE:
        return number_key(value->as.d, out);
    case VALUE_BOOL:
        out->hi = value->as.b;
        return true;
    case VALUE_TIMESTAMP:
        *out = (struct span_key){value->as.i, value->n};
        return true;
    case VALUE_DURATION:
        return duration_key(value, out);
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
        out->hi = value->as.i;
        return true;
    default:
        return false;
    }
}

// The neighbours of a key; at the ends the key itself, with false.
static bool after(enum span_group group, struct span_key key, struct span_key *out)
{
    *out = key;
    if (group == SPAN_TIME && key.lo + 1 < NANOS_PER_S) {
        out->lo = key.lo + 1;
        return true;
    }
    if (key.hi == INT64_MAX) {
        return false;
    }
    *out = (struct span_key){key.hi + 1, 0};
    return true;
}

static bool before(enum span_group group, struct span_key key, struct span_key *out)
{
    *out = key;
    if (key.lo > 0) {
        out->lo = key.lo - 1;
        return true;
    }
    if (key.hi == INT64_MIN) {
        return false;
    }
    *out = (struct span_key){key.hi - 1, group == SPAN_TIME ? NANOS_PER_S - 1 : 0};
    return true;
}

// ---- Sets -------------------------------------------------------------------------------------------

void spans_point(struct span_key key, struct spans *out)
{
    *out = (struct spans){1, {{key, key}}};
}

void spans_below(enum span_group group, struct span_key key, bool with, struct spans *out)
{
    struct span_key to = key;
    bool any = with || before(group, key, &to);
    *out = (struct spans){any ? 1 : 0, {{SPAN_FIRST, to}}};
}

void spans_above(enum span_group group, struct span_key key, bool with, struct spans *out)
{
    struct span_key from = key;
    bool any = with || after(group, key, &from);
    *out = (struct spans){any ? 1 : 0, {{from, SPAN_LAST}}};
}

bool spans_add(struct spans *to, struct span_key key)
{
    uint32_t at = 0;
    while (at < to->count && span_cmp(to->at[at].to, key) < 0) {
        at++;
    }
    if (at < to->count && span_cmp(to->at[at].from, key) <= 0) {
        return true;
    }
    if (to->count == SPANS_MOST) {
        return false;
    }
    for (uint32_t i = to->count++; i > at; i--) {
        to->at[i] = to->at[i - 1];
    }
    to->at[at] = (struct span_stretch){key, key};
    return true;
}

bool spans_not(enum span_group group, const struct spans *of, struct spans *out)
{
    struct spans made = {0};
    struct span_key from = SPAN_FIRST;
    bool open = true;
    for (uint32_t i = 0; i < of->count; i++) {
        struct span_key to;
        if (before(group, of->at[i].from, &to) && span_cmp(from, to) <= 0) {
            if (made.count == SPANS_MOST) {
                return false;
            }
            made.at[made.count++] = (struct span_stretch){from, to};
        }
        open = span_cmp(of->at[i].to, SPAN_LAST) < 0 && after(group, of->at[i].to, &from);
    }
    if (open) {
        if (made.count == SPANS_MOST) {
            return false;
        }
        made.at[made.count++] = (struct span_stretch){from, SPAN_LAST};
    }
    *out = made;
    return true;
}

bool spans_both(const struct spans *a, const struct spans *b, struct spans *out)
{
    struct spans made = {0};
    for (uint32_t i = 0, k = 0; i < a->count && k < b->count;) {
        const struct span_stretch *x = &a->at[i], *y = &b->at[k];
        struct span_key from = span_cmp(x->from, y->from) > 0 ? x->from : y->from;
        bool x_first = span_cmp(x->to, y->to) < 0;
        struct span_key to = x_first ? x->to : y->to;
        if (span_cmp(from, to) <= 0) {
            if (made.count == SPANS_MOST) {
                return false;
            }
            made.at[made.count++] = (struct span_stretch){from, to};
        }
        i += x_first;
        k += !x_first;
    }
    *out = made;
    return true;
}

// Beyond what a double holds exactly every double is an integer.
static bool holds_integer(double from, double to)
{
    if (to < -EXACT_BELOW || from > EXACT_BELOW || to - from >= 1) {
        return true;
    }
    int64_t floor = (int64_t)(to > EXACT_BELOW ? EXACT_BELOW : to);
    floor -= (double)floor > to;
    return (double)floor >= from;
}

bool spans_hold_integer(const struct spans *of, bool positive)
{
    for (uint32_t i = 0; i < of->count; i++) {
        int64_t first = of->at[i].from.hi, last = of->at[i].to.hi; // the ends of all are no numbers
        double from = first == INT64_MIN ? -EXACT_BELOW * 4 : to_double(first);
        double to = last == INT64_MAX ? EXACT_BELOW * 4 : to_double(last);
        from = positive && from < 0 ? 0 : from;
        if (from <= to && holds_integer(from, to)) {
            return true;
        }
    }
    return false;
}
