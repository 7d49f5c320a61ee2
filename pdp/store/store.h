// SPDX-License-Identifier: Apache-2.0
// Rows that outlive the process: batches in, completions out; kept in memory or in one SQLite file.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/str.h"

enum {
    STORE_KEY_MAX = 64,
    STORE_VALUE_MAX = 65536,
    STORE_BATCH_MAX = 4096, // rows
    STORE_WHY_MAX = 700
};

// X(name, word in files and reports). A new one comes last, with a migration (store/schema.h).
#define STORE_TABLE_LIST(X) \
    X(META, "meta")         \
    X(SESSIONS, "sessions") \
    X(USERS, "users")       \
    X(CONTROLS, "controls")

enum store_table {
#define X(name, word) STORE_##name,
    STORE_TABLE_LIST(X)
#undef X
    STORE_TABLE_COUNT
};

const char *store_table_name(enum store_table table);

// Key and value are opaque here. A put below the rank of the stored row is dropped and counted, so that a
// late write of a live session (rank 0) never revives a tombstone (rank 1); at the same rank the later wins.
struct store_row {
    enum store_table table;
    uint8_t rank;
    struct str key;   // 1 to STORE_KEY_MAX bytes
    struct str value; // at most STORE_VALUE_MAX bytes; empty where the row is erased
};

// An erase has a rank too, and is dropped where the row's is higher. Afterwards nothing is known of the key:
// a put of any rank is taken again.
struct store_op {
    struct store_row row;
    bool erase;
};

// ---- Opening ----------------------------------------------------------------------------------------

struct store_config {
    const char *path; // of the SQLite file, borrowed for the store's life; NULL: in memory
    const char *vfs;  // SQLite's file layer, borrowed likewise; NULL: the default one
    // Nanoseconds of any steady clock, for the latency of syncs; NULL: they are not measured.
    uint64_t (*clock_ns)(void *user);
    // In memory only, for simulations: what the next transaction fails with, or OK. NULL: none fails.
    enum pdp_err (*fault)(void *user, bool sync);
    void *user;
    size_t queue_batches,
        queue_bytes; // most that waits, completions not yet polled included; 0: 4096, 32 MiB
    // Pages of the log at which it is emptied into the file once nothing waits, and at four times as many at
    // once; 0: 1024, which is 4 MiB.
    unsigned log_pages;
    bool undo; // in memory only: store_cut will be called
};

struct store;

// Opens the file, or makes it (whole or not at all, mode 0600) where neither it nor a log of it is there. One
// process at a time may have it open: the caller holds the lock of its folder. The file is refused, with its
// name and what to do in `why`, and nothing of it is changed: CORRUPT (empty, truncated, damaged, not ours),
// UNSUPPORTED (of a newer version), IO, NOMEM. An older version is migrated, whole or not at all.
MUST_USE enum pdp_err store_open(const struct store_config *config, struct store **out,
                                 char why[static STORE_WHY_MAX]);
// Does what is queued, empties the log into the file and closes: the last state is durable, unless IO or
// LIMIT is returned. Completions that were not polled are lost.
enum pdp_err store_shut(struct store **store);
// The same for AUTO: without the answer.
void store_close(struct store **store);

// ---- Threads ----------------------------------------------------------------------------------------
// ----------------------------------------------------------------------------------------------- submit,
// poll and stats: any thread, at any time. work, load, count and close: one thread at a time, the writer. No
// thread is begun here and nothing waits but for the disk: who submits wakes the writer, who runs `while
// (store_work(store)) { poll and answer }`.

// Copies the batch into the queue and gives its token, counted up from 1. Nothing else is borrowed. RANGE: a
// row breaks the bounds above, or count is 0 or above STORE_BATCH_MAX. BUSY: the queue is full. CLOSED: the
// file is past mending. NOMEM. *token is 0 on failure, and nothing was queued.
//
// A batch is done whole or not at all, after those submitted before it. With `sync` it is durable when its
// completion says OK, together with all before it; without, it survives a kill of the process once completed,
// but a power cut or an error of the disk may take it until the next sync or checkpoint (the error is counted
// as `lost`: what was written behind and still matters is to be written again).
MUST_USE enum pdp_err store_submit(struct store *store, const struct store_op *ops, size_t count, bool sync,
                                   uint64_t *token);

