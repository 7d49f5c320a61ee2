// SPDX-License-Identifier: Apache-2.0
#include "session/table.h"
#include "unit/session/help.h"

Test(session_setup, refuses_shards_that_are_no_power_of_two)
{
    static const struct {
        uint32_t shards;
        enum pdp_err err;
    } CASES[] = {{0, PDP_ERR_OK},    {1, PDP_ERR_OK},      {256, PDP_ERR_OK},
                 {3, PDP_ERR_RANGE}, {100, PDP_ERR_RANGE}, {UINT32_C(1) << 31, PDP_ERR_RANGE}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct session_table_config config = {.shards = CASES[i].shards};
        struct session_table *table = (struct session_table *)&config;
        cr_expect_eq(session_table_new(&config, &table), CASES[i].err, "%u", CASES[i].shards);
        cr_expect_eq(table == NULL, CASES[i].err != PDP_ERR_OK);
        session_table_free(&table);
    }
}

Test(session_setup, names_states)
{
    cr_expect_str_eq(session_state_name(SESSION_ACTIVE), "active");
    cr_expect_str_eq(session_state_name(SESSION_CHALLENGED), "challenged");
    cr_expect_str_eq(session_state_name(SESSION_TERMINATED), "terminated");
    cr_expect_str_eq(session_state_name((enum session_state)99), "none");
}

// DESIGN §12: at most 512 bytes a session with its share of the table, at most 1 KiB a user, names of up to
// 160 bytes included.
Test(session_setup, keeps_the_memory_budget, .timeout = 120)
{
    enum {
        MANY = 200000
    };
    cr_expect_leq(sizeof(struct user) + 160 + 1 + 16, 1024);
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_stats users, both;
    char text[24];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "user%d", i);
            struct session_key key = help_key(table, text, "");
            snprintf(text, sizeof text, "session%d", i);
            key.id = round == 0 ? key.id : help_key(table, "", text).id;
            struct session_held held;
            session_hold(table, &key, &held);
            struct session_delta delta = {.put_session = round == 1, .put_user = round == 0, .create = true};
            delta.session = help_record(SESSION_ACTIVE, T0);
            cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
            session_release(table, &held);
        }
        session_stats(table, round == 0 ? &users : &both);
    }
    double a_session = (double)(both.bytes - users.bytes) / MANY, a_user = (double)users.bytes / MANY;
    cr_log_info("%.1f bytes a session, %.1f a user", a_session, a_user);
    cr_expect_leq(a_session, 512, "%.1f", a_session);
    cr_expect_leq(a_user, 1024, "%.1f", a_user);
    session_table_free(&table);
}
