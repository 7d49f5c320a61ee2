// SPDX-License-Identifier: Apache-2.0
#include "unit/session/help.h"

Test(session_commit, writes_what_the_next_hold_reads)
{
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_key key = help_key(table, "alice", "s1");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true};
    delta.session = help_record(SESSION_CHALLENGED, T0);
    delta.session.requests = 41;
    delta.session.asked_strength = 2;
    memset(delta.session.risk, 0xa5, sizeof delta.session.risk);
    delta.user.devices[3] = (struct user_device){.fingerprint = 99, .first_s = 1, .last_s = 2};
    delta.user.live_sessions = 77; // not the caller's to say
    memset(delta.user.risk, 0x5a, sizeof delta.user.risk);
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    cr_expect_eq(held.found, SESSION_FOUND);
    cr_assert_not_null(held.session);
    cr_expect_eq(held.session->requests, 41);
    session_release(table, &held);

    session_hold(table, &key, &held);
    cr_assert_eq(held.found, SESSION_FOUND);
    cr_expect_eq(held.session->state, SESSION_CHALLENGED);
    cr_expect_eq(held.session->asked_strength, 2);
    cr_expect_arr_eq(held.session->risk, delta.session.risk, SESSION_RISK_BYTES);
    cr_assert_not_null(held.user);
    cr_expect_eq(held.user->devices[3].fingerprint, 99);
    cr_expect_eq(held.user->live_sessions, 1);
    cr_expect(hash128_eq(held.user->subject, key.subject));
    cr_expect_arr_eq(held.user->risk, delta.user.risk, USER_RISK_BYTES);
    session_release(table, &held);
    session_table_free(&table);
}

// What a commit may make of a session, by state before and after: X is refused.
static const struct {
    enum session_state was, next;
    enum pdp_err err;
} MOVES[] = {
    {SESSION_NONE, SESSION_NONE, PDP_ERR_STATE},
    {SESSION_NONE, SESSION_ACTIVE, PDP_ERR_OK},
    {SESSION_NONE, SESSION_CHALLENGED, PDP_ERR_OK},
    {SESSION_NONE, SESSION_TERMINATED, PDP_ERR_OK},
    {SESSION_NONE, 4, PDP_ERR_STATE},
    {SESSION_ACTIVE, SESSION_NONE, PDP_ERR_STATE},
    {SESSION_ACTIVE, SESSION_ACTIVE, PDP_ERR_OK},
    {SESSION_ACTIVE, SESSION_CHALLENGED, PDP_ERR_OK},
    {SESSION_ACTIVE, SESSION_TERMINATED, PDP_ERR_OK},
    {SESSION_ACTIVE, 255, PDP_ERR_STATE},
    {SESSION_CHALLENGED, SESSION_ACTIVE, PDP_ERR_OK},
    {SESSION_CHALLENGED, SESSION_TERMINATED, PDP_ERR_OK},
    {SESSION_CHALLENGED, SESSION_NONE, PDP_ERR_STATE},
    {SESSION_TERMINATED, SESSION_NONE, PDP_ERR_STATE},
    {SESSION_TERMINATED, SESSION_ACTIVE, PDP_ERR_STATE},
    {SESSION_TERMINATED, SESSION_CHALLENGED, PDP_ERR_STATE},
    {SESSION_TERMINATED, SESSION_TERMINATED, PDP_ERR_OK},
};

Test(session_commit, lets_only_these_states_follow)
{
    for (size_t i = 0; i < COUNT_OF(MOVES); i++) {
        struct session_table *table = help_table((struct session_table_config){0});
        if (MOVES[i].was != SESSION_NONE) {
            cr_assert_eq(help_put(table, "alice", "s", MOVES[i].was, T0), PDP_ERR_OK);
        }
        struct session_record before, after;
        help_found(table, "alice", "s", &before);
        cr_expect_eq(help_put(table, "alice", "s", MOVES[i].next, T0 + 1), MOVES[i].err, "%zu", i);
        help_found(table, "alice", "s", &after);
        enum session_state want = MOVES[i].err == PDP_ERR_OK ? MOVES[i].next : MOVES[i].was;
        cr_expect_eq(after.state, want, "%zu", i);
        if (MOVES[i].was != SESSION_NONE) {
            cr_expect_eq(after.epoch, before.epoch + (want != MOVES[i].was),
                         "%zu: epoch rises with the state", i);
        }
        struct session_stats stats;
        session_stats(table, &stats);
        cr_expect_eq(stats.tombstones, want == SESSION_TERMINATED, "%zu", i);
        cr_expect_eq(stats.sessions, want == SESSION_ACTIVE || want == SESSION_CHALLENGED, "%zu", i);
        cr_expect_eq(stats.refused, MOVES[i].err != PDP_ERR_OK, "%zu", i);
        session_table_free(&table);
    }
}

Test(session_commit, keeps_the_first_end_and_the_longest_memory)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "alice", "s", SESSION_ACTIVE, T0), PDP_ERR_OK);
    bool known = false;
    cr_assert_eq(help_end(table, "s", T0 + 5, T0 + 9 * DAY, &known), PDP_ERR_OK);
    cr_expect(known);
    struct session_key key = help_key(table, "alice", "s");
    struct session_held held;
    static const struct {
        int64_t keep_until_ms, want_ms;
    } KEEPS[] = {{T0, T0 + 9 * DAY}, {T0 + 20 * DAY, T0 + 20 * DAY}, {T0 + 1, T0 + 20 * DAY}};
    for (size_t i = 0; i < COUNT_OF(KEEPS); i++) {
        session_hold(table, &key, &held);
        struct session_delta delta = {.put_session = true, .session = *held.session};
        delta.session.keep_until_ms = KEEPS[i].keep_until_ms;
        delta.session.ended_ms = T0 + 1000;
        delta.session.end_code = PDP_CODE_EXPIRED;
        cr_expect_eq(session_commit(table, &held, &key, &delta, T0 + 1000), PDP_ERR_OK);
        cr_expect_eq(held.session->ended_ms, T0 + 5);
        cr_expect_eq(held.session->end_code, PDP_CODE_TERMINATED);
        cr_expect_eq(held.session->keep_until_ms, KEEPS[i].want_ms);
        session_release(table, &held);
    }
    session_table_free(&table);
}

