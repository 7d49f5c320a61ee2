// SPDX-License-Identifier: Apache-2.0
#include "node/group.h"

#include "base/buf.h"
#include "session/row.h"

#include <stdlib.h>

static const size_t GROUP_BYTES = 384 * 1024; // of the journal's steps in one batch

enum {
    NOTED_A_BATCH = 1024,
    NOTED_MOST = NOTED_A_BATCH + 256, // it may be somewhat more
    NOTED_BYTES = NOTED_MOST * (JOURNAL_KEY_MAX + ROW_BYTES_MAX)
};

struct group {
    struct group_config config;
    struct store_op *ops; // STORE_BATCH_MAX of them
    size_t count;         // gathered; 0: nothing
    enum group_kind kind;
    uint64_t seq;     // of the last step that was gathered
    bool round;       // of what is noted: begun, and all of it was written so far
    uint64_t missed;  // by the journal when it began: the round makes it good
    uint64_t lost;    // transactions, as the store counts them
    struct buf texts; // of what was only noted
};

enum pdp_err group_new(const struct group_config *config, struct group **out)
{
    *out = NULL;
    AUTO(group_free) struct group *group = calloc(1, sizeof *group);
    if (group == NULL) {
        return PDP_ERR_NOMEM;
    }
    group->config = *config;
    group->ops = calloc(STORE_BATCH_MAX, sizeof *group->ops);
    // All at once: a row that was given and found no room would not be given again.
    if (group->ops == NULL || !buf_room(&group->texts, NOTED_BYTES)) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(group);
    return PDP_ERR_OK;
}

void group_free(struct group **group_ptr)
{
    struct group *group = STEAL(*group_ptr);
    if (group != NULL) {
        free(group->ops);
        buf_fini(&group->texts);
        free(group);
    }
}

// ---- Gathering -------------------------------------------------------------------------------------------

static void add_step(void *user, const struct journal_row *row)
{
    struct group *group = user;
    invariant(group->count < STORE_BATCH_MAX);
    group->ops[group->count++] = (struct store_op){.row = {.table = (enum store_table)row->table,
                                                           .rank = row->rank,
                                                           .key = row->key,
                                                           .value = row->value},
                                                   .erase = row->erase};
}

// The row's texts are gone with the table's lock.
static void add_noted(void *user, const struct journal_row *row)
{
    struct group *group = user;
    invariant(group->count < NOTED_MOST);
    add_step(user, row);
    struct store_row *copy = &group->ops[group->count - 1].row;
    copy->key.at = (const char *)group->texts.at + group->texts.len;
    copy->value.at = copy->key.at + row->key.len;
    buf_str(&group->texts, row->key);
    buf_str(&group->texts, row->value);
}

static void gather_noted(struct group *group)
{
    if (!group->round) {
        group->round = true;
        group->missed = journal_missed(group->config.journal);
    }
    buf_clear(&group->texts);
    (void)session_changed(group->config.table, NOTED_A_BATCH, add_noted, group);
    if (group->count == 0) { // all that was noted when the round began is written
        journal_made_good(group->config.journal, group->missed);
        group->round = false;
    }
}

bool group_gather(struct group *group, enum group_kind kind)
{
    invariant(group->count == 0);
    group->kind = kind;
    if (kind == GROUP_STEPS) {
        group->seq = journal_take(group->config.journal, GROUP_BYTES, add_step, group);
    } else {
        gather_noted(group);
    }
    return group->count != 0;
}

// ---- Writing ---------------------------------------------------------------------------------------------

// An error of the disk may take what it had taken before and nobody synced: what that was is not known.
static void note_lost(struct group *group)
{
    struct store_stats stats;
    store_stats(group->config.store, &stats);
    if (stats.lost != group->lost) {
        group->lost = stats.lost;
        session_note_all(group->config.table);
    }
}

// Submits and waits for the disk.
static enum pdp_err put(struct group *group)
{
    uint64_t token = 0;
    bool sync = group->kind == GROUP_STEPS || group->missed != 0;
    TRY(store_submit(group->config.store, group->ops, group->count, sync, &token));
    struct store_completion done = {0};
    while (done.token != token) {
        (void)store_work(group->config.store);
        if (!store_poll(group->config.store, &done)) {
            done.token = 0;
        }
    }
    note_lost(group);
    return done.err;
}

// Not kept and written later: by then the journal may have brought a newer value, which the old one would
// undo.
static void note_again(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct store_row *row = &group->ops[i].row;
        session_note_again(group->config.table, &(struct journal_row){.table = (enum journal_table)row->table,
                                                                      .key = row->key,
                                                                      .value = row->value});
    }
}

enum pdp_err group_write(struct group *group)
{
    if (group->count == 0) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = put(group);
    if (group->kind == GROUP_STEPS) {
        journal_settle(group->config.journal, group->seq, err != PDP_ERR_OK);
    } else if (err != PDP_ERR_OK) {
        note_again(group);
        group->round = false;
    }
    group->count = 0;
    return err;
}
