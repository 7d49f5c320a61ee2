// SPDX-License-Identifier: Apache-2.0
// Peers in quarantine: what they ask is judged, but nothing that they claim is believed and no event is
// taken.
#ifndef ENGINE_QUARANTINE_H
#define ENGINE_QUARANTINE_H

#include "engine/engine.h"

#define QUARANTINE_MAX 256
#define QUARANTINE_TEXT_MAX 512 // bytes of the name, of the author, of the reason
#define QUARANTINE_ROW "peer/"  // in front of the name: the key of its row in CONTROLS

struct quarantined {
    struct str peer, by, reason;
    int64_t at_ms;
};

// From the next message on, over every connection. The row is journalled; *seq as journal_add, 0 without a
// journal. LIMIT, RANGE (a text), NOMEM, BUSY: nothing has changed. One that is in it is put in anew. Any
// thread.
MUST_USE enum pdp_err engine_quarantine_add(struct engine *engine, const struct quarantined *who,
                                            uint64_t *seq);
// UNKNOWN: it is not in quarantine.
MUST_USE enum pdp_err engine_quarantine_remove(struct engine *engine, struct str peer, uint64_t *seq);
// Texts live for the call, which must not add or remove.
void engine_quarantine_each(struct engine *engine, void (*each)(void *user, const struct quarantined *who),
                            void *user);
// What was written, row by row, before anything is asked. CORRUPT, LIMIT, NOMEM.
MUST_USE enum pdp_err engine_quarantine_load(struct engine *engine, struct str key, struct str value);

// Is it in quarantine? While nobody is, that costs one load.
bool engine_quarantined(struct engine *engine, struct str peer);
void engine_quarantine_free(struct engine *engine); // with the engine

#endif
