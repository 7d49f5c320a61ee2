// SPDX-License-Identifier: Apache-2.0
#include "unit/session/help.h"

static size_t sweep_all(struct session_table *table, int64_t now_ms)
{
    size_t looked = 0;
    for (int i = 0; i < 50; i++) {
        looked += session_sweep(table, now_ms, 1000);
    }
    return looked;
}

Test(session_sweep, forgets_when_the_time_is_past_and_not_before)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 4});
    cr_assert_eq(help_put(table, "alice", "live", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert_eq(help_put(table, "alice", "dead", SESSION_TERMINATED, T0), PDP_ERR_OK);
    bool known = false;
    cr_assert_eq(help_end(table, "ghost", T0, T0 + 2 * DAY, &known), PDP_ERR_OK);
    static const int64_t TIMES[] = {INT64_MIN, 0, T0 - DAY, T0, T0 + 2 * DAY};
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        cr_expect_gt(sweep_all(table, TIMES[i]), 0);
        cr_expect_eq(help_found(table, "alice", "live", NULL), SESSION_FOUND, "%zu", i);
        cr_expect_eq(help_found(table, "alice", "dead", NULL), SESSION_FOUND, "%zu", i);
        cr_expect_eq(help_found(table, "alice", "ghost", NULL), SESSION_FOUND, "%zu", i);
    }
    sweep_all(table, T0 + 2 * DAY + 1000);
    cr_expect_eq(help_found(table, "alice", "live", NULL), SESSION_ABSENT);
    cr_expect_eq(help_found(table, "alice", "dead", NULL), SESSION_ABSENT);
    cr_expect_eq(help_found(table, "alice", "ghost", NULL), SESSION_ABSENT);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.sessions + stats.tombstones, 0);
    cr_expect_eq(stats.users, 1, "remembered for longer");
    sweep_all(table, T0 + 181 * DAY);
    session_stats(table, &stats);
    cr_expect_eq(stats.users, 0);
    session_table_free(&table);
}

static void put_keep(struct session_table *table, const char *id, int64_t keep_until_ms)
{
    struct session_key key = help_key(table, id, id);
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .create = true, .session = help_record(SESSION_ACTIVE, T0)};
    delta.session.keep_until_ms = keep_until_ms;
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);
}

Test(session_sweep, keeps_what_names_no_time_for_400_days_and_for_ever_for_ever)
{
    struct session_table *table = help_table((struct session_table_config){0});
    put_keep(table, "none", 0);
    put_keep(table, "ever", INT64_MAX);
    put_keep(table, "part", T0 + DAY + 1);
    sweep_all(table, T0 + DAY + 2);
    cr_expect_eq(help_found(table, "part", "part", NULL), SESSION_FOUND, "rounded up, never down");
    sweep_all(table, T0 + 400 * DAY);
    cr_expect_eq(help_found(table, "none", "none", NULL), SESSION_FOUND);
    sweep_all(table, T0 + 400 * DAY + 1);
    cr_expect_eq(help_found(table, "none", "none", NULL), SESSION_ABSENT);
    sweep_all(table, INT64_MAX);
    cr_expect_eq(help_found(table, "ever", "ever", NULL), SESSION_FOUND);
    session_table_free(&table);
}

Test(session_sweep, looks_at_no_more_than_asked_and_goes_on)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 2});
    for (int i = 0; i < 500; i++) {
        char id[24];
        snprintf(id, sizeof id, "s%d", i);
        cr_assert_eq(help_put(table, "u", id, SESSION_ACTIVE, T0), PDP_ERR_OK);
    }
    struct session_stats stats;
    for (int i = 0; i < 100; i++) {
        cr_expect_leq(session_sweep(table, T0 + 10 * DAY, 10), 10);
    }
    session_stats(table, &stats);
    cr_expect_eq(stats.sessions, 0);
    cr_expect_eq(session_sweep(table, T0, 0), 0);
    session_table_free(&table);
}

Test(session_sweep, gives_the_memory_to_those_who_come)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    struct session_stats first, later;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 200; i++) {
            char id[24];
            snprintf(id, sizeof id, "%04d-%04d", round, i);
            cr_assert_eq(help_put(table, id, id, SESSION_ACTIVE, T0), PDP_ERR_OK);
        }
        session_stats(table, &later);
        first = round == 0 ? later : first;
        sweep_all(table, T0 + 365 * DAY);
    }
    cr_expect_eq(later.bytes, first.bytes);
    session_table_free(&table);
}
