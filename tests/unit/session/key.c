// SPDX-License-Identifier: Apache-2.0
#include "unit/session/help.h"

Test(session_key, prints_refs_of_24_digits)
{
    char ref[32];
    memset(ref, 'x', sizeof ref);
    session_ref_print(
        (struct hash128){.lo = UINT64_C(0x0123456789abcdef), .hi = UINT64_C(0xfedcba9876543210)}, ref);
    cr_expect_str_eq(ref, "s_0123456789abcdeffedcba98");
}

Test(session_key, depends_on_the_drawn_key_and_on_the_use)
{
    struct session_table *one = NULL, *two = NULL;
    struct session_table_config a = {.key = {1, 2}}, b = {.key = {1, 3}};
    cr_assert_eq(session_table_new(&a, &one), PDP_ERR_OK);
    cr_assert_eq(session_table_new(&b, &two), PDP_ERR_OK);
    cr_expect_neq(session_hash(one, STR("x")), session_hash(two, STR("x")));
    struct session_key key = help_key(one, "x", "x");
    cr_expect_neq(key.id.lo, session_hash(one, STR("x")),
                  "a logged hash of text says nothing of a session id");
    cr_expect_not(hash128_eq(key.id, help_key(two, "x", "x").id));
    cr_expect_not(hash128_eq(key.id, key.subject));
    cr_expect(hash128_eq(help_key(one, "x", "").id, (struct hash128){0}));
    session_table_free(&one);
    session_table_free(&two);
}

Test(session_key, reads_names_byte_by_byte)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_expect_not(hash128_eq(help_key(table, "Alice", "s").subject, help_key(table, "alice", "s").subject));
    struct session_key nul = session_key_of(table, 0, STR("acme"), STR("user"), STR("alice\0"), STR("s"));
    cr_expect_not(hash128_eq(nul.subject, help_key(table, "alice", "s").subject));
    session_table_free(&table);
}
