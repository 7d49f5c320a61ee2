// SPDX-License-Identifier: Apache-2.0
// A table, what it puts into the journal and what it notes, and another table made from that.
#include "session/row.h"

#include "help.h"

enum {
    ROWS = 64
};

// As a store would keep them: by table and key, and never a lower rank over a higher one.
struct kept {
    struct {
        struct journal_row row;
        char key[JOURNAL_KEY_MAX], value[ROW_BYTES_MAX];
    } rows[ROWS];
    size_t count;
};

static void keep(void *user, const struct journal_row *row)
{
    struct kept *kept = user;
    size_t i = 0;
    while (i < kept->count &&
           (kept->rows[i].row.table != row->table || !str_eq(kept->rows[i].row.key, row->key))) {
        i++;
    }
    if (i < kept->count && kept->rows[i].row.rank > row->rank) {
        return;
    }
    cr_assert_lt(i, ROWS);
    kept->count += i == kept->count;
    memcpy(kept->rows[i].key, row->key.at, row->key.len);
    if (row->value.len != 0) {
        memcpy(kept->rows[i].value, row->value.at, row->value.len);
    }
    kept->rows[i].row = *row;
    kept->rows[i].row.key.at = kept->rows[i].key;
    kept->rows[i].row.value.at = kept->rows[i].value;
}

static void ignore(void *user, const struct journal_row *row)
{
    (void)user;
    (void)row;
}

static void put_back(struct session_table *table, const struct kept *kept)
{
    session_restore_expect(table, kept->count * 300, kept->count * 1000); // more than there will be
    for (size_t i = 0; i < kept->count; i++) {
        struct user_record user;
        struct row_names names;
        const struct journal_row *row = &kept->rows[i].row;
        if (row->table == JOURNAL_USERS && !row->erase) {
            cr_assert_eq(row_user_read(row->key, row->value, &user, &names), PDP_ERR_OK);
            cr_assert_eq(session_restore_user(table, &user, &names), PDP_ERR_OK);
        }
    }
    for (size_t i = 0; i < kept->count; i++) {
        struct session_record session;
        struct str gateway;
        const struct journal_row *row = &kept->rows[i].row;
        if (row->table == JOURNAL_SESSIONS && !row->erase) {
            cr_assert_eq(row_session_read(row->key, row->value, &session, &gateway), PDP_ERR_OK);
            cr_assert_eq(session_restore(table, &session, gateway), PDP_ERR_OK);
        }
    }
}

static struct journal *journal_of(void)
{
    struct journal *journal = NULL;
    cr_assert_eq(journal_new(&(struct journal_config){.entries = 8}, &journal), PDP_ERR_OK);
    return journal;
}

Test(session_lasting, ends_are_in_the_journal_and_all_else_is_noted)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    cr_expect_eq(help_put(table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "alice", "two", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(journal_head(journal), 0, "a first sight is written at leisure");
    struct kept early = {0}, kept = {0};
    cr_expect_eq(session_changed(table, 100, keep, &early), 3, "two sessions and a user");
    cr_expect_eq(session_changed(table, 100, keep, &early), 0, "and not again");
    bool known = false;
    cr_expect_eq(help_end(table, "one", T0 + 1, T0 + DAY, &known), PDP_ERR_OK);
    cr_expect_eq(help_end(table, "never-seen", T0 + 1, T0 + DAY, &known), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "alice", "two", SESSION_TERMINATED, T0 + 2), PDP_ERR_OK);
    cr_expect_eq(journal_head(journal), 3);
    journal_settle(journal, journal_take(journal, 1 << 20, keep, &kept), false);
    // What was copied before comes late: it must not bring anything back.
    for (size_t i = 0; i < early.count; i++) {
        keep(&kept, &early.rows[i].row);
    }

    struct session_table *again = help_table((struct session_table_config){0});
    put_back(again, &kept);
    struct session_record record;
    static const char *const IDS[] = {"one", "two", "never-seen"};
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        cr_expect_eq(help_found(again, "alice", IDS[i], &record), SESSION_FOUND, "%s", IDS[i]);
        cr_expect_eq(record.state, SESSION_TERMINATED, "%s", IDS[i]);
        cr_expect_eq(help_put(again, "alice", IDS[i], SESSION_ACTIVE, T0 + 3), PDP_ERR_STATE, "%s", IDS[i]);
    }
    struct session_stats stats;
    session_stats(again, &stats);
    cr_expect_eq(stats.tombstones, 3);
    cr_expect_eq(stats.sessions, 0);
    session_table_free(&again);
    session_table_free(&table);
    journal_free(&journal);
}

