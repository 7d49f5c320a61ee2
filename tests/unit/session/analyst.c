// SPDX-License-Identifier: Apache-2.0
#include "unit/session/help.h"

Test(session_analyst, looks_by_id_and_by_ref)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_view view;
    cr_assert(session_look(table, STR("s1"), &view));
    cr_expect_str_eq(view.tenant, "acme");
    cr_expect_str_eq(view.subject_type, "user");
    cr_expect_str_eq(view.subject_id, "alice");
    cr_expect_eq(strlen(view.ref), 26);
    struct session_view again;
    cr_assert(session_look(table, str_of(view.ref), &again));
    cr_expect(hash128_eq(again.record.id, view.record.id));
    cr_expect_not(session_look(table, STR("s2"), &view));
    cr_expect_not(session_look(table, STR(""), &view));
    cr_expect_not(session_look(table, STR("s_000000000000000000000000"), &view));
    cr_expect_str_eq(view.subject_id, "", "nothing is shown of what is not known");
    session_table_free(&table);
}

// Refs are shown in answers, and who may name a session may name it like another's ref.
Test(session_analyst, a_ref_is_never_an_id_that_looks_like_it)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "mallory", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_view meant, view;
    cr_assert(session_look(table, STR("s1"), &meant));
    cr_assert_eq(help_put(table, "bob", meant.ref, SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert(session_look(table, str_of(meant.ref), &view));
    cr_expect_str_eq(view.subject_id, "mallory");
    bool known = false;
    cr_expect_eq(session_end(table, str_of(meant.ref), PDP_CODE_LOCKED, T0 + 1, T0 + DAY, &view, &known),
                 PDP_ERR_OK);
    cr_expect_str_eq(view.subject_id, "mallory");
    cr_expect_eq(help_put(table, "mallory", "s1", SESSION_ACTIVE, T0 + 2), PDP_ERR_STATE, "it was not ended");
    // One that looks like a ref but is nobody's is an id like others.
    cr_assert_eq(help_put(table, "carol", "s_0123456789abcdef01234567", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert(session_look(table, STR("s_0123456789abcdef01234567"), &view));
    cr_expect_str_eq(view.subject_id, "carol");
    session_table_free(&table);
}

Test(session_analyst, ends_by_id_and_by_ref_and_again)
{
    struct session_table *table = help_table((struct session_table_config){0});
    cr_assert_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct session_view view, was;
    cr_assert(session_look(table, STR("s1"), &view));
    bool known = false;
    cr_expect_eq(session_end(table, str_of(view.ref), PDP_CODE_LOCKED, T0 + 1, T0 + DAY, &was, &known),
                 PDP_ERR_OK);
    cr_expect(known);
    cr_expect_eq(was.record.state, SESSION_ACTIVE);
    cr_expect_str_eq(was.subject_id, "alice");
    cr_expect_eq(session_end(table, STR("s1"), PDP_CODE_POLICY, T0 + 2, T0 + HOUR, &was, &known), PDP_ERR_OK);
    cr_expect(known);
    cr_expect_eq(was.record.state, SESSION_TERMINATED);
    cr_expect_eq(was.record.end_code, PDP_CODE_LOCKED, "the first reason stays");
    cr_expect_eq(was.record.ended_ms, T0 + 1);
    cr_expect_eq(was.record.keep_until_ms, T0 + 2 * DAY, "never forgotten earlier");
    cr_expect_eq(help_put(table, "alice", "s1", SESSION_ACTIVE, T0 + 3), PDP_ERR_STATE);
    session_table_free(&table);
}

Test(session_analyst, makes_a_tombstone_for_an_unknown_id_but_not_for_a_ref)
{
    struct session_table *table = help_table((struct session_table_config){0});
    struct session_view was;
    bool known = true;
    cr_expect_eq(session_end(table, STR("new"), PDP_CODE_LOCKED, T0, T0 + DAY, &was, &known), PDP_ERR_OK);
    cr_expect_not(known);
    cr_expect_eq(was.record.state, SESSION_TERMINATED);
    cr_expect_str_eq(was.subject_id, "");
    cr_expect_eq(help_put(table, "alice", "new", SESSION_ACTIVE, T0), PDP_ERR_STATE);
    cr_expect_eq(session_end(table, STR("new"), PDP_CODE_LOCKED, T0, T0 + DAY, &was, &known), PDP_ERR_OK);
    cr_expect(known);
    cr_expect_eq(session_end(table, STR("s_0123456789abcdef01234567"), PDP_CODE_LOCKED, T0, T0, &was, &known),
                 PDP_ERR_UNKNOWN);
    cr_expect_not(known);
    cr_expect_eq(session_end(table, STR(""), PDP_CODE_LOCKED, T0, T0, &was, &known), PDP_ERR_UNKNOWN);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.tombstones, 1);
    session_table_free(&table);
}

Test(session_analyst, lists_all_once_whatever_the_page)
{
    enum {
        MANY = 700
    };
    static const size_t PAGES[] = {1, 7, 256, 1000};
    struct session_table *table = help_table((struct session_table_config){.shards = 8});
    for (int i = 0; i < MANY; i++) {
        char user[24], id[24];
        snprintf(user, sizeof user, "u%d", i % 90);
        snprintf(id, sizeof id, "s%d", i);
        cr_assert_eq(help_put(table, user, id, i % 3 == 0 ? SESSION_TERMINATED : SESSION_ACTIVE, T0),
                     PDP_ERR_OK);
    }
    static struct session_view views[1000];
    for (size_t p = 0; p < COUNT_OF(PAGES); p++) {
        size_t seen = 0;
        uint64_t cursor = 0, sum = 0;
        do {
            size_t got = session_list(table, &cursor, views, PAGES[p]);
            cr_assert_leq(got, PAGES[p]);
            for (size_t i = 0; i < got; i++) {
                sum += views[i].record.id.lo;
                cr_expect_eq(views[i].subject_id[0], 'u');
            }
            seen += got;
        } while (cursor != 0);
        uint64_t want = 0;
        for (int i = 0; i < MANY; i++) {
            char id[24];
            snprintf(id, sizeof id, "s%d", i);
            want += help_key(table, "", id).id.lo;
        }
        cr_expect_eq(seen, MANY, "page %zu: %zu", PAGES[p], seen);
        cr_expect_eq(sum, want);
    }
    uint64_t wild = UINT64_MAX;
    cr_expect_eq(session_list(table, &wild, views, 10), 0, "a cursor from outside");
    cr_expect_eq(wild, 0);
    wild = 0;
    cr_expect_eq(session_list(table, &wild, views, 0), 0);
    session_table_free(&table);
}

Test(session_analyst, lists_once_what_stays_while_others_come_and_go)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 2});
    enum {
        STAY = 300
    };
    for (int i = 0; i < STAY; i++) {
        char id[24];
        snprintf(id, sizeof id, "stay%d", i);
        cr_assert_eq(help_put(table, id, id, SESSION_ACTIVE, T0 + 100 * DAY), PDP_ERR_OK);
    }
    static struct session_view views[5];
    uint64_t cursor = 0, sum = 0, want = 0;
    size_t stayed = 0;
    int round = 0;
    do {
        char id[24];
        snprintf(id, sizeof id, "go%d", round++);
        cr_assert_eq(help_put(table, id, id, SESSION_ACTIVE, T0), PDP_ERR_OK);
        size_t got = session_list(table, &cursor, views, COUNT_OF(views));
        for (size_t i = 0; i < got; i++) {
            if (views[i].subject_id[0] == 's') {
                sum += views[i].record.id.lo;
                stayed++;
            }
        }
        session_sweep(table, T0 + 50 * DAY, 100);
    } while (cursor != 0);
    for (int i = 0; i < STAY; i++) {
        char id[24];
        snprintf(id, sizeof id, "stay%d", i);
        want += help_key(table, id, id).id.lo;
    }
    cr_expect_eq(stayed, STAY);
    cr_expect_eq(sum, want);
    session_table_free(&table);
}

Test(session_analyst, keeps_long_names_cut_and_hostile_ones_whole)
{
    struct session_table *table = help_table((struct session_table_config){0});
    char tenant[200], id[400];
    memset(tenant, 't', sizeof tenant);
    memset(id, 'i', sizeof id);
    struct session_key key = session_key_of(table, 0, (struct str){tenant, sizeof tenant}, STR(""),
                                            (struct str){id, sizeof id}, STR("\0\n"));
    struct session_key other = session_key_of(table, 0, (struct str){tenant, sizeof tenant}, STR(""),
                                              (struct str){id, sizeof id - 1}, STR("\0\n"));
    cr_expect_not(hash128_eq(key.subject, other.subject), "nothing is cut for the hash");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .create = true, .session = help_record(SESSION_ACTIVE, T0)};
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);
    struct session_view view;
    cr_assert(session_look(table, STR("\0\n"), &view));
    cr_expect_eq(strlen(view.tenant), 63);
    cr_expect_eq(strlen(view.subject_type), 0);
    cr_expect_eq(strlen(view.subject_id), REQUEST_ID_MAX);
    session_table_free(&table);
}
