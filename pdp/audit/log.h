// SPDX-License-Identifier: Apache-2.0
// The audit log: records in segments, their Merkle tree beside them, checkpoints signed as it grows. One
// writer.
//
// What is in the folder: `key` and `vkeys` (audit/keys.h), `users` (audit/vault.h), `hashes` (the tree's
// stored hashes, kept for ever), `checkpoint` (the latest signed one), segments, `lock`. What is appended is
// written by audit_log_flush, and durable with the next checkpoint. A checkpoint is signed only over records
// that are durable, and only where the tree is shown to have grown from the one signed before.
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/files.h"
#include "audit/keys.h"

#define AUDIT_WHY_MAX 300

struct audit_config {
    const char *dir;       // made where it is missing
    const char *origin;    // of a new log; NULL: drawn
    uint64_t rotate_bytes; // of a segment before it is compressed; 0: 64 MiB
    int64_t rotate_age_ms; // 0: a day
    int64_t keep_ms;       // records older than this are removed, a segment at a time; 0: never
    uint64_t sign_records; // a checkpoint at least so often; 0: 10,000
    int64_t sign_ms;       // 0: a second
    vault_draw *draw;
};

struct audit_status {
    uint64_t records, signed_records, first; // first: the oldest that is still there
    uint64_t segments, bytes;                // bytes: of the segment that is written
    uint64_t cut_bytes;                      // of a torn end, when the log was opened
    bool failed;                             // nothing will be signed any more: see `why`
    const char *origin, *why;
};

struct audit_log;

// Opens a log, or begins one. A torn end behind the last checkpoint is cut, and kept aside as `cut-…`; what a
// checkpoint vouches for and is not there any more, or was changed, is CORRUPT. BUSY: another process writes
// it. `why` tells in words for people what, where, and what to do.
MUST_USE enum pdp_err audit_log_open(const struct audit_config *config, int64_t now_ms,
                                     struct audit_log **out, char why[static AUDIT_WHY_MAX]);
// Signs a last checkpoint if it can.
void audit_log_close(struct audit_log **log);

// One record: CBOR that all may read, and CBOR of personal fields under the key of `user` (tenant, type and
// id as one text). Empty `personal`: there are none. *index is its number. BUSY, with nothing taken, while
// what was appended before cannot be written; other errors take nothing either.
MUST_USE enum pdp_err audit_log_append(struct audit_log *log, struct str open, struct str personal,
                                       struct str user, uint64_t *index);
// Writes what was appended. IO: it could not (a full disk); it is kept, and written by a later call.
MUST_USE enum pdp_err audit_log_flush(struct audit_log *log);
// What time asks for: a checkpoint, a new segment, some compression, removal of what is too old. *more: call
// again soon, there is more to compress.
MUST_USE enum pdp_err audit_log_tick(struct audit_log *log, int64_t now_ms, bool *more);
// Flushes, syncs and signs now.
MUST_USE enum pdp_err audit_log_checkpoint(struct audit_log *log);
// Destroys the keys of a user. *count: how many there were.
MUST_USE enum pdp_err audit_log_forget(struct audit_log *log, struct str user, size_t *count);
// The personal part of a record, appended. MISSING: the key was destroyed.
MUST_USE enum pdp_err audit_log_unseal(const struct audit_log *log, const struct envelope *envelope,
                                       struct buf *out);
// From now on a new key signs beside the ones before.
MUST_USE enum pdp_err audit_log_rotate_key(struct audit_log *log);

void audit_log_status(const struct audit_log *log, struct audit_status *out);
// The latest signed checkpoint as a note; until the next call. Empty: there is none yet.
struct str audit_log_signed(const struct audit_log *log);

#endif
