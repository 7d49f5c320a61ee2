// SPDX-License-Identifier: Apache-2.0
// What the audit log is told of each answer: made by the worker after the verdict, put into a bounded ring of
// its own, taken from it by one reader. Fields of a record: docs/AUDIT.md.
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "base/ring.h"
#include "engine/engine.h"

#include <stdatomic.h>

#define RECORD_RING_BYTES (8U << 20)
#define RECORD_BEFORE_FORM 1    // of the bytes of a session and a user: rises with the layout of either
#define RECORD_BYTES_MAX 131072 // of one record: a question of 64 KiB is kept whole

struct record_config {
    size_t ring_bytes;     // 0: RECORD_RING_BYTES
    uint32_t allow_one_in; // of allows that no rule wants kept, one in so many; 0, 1: all
    bool deny_when_full;   // else records are lost, and counted
    bool brief;            // without the question and what scoring read: cannot be replayed
};

struct recorder; // a worker's side and the reader's

// From now on the worker records; before its first answer. The recorder belongs to the worker.
MUST_USE enum pdp_err worker_record(struct worker *worker, const struct record_config *config,
                                    struct recorder **out);

// One record in the ring. Texts until recorder_drop.
struct record {
    int64_t at_ms;
    uint64_t same;   // equal for answers that are the same denial to the same peer; 0: to be kept on its own
    char id[40];     // of the decision, NUL-terminated; may be empty
    struct str user; // tenant, type and id as one text; empty: nobody
    struct str open; // CBOR
    struct str personal; // CBOR, to be sealed; may be empty
};

// The reader's side: one thread. `false`: nothing is there.
bool recorder_take(struct recorder *recorder, struct record *out);
void recorder_drop(struct recorder *recorder);
// How many records had no room, and how many answers were refused for that, since the start. Any thread.
uint64_t recorder_lost(const struct recorder *recorder);
uint64_t recorder_refused(const struct recorder *recorder);
// While set, nothing is recorded: a reader that cannot write says so (a full disk). Any thread.
void recorder_stall(struct recorder *recorder, bool stalled);

// ---- What does not come from an answer, on the worker's thread -------------------------------------

struct record_order {
    struct str by, op, target, reason, result; // who, what, of what, why, what became of it; may be empty
    struct str args;                           // CBOR of a map: what else was said; sealed
    struct str user;                           // whose key seals it: `tenant NUL type NUL id`
    bool read;                                 // something was looked at, nothing changed
    bool ok;
};
// An analyst's order. false: there was no room, which was counted.
bool worker_record_order(struct worker *worker, const struct record_order *order, int64_t now_ms);

#endif
