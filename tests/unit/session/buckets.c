// SPDX-License-Identifier: Apache-2.0
#include "session/buckets.h"

#include <criterion/criterion.h>

enum {
    ITEMS = 20000
};

struct owner {
    uint64_t hash[ITEMS + 1];
    uint32_t next[ITEMS + 1];
};

static uint64_t hash_of(void *owner, uint32_t item)
{
    return ((struct owner *)owner)->hash[item];
}

static uint32_t *next_of(void *owner, uint32_t item)
{
    return &((struct owner *)owner)->next[item];
}

static const struct buckets_ops OPS = {hash_of, next_of};

static bool holds(const struct buckets *buckets, struct owner *owner, uint32_t item)
{
    uint32_t at = *buckets_head(buckets, owner->hash[item]);
    while (at != 0 && at != item) {
        at = owner->next[at];
    }
    return at == item;
}

static void walk(uint64_t (*hash)(uint32_t item), uint32_t expected)
{
    static struct owner owner;
    struct buckets buckets;
    cr_assert_eq(buckets_init(&buckets), PDP_ERR_OK);
    buckets_expect(&buckets, &OPS, &owner, expected);
    cr_expect_geq(buckets.count, expected);
    cr_expect_eq(buckets.items, 0);
    for (uint32_t i = 1; i <= ITEMS; i++) {
        owner.hash[i] = hash(i);
        uint32_t before = buckets.count;
        buckets_insert(&buckets, &OPS, &owner, i);
        cr_assert_leq(buckets.count, before + 1, "one bucket an insert");
    }
    cr_expect_eq(buckets.items, ITEMS);
    cr_expect_eq(buckets.count, ITEMS);
    for (uint32_t i = 1; i <= ITEMS; i++) {
        cr_assert(holds(&buckets, &owner, i), "%u", i);
    }
    for (uint32_t i = 1; i <= ITEMS; i += 2) {
        buckets_remove(&buckets, &OPS, &owner, i);
    }
    for (uint32_t i = 1; i <= ITEMS; i++) {
        cr_assert_eq(holds(&buckets, &owner, i), i % 2 == 0, "%u", i);
    }
    cr_expect_eq(buckets.items, ITEMS / 2);
    cr_expect_geq(buckets_bytes(&buckets), ITEMS * sizeof(uint32_t));
    buckets_fini(&buckets);
    cr_expect_eq(buckets_bytes(&buckets), 0);
}

static uint64_t spread(uint32_t item)
{
    return item * UINT64_C(0x9E3779B97F4A7C15) >> 7;
}

static uint64_t same_low_bits(uint32_t item)
{
    return (uint64_t)(item % 64) << 20 | item >> 10;
}

Test(session_buckets, hold_what_was_put)
{
    walk(spread, 0);
    walk(spread, ITEMS / 3);
    walk(spread, ITEMS);
}

Test(session_buckets, hold_what_falls_together)
{
    walk(same_low_bits, 0);
}
