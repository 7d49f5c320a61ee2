// SPDX-License-Identifier: Apache-2.0
// What an event asks of a session's id: another one in its place, or one that is made here. Inside of the
// engine.
#ifndef ENGINE_ISSUE_H
#define ENGINE_ISSUE_H

#include "engine/event.h"

enum {
    ISSUE_ID_BYTES = 32, // that are drawn
    ISSUE_ID_TEXT = 43   // base64url of those
};

// Reads what the event says of ids and makes one where it asks for that: ask->named and ask->next are then
// set. false: refused, `out` says why. Before ask_hold; draws random bytes.
bool issue_read(struct ask *ask, struct event_result *out);
// An id was named that another one has replaced: is the event still one for the session that goes on? false:
// `out` says what became of it. What a bearer of that id does after its overlap ends the session.
bool issue_old_id(struct ask *ask, struct event_result *out);
// The event begins a session with an id that is made here, and its request_id did that before.
bool issue_again(const struct ask *ask);
// Notes that for the next time.
void issue_note(struct ask *ask);
// Fills the rotation that the event asks for, after the limits are known.
void issue_rotation(struct ask *ask);
// What the answer has to tell of ids once all is stored.
void issue_tell(struct ask *ask, struct event_result *out);

#endif
