// SPDX-License-Identifier: Apache-2.0
#include "wire/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>

static int order(const char *a, const char *b)
{
    struct value_entry x = {.key = value_str(str_of(a))};
    struct value_entry y = {.key = value_str(str_of(b))};
    return keys_order(&x, &y);
}

Test(wire_keys, shorter_first_then_by_bytes)
{
    cr_expect_eq(order("", ""), 0);
    cr_expect_eq(order("a", "a"), 0);
    cr_expect_lt(order("", "a"), 0);
    cr_expect_lt(order("z", "aa"), 0);
    cr_expect_gt(order("ab", "aa"), 0);
    cr_expect_gt(order("\xff", "a"), 0);
}

Test(wire_keys, sorts_any_number)
{
    enum {
        MOST = 200
    };
    static char names[MOST][8];
    static struct value_entry entries[MOST];
    const struct value_entry *sorted[MOST];
    for (size_t count = 0; count <= MOST; count++) {
        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof names[i], "%zu", i * 73 % (count / 2 + 1)); // some are equal
            entries[i].key = value_str(str_of(names[i]));
            sorted[i] = &entries[i];
        }
        keys_sort(sorted, count);
        for (size_t i = 1; i < count; i++) {
            cr_expect_leq(keys_order(sorted[i - 1], sorted[i]), 0, "%zu of %zu", i, count);
        }
    }
}
