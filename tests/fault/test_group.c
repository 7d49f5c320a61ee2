// SPDX-License-Identifier: Apache-2.0
// Rows that were written behind, and told to be there, on a disk that loses them: they are written again.
#include "node/group.h"
#include "session/journal.h"
#include "session/row.h"
#include "support/power.h"
#include "support/scratch.h"

#define NOW_MS INT64_C(1795420800000)
#define DAY_MS INT64_C(86400000)

static unsigned checks, wrong;

#define CHECK(cond)                                            \
    do {                                                       \
        checks++;                                              \
        if (!(cond)) {                                         \
            wrong++;                                           \
            fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
        }                                                      \
    } while (0)

static void must(enum pdp_err err)
{
    if (err != PDP_ERR_OK) {
        fprintf(stderr, "%s\n", pdp_err_text(err));
        exit(1);
    }
}

static void first_sight(struct session_table *table, const char *id)
{
    struct session_key key = session_key_of(table, 1, STR("acme"), STR("user"), STR("alice"), str_of(id));
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true};
    delta.session = (struct session_record){.id = key.id,
                                            .subject = key.subject,
                                            .state = SESSION_ACTIVE,
                                            .first_seen_ms = NOW_MS,
                                            .last_seen_ms = NOW_MS,
                                            .keep_until_ms = NOW_MS + DAY_MS};
    delta.user = held.user != NULL ? *held.user : (struct user_record){.subject = key.subject};
    must(session_commit(table, &held, &key, &delta, NOW_MS));
    session_release(table, &held);
}

static void end_session(struct session_table *table, const char *id)
{
    struct session_view was;
    bool known = false;
    must(session_end(table, str_of(id), PDP_CODE_TERMINATED, NOW_MS, NOW_MS + DAY_MS, &was, &known));
}

static enum pdp_err write_all(struct group *group, enum group_kind kind)
{
    enum pdp_err err = PDP_ERR_OK;
    while (err == PDP_ERR_OK && group_gather(group, kind)) {
        err = group_write(group);
    }
    return err;
}

int main(void)
{
    struct scratch scratch;
    char why[STORE_WHY_MAX];
    struct store *store = NULL;
    struct journal *journal = NULL;
    struct session_table *table = NULL;
    struct group *group = NULL;
    scratch_make(&scratch);
    power_install();
    power_reset();
    const struct store_config config = {.path = scratch_path(&scratch, "sessions.db"), .vfs = POWER_VFS};
    must(store_open(&config, &store, why));
    must(journal_new(&(struct journal_config){0}, &journal));
    must(session_table_new(&(struct session_table_config){.key = {1, 2}, .journal = journal}, &table));
    must(group_new(&(struct group_config){store, journal, table}, &group));

    end_session(table, "before");
    CHECK(write_all(group, GROUP_STEPS) == PDP_ERR_OK);
    first_sight(table, "one");
    first_sight(table, "two");
    CHECK(write_all(group, GROUP_NOTED) == PDP_ERR_OK);
    power.fail_at[POWER_SYNC] = power.calls[POWER_SYNC] + 1;
    power.evict = true;
    end_session(table, "between");
    CHECK(write_all(group, GROUP_STEPS) != PDP_ERR_OK);
    power_heal();
    CHECK(write_all(group, GROUP_STEPS) == PDP_ERR_OK);
    struct store_stats stats;
    store_stats(store, &stats);
    CHECK(stats.lost != 0); // else this test shows nothing
    CHECK(write_all(group, GROUP_NOTED) == PDP_ERR_OK);
    CHECK(store_shut(&store) == PDP_ERR_OK);
    must(store_open(&config, &store, why));
    CHECK(store_count(store, STORE_SESSIONS) == 4);
    CHECK(store_count(store, STORE_USERS) == 1);

    group_free(&group);
    session_table_free(&table);
    journal_free(&journal);
    store_close(&store);
    power_reset();
    scratch_drop(&scratch);
    printf("%u checks, %u wrong\n", checks, wrong);
    return wrong != 0;
}
