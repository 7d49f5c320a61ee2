// SPDX-License-Identifier: Apache-2.0
// Sets of values that have an order, as a few stretches of it: numbers, times, durations, levels, truths.
#ifndef LINT_SPAN_H
#define LINT_SPAN_H

#include "model/value.h"

// Kinds of values that are compared with one another.
enum span_group {
    SPAN_NONE,
    SPAN_NUMBER,
    SPAN_BOOL,
    SPAN_TIME,
    SPAN_DURATION,
    SPAN_LEVEL,
    SPAN_STRENGTH,
    SPAN_GROUP_COUNT
};
// The kinds of a group, a bit each by enum value_kind.
extern const uint32_t SPAN_KINDS[SPAN_GROUP_COUNT];
enum span_group span_group_of(uint8_t kind); // SPAN_NONE: its values have no order that is known here

// A place in the order of a group. Each order is discrete: doubles follow one another as times do.
struct span_key {
    int64_t hi;
    uint32_t lo;
};
#define SPAN_FIRST ((struct span_key){INT64_MIN, 0})
#define SPAN_LAST ((struct span_key){INT64_MAX, UINT32_MAX})

// false: the value has no place that comparisons of all kinds of its group agree on (large integers beside
// doubles are rounded), or is NaN.
bool span_key_of(const struct value *value, struct span_key *out);
int span_cmp(struct span_key a, struct span_key b);

#define SPANS_MOST 8
struct spans { // in order, apart from one another; both ends are part of a stretch
    uint32_t count;
    struct span_stretch {
        struct span_key from, to;
    } at[SPANS_MOST];
};

extern const struct spans SPANS_ALL;
void spans_point(struct span_key key, struct spans *out);
// What is below or above `key` (`with`: and itself); `group` says what its neighbours are.
void spans_below(enum span_group group, struct span_key key, bool with, struct spans *out);
void spans_above(enum span_group group, struct span_key key, bool with, struct spans *out);
// These return false where the result is more stretches than there is room for; *out is then not written.
MUST_USE bool spans_add(struct spans *to, struct span_key key); // a point more
MUST_USE bool spans_not(enum span_group group, const struct spans *of, struct spans *out);
MUST_USE bool spans_both(const struct spans *a, const struct spans *b, struct spans *out);
// Is there an integer in it, and one that is not negative where `positive`? Of numbers.
bool spans_hold_integer(const struct spans *of, bool positive);

#endif