Test(session_commit, never_lets_a_clock_step_shorten_anything)
{
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_key key = help_key(table, "alice", "s");
    cr_assert_eq(help_put(table, "alice", "s", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .session = *held.session};
    delta.session.last_seen_ms = T0 - HOUR;
    delta.session.keep_until_ms = T0 - HOUR;
    delta.session.epoch = 0;
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0 - HOUR), PDP_ERR_OK);
    cr_expect_eq(held.session->last_seen_ms, T0);
    cr_expect_eq(held.session->keep_until_ms, T0 + 2 * DAY);
    cr_expect_eq(held.session->epoch, 1);
    session_release(table, &held);
    session_table_free(&table);
}

Test(session_commit, ends_a_foreign_session_and_touches_no_user)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    cr_assert_eq(help_put(table, "alice", "s", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_key key = help_key(table, "mallory", "s");
    struct session_held held;
    session_hold(table, &key, &held);
    cr_assert_eq(held.found, SESSION_FOREIGN);
    cr_expect_null(held.user);
    struct session_delta delta = {
        .put_session = true, .put_user = true, .create = true, .session = *held.session};
    delta.session.state = SESSION_TERMINATED;
    delta.session.end_code = PDP_CODE_FIXATION;
    delta.user.devices[0].fingerprint = 666;
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0 + 1), PDP_ERR_OK);
    cr_expect_eq(held.found, SESSION_FOREIGN);
    session_release(table, &held);

    struct session_key alice = help_key(table, "alice", "s");
    session_hold(table, &alice, &held);
    cr_expect_eq(held.found, SESSION_FOUND);
    cr_expect_eq(held.session->state, SESSION_TERMINATED);
    cr_expect_eq(held.session->end_code, PDP_CODE_FIXATION);
    cr_expect_eq(held.session->ended_ms, T0 + 1, "filled in");
    cr_expect_eq(held.user->devices[0].fingerprint, 0);
    cr_expect_eq(held.user->live_sessions, 0);
    session_release(table, &held);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.users, 1, "mallory was not made known");
    session_table_free(&table);
}

Test(session_commit, refuses_first_sights_when_full_and_still_takes_tombstones)
{
    struct session_table *table = help_table((struct session_table_config){.sessions_max = 3});
    cr_expect_eq(help_put(table, "a", "1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "a", "2", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "b", "3", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "c", "4", SESSION_ACTIVE, T0), PDP_ERR_BUSY);
    cr_expect_eq(help_found(table, "c", "4", NULL), SESSION_ABSENT);
    cr_expect_eq(help_put(table, "a", "1", SESSION_CHALLENGED, T0), PDP_ERR_OK, "those inside go on");
    cr_expect_eq(help_put(table, "c", "5", SESSION_TERMINATED, T0), PDP_ERR_OK, "a logout needs room");
    bool known = true;
    cr_expect_eq(help_end(table, "6", T0, T0 + DAY, &known), PDP_ERR_OK);
    cr_expect_eq(help_end(table, "1", T0, T0 + DAY, &known), PDP_ERR_OK);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.sessions, 2);
    cr_expect_eq(stats.tombstones, 3);
    cr_expect_eq(stats.users, 3, "a, b and c; a refusal leaves no user behind");
    // The reserve has an end too.
    enum pdp_err err = PDP_ERR_OK;
    int taken = 0;
    for (; err == PDP_ERR_OK && taken < 100000; taken++) {
        char id[24];
        snprintf(id, sizeof id, "x%d", taken);
        err = help_end(table, id, T0, T0 + DAY, &known);
    }
    cr_expect_eq(err, PDP_ERR_BUSY);
    cr_expect_lt(taken, 2000);
    session_table_free(&table);
}

Test(session_commit, caps_what_a_peer_may_begin_in_a_minute)
{
    struct session_table *table = help_table((struct session_table_config){.creations_per_minute = 2});
    cr_expect_eq(help_put(table, "a", "1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "b", "2", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "c", "3", SESSION_ACTIVE, T0), PDP_ERR_LIMIT);
    cr_expect_eq(help_put(table, "c", "3", SESSION_TERMINATED, T0), PDP_ERR_OK, "an end is never capped");
    cr_expect_eq(help_put(table, "a", "1", SESSION_CHALLENGED, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "d", "4", SESSION_ACTIVE, T0 - HOUR), PDP_ERR_LIMIT,
                 "stepping back gives nothing");
    cr_expect_eq(help_put(table, "d", "4", SESSION_ACTIVE, T0 + 60000), PDP_ERR_OK);
    session_table_free(&table);
}

Test(session_commit, needs_create_for_what_is_absent)
{
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_key key = help_key(table, "alice", "s");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .put_user = true, .session = help_record(SESSION_ACTIVE, T0)};
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_STATE);
    struct session_delta user = {.put_user = true};
    cr_expect_eq(session_commit(table, &held, &key, &user, T0), PDP_ERR_OK, "a user without a session");
    cr_expect_not_null(held.user);
    session_release(table, &held);
    cr_expect_eq(help_found(table, "alice", "s", NULL), SESSION_ABSENT);
    session_table_free(&table);
}
