// SPDX-License-Identifier: Apache-2.0
// What the files of the guard share. With its lock.
#ifndef CLIENT_GUARD_INNER_H
#define CLIENT_GUARD_INNER_H

#include "client/guard.h"

#include <pthread.h>

// A reference as a number: its 24 hex digits.
struct guard_ref {
    uint64_t hi;
    uint32_t lo;
};

struct revoked {
    struct guard_ref ref; // all zero: a free place
    int64_t since_ms;
};

struct kept {
    uint64_t hash;
    struct guard_ref ref;
    unsigned char *bytes; // the question, then the answer; NULL: a free place
    size_t question_len, answer_len;
    int64_t until_wall_ms, until_boot_ms;
    uint32_t key_next, ref_next; // chains; free list through key_next
    uint32_t older, newer;       // by last use
};

struct guard {
    pthread_mutex_t lock;
    struct hash_key key;
    uint64_t generation; // rises when answers that are under way must not be kept
    uint64_t barrier;    // answers asked for before this generation must not be believed
    int64_t boot;        // of the daemon; 0: nothing was heard yet
    bool timed;          // a heartbeat was heard on this connection
    bool synced, off;    // off: too many ends; until other policies serve nothing is kept
    uint64_t seq, policy_epoch, controls_epoch;
    int64_t interval_ms, heard_ms,
        daemon_ms;    // of the last heartbeat; daemon_ms: the daemon's clock at heard_ms
    int64_t ahead_ms; // our clock before the daemon's, at the least that was seen
    int64_t late_ms;  // how much later than at its best that heartbeat came: so old may be what we know
    uint64_t hits, dropped;

    struct revoked *revoked; // open addressing
    size_t revoked_cap, revoked_count;

    struct kept *kept; // entries + 1; number 0 is none
    uint32_t entries, used, kept_count, free, mask;
    uint32_t *by_key, *by_ref;
    uint32_t oldest, newest;

    struct guard_hit pending[NOTICE_HITS_MAX];
    size_t pending_count;
};

bool guard_ref_of(struct str text, struct guard_ref *out); // false: it is none, *out is all zero
bool guard_is_revoked(const struct guard *guard, struct guard_ref ref);
// false: there is no room.
bool guard_put_revoked(struct guard *guard, struct guard_ref ref, int64_t now_ms);

// guard_kept.c
MUST_USE enum pdp_err guard_kept_new(struct guard *guard, uint32_t entries);
void guard_kept_free(struct guard *guard);
void guard_drop_all(struct guard *guard);
void guard_drop_ref(struct guard *guard, struct guard_ref ref);

static inline bool guard_ref_eq(struct guard_ref a, struct guard_ref b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

bool guard_is_live(const struct guard *guard, struct guard_now now);

#endif
