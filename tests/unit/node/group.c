// SPDX-License-Identifier: Apache-2.0
// A table, its journal and a store that fails when it is told to.
#include "node/group.h"

#include "session/row.h"
#include "unit/session/help.h"

struct bench {
    struct journal *journal;
    struct session_table *table;
    struct store *store;
    struct group *group;
    bool fails;
    size_t synced;
};

static enum pdp_err on_disk(void *user, bool sync)
{
    struct bench *bench = user;
    bench->synced += sync && !bench->fails;
    return bench->fails ? PDP_ERR_IO : PDP_ERR_OK;
}

static void begin(struct bench *bench)
{
    char why[STORE_WHY_MAX];
    *bench = (struct bench){0};
    cr_assert_eq(journal_new(&(struct journal_config){.entries = 4}, &bench->journal), PDP_ERR_OK);
    bench->table = help_table((struct session_table_config){.journal = bench->journal});
    const struct store_config config = {.fault = on_disk, .user = bench};
    cr_assert_eq(store_open(&config, &bench->store, why), PDP_ERR_OK);
    const struct group_config group = {bench->store, bench->journal, bench->table};
    cr_assert_eq(group_new(&group, &bench->group), PDP_ERR_OK);
}

static void end(struct bench *bench)
{
    group_free(&bench->group);
    store_close(&bench->store);
    session_table_free(&bench->table);
    journal_free(&bench->journal);
}

static void write_all(struct bench *bench, enum group_kind kind)
{
    while (group_gather(bench->group, kind)) {
        cr_assert_eq(group_write(bench->group), PDP_ERR_OK);
    }
}

// An issuer's word: a proof, into the journal.
static void prove(struct session_table *table, uint32_t at_s)
{
    struct session_key key = help_key(table, "alice", "one");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .lasting = true, .session = *held.session};
    delta.session.proofs[0] = (struct session_proof){77, at_s};
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0), PDP_ERR_OK);
    session_release(table, &held);
}

static enum pdp_err read_proof(void *user, const struct store_row *row)
{
    struct session_record record;
    struct str gateway;
    cr_assert_eq(row_session_read(row->key, row->value, &record, &gateway), PDP_ERR_OK);
    *(uint32_t *)user = record.proofs[0].at_s;
    return PDP_ERR_OK;
}

static uint32_t stored_proof(struct bench *bench)
{
    char why[STORE_WHY_MAX];
    uint32_t at_s = 0;
    cr_assert_eq(store_load(bench->store, STORE_SESSIONS, read_proof, &at_s, why), PDP_ERR_OK);
    return at_s;
}

Test(node_group, a_copy_that_could_not_be_written_undoes_nothing_newer)
{
    struct bench bench;
    begin(&bench);
    cr_assert_eq(help_put(bench.table, "alice", "one", SESSION_ACTIVE, T0), PDP_ERR_OK);
    bench.fails = true;
    cr_assert(group_gather(bench.group, GROUP_NOTED));
    cr_expect_eq(group_write(bench.group), PDP_ERR_IO);
    bench.fails = false;
    prove(bench.table, 1234);
    write_all(&bench, GROUP_STEPS);
    cr_expect_eq(stored_proof(&bench), 1234);
    write_all(&bench, GROUP_NOTED);
    cr_expect_eq(stored_proof(&bench), 1234, "the step-up that was acknowledged is there");
    cr_expect_eq(store_count(bench.store, STORE_USERS), 1, "and what had failed was written");
    end(&bench);
}

Test(node_group, what_the_journal_had_no_room_for_is_made_good)
{
    struct bench bench;
    bool known = false;
    begin(&bench);
    for (int i = 0; i < 9; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        cr_assert_eq(help_end(bench.table, id, T0, T0 + DAY, &known), PDP_ERR_OK);
    }
    cr_expect_eq(journal_awaits(bench.journal), UINT64_MAX, "one end is only noted");
    write_all(&bench, GROUP_STEPS);
    cr_expect_eq(journal_durable(bench.journal), journal_head(bench.journal));
    cr_expect_eq(journal_awaits(bench.journal), UINT64_MAX, "and whoever is told of it again waits still");
    bench.fails = true;
    cr_assert(group_gather(bench.group, GROUP_NOTED));
    cr_expect_eq(group_write(bench.group), PDP_ERR_IO);
    cr_expect_eq(journal_awaits(bench.journal), UINT64_MAX);
    bench.fails = false;
    bench.synced = 0;
    write_all(&bench, GROUP_NOTED);
    cr_expect_eq(bench.synced, 1, "it is synced");
    cr_expect_eq(journal_awaits(bench.journal), journal_head(bench.journal));
    cr_expect_eq(store_count(bench.store, STORE_SESSIONS), 9);
    end(&bench);
}
