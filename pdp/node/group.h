// SPDX-License-Identifier: Apache-2.0
// The writer's work, a piece at a time and without a clock: what waits in the journal, or is only noted in
// the table, goes to the store in groups. One thread's own.
#ifndef NODE_GROUP_H
#define NODE_GROUP_H

#include "session/session.h"
#include "store/store.h"

struct group;

struct group_config { // all borrowed
    struct store *store;
    struct journal *journal;
    struct session_table *table;
};

enum group_kind {
    GROUP_STEPS, // of the journal: synced, and the journal is told
    GROUP_NOTED, // rows that changed and that nobody waits for: not synced, but where the journal missed some
};

MUST_USE enum pdp_err group_new(const struct group_config *config, struct group **out);
void group_free(struct group **group);
// Gathers the next group of a kind. false: there is nothing. Not while one that was gathered is not written.
// What is noted is gathered until there is nothing: that makes good what the journal missed.
bool group_gather(struct group *group, enum group_kind kind);
// Writes what was gathered, whole or not at all, and settles the journal where it was of steps. Steps that
// failed are given again; rows that were noted are noted anew, so that what is written next is what they are
// by then.
enum pdp_err group_write(struct group *group);

#endif
