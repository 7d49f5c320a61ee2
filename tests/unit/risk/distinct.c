// SPDX-License-Identifier: Apache-2.0
#include "risk/distinct.h"

#include "base/num.h"

#include <criterion/criterion.h>
#include <string.h>

static uint32_t hash_of(uint64_t n)
{
    uint64_t x = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    x = (x ^ x >> 29) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(x >> 32);
}

static const struct distinct NONE;

Test(risk_distinct, counts_exactly_up_to_its_room)
{
    struct distinct set = {0};
    cr_expect_eq(distinct_count(&set, &NONE), 0);
    for (uint32_t n = 0; n < DISTINCT_ROOM; n++) {
        cr_expect(distinct_add(&set, hash_of(n)));
        for (uint32_t again = 0; again <= n; again++) {
            cr_expect(!distinct_add(&set, hash_of(again)));
        }
        cr_expect_eq(distinct_count(&set, &NONE), n + 1);
        cr_expect_eq(distinct_count(&NONE, &set), n + 1);
        cr_expect(distinct_valid(&set));
    }
    cr_expect_eq(set.over, 0);
}

Test(risk_distinct, takes_the_ends_of_its_range)
{
    struct distinct set = {0};
    cr_expect(distinct_add(&set, 0));
    cr_expect(distinct_add(&set, UINT32_MAX));
    cr_expect(!distinct_add(&set, 0));
    cr_expect(!distinct_add(&set, UINT32_MAX));
    cr_expect_eq(distinct_count(&set, &set), 2);
    // All that is kept lies at one end: as many as can be told, and no division by zero.
    struct distinct low = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        distinct_add(&low, i);
    }
    cr_expect_gt(distinct_count(&low, &NONE), 1000U);
}

Test(risk_distinct, counts_what_both_hold_once)
{
    struct distinct a = {0}, b = {0};
    for (uint32_t n = 0; n < 40; n++) {
        distinct_add(&a, hash_of(n));
        distinct_add(&b, hash_of(n + 20));
    }
    cr_expect_eq(distinct_count(&a, &b), 60);
    cr_expect_eq(distinct_count(&a, &a), 40);
}

// Mostly within an eighth: these are the same numbers in every run.
Test(risk_distinct, estimates_beyond)
{
    size_t near = 0, all = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        for (uint32_t most = 100; most < 400000; most *= 7) {
            struct distinct a = {0}, b = {0};
            for (uint32_t n = 0; n < most; n++) {
                distinct_add(n % 3 != 0 ? &a : &b, hash_of(seed << 32 | n));
                distinct_add(n % 3 != 1 ? &a : &b, hash_of(seed << 32 | n));
            }
            double share = (double)distinct_count(&a, &b) / most;
            cr_expect(share > 0.6 && share < 1.6, "%u taken for %g", most, share * most);
            near += share > 0.87 && share < 1.13;
            all++;
        }
    }
    cr_expect_gt(near * 100, all * 60, "%zu of %zu are near", near, all);
}

Test(risk_distinct, does_not_depend_on_order)
{
    struct distinct there = {0}, back = {0};
    for (uint64_t n = 0; n < 100; n++) {
        distinct_add(&there, hash_of(n));
        distinct_add(&back, hash_of(99 - n));
        distinct_add(&back, hash_of(n / 2 + 50));
    }
    for (uint64_t n = 0; n < 100; n++) {
        distinct_add(&back, hash_of(n));
    }
    cr_expect_eq(memcmp(&there, &back, sizeof there), 0);
}

Test(risk_distinct, knows_what_it_cannot_have_made)
{
    struct distinct good = {.count = 3, .least = {1, 5, 9}};
    cr_expect(distinct_valid(&good));
    struct distinct bad[] = {good, good, good, good};
    bad[0].over = 1;
    bad[1].least[1] = 1;
    bad[2].least[2] = 4;
    bad[3].count = DISTINCT_ROOM + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cr_expect(!distinct_valid(&bad[i]), "%zu", i);
    }
}
