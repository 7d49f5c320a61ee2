// SPDX-License-Identifier: Apache-2.0
// What the answers to all kinds of messages share. Inside of the engine.
#ifndef ENGINE_ANSWER_H
#define ENGINE_ANSWER_H

#include "engine/ask.h"

// May the peer ask this for the tenant (missing: none is named)? worker->fault says why not.
MUST_USE enum pdp_err answer_may(struct worker *worker, const struct peer *peer, struct str tenant);
// Has the worker what it needs to ask this snapshot? NULL: there is none.
bool answer_ready(struct worker *worker, struct snapshot *snapshot);

#endif
