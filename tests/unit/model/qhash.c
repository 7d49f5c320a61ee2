// SPDX-License-Identifier: Apache-2.0
#include "model/qhash.h"

#include <criterion/criterion.h>

static const struct hash_key KEY = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};

static struct value text(const char *s)
{
    return value_str(str_of(s));
}

Test(model_qhash, ignores_the_order_of_maps_and_nothing_else)
{
    struct value_entry ab[] = {{text("a"), value_int(1)}, {text("b"), value_int(2)}};
    struct value_entry ba[] = {{text("b"), value_int(2)}, {text("a"), value_int(1)}};
    struct value_entry swapped[] = {{text("a"), value_int(2)}, {text("b"), value_int(1)}};
    struct value m1 = {.kind = VALUE_MAP, .n = 2, .as.map = ab};
    struct value m2 = {.kind = VALUE_MAP, .n = 2, .as.map = ba};
    struct value m3 = {.kind = VALUE_MAP, .n = 2, .as.map = swapped};
    cr_expect_eq(qhash(KEY, &m1), qhash(KEY, &m2));
    cr_expect_neq(qhash(KEY, &m1), qhash(KEY, &m3));

    struct value_entry with_null[] = {
        {text("b"), value_int(2)}, {text("c"), value_null()}, {text("a"), value_int(1)}};
    struct value m4 = {.kind = VALUE_MAP, .n = 3, .as.map = with_null};
    cr_expect_eq(qhash(KEY, &m1), qhash(KEY, &m4), "a null counts as left out");

    struct value one[] = {value_int(1), value_int(2)}, two[] = {value_int(2), value_int(1)};
    struct value l1 = {.kind = VALUE_LIST, .n = 2, .as.list = one};
    struct value l2 = {.kind = VALUE_LIST, .n = 2, .as.list = two};
    cr_expect_neq(qhash(KEY, &l1), qhash(KEY, &l2));
}

Test(model_qhash, tells_kinds_and_lengths_apart)
{
    struct value all[] = {
        value_null(),
        value_bool(false),
        value_bool(true),
        value_int(0),
        value_int(1),
        value_double(1.0),
        value_double(0.0),
        text(""),
        text("1"),
        text("0"),
        text("a"),
        text("aa"),
        text("aaaaaaaaaaaaaaaa"),
        text("aaaaaaaaaaaaaaaaa"),
        text("aaaaaaaaaaaaaaab"),
        text("aaaaaaab"),
        text("aaaaaaaab"),
        {.kind = VALUE_LIST},
        {.kind = VALUE_MAP},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        for (size_t j = 0; j < i; j++) {
            cr_expect_neq(qhash(KEY, &all[i]), qhash(KEY, &all[j]), "rows %zu and %zu", i, j);
        }
    }
    struct hash_key other = {1, 2};
    cr_expect_neq(qhash(KEY, &all[10]), qhash(other, &all[10]));
}
