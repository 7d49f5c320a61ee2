// SPDX-License-Identifier: Apache-2.0
// A segment of the log: a head, then frames, each a record or a checkpoint (docs/AUDIT.md). A closed segment
// is compressed; it is read as a stream, in bounded memory.
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include "base/buf.h"
#include "seal/merkle.h"

enum {
    SEGMENT_HEAD_BYTES = 32,
    FRAME_HEAD_BYTES = 13,
    FRAME_BYTES_MAX = 256 * 1024,
    SEGMENT_NAME_BYTES = 32
};

enum frame_kind {
    FRAME_RECORD = 1,
    FRAME_CHECKPOINT = 2
};

struct segment_head {
    uint64_t first; // number of its first record
    int64_t created_ms;
};

struct frame {
    enum frame_kind kind;
    struct str bytes;        // until the next call
    uint64_t offset;         // of the frame, in the segment as it is uncompressed
    struct merkle_hash leaf; // of the bytes
};

// `00000000000000000042.log`, and `.log.zst` of a compressed one.
void segment_name(uint64_t first, bool packed, char out[static SEGMENT_NAME_BYTES]);
bool segment_name_read(const char *name, uint64_t *first, bool *packed);

void segment_head_put(const struct segment_head *head, struct buf *out);
// Appends a frame; *leaf is the hash of its bytes. LIMIT above FRAME_BYTES_MAX.
MUST_USE enum pdp_err frame_put(enum frame_kind kind, struct str bytes, struct buf *out,
                                struct merkle_hash *leaf);

// Where a segment's bytes come from: up to `len` from place `at` on; *got below `len` only at the end.
struct segment_source {
    enum pdp_err (*read)(void *user, uint64_t at, void *out, size_t len, size_t *got);
    void *user;
};

struct segment_reader;

// Reads the head. MALFORMED where it is none; the source's errors are passed on.
MUST_USE enum pdp_err segment_open(const struct segment_source *source, bool packed,
                                   struct segment_reader **out, struct segment_head *head);
void segment_close(struct segment_reader **reader);
// The next frame. CLOSED: the segment ends here. CORRUPT: what stands at out->offset is no whole frame, or
// was changed. MISSING: the segment ends within a frame, or within what was compressed.
MUST_USE enum pdp_err segment_next(struct segment_reader *reader, struct frame *out);

#endif
