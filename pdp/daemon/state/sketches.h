// SPDX-License-Identifier: Apache-2.0
// `sketches` in the state folder: what is kept besides sessions, users and controls (engine/keep.h).
#ifndef DAEMON_STATE_SKETCHES_H
#define DAEMON_STATE_SKETCHES_H

#include "daemon/state/state.h"

#define SKETCHES_NAME "sketches"
#define SKETCHES_ASIDE "sketches.bad"
#define SKETCHES_EVERY_MS 60000 // at most so much is lost with a kill

// Puts what there is now in the place of the file. While the folder's lock is held; one caller at a time.
MUST_USE enum pdp_err sketches_save(const char *dir, struct engine *engine, char why[static STATE_WHY_MAX]);
// Takes back what the file holds, before anything is asked. OK where there is none. Not OK: it cannot be
// used, and was set aside under SKETCHES_ASIDE where that was possible; nothing of the daemon depends on it.
// `why` is then, or where a part of it was passed over, not empty.
MUST_USE enum pdp_err sketches_load(const char *dir, struct engine *engine, char why[static STATE_WHY_MAX]);

// Saves every SKETCHES_EVERY_MS on a thread of its own, so that nobody waits for the disk, and once more when
// it is stopped. `failing` is called when a save fails (with why) and when one no longer does (NULL).
struct sketches;
struct sketches_config {
    const char *dir; // borrowed
    struct engine *engine;
    void (*failing)(void *user, const char *why);
    void *user;
};
MUST_USE enum pdp_err sketches_start(const struct sketches_config *config, struct sketches **out);
void sketches_stop(struct sketches **sketches);

#endif
