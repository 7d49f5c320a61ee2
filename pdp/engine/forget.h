// SPDX-License-Identifier: Apache-2.0
// What was learned of a user is forgotten: in the enforced world, and in the shadow one.
#ifndef ENGINE_FORGET_H
#define ENGINE_FORGET_H

#include "engine/engine.h"

struct engine_forgotten {
    size_t values, devices; // that were known
    uint64_t seq;           // as in struct session_held
};

// Erases a user's learned profile and last place; with `devices` also which devices were seen and remembered.
// Sessions, tombstones, the cut-off, when the user was first and last seen, and what their sessions left to
// each other stay: nothing that ended comes back, and no suspicion is lifted. false: the user is not known.
// Any thread; the next accepted question begins to learn anew.
bool engine_forget_user(struct engine *engine, struct str tenant, struct str type, struct str id,
                        bool devices, struct engine_forgotten *out);

#endif
