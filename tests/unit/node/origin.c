// SPDX-License-Identifier: Apache-2.0
#include "node/origin.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(node_origin, counts_each_apart_and_forgets)
{
    static struct origin_table table = {.seed = {3, 4}};
    static struct origin *held[5000];
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        char name[32];
        int len = snprintf(name, sizeof name, "ip:%zu", i / 2);
        cr_assert_eq(origin_enter(&table, (struct str){name, (size_t)len}, 2, &held[i]), PDP_ERR_OK);
    }
    struct origin *third = NULL;
    cr_expect_eq(origin_enter(&table, STR("ip:7"), 2, &third), PDP_ERR_LIMIT);
    cr_expect(third == NULL);
    origin_leave(&table, &held[14]);
    cr_expect_eq(origin_enter(&table, STR("ip:7"), 2, &held[14]), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        origin_leave(&table, &held[i]);
        cr_expect(held[i] == NULL);
    }
    for (size_t i = 0; i < ORIGIN_BUCKETS; i++) {
        cr_expect(table.buckets[i] == NULL);
    }
    struct origin *empty = NULL;
    cr_expect_eq(origin_enter(&table, (struct str){0}, 1, &empty), PDP_ERR_OK);
    origin_leave(&table, &empty);
}