Test(session_lasting, a_live_session_goes_on)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    cr_expect_eq(help_put(table, "alice", "one", SESSION_CHALLENGED, T0), PDP_ERR_OK);
    struct kept kept = {0};
    (void)session_changed(table, 100, keep, &kept);
    struct session_table *again = help_table((struct session_table_config){0});
    put_back(again, &kept);
    struct session_record was, is;
    cr_expect_eq(help_found(table, "alice", "one", &was), SESSION_FOUND);
    cr_expect_eq(help_found(again, "alice", "one", &is), SESSION_FOUND);
    cr_expect_eq(is.state, SESSION_CHALLENGED);
    cr_expect_eq(is.epoch, was.epoch);
    cr_expect_eq(is.last_seen_ms, was.last_seen_ms);
    cr_expect_eq(help_found(again, "mallory", "one", NULL), SESSION_FOREIGN);
    struct session_view view;
    cr_expect(session_look(again, STR("one"), &view));
    cr_expect_str_eq(view.subject_id, "alice");
    session_table_free(&again);
    session_table_free(&table);
    journal_free(&journal);
}

static void rotate(struct session_table *table, const char *from, const char *to)
{
    struct session_key key = help_key(table, "alice", from);
    const struct session_rotation rotation = {.id = help_key(table, "alice", to).id, .overlap_ms = 10000};
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .put_user = true, .rotate = &rotation, .session = *held.session};
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    cr_expect_neq(held.seq, 0, "it waits for the journal");
    session_release(table, &held);
}

// Whatever was written in which order: the old ids are old, and lead to the session.
Test(session_lasting, ids_that_were_replaced_stay_so)
{
    for (int ended = 0; ended < 2; ended++) {
        struct journal *journal = journal_of();
        struct session_table *table = help_table((struct session_table_config){.journal = journal});
        cr_expect_eq(help_put(table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
        struct kept early = {0}, kept = {0};
        (void)session_changed(table, 100, keep, &early);
        rotate(table, "one", "two");
        rotate(table, "two", "three");
        bool known = false;
        if (ended) {
            cr_expect_eq(help_end(table, "one", T0 + 1, T0 + DAY, &known), PDP_ERR_OK);
        }
        journal_settle(journal, journal_take(journal, 1 << 20, keep, &kept), false);
        for (size_t i = 0; i < early.count; i++) { // a late write of the session under its first id
            keep(&kept, &early.rows[i].row);
        }
        struct session_table *again = help_table((struct session_table_config){0});
        put_back(again, &kept);
        static const char *const IDS[] = {"one", "two", "three"};
        for (size_t i = 0; i < COUNT_OF(IDS); i++) {
            struct session_key key = help_key(again, "alice", IDS[i]);
            struct session_held held;
            session_hold(again, &key, &held);
            cr_assert_eq(held.found, SESSION_FOUND, "%s", IDS[i]);
            cr_expect_eq(held.session->state, ended ? SESSION_TERMINATED : SESSION_ACTIVE, "%s", IDS[i]);
            cr_expect(hash128_eq(held.session->id, help_key(again, "", "three").id) || (ended && i == 0),
                      "%s", IDS[i]);
            cr_expect_eq(held.rotated, ended ? i == 1 : i < 2, "%s", IDS[i]);
            session_release(again, &held);
        }
        struct session_stats stats;
        session_stats(again, &stats);
        cr_expect_eq(stats.sessions, !ended);
        cr_expect_eq(stats.tombstones, 2 + (uint64_t)ended);
        session_table_free(&again);
        session_table_free(&table);
        journal_free(&journal);
    }
}

Test(session_lasting, devices_that_are_forgotten_stay_so)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    struct session_key key = help_key(table, "alice", "one");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true, .lasting = true};
    delta.session = help_record(SESSION_ACTIVE, T0);
    delta.user.devices[3] = (struct user_device){7, 1, 2, 3, UINT32_MAX};
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);
    uint64_t seq = 0;
    size_t count = 9;
    cr_expect(session_forget_devices(table, &key, &count, &seq));
    cr_expect_eq(count, 1);
    cr_expect_eq(seq, journal_head(journal));
    key = help_key(table, "nobody", "");
    cr_expect_not(session_forget_devices(table, &key, &count, &seq));
    cr_expect_eq(count, 0);
    cr_expect_eq(seq, 0);
    struct kept kept = {0};
    journal_settle(journal, journal_take(journal, 1 << 20, keep, &kept), false);
    struct session_table *again = help_table((struct session_table_config){0});
    put_back(again, &kept);
    key = help_key(again, "alice", "");
    session_hold(again, &key, &held);
    cr_assert_not_null(held.user);
    cr_expect_eq(held.user->devices[3].fingerprint, 7, "seen it was");
    cr_expect_eq(held.user->devices[3].until_s, 0);
    session_release(again, &held);
    session_table_free(&again);
    session_table_free(&table);
    journal_free(&journal);
}

