// SPDX-License-Identifier: Apache-2.0
// Session events: what an issuer or a sensor says of a session. Inside of the engine.
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "engine/ask.h"

// What became of an event. Zeroed: refused.
struct event_result {
    bool recorded;
    bool repeated;
    struct str why;          // where it was not recorded; static, the snapshot's, or in the arena
    struct str missing;      // what could not be known; may be empty
    const struct str *ended; // refs of other sessions of the subject that ended for this one; in the arena
    size_t ended_count;
    enum pdp_code code;
    char replaced[32];         // of a rotate: ref of the id that the session had; empty
    struct str id, set_cookie; // that was made here: a secret, for the answer alone; in the arena, or empty
    int64_t
        remember_until_ms; // the device is remembered until then; 0: the event did not ask for it, or may not
};

// Applies one event; `ask` as for decide(). Takes and gives back the shard's lock. Whether the peer may send
// it was checked before. The session's and the risk's new state are then in `ask`.
void event_apply(struct ask *ask, struct event_result *out);

// The part of it after ask_hold.
void event_apply_held(struct ask *ask, struct event_result *out);

// The grant that an event takes.
uint32_t event_grant(enum event_type type);

#endif
