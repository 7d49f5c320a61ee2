// SPDX-License-Identifier: Apache-2.0
// Receipts: that one record stands in a log, as a text of its own (c2sp.org/tlog-proof@v1).
#ifndef AUDIT_PROOF_H
#define AUDIT_PROOF_H

#include "audit/note.h"

struct proof {
    uint64_t index;
    struct merkle_proof inclusion;
    struct str checkpoint; // a signed note; within the text that was read
};

void proof_write(const struct proof *proof, struct buf *out);
// MALFORMED with *out zeroed.
MUST_USE enum pdp_err proof_read(struct str text, struct proof *out);

// Does the receipt show that a record of these bytes stands in the log of one of the keys? *checkpoint, where
// OK, is what was signed. Errors are those of note_open and checkpoint_read; CORRUPT where the record is
// another, stands elsewhere, or not in that tree.
MUST_USE enum pdp_err proof_check(const struct proof *proof, struct str record, const struct note_key *keys,
                                  size_t key_count, struct checkpoint *checkpoint);

#endif
