// SPDX-License-Identifier: Apache-2.0
// Questions that come to their turn too late to be judged.
#ifndef ENGINE_LATE_H
#define ENGINE_LATE_H

#include "engine/worker.h"

// Has the message in hand waited too long (worker_waited), or longer than its own `deadline_ms`? Then it is
// answered and counted here, and nothing is judged. A `deadline_ms` that is no time is answered as malformed.
// Never true of an event. Hot path.
bool late_refuse(struct worker *worker, const struct value *root, struct emit *emit);

#endif
