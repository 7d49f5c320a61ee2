// SPDX-License-Identifier: Apache-2.0
#include "session/gateways.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct gateways gateways; // large

static const char *numbered(int number)
{
    static char name[24];
    snprintf(name, sizeof name, "gw%d", number);
    return name;
}

Test(session_gateways, numbers_names_once_and_for_ever)
{
    gateways_init(&gateways, (struct hash_key){1, 2});
    cr_expect_eq(gateways_number(&gateways, STR("")), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 1; i <= GATEWAYS_MAX; i++) {
            cr_assert_eq(gateways_number(&gateways, str_of(numbered(i))), i);
        }
        cr_expect_eq(gateways_number(&gateways, STR("one too many")), 0);
    }
    for (int i = 1; i <= GATEWAYS_MAX; i++) {
        cr_assert(str_eq(gateways_name(&gateways, (uint16_t)i), str_of(numbered(i))));
    }
    cr_expect_eq(gateways_name(&gateways, 0).len, 0);
    cr_expect_eq(gateways_name(&gateways, GATEWAYS_MAX + 1).len, 0);
    cr_expect_eq(gateways_name(&gateways, UINT16_MAX).len, 0);
    gateways_fini(&gateways);
}

Test(session_gateways, keeps_no_more_of_a_name_than_its_limit)
{
    gateways_init(&gateways, (struct hash_key){1, 2});
    char name[GATEWAYS_NAME_MAX + 10];
    memset(name, 'x', sizeof name);
    cr_expect_eq(gateways_number(&gateways, (struct str){name, sizeof name}), 1);
    cr_expect_eq(gateways_number(&gateways, (struct str){name, GATEWAYS_NAME_MAX}), 1);
    cr_expect_eq(gateways_name(&gateways, 1).len, GATEWAYS_NAME_MAX);
    gateways_fini(&gateways);
}
