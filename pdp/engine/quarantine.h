// SPDX-License-Identifier: Apache-2.0
// Peers in quarantine: what they ask is judged, but nothing that they claim is believed and no event is
// taken.
#ifndef ENGINE_QUARANTINE_H
#define ENGINE_QUARANTINE_H

#include "engine/engine.h"

#define QUARANTINE_MAX 256
#define QUARANTINE_TEXT_MAX 512 // bytes of the name, of the author, of the reason
#define QUARANTINE_ROW "peer/"  // in front of the name: the key of its row in CONTROLS

#define QUARANTINE_SPANS 8 // of what one peer said: more run together with the oldest

// What it said between two times counts no longer, in or out of quarantine (engine/undo.h).
struct quarantine_span {
    int64_t from_ms, to_ms; // to_ms INT64_MAX: while it is in quarantine
};

struct quarantined {
    struct str peer, by, reason;
    int64_t at_ms; // since when; 0: it is in quarantine no longer, and only its spans hold
    struct quarantine_span spans[QUARANTINE_SPANS];
    size_t span_count;
};

// From the next message on, over every connection. The row is journalled; *seq as journal_add, 0 without a
// journal. LIMIT, RANGE (a text), NOMEM, BUSY: nothing has changed. One that is in it is put in anew. Any
// thread. `who` without spans; what the peer said from since_ms on is undone (0: nothing is), besides what is
// already.
MUST_USE enum pdp_err engine_quarantine_add(struct engine *engine, const struct quarantined *who,
                                            int64_t since_ms, uint64_t *seq);
// UNKNOWN: it is not in quarantine. What was undone by now stays undone.
MUST_USE enum pdp_err engine_quarantine_remove(struct engine *engine, struct str peer, int64_t now_ms,
                                               uint64_t *seq);
// Every peer that is in quarantine, or has something undone. Texts live for the call, which must not add or
// remove.
void engine_quarantine_each(struct engine *engine, void (*each)(void *user, const struct quarantined *who),
                            void *user);
// What was written, row by row, before anything is asked. CORRUPT, LIMIT, NOMEM.
MUST_USE enum pdp_err engine_quarantine_load(struct engine *engine, struct str key, struct str value);

// Puts what was loaded in force. NOMEM.
MUST_USE enum pdp_err engine_quarantine_load_end(struct engine *engine);

// Is it in quarantine? While nobody is, that costs one load.
bool engine_quarantined(struct engine *engine, struct str peer);
void engine_quarantine_free(struct engine *engine); // with the engine

#endif
