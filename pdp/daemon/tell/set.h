// SPDX-License-Identifier: Apache-2.0
// The claims of a Security Event Token (RFC 8417) that tells of an end, as CAEP's `session-revoked`.
#ifndef DAEMON_TELL_SET_H
#define DAEMON_TELL_SET_H

#include "daemon/config/config.h"
#include "session/controls.h"

#define SET_TYPE "secevent+jwt"

// Of a session that is over; `now_s` is when the token is made. Its `jti` is the same whenever it is made.
void set_session(const struct config_webhook *config, const struct session_view *ended, int64_t now_s,
                 struct buf *out);
// Of a cut-off of a subject or a tenant: all sessions that began before it.
void set_cutoff(const struct config_webhook *config, const struct control *control, int64_t now_s,
                struct buf *out);
// Can a control be told so?
bool set_tells(const struct config_webhook *config, const struct control *control);

#endif
