// SPDX-License-Identifier: Apache-2.0
// What must last, in order: rows on their way to the store. Bounded; any thread may add.
#ifndef SESSION_JOURNAL_H
#define SESSION_JOURNAL_H

#include "base/str.h"

#define JOURNAL_KEY_MAX 64
#define JOURNAL_VALUE_MAX 65536

// X(name): the store's tables have the same order.
#define JOURNAL_TABLE_LIST(X) X(META) X(SESSIONS) X(USERS) X(CONTROLS)
enum journal_table {
#define X(name) JOURNAL_##name,
    JOURNAL_TABLE_LIST(X)
#undef X
    JOURNAL_TABLE_COUNT
};

// Ranks: a row never gives way to one of a lower rank, so that no late write of a live session brings an
// ended one back.
enum {
    JOURNAL_LIVE,
    JOURNAL_ROTATED,
    JOURNAL_ENDED
};

struct journal_row {
    enum journal_table table;
    uint8_t rank;
    bool erase;
    struct str key, value; // borrowed for the call
};

struct journal;
struct journal_config {
    size_t entries, bytes; // most that wait for the store; 0: 65,536 and 64 MiB. Ends may use as much again
    void (*added)(void *user); // something is to be taken: called with locks held, must not block
    void *user;
};
MUST_USE enum pdp_err journal_new(const struct journal_config *config, struct journal **out);
void journal_free(struct journal **journal);

// Appends rows as one step: they become durable together, before all that is added later. *seq is their
// number, from 1. BUSY where too much waits (`ends`: the reserve may be used), NOMEM: nothing was appended,
// *seq 0.
MUST_USE enum pdp_err journal_add(struct journal *journal, const struct journal_row *rows, size_t count,
                                  bool ends, uint64_t *seq);
// The number of the last step that was added; of the last that is durable, with all before it; and of the
// last that waited when the store failed, which goes on trying.
uint64_t journal_head(const struct journal *journal);
uint64_t journal_durable(const struct journal *journal);
uint64_t journal_failed(const struct journal *journal);
void journal_depth(const struct journal *journal, size_t *entries, size_t *bytes);
// What must last and found no room here is written at leisure with what is only noted, and was missed until
// then. Told once it was noted.
void journal_miss(struct journal *journal);
// What whoever tells of something that may have been done before must wait for: all that was added so far; or
// UINT64_MAX, for ever, while anything is missed.
uint64_t journal_awaits(const struct journal *journal);

// ---- The writer: one thread ------------------------------------------------------------------------

// The steps that wait, oldest first, up to about `bytes`: calls `each` for every row, whose texts stay where
// they are until journal_settle. Returns the number of the last step that was given; 0: none waits.
uint64_t journal_take(struct journal *journal, size_t bytes,
                      void (*each)(void *user, const struct journal_row *row), void *user);
// All up to `seq` are durable: they are dropped. Or, with `failed`, were not made durable and are given
// again; so are all that wait behind them, of which none would be tried before.
void journal_settle(struct journal *journal, uint64_t seq, bool failed);
// How much is missed: 0, or what to give to journal_made_good once all is durable that was noted by then.
uint64_t journal_missed(const struct journal *journal);
void journal_made_good(struct journal *journal, uint64_t missed);

#endif