static void rewrite(void *user, struct user_record *record)
{
    const struct user_record *is = user;
    *record = *is;
}

Test(session_lasting, a_user_that_is_changed_stays_changed_and_goes_on_being_cut_off)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    struct session_key key = help_key(table, "alice", "one");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true, .lasting = true};
    delta.session = help_record(SESSION_ACTIVE, T0);
    delta.user.cutoff_s = 77;
    delta.user.risk[9] = 5;
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);

    struct user_record blank = {.live_sessions = 9, .last = {.at_ms = T0 + 1}}, is;
    struct session_view views[2];
    uint64_t seq = 0;
    size_t count = 9;
    cr_expect(session_user_change(table, &key, rewrite, &blank, &seq));
    cr_expect_eq(seq, journal_head(journal));
    cr_expect(session_user_look(table, &key, &is, views, COUNT_OF(views), &count));
    cr_expect_eq(count, 1);
    cr_expect_str_eq(views[0].subject_id, "alice");
    cr_expect_eq(is.cutoff_s, 77U, "the cut-off stays");
    cr_expect_eq(is.live_sessions, 1U);
    cr_expect_eq(is.risk[9], 0);

    struct kept kept = {0};
    journal_settle(journal, journal_take(journal, 1 << 20, keep, &kept), false);
    struct session_table *again = help_table((struct session_table_config){0});
    put_back(again, &kept);
    key = help_key(again, "alice", "");
    cr_expect(session_user_look(again, &key, &is, NULL, 0, &count));
    cr_expect(is.cutoff_s == 77 && is.risk[9] == 0 && is.last.at_ms == T0 + 1);
    key = help_key(again, "nobody", "");
    cr_expect_not(session_user_look(again, &key, &is, NULL, 0, &count));
    cr_expect_eq(count, 0);
    cr_expect_not(session_user_change(again, &key, rewrite, &blank, &seq));
    cr_expect_eq(seq, 0);
    session_table_free(&again);
    session_table_free(&table);
    journal_free(&journal);
}

