// SPDX-License-Identifier: Apache-2.0
#include "policy/rank.h"

#include <criterion/criterion.h>

static uint64_t STATE = 88172645463325252U;

static uint64_t draw(void)
{
    STATE = STATE * 6364136223846793005U + 1442695040888963407U;
    return STATE >> 16;
}

// Counts around every edge of a block and a level.
static const size_t COUNTS[] = {0, 1, 2, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 70000};

static uint32_t plain32(const uint32_t *keys, size_t count, uint32_t key)
{
    uint32_t found = RANK_NONE;
    for (size_t i = 0; i < count && keys[i] <= key; i++) {
        found = (uint32_t)i;
    }
    return found;
}

Test(policy_rank, finds_what_a_plain_search_finds)
{
    static uint32_t keys[70000];
    for (size_t c = 0; c < COUNT_OF(COUNTS); c++) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, 0, 0);
        size_t count = COUNTS[c];
        uint32_t key = 5;
        for (size_t i = 0; i < count; i++, key += 1 + (uint32_t)(draw() % 50000)) {
            keys[i] = i + 1 == count && c % 2 == 0 ? UINT32_MAX : key;
        }
        struct rank32 rank;
        cr_assert_eq(rank32_build(&rank, keys, count, &arena), PDP_ERR_OK);
        const uint32_t edges[] = {0, 4, 5, 6, UINT32_MAX - 1, UINT32_MAX};
        for (size_t i = 0; i < COUNT_OF(edges); i++) {
            cr_expect_eq(rank32_find(&rank, edges[i]), plain32(keys, count, edges[i]), "%zu: %u", count,
                         edges[i]);
        }
        for (size_t i = 0; i < 500 && count > 0; i++) {
            uint32_t near = keys[draw() % count] + (uint32_t)(draw() % 3) - 1;
            cr_assert_eq(rank32_find(&rank, near), plain32(keys, count, near), "%zu: %u", count, near);
        }
    }
}

static uint32_t plain128(const struct rank_key128 *keys, size_t count, struct rank_key128 key)
{
    uint32_t found = RANK_NONE;
    for (size_t i = 0; i < count && rank_at_or_below(keys[i], key); i++) {
        found = (uint32_t)i;
    }
    return found;
}

Test(policy_rank, finds_long_keys_too)
{
    static struct rank_key128 keys[70000];
    for (size_t c = 0; c < COUNT_OF(COUNTS); c++) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, 0, 0);
        size_t count = COUNTS[c];
        for (size_t i = 0; i < count; i++) { // many share their high half
            keys[i] = (struct rank_key128){i / 40 * 3, i % 40 * 1000 + 7};
        }
        if (count > 0 && c % 2 == 0) {
            keys[count - 1] = (struct rank_key128){UINT64_MAX, UINT64_MAX};
        }
        struct rank128 rank;
        cr_assert_eq(rank128_build(&rank, keys, count, &arena), PDP_ERR_OK);
        const struct rank_key128 edges[] = {
            {0, 0}, {0, 6}, {0, 7}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}};
        for (size_t i = 0; i < COUNT_OF(edges); i++) {
            cr_expect_eq(rank128_find(&rank, edges[i]), plain128(keys, count, edges[i]), "%zu: %zu", count,
                         i);
        }
        for (size_t i = 0; i < 500 && count > 0; i++) {
            struct rank_key128 near = keys[draw() % count];
            near.lo += draw() % 3 - 1;
            cr_assert_eq(rank128_find(&rank, near), plain128(keys, count, near), "%zu", count);
        }
    }
}

Test(policy_rank, says_when_memory_is_out)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 64, 100);
    static const uint32_t KEYS[100];
    struct rank32 rank;
    cr_expect_eq(rank32_build(&rank, KEYS, COUNT_OF(KEYS), &arena), PDP_ERR_NOMEM);
}
