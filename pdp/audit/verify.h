// SPDX-License-Identifier: Apache-2.0
// Is everything in an audit log as it was written? If not, what is wrong, and where.
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/files.h"
#include "audit/keys.h"

struct verify_input {
    const struct audit_source *source;
    const struct note_key
        *keys; // who may sign; none: those in the log's `vkeys`, which a forger would have changed
    size_t key_count;
    struct str kept; // a checkpoint that somebody kept elsewhere; may be empty
    bool live;       // a daemon writes there: what stands behind the last checkpoint may not be whole yet
};

struct verify_report {
    uint64_t first, records; // records first..records - 1 were read
    uint64_t signed_records;
    uint64_t checkpoints;
    char origin[NOTE_NAME_MAX + 1];
    struct note_key key; // that signed the last checkpoint; the first of those given that did
};

struct verify_fault {
    char file[SEGMENT_NAME_BYTES]; // empty: of the whole log
    bool has_record, has_offset;
    uint64_t record, offset; // the offset is in the segment as it is uncompressed
    char what[240];
};

// OK; CORRUPT with *fault; else the error of a file that could not be read, with its name in *fault. Reads
// all of the log once, in bounded memory.
MUST_USE enum pdp_err audit_verify(const struct verify_input *input, struct verify_report *report,
                                   struct verify_fault *fault);

// The tree's stored hashes through a source, in blocks.
struct hash_file {
    const struct audit_source *source;
    uint64_t block; // number of the block that is held, + 1
    size_t held;    // bytes of it
    unsigned char bytes[64 * 1024];
};
struct merkle_store hash_file_store(struct hash_file *file);

// The latest signed checkpoint of a log and its keys. As audit_verify.
MUST_USE enum pdp_err audit_latest(const struct verify_input *input, struct buf *note,
                                   struct checkpoint *checkpoint, struct note_key keys[static NOTE_KEYS_MAX],
                                   size_t *key_count, struct verify_fault *fault);

#endif
