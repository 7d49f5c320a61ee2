// SPDX-License-Identifier: Apache-2.0
// The store's one writer: the journal's steps, synced in groups; and what is only noted, at leisure.
#ifndef DAEMON_STATE_WRITER_H
#define DAEMON_STATE_WRITER_H

#include "daemon/state/state.h"

struct writer;

struct writer_config {
    struct store *store;
    struct journal *journal;
    struct session_table *table;
    int64_t leisure_ms; // between two rounds of what is noted
    struct state_host host;
};

MUST_USE enum pdp_err writer_start(const struct writer_config *config, struct writer **out);
// Something was put into the journal. Any thread, locks held or not.
void writer_wake(struct writer *writer);
// A round of what is noted begins now, and is over once writer_rounds has come to what is returned: then
// nothing was left for a moment. Where more is noted all the time than can be written that never comes. Any
// thread.
uint64_t writer_hurry(struct writer *writer);
uint64_t writer_rounds(const struct writer *writer);
// Writes what is left, as far as the store lets it, and ends the thread.
void writer_stop(struct writer **writer);

#endif
