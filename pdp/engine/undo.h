// SPDX-License-Identifier: Apache-2.0
// What peers said between two times and is believed no longer: read with every question, so that it holds for
// what was never looked at, too. Immutable once it is published (session/controls.h beside it).
#ifndef ENGINE_UNDO_H
#define ENGINE_UNDO_H

#include "engine/ask.h"

// Of one peer, in seconds; both ends are in.
struct undo_span {
    uint64_t peer;    // struct peer.hash
    uint16_t gateway; // its number, as session_gateway
    uint32_t from_s, to_s;
};

struct undo {
    size_t count;
    struct undo_span spans[];
};

// Room for `most` spans, none in it yet; NOMEM.
MUST_USE enum pdp_err undo_new(size_t most, struct undo **out);
MUST_USE enum pdp_err undo_copy(const struct undo *undo, struct undo **out); // NULL: *out NULL
void undo_free(struct undo **undo);

// Takes what is undone out of a record: proofs, acr and amr, and notes it in record.undone. What peers said
// first by us counts: a session's voucher and prover are looked at, and who replaced its id. Returns what it
// has found, SESSION_UNDONE_…
uint8_t undo_session(const struct undo_span *span, struct session_record *session);
// Forgets devices that it let be remembered, and those that were first seen at its word. Returns how many.
size_t undo_user(const struct undo_span *span, struct user_record *user);
// Both, of the working copies of a question.
void undo_apply(struct ask *ask);

#endif
