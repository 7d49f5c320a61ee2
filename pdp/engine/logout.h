// SPDX-License-Identifier: Apache-2.0
// Logouts that are not about one session of a subject that is named: of all that a subject has, and of a
// session whose subject the issuer does not tell. Inside of the engine.
#ifndef ENGINE_LOGOUT_H
#define ENGINE_LOGOUT_H

#include "engine/event.h"

// `properties.all`: true or false, of logouts, and true only where no session is named. Otherwise refused in
// *out, and false.
MUST_USE bool logout_read(const struct ask *ask, struct event_result *out);
// Is it about all sessions of its subject?
bool logout_is_all(const struct ask *ask);
// After ask_hold: every session of the subject that was authenticated before now is over, seen before or not.
// Lasts before it is acknowledged, as an end does.
void logout_all(struct ask *ask, struct event_result *out);
// Without ask_hold: ends the session of that id, whoever's in the request's tenant it is; one that was never
// seen can never begin. As a terminate of an analyst it ends it by every id that it ever had.
void logout_by_id(struct ask *ask, struct event_result *out);

#endif
