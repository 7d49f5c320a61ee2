// SPDX-License-Identifier: Apache-2.0
// What a gateway may not believe any more, and what it may answer by itself: sessions that have ended, and
// answers that hold until then. No sockets, no clock: any thread calls, one lock.
#ifndef CLIENT_GUARD_H
#define CLIENT_GUARD_H

#include "base/hash.h"
#include "wire/notice.h"

#define GUARD_REVOKED_MAX 65536 // sessions that are remembered to have ended
#define GUARD_ENTRIES_MAX (1u << 20)
#define GUARD_BEATS 3 // intervals without a word after which nothing is answered from what is kept

// `boot_ms` goes on while the machine sleeps and never jumps; `wall_ms` is what `valid.until` means.
struct guard_now {
    int64_t boot_ms, wall_ms;
};

struct guard;

struct guard_config {
    uint32_t entries;    // answers that are kept; 0: none
    struct hash_key key; // drawn
};
MUST_USE enum pdp_err guard_new(const struct guard_config *config, struct guard **out);
void guard_free(struct guard **guard);

// ---- What the daemon says ----------------------------------------------------------------------------

// The connection for notices came or went: whatever was missed meanwhile, nothing that is kept holds.
void guard_lost(struct guard *guard);
void guard_hear(struct guard *guard, const struct bulletin *bulletin, struct guard_now now);
// When it returns, the order is carried out.
void guard_obey(struct guard *guard, const struct order *order, struct guard_now now);
void guard_revoke(struct guard *guard, struct str ref, struct guard_now now);
// Were there notices or heartbeats of late, so that what is kept may be used?
bool guard_live(struct guard *guard, struct guard_now now);
struct guard_state {
    uint64_t seq, kept;
    int64_t interval_ms; // 0: nothing was heard yet
    uint64_t hits, dropped;
    size_t revoked;
    bool live;
};
struct guard_state guard_state(struct guard *guard, struct guard_now now);

// ---- Questions ---------------------------------------------------------------------------------------

// Before a question is asked: to be given back with its answer.
uint64_t guard_begin(struct guard *guard);

enum guard_word {
    GUARD_HOLDS,
    GUARD_ENDED, // the session has ended since
    GUARD_STALE, // it may have been given before an order that makes it void
};
// May an allow of this session, asked for at `begun`, be believed?
enum guard_word guard_judge(struct guard *guard, uint64_t begun, struct str ref);

struct guard_answer {
    struct str question; // canonical
    struct str bytes;    // the answer as it came
    struct str ref;      // may be empty
    int64_t until_ms;    // valid.until
    uint64_t policy_epoch;
    int64_t asked_ms; // boot_ms when it was asked
};
// Keeps an answer, unless something happened since `begun` that may make it void.
void guard_keep(struct guard *guard, uint64_t begun, const struct guard_answer *answer, struct guard_now now);
// Appends the answer that is kept for this very question; false: there is none that holds. Counts the hit.
bool guard_find(struct guard *guard, struct str question, struct guard_now now, struct buf *out);

// ---- Hits --------------------------------------------------------------------------------------------

struct guard_hit {
    char ref[NOTICE_REF_BYTES];
    uint32_t count;
    int64_t last_ms; // boot_ms
};
// Takes what was counted since the last call; at most NOTICE_HITS_MAX are there.
size_t guard_take_hits(struct guard *guard, struct guard_hit out[static NOTICE_HITS_MAX]);

#endif
