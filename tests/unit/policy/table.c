// SPDX-License-Identifier: Apache-2.0
#include "policy/table.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(policy_table, holds_what_was_put)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    struct table table;
    cr_assert_eq(table_init(&table, 5000, (struct hash_key){3, 4}, &arena), PDP_ERR_OK);
    uint32_t old = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        cr_assert(table_put(&table, arena_printf(&arena, "key-%u", i), i, &old));
    }
    for (uint32_t i = 0; i < 5000; i++) {
        struct str key = arena_printf(&arena, "key-%u", i);
        cr_assert_not_null(table_get(&table, key));
        cr_assert_eq(*table_get(&table, key), i);
        cr_assert(!table_put(&table, key, 7, &old) && old == i);
    }
    cr_expect_null(table_get(&table, STR("key-5000")));
    cr_expect_null(table_get(&table, STR("")));
}

Test(policy_table, empty_and_zeroed)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    struct table table = {0};
    cr_expect_null(table_get(&table, STR("a")));
    uint32_t old = 0;
    cr_assert_eq(table_init(&table, 1, (struct hash_key){0}, &arena), PDP_ERR_OK);
    cr_expect(table_put(&table, (struct str){NULL, 0}, 9, &old));
    cr_expect_eq(*table_get(&table, STR("")), 9);
}
