// SPDX-License-Identifier: Apache-2.0
// The shadow world: what would happen if everything in shadow were enforced. Inside of the engine.
//
// It has sessions, users and risk of its own. A session that was there before this world is taken over as it
// was before the first question that the world hears of it; one that begins later begins in each world by
// itself. What happens there is told and counted, and touches nothing.
#ifndef ENGINE_SHADOW_H
#define ENGINE_SHADOW_H

#include "engine/engine.h"

#include <stdatomic.h>

struct ask;
struct policy_result;

// Sessions of one shadow world. Snapshots that have the same in shadow share it, so that a reload of
// something else forgets nothing; where something else is in shadow, another world begins.
struct shadow_world {
    atomic_uint held;         // by snapshots
    uint64_t meaning;         // of what is in shadow
    _Atomic int64_t since_ms; // its first question; INT64_MIN: none yet
    struct session_table *sessions;
};

// A world for `meaning`: `old` (may be NULL) once more where that is its own, else a new one. NULL: memory is
// out, and nothing is judged in shadow.
struct shadow_world *shadow_world_for(struct shadow_world *old, uint64_t meaning,
                                      const struct engine_config *config);
void shadow_world_drop(struct shadow_world **world);

// What was known of a session before the question at hand, in the enforced world.
struct shadow_seed {
    bool known, has_user;
    struct session_record session;
    struct user_record user;
};

// After `enforced` was judged, and while its hold lasts (an enforced shard is locked before a shadow one,
// never after it): judges the same question in shadow and writes out->shadow.
void shadow_decide(const struct ask *enforced, struct verdict *out);
// Counts the rules in shadow that make the difference to what was enforced.
void shadow_count(const struct ask *ask, const struct policy_result *result, const struct verdict *out);
// The same as shadow_decide for an event that was recorded.
void shadow_event(const struct ask *enforced);

#endif
