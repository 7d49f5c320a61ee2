// SPDX-License-Identifier: Apache-2.0
// Notices on their way to gateways: a bounded ring that many threads add to and each reader follows at its
// own pace. Who is too slow is not waited for, but told RESYNC.
#ifndef SESSION_NOTICE_H
#define SESSION_NOTICE_H

#include "model/notice.h"

#define NOTICES_ROOM_DEFAULT 16384
#define NOTICES_ROOM_MOST (1u << 20)

struct notices;

struct notices_config {
    uint32_t room; // notices that are kept, rounded up to a power of two; 0: the default
    uint64_t policy_epoch, controls_epoch; // that hold at first
    void (*wake)(void *user); // a reader that had seen all has something to read; NULL: nobody is told
    void *user;
};
// *out NULL on failure: RANGE (room above NOTICES_ROOM_MOST), NOMEM.
MUST_USE enum pdp_err notices_new(const struct notices_config *config, struct notices **out);
void notices_free(struct notices **notices);
// Sets whom to wake, before there is a reader.
void notices_wake(struct notices *notices, void (*wake)(void *user), void *user);

// Numbers the notice and puts it into the ring, in place of the oldest where it is full; returns its number.
// Of `notice`, seq is not looked at, nor are the epochs, but for that of POLICY_EPOCH or CONTROLS_EPOCH which
// is told: the ring knows which holds. NULL `notices`: nobody listens, 0. Any thread, also with a shard
// locked: one short lock, no allocation; `wake`, which must not block or take locks of the caller's, runs
// behind it.
uint64_t notices_add(struct notices *notices, const struct notice *notice);
// A session has ended, or must prove more.
uint64_t notices_session(struct notices *notices, enum notice_kind kind,
                         const char ref[static NOTICE_REF_BYTES], uint32_t epoch, enum pdp_code code,
                         int64_t now_ms);
// The last number and the epochs that hold, as a HEARTBEAT.
struct notice notices_now(struct notices *notices, int64_t now_ms);

// A reader's place: what it reads next.
struct notices_reader {
    uint64_t next;
};
// From now on.
struct notices_reader notices_reader(struct notices *notices);
// The next notice, or false, with *out zeroed (a RESYNC), where all were read: then `wake` tells of the next.
// A reader that was lapped gets one RESYNC, with the last number, in place of all before it.
bool notices_next(struct notices *notices, struct notices_reader *reader, struct notice *out);

struct notices_stats {
    uint64_t head;   // notices that were given out
    uint64_t lapped; // times that a reader was too slow, and was told RESYNC
};
struct notices_stats notices_stats(struct notices *notices); // any thread

#endif
