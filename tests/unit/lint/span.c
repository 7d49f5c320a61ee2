// SPDX-License-Identifier: Apache-2.0
#include "lint/span.h"

#include <criterion/criterion.h>
#include <math.h>

static struct span_key key(struct value value)
{
    struct span_key out;
    cr_assert(span_key_of(&value, &out));
    return out;
}

static bool holds(const struct spans *spans, struct span_key at)
{
    for (uint32_t i = 0; i < spans->count; i++) {
        if (span_cmp(spans->at[i].from, at) <= 0 && span_cmp(at, spans->at[i].to) <= 0) {
            return true;
        }
    }
    return false;
}

Test(lint_span, numbers_of_all_kinds_are_in_one_order)
{
    static const double RISING[] = {-1e15, -2, -1.5, -0.0, 1e-300, 0.5, 1, 2, 1e15};
    for (size_t i = 0; i + 1 < COUNT_OF(RISING); i++) {
        cr_expect_lt(span_cmp(key(value_double(RISING[i])), key(value_double(RISING[i + 1]))), 0, "%g",
                     RISING[i]);
    }
    cr_expect_eq(span_cmp(key(value_int(2)), key(value_double(2))), 0);
    cr_expect_eq(span_cmp(key(value_double(0.0)), key(value_double(-0.0))), 0);
    cr_expect_eq(span_cmp(key((struct value){.kind = VALUE_UINT, .as.u = 7}), key(value_int(7))), 0);
}

Test(lint_span, what_comparisons_round_has_no_place)
{
    const struct value values[] = {value_int(INT64_MAX), value_double(9007199254740992.0),
                                   value_double(NAN),    value_double(INFINITY),
                                   value_str(STR("x")),  value_null()};
    struct span_key out;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        cr_expect_not(span_key_of(&values[i], &out), "%zu", i);
    }
}

Test(lint_span, below_and_above_meet_nowhere_and_leave_nothing_out)
{
    static const struct {
        enum span_group group;
        struct value value;
    } CASES[] = {
        {SPAN_NUMBER, {.kind = VALUE_INT, .as.i = 5}},
        {SPAN_NUMBER, {.kind = VALUE_DOUBLE, .as.d = -0.25}},
        {SPAN_TIME, {.kind = VALUE_TIMESTAMP, .as.i = 1763800000}},
        {SPAN_TIME, {.kind = VALUE_TIMESTAMP, .as.i = 7, .n = 999999999}},
        {SPAN_DURATION, {.kind = VALUE_DURATION, .as.i = -1, .n = 500000000}},
        {SPAN_LEVEL, {.kind = VALUE_LEVEL, .as.i = 0}},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct span_key at = key(CASES[i].value);
        struct spans below, above, not_below, both;
        spans_below(CASES[i].group, at, true, &below);
        spans_above(CASES[i].group, at, false, &above);
        cr_assert(spans_not(CASES[i].group, &below, &not_below));
        cr_expect_eq(not_below.count, 1);
        cr_expect_eq(span_cmp(not_below.at[0].from, above.at[0].from), 0, "%zu", i);
        cr_assert(spans_both(&below, &above, &both));
        cr_expect_eq(both.count, 0, "%zu", i);
        cr_expect(holds(&below, at) && !holds(&above, at), "%zu", i);
    }
}

Test(lint_span, points_are_taken_out_and_put_back)
{
    struct spans points = {0}, others, again;
    for (int i = 0; i < SPANS_MOST; i++) {
        cr_assert(spans_add(&points, key(value_int(7 * i % 8))));
        cr_assert(spans_add(&points, key(value_int(7 * i % 8)))); // twice is once
    }
    cr_expect_eq(points.count, SPANS_MOST);
    cr_expect_not(spans_add(&points, key(value_int(100))), "there is no room");
    cr_expect_not(spans_not(SPAN_NUMBER, &points, &others), "one stretch more than there is room for");
    points.count = 3;
    cr_assert(spans_not(SPAN_NUMBER, &points, &others));
    cr_expect(!holds(&others, key(value_int(1))) && holds(&others, key(value_double(1.5))));
    cr_assert(spans_not(SPAN_NUMBER, &others, &again));
    cr_expect_eq(again.count, 3);
    for (uint32_t i = 0; i < again.count; i++) {
        cr_expect_eq(span_cmp(again.at[i].from, points.at[i].from), 0);
    }
    cr_assert(spans_not(SPAN_NUMBER, &SPANS_ALL, &others));
    cr_expect_eq(others.count, 0);
}

Test(lint_span, knows_where_an_integer_is)
{
    static const struct {
        double from, to;
        bool any, positive;
    } CASES[] = {{3, 4, true, true},        {3.1, 3.9, false, false},   {-0.5, 0.5, true, true},
                 {-3.5, -2.5, true, false}, {-0.9, -0.1, false, false}, {2.5, 3, true, true},
                 {1e15, 1e15, true, true}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct spans spans = {1, {{key(value_double(CASES[i].from)), key(value_double(CASES[i].to))}}};
        cr_expect_eq(spans_hold_integer(&spans, false), CASES[i].any, "%zu", i);
        cr_expect_eq(spans_hold_integer(&spans, true), CASES[i].positive, "%zu", i);
    }
    cr_expect(spans_hold_integer(&SPANS_ALL, true));
}
