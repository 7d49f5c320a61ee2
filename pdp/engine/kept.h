// SPDX-License-Identifier: Apache-2.0
// Tables of Counter documents over reloads. Inside of the engine; its lock is held.
#ifndef ENGINE_KEPT_H
#define ENGINE_KEPT_H

#include "engine/worker.h"

// Gives each Counter of the snapshot its table: the one that it had before, where its name, key and window
// are the same. NULL where memory is out or all places are taken by others that are served.
void kept_give(struct engine *engine, struct snapshot *snapshot);
// Forgets tables that were in no snapshot for longer than their window: nothing in them counts any more.
void kept_tidy(struct engine *engine, int64_t now_ms);
void kept_free(struct engine *engine); // after all snapshots

#endif
