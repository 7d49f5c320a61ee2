// SPDX-License-Identifier: Apache-2.0
// What daemon and gateways say beside questions: notices, orders, confirmations and reports of hits. CBOR
// maps, described in docs/PROTOCOL.md.
#ifndef WIRE_NOTICE_H
#define WIRE_NOTICE_H

#include "model/notice.h"
#include "wire/wire.h"

#define NOTICE_REFS_MAX 1000 // of one order
#define NOTICE_HITS_MAX 500  // of one report
#define NOTICE_NAME_MAX 128  // bytes of a gateway's name
#define NOTICE_BYTES_MAX 65536
#define NOTICE_CHECKPOINT_MAX 4096

// A notice as it is sent: a number without its daemon means nothing.
struct bulletin {
    struct notice notice;
    int64_t boot;          // drawn by the daemon when it starts; never 0
    int64_t interval_ms;   // between two heartbeats
    struct str checkpoint; // of the audit log, in a heartbeat; may be empty
};

// Drop what you keep, then say so.
struct order {
    uint32_t number;  // 0: nothing is to be dropped, only who is there is asked
    bool everything;  // no answer that was given before holds
    struct str *refs; // sessions that have ended
    size_t ref_count;
    struct bulletin now; // a HEARTBEAT
};

struct confirmation {
    uint32_t number; // of the order
    int64_t boot;    // of the daemon that gave it
    struct str name; // the gateway's
    uint64_t seq;    // of the last notice that it has seen
    uint64_t kept;   // answers that it keeps
};

// Answers that were given from a cache, by session.
struct hit {
    struct str ref;
    int64_t count;
    int64_t ago_ms; // when the last one was
};

void notice_write(const struct bulletin *bulletin, struct buf *out);
void order_write(const struct order *order, struct buf *out);
void confirmation_write(const struct confirmation *confirmation, struct buf *out);
void hits_write(const struct hit *hits, size_t count, struct buf *out);

// Each reads one whole message, at most NOTICE_BYTES_MAX; texts point into it or lie in the arena. MALFORMED,
// with *out zeroed, where anything is missing, of another kind or out of range: then nothing of it may be
// believed. A word that is no kind is read as RESYNC, since what is not understood must be feared.
MUST_USE enum pdp_err notice_read(struct str bytes, struct arena *arena, struct bulletin *out);
MUST_USE enum pdp_err order_read(struct str bytes, struct arena *arena, struct order *out);
MUST_USE enum pdp_err confirmation_read(struct str bytes, struct arena *arena, struct confirmation *out);
// Of a decoded `hits`: 1 to NOTICE_HITS_MAX; *hits lies in the arena.
MUST_USE enum pdp_err hits_read(const struct value *list, struct arena *arena, struct hit **hits,
                                size_t *count);

// A reference as answers carry it: `s_` and 24 small hex digits. false: *out is all NUL.
bool notice_ref_read(struct str text, char out[static NOTICE_REF_BYTES]);

#endif
