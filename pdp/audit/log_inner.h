// SPDX-License-Identifier: Apache-2.0
// The log from inside. Only for the folder's own files.
#ifndef AUDIT_LOG_INNER_H
#define AUDIT_LOG_INNER_H

#include "audit/log.h"
#include "audit/pack.h"

struct audit_log {
    struct audit_config config;
    char dir[3072];
    int lock, segment, hashes;
    struct audit_keys keys;
    struct note_key vkeys[NOTE_KEYS_MAX]; // all that ever signed, the newest first
    size_t vkey_count;
    struct vault *users;
    struct merkle tree;
    struct segment_head head; // of the segment that is written
    uint64_t written;         // bytes of it that are on disk
    uint64_t hashes_written;  // bytes
    uint64_t flushed;         // records on disk
    struct buf pending;       // frames that are not
    struct buf pending_hashes;
    struct buf record;
    // The last checkpoint.
    struct merkle_hash signed_root;
    uint64_t signed_size;
    int64_t signed_ms; // when it was looked at last whether one is due
    struct buf note;
    // Old segments.
    struct audit_segments segments; // closed ones
    struct pack *pack;              // one that is being compressed
    bool failed;
    uint64_t cut_bytes;
    char why[AUDIT_WHY_MAX];
};

// Of what was written; a hash that is pending is not there.
struct merkle_store log_store(struct audit_log *log);
// Begins a segment at the present end, in the place of the one that is written, which must be flushed.
MUST_USE enum pdp_err log_begin_segment(struct audit_log *log, int64_t now_ms);
// Nothing more is signed: what the disk holds is not known any more.
void log_fail(struct audit_log *log, const char *why);

#endif
