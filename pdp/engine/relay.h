// SPDX-License-Identifier: Apache-2.0
// Messages that one peer sends for another gateway, which it has made sure of.
#ifndef ENGINE_RELAY_H
#define ENGINE_RELAY_H

#include "engine/worker.h"

// Who is to be judged by: the peer itself where the message names no `gateway`, else that gateway, which may
// do what is configured for it and never more than the peer. *other is room for it; its name points into the
// message. false, with the worker's fault: the peer may not ask for others, or `gateway` is no id. In
// quarantine, a peer asks for nobody. Hot path: no allocation.
MUST_USE bool relay_settle(struct worker *worker, const struct peer **peer, const struct value *root,
                           struct peer *other);

#endif
