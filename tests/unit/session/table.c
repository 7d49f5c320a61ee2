// SPDX-License-Identifier: Apache-2.0
#include "unit/session/help.h"

#include <time.h>

Test(session_table, knows_nobody_at_first)
{
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_key key = help_key(table, "alice", "s1");
    struct session_held held;
    session_hold(table, &key, &held);
    cr_expect_eq(held.found, SESSION_ABSENT);
    cr_expect_null(held.session);
    cr_expect_null(held.user);
    session_release(table, &held);
    session_table_free(&table);
    cr_expect_null(table);
    session_table_free(&table);
}

Test(session_table, finds_what_was_put_for_its_subject_only)
{
    for (uint32_t shards = 1; shards <= 256; shards *= 16) {
        struct session_table *table = help_table((struct session_table_config){.shards = shards});
        cr_assert_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
        struct session_record record;
        cr_expect_eq(help_found(table, "alice", "s1", &record), SESSION_FOUND);
        cr_expect(hash128_eq(record.subject, help_key(table, "alice", "s1").subject));
        cr_expect_eq(record.state, SESSION_ACTIVE);
        // Fixation: seen from any other subject, whichever shard that is in.
        for (int i = 0; i < 40; i++) {
            char name[24];
            snprintf(name, sizeof name, "mallory%d", i);
            cr_expect_eq(help_found(table, name, "s1", &record), SESSION_FOREIGN, "%s of %u", name, shards);
            cr_expect(hash128_eq(record.subject, help_key(table, "alice", "s1").subject));
        }
        cr_expect_eq(help_found(table, "alice", "s2", &record), SESSION_ABSENT);
        session_table_free(&table);
    }
}

Test(session_table, tells_subjects_apart_by_tenant_type_and_id)
{
    struct session_table *table = help_table((struct session_table_config){0});
    static const struct {
        const char *tenant, *type, *id;
    } OTHERS[] = {
        {"acme", "user", "alicf"}, {"acme", "service", "alice"}, {"acmf", "user", "alice"},
        {"", "acmeuser", "alice"}, {"acmeuser", "", "alice"},    {"acme", "useralice", ""},
    };
    struct session_key alice = help_key(table, "alice", "s");
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        struct session_key other = session_key_of(table, 0, str_of(OTHERS[i].tenant), str_of(OTHERS[i].type),
                                                  str_of(OTHERS[i].id), STR("s"));
        cr_expect_not(hash128_eq(alice.subject, other.subject), "%zu", i);
        cr_expect(hash128_eq(alice.id, other.id), "one id is one session, whoever says it");
    }
    session_table_free(&table);
}

Test(session_table, looks_up_no_empty_id_but_the_user)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_key key = help_key(table, "alice", "");
    struct session_held held;
    session_hold(table, &key, &held);
    cr_expect_eq(held.found, SESSION_ABSENT);
    cr_assert_not_null(held.user);
    cr_expect_eq(held.user->live_sessions, 1);
    struct session_delta delta = {
        .put_session = true, .create = true, .session = help_record(SESSION_ACTIVE, T0)};
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_STATE, "no session without an id");
    session_release(table, &held);
    session_table_free(&table);
}

Test(session_table, finds_a_tombstone_of_nobody_from_every_shard)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 4});
    bool known = true;
    cr_assert_eq(help_end(table, "ghost", T0, T0 + DAY, &known), PDP_ERR_OK);
    cr_expect_not(known);
    for (int i = 0; i < 20; i++) {
        char name[24];
        snprintf(name, sizeof name, "user%d", i);
        struct session_record record;
        cr_expect_eq(help_found(table, name, "ghost", &record), SESSION_FOUND);
        cr_expect_eq(record.state, SESSION_TERMINATED);
        cr_expect_eq(help_put(table, name, "ghost", SESSION_ACTIVE, T0), PDP_ERR_STATE);
    }
    session_table_free(&table);
}

static int64_t clock_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

// Says how fast it is; fails only where it is out of all proportion (sanitizers, a busy machine).
Test(session_table, holds_a_warm_session_quickly)
{
    enum {
        ROUNDS = 200000
    };
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_key key = help_key(table, "alice", "s1");
    struct session_held held;
    int64_t best_ns = INT64_MAX;
    for (int round = 0; round < 5; round++) {
        int64_t start_ns = clock_ns();
        for (int i = 0; i < ROUNDS; i++) {
            session_hold(table, &key, &held);
            session_release(table, &held);
        }
        int64_t took_ns = clock_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    cr_log_info("hold and release: %.1f ns", (double)best_ns / ROUNDS);
    cr_expect_lt(best_ns / ROUNDS, 5000);
    session_table_free(&table);
}
