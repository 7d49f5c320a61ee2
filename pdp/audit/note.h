// SPDX-License-Identifier: Apache-2.0
// Signed notes (c2sp.org/signed-note) with Ed25519, and the checkpoints of a log (c2sp.org/tlog-checkpoint).
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "base/buf.h"
#include "seal/ed25519.h"
#include "seal/merkle.h"

enum {
    NOTE_NAME_MAX = 128,
    NOTE_BYTES_MAX = 16384,
    NOTE_SIGNATURES_MAX = 100, // more are refused
    NOTE_KEYS_MAX = 64,        // a bit each
    NOTE_ID_BYTES = 4
};

// Who may sign: `name+1a2b3c4d+base64`, the verifier's form of a key.
struct note_key {
    char name[NOTE_NAME_MAX + 1];
    uint8_t id[NOTE_ID_BYTES];
    uint8_t key[ED25519_KEY_BYTES];
};

// What may name a key: valid UTF-8, not empty, without blanks, control characters and plus signs.
bool note_name_ok(struct str name);
// RANGE for a bad name; else what hashing returns.
MUST_USE enum pdp_err note_key_of(struct str name, const uint8_t key[static ED25519_KEY_BYTES],
                                  struct note_key *out);
// MALFORMED where the text is none of Ed25519, or its id is not that of name and key. *out is then zeroed.
MUST_USE enum pdp_err note_key_read(struct str text, struct note_key *out);
void note_key_print(const struct note_key *key, struct buf *out);

// Appends `text`, an empty line and one signature. MALFORMED where the text may be no note's (it ends in a
// newline, is UTF-8 and holds no control character but newlines); nothing is then appended.
MUST_USE enum pdp_err note_sign(struct str text, const struct note_key *key,
                                const uint8_t seed[static ED25519_SEED_BYTES], struct buf *out);

// Reads a note: OK where at least one of the keys signed it and none of theirs is wrong; signatures of others
// are passed over. MALFORMED where it is no note, DENIED where a known key's signature fails, MISSING where
// no known key signed. *text is what was signed, within `note`; empty unless OK. *signers, if not NULL, gets
// a bit for each key that signed, by place.
MUST_USE enum pdp_err note_open(struct str note, const struct note_key *keys, size_t key_count,
                                struct str *text, uint64_t *signers);

struct checkpoint {
    struct str origin; // within the text that was read
    uint64_t size;
    struct merkle_hash root;
};

void checkpoint_write(const struct checkpoint *checkpoint, struct buf *out);
// The text of a checkpoint, further lines allowed after the third. MALFORMED with *out zeroed.
MUST_USE enum pdp_err checkpoint_read(struct str text, struct checkpoint *out);

#endif
