// SPDX-License-Identifier: Apache-2.0
// An analyst's desk beside an engine: the daemon's own admin endpoint, without a socket.
#ifndef CLI_TEST_DESK_H
#define CLI_TEST_DESK_H

#include "engine/engine.h"

struct desk;

// *out NULL on failure. To be freed before the engine, which it borrows.
MUST_USE enum pdp_err desk_new(struct engine *engine, struct desk **out);
void desk_free(struct desk **desk);
// Gives one message, as an analyst of this name sends it, and carries out all that it asks for: an order that
// scans sessions is done when this returns. `answer` is emptied first. CLOSED where no answer came, which is
// a mistake of ours.
MUST_USE enum pdp_err desk_give(struct desk *desk, struct str by, struct str message, int64_t at_ms,
                                struct buf *answer);

#endif