Test(session_lasting, an_end_holds_although_the_journal_is_full)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    struct session_view was = {0};
    bool known = false;
    for (int i = 0; i < 16; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        cr_assert_eq(session_end(table, str_of(id), PDP_CODE_TERMINATED, T0, T0 + DAY, &was, &known),
                     PDP_ERR_OK);
        cr_expect_eq(was.seq, (uint64_t)i + 1);
    }
    cr_expect_eq(session_end(table, STR("last"), PDP_CODE_TERMINATED, T0, T0 + DAY, &was, &known),
                 PDP_ERR_OK);
    cr_expect_eq(was.seq, UINT64_MAX, "it will not be durable in time");
    cr_expect_eq(journal_awaits(journal), UINT64_MAX, "and nobody may be told of it as if it were");
    struct session_record record;
    cr_expect_eq(help_found(table, "alice", "last", &record), SESSION_FOUND);
    cr_expect_eq(record.state, SESSION_TERMINATED);
    struct kept kept = {0};
    cr_expect_eq(session_changed(table, 100, keep, &kept), 1, "and is written at leisure");
    session_table_free(&table);
    journal_free(&journal);
}

Test(session_lasting, what_is_forgotten_is_erased_with_the_time_that_guards_it)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    cr_expect_eq(help_put(table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
    while (session_sweep(table, T0 + 3 * DAY, 100000) != 0 && journal_head(journal) == 0) {
    }
    struct kept kept = {0};
    (void)journal_take(journal, 1 << 20, keep, &kept);
    size_t erased = 0, guards = 0;
    for (size_t i = 0; i < kept.count; i++) {
        erased += kept.rows[i].row.table == JOURNAL_SESSIONS && kept.rows[i].row.erase;
        guards += kept.rows[i].row.table == JOURNAL_META && str_eq(kept.rows[i].row.key, STR("forgotten"));
    }
    cr_expect_eq(erased, 1);
    cr_expect_eq(guards, 1);
    session_table_free(&table);
    journal_free(&journal);
}

Test(session_lasting, nothing_is_forgotten_that_cannot_be_erased)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    bool known = false;
    cr_expect_eq(help_put(table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        cr_assert_eq(help_end(table, id, T0, T0 + 30 * DAY, &known), PDP_ERR_OK);
    }
    (void)session_sweep(table, T0 + 3 * DAY, 100000);
    cr_expect_eq(help_found(table, "alice", "one", NULL), SESSION_FOUND, "its row would come back");
    journal_settle(journal, journal_head(journal), false);
    (void)session_sweep(table, T0 + 3 * DAY, 100000);
    cr_expect_eq(help_found(table, "alice", "one", NULL), SESSION_ABSENT);
    session_table_free(&table);
    journal_free(&journal);
}

Test(session_lasting, a_new_key_leaves_old_sessions_where_they_are)
{
    struct session_table *table = help_table((struct session_table_config){0});
    bool known = false;
    cr_expect_eq(help_put(table, "alice", "live", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_end(table, "dead", T0, T0 + DAY, &known), PDP_ERR_OK);
    cr_expect_eq(session_key_add(table, 0, (struct hash_key){5, 6}), PDP_ERR_STATE, "in use");
    cr_expect_eq(session_key_add(table, 1, (struct hash_key){5, 6}), PDP_ERR_OK);
    struct session_record record;
    cr_expect_eq(help_found(table, "alice", "live", &record), SESSION_FOUND);
    cr_expect_eq(record.key, 0);
    cr_expect_eq(help_found(table, "alice", "dead", &record), SESSION_FOUND);
    cr_expect_eq(record.state, SESSION_TERMINATED);
    cr_expect_eq(help_put(table, "alice", "new", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_found(table, "alice", "new", &record), SESSION_FOUND);
    cr_expect_eq(record.key, 1);
    cr_expect_eq(session_key_uses(table, 0), 2);
    cr_expect_eq(session_key_uses(table, 1), 1);
    session_table_free(&table);
}

// What a disk took after it was told to be there is given once more, as it is by then; what is forgotten is
// not.
Test(session_lasting, what_was_not_written_is_given_again)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    cr_expect_eq(help_put(table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(help_put(table, "alice", "two", SESSION_ACTIVE, T0), PDP_ERR_OK);
    struct kept early = {0}, again = {0}, all = {0};
    cr_expect_eq(session_changed(table, 100, keep, &early), 3);
    cr_expect_eq(help_put(table, "alice", "one", SESSION_CHALLENGED, T0 + 1), PDP_ERR_OK);
    cr_expect_eq(session_changed(table, 100, keep, &again), 2, "the session and its user");
    for (size_t i = 0; i < early.count; i++) {
        session_note_again(table, &early.rows[i].row);
        session_note_again(table, &early.rows[i].row);
    }
    const struct journal_row junk = {.table = JOURNAL_SESSIONS, .key = STR("junk"), .value = STR("junk")};
    session_note_again(table, &junk);
    again.count = 0;
    cr_expect_eq(session_changed(table, 100, keep, &again), 3, "each once");
    session_note_all(table);
    cr_expect_eq(session_changed(table, 100, keep, &all), 3, "each once");
    cr_expect_eq(session_changed(table, 100, keep, &all), 0);
    struct session_table *other = help_table((struct session_table_config){0});
    put_back(other, &all);
    struct session_record record;
    cr_expect_eq(help_found(other, "alice", "one", &record), SESSION_FOUND);
    cr_expect_eq(record.state, SESSION_CHALLENGED, "as it is by now");
    session_table_free(&other);
    session_table_free(&table);
    other = help_table((struct session_table_config){.journal = journal});
    session_note_again(other, &early.rows[0].row);
    session_note_again(other, &early.rows[2].row);
    session_note_all(other);
    cr_expect_eq(session_changed(other, 100, keep, &all), 0, "what is not there is not given");
    session_table_free(&other);
    journal_free(&journal);
}

Test(session_lasting, all_of_many_are_given_again)
{
    struct journal *journal = NULL;
    cr_assert_eq(journal_new(&(struct journal_config){0}, &journal), PDP_ERR_OK);
    struct session_table *table = help_table((struct session_table_config){.journal = journal, .shards = 2});
    enum {
        MANY = 3000 // more than one lock's worth in each shard
    };
    for (int i = 0; i < MANY; i++) {
        char id[16], user[16];
        snprintf(id, sizeof id, "id-%d", i);
        snprintf(user, sizeof user, "u-%d", i / 2);
        cr_assert_eq(help_put(table, user, id, SESSION_ACTIVE, T0), PDP_ERR_OK);
    }
    for (int round = 0; round < 2; round++) {
        size_t given = 0, got = 0;
        while ((got = session_changed(table, 100, ignore, NULL)) != 0) {
            given += got;
        }
        cr_expect_eq(given, MANY + MANY / 2, "%zu", given);
        session_note_all(table);
    }
    session_table_free(&table);
    journal_free(&journal);
}

// A logout of all sessions: there is no session that it could stand with.
Test(session_lasting, a_cut_off_of_a_user_alone_is_in_the_journal)
{
    struct journal *journal = journal_of();
    struct session_table *table = help_table((struct session_table_config){.journal = journal});
    struct session_key key = help_key(table, "alice", "");
    struct session_held held;
    struct session_delta delta = {.put_user = true, .user = {.cutoff_s = 1795370001}};
    delta.user.last.at_ms = T0;
    session_hold(table, &key, &held);
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    cr_expect_eq(held.seq, 0, "what was only observed is written at leisure");
    session_release(table, &held);
    delta.lasting = true;
    session_hold(table, &key, &held);
    cr_expect_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    cr_expect_gt(held.seq, 0);
    cr_expect_eq(held.seq, journal_head(journal));
    session_release(table, &held);

    struct kept kept = {0};
    journal_settle(journal, journal_take(journal, 1 << 20, keep, &kept), false);
    struct session_table *again = help_table((struct session_table_config){0});
    put_back(again, &kept);
    key = help_key(again, "alice", "");
    session_hold(again, &key, &held);
    cr_assert_not_null(held.user);
    cr_expect_eq(held.user->cutoff_s, 1795370001);
    session_release(again, &held);
    session_table_free(&again);
    session_table_free(&table);
    journal_free(&journal);
}