struct store_completion {
    uint64_t token;
    enum pdp_err err;
    bool sync;
};

// The next completion, in the order of tokens; false: there is none. What `err` says:
//   OK      it is there (and durable with `sync`).
//   LIMIT   the disk is full. Nothing of the batch is there; later ones succeed again once there is room.
//   IO      the disk failed. It is not there for this process. Had the disk written it all the same, then a
//           restart, or mending the file, may find it whole (`late` in the stats); never a part of it.
//   CORRUPT damage was found while writing: as IO; every later batch fails until a restart.
//   NOMEM   nothing of it is there.
bool store_poll(struct store *store, struct store_completion *out);

// One piece of work: one transaction of all that is queued (up to STORE_BATCH_MAX rows; synced once if any
// batch asks for it), or a checkpoint that is due. true: there is more to do now. After an error of the disk
// each transaction first opens the file anew and proves that no synced batch was lost; until that succeeds
// all fail with IO.
bool store_work(struct store *store);

// ---- Reading ----------------------------------------------------------------------------------------

// Every row in the order of keys (bytewise). `row` is borrowed for the call, which must not call the store.
// An error of `each` stops the walk and is passed on. CORRUPT: a row does not hold its checksum, or rows are
// missing: use nothing of what was given; `why` says what to do. What is queued is not seen.
MUST_USE enum pdp_err store_load(struct store *store, enum store_table table,
                                 enum pdp_err (*each)(void *user, const struct store_row *row), void *user,
                                 char why[static STORE_WHY_MAX]);
uint64_t store_count(const struct store *store, enum store_table table);

// The same in parts, for threads that read side by side while nobody writes: each row is in one part of those
// from 0 to parts - 1, and in a part they come in the order of keys. Reads through a connection of its own.
// *good is how many rows were given. Who has read all parts adds them up, and asks store_load_whole whether
// any is missing. parts: 1 to STORE_PARTS_MAX.
enum {
    STORE_PARTS_MAX = 256
};
MUST_USE enum pdp_err store_load_part(const struct store *store, enum store_table table, unsigned part,
                                      unsigned parts,
                                      enum pdp_err (*each)(void *user, const struct store_row *row),
                                      void *user, uint64_t *good, char why[static STORE_WHY_MAX]);
MUST_USE enum pdp_err store_load_whole(const struct store *store, enum store_table table, uint64_t good,
                                       char why[static STORE_WHY_MAX]);

// A whole, checked copy as one file of mode 0600, while the store runs: any thread, a reader of its own.
// `path` is replaced only once the copy is durable. UNSUPPORTED in memory; IO, LIMIT, CORRUPT.
MUST_USE enum pdp_err store_backup(const struct store *store, const char *path,
                                   char why[static STORE_WHY_MAX]);

struct store_stats {
    uint64_t rows[STORE_TABLE_COUNT];
    uint64_t bytes;                 // of the file and its log; of rows, in memory
    uint64_t commits, syncs;        // transactions; those that were synced
    uint64_t batches, failed;       // completed, and how many of them not OK
    uint64_t puts, erases, dropped; // rows done; below the rank of the stored row
    uint64_t checkpoints, mended;   // log emptied into the file; opened anew after an error
    uint64_t late;                  // batches that failed with IO and were found to be there after all
    uint64_t lost;                  // transactions without sync that an error of the disk took
    uint64_t queued;                // batches that wait now
    uint64_t sync_ns, sync_most_ns; // of all synced transactions; of the slowest
    bool broken;                    // the last transaction ended in an error of the disk
    char last_error[STORE_WHY_MAX]; // empty: none so far
};
void store_stats(struct store *store, struct store_stats *out);

// ---- Simulation -------------------------------------------------------------------------------------

// In memory with `undo` only: the power fails. What is queued and what was not polled is gone, and of the
// transactions since the last synced one all but the first `keep`. The store then is as a fresh one would be.
void store_cut(struct store *store, size_t keep);

#endif
