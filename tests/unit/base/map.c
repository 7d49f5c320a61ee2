// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct hash_key KEY = {1, 2};

Test(base_map, holds_nothing_at_first)
{
    struct map map;
    map_init(&map, KEY);
    uint64_t value = 7;
    cr_expect_not(map_get(&map, STR("a"), &value));
    cr_expect_eq(value, 7, "left alone");
    map_fini(&map);
}

Test(base_map, sets_and_replaces)
{
    struct map map;
    map_init(&map, KEY);
    cr_assert_eq(map_put(&map, STR("a"), 1), PDP_ERR_OK);
    cr_assert_eq(map_put(&map, STR("a\0b"), 2), PDP_ERR_OK);
    cr_assert_eq(map_put(&map, STR("a"), 3), PDP_ERR_OK);
    cr_expect_eq(map.count, 2);
    uint64_t value = 0;
    cr_expect(map_get(&map, STR("a"), &value));
    cr_expect_eq(value, 3);
    cr_expect(map_get(&map, STR("a\0b"), &value));
    cr_expect_eq(value, 2);
    cr_expect_not(map_get(&map, STR("a\0"), &value));
    map_fini(&map);
    cr_expect_not(map_get(&map, STR("a"), &value), "empty after fini");
}

Test(base_map, takes_the_empty_key_with_and_without_a_pointer)
{
    struct map map;
    map_init(&map, KEY);
    uint64_t value = 0;
    cr_assert_eq(map_put(&map, (struct str){NULL, 0}, 5), PDP_ERR_OK);
    cr_expect(map_get(&map, STR(""), &value));
    cr_expect_eq(value, 5);
    cr_assert_eq(map_put(&map, STR(""), 6), PDP_ERR_OK);
    cr_expect(map_get(&map, (struct str){NULL, 0}, &value));
    cr_expect_eq(value, 6);
    cr_expect_eq(map.count, 1);
    map_fini(&map);
}

Test(base_map, keeps_all_while_it_grows)
{
    enum {
        KEYS = 5000
    };
    static char text[KEYS][16];
    struct map map;
    map_init(&map, KEY);
    for (size_t i = 0; i < KEYS; i++) {
        int len = snprintf(text[i], sizeof text[i], "key%zu", i);
        cr_assert_eq(map_put(&map, (struct str){text[i], (size_t)len}, i), PDP_ERR_OK);
    }
    cr_expect_eq(map.count, KEYS);
    cr_expect_eq(map.cap & (map.cap - 1), 0);
    cr_expect_gt(map.cap, map.count);
    for (size_t i = 0; i < KEYS; i++) {
        uint64_t value = UINT64_MAX;
        cr_expect(map_get(&map, str_of(text[i]), &value) && value == i, "%s: %llu", text[i],
                  (unsigned long long)value);
    }
    uint64_t value = 0;
    cr_expect_not(map_get(&map, STR("key5000"), &value));
    map_fini(&map);
}
