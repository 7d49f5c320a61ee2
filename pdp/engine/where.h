// SPDX-License-Identifier: Apache-2.0
// Locks by a condition: programs of their own, beside that of the policies, made anew for each snapshot.
// Inside of the engine; what others call is in engine/condition.h.
#ifndef ENGINE_WHERE_H
#define ENGINE_WHERE_H

#include "engine/ask.h"

#define WHERE_MOST 64 // locks by a condition: each question runs all of them

// The conditions of the locks of one set, for one snapshot, as one program. One that the snapshot does not
// understand is unsure for everybody whom its lock may name.
struct where;

// NULL in *out where no lock has a condition. NOMEM, LIMIT (more than WHERE_MOST).
MUST_USE enum pdp_err where_new(const struct controls *set, const struct snapshot *snapshot,
                                struct where **out);
void where_free(struct where **where);
// Memory for a worker to run it with; without, that worker finds all of it unsure. The engine's lock is held.
void where_ready(struct where *where, size_t worker);

// What the conditions of locks say of a question: each that is met, or may be. Before a question is scored
// only what is certain is told: what is missing then is there when it is judged.
struct where_found {
    int64_t until_ms; // until when passing time alone changes nothing of it
    struct str why;   // what the first one that is unsure lacks; in the arena or static
};
void where_find(struct ask *ask, const struct control_facts *facts,
                void (*each)(void *user, const struct control *control, enum truth truth), void *user,
                struct where_found *out);

#endif
