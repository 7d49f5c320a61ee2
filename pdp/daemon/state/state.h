// SPDX-License-Identifier: Apache-2.0
// The folder of what lasts (`--state DIR`): its lock, its keys, the store and the thread that writes it.
#ifndef DAEMON_STATE_STATE_H
#define DAEMON_STATE_STATE_H

#include "daemon/config/config.h"
#include "engine/engine.h"
#include "store/store.h"

enum {
    STATE_WHY_MAX = STORE_WHY_MAX + 400
};

struct state;

// Keys that are kept with the state: hashes of one run mean the same in the next. Without a state they are
// drawn.
struct state_keys {
    struct hash_key names; // of subjects, texts, and what else is hashed
    struct hash_key ids[SESSION_KEYS];
    uint16_t id_set;
    uint8_t id;
};

// Takes the lock of the folder, reads its keys or makes them, opens the store. BUSY where another process has
// it; else what is wrong with which file, and what to do, in `why`.
MUST_USE enum pdp_err state_open(const struct config *config, struct state **out,
                                 char why[static STATE_WHY_MAX]);
void state_close(struct state **state); // writes what is left; after state_stop
// Lets go of the folder: all is written, the store closed, the lock given back. The journal stays, and
// nothing may be added to it. IO, LIMIT: not everything could be written; the folder is let go all the same.
enum pdp_err state_yield(struct state *state);
// Takes it again; then state_start. BUSY: another has it.
MUST_USE enum pdp_err state_regain(struct state *state, char why[static STATE_WHY_MAX]);
// The seed that hashes of names are made with, read without the lock; false: it cannot be.
bool state_peek(const struct config *config, struct hash_key *names);
const struct state_keys *state_keys(const struct state *state);
struct journal *state_journal(struct state *state);

struct state_loaded {
    uint64_t users, sessions, tombstones, controls;
    uint64_t lost; // live sessions whose user or key was not there
    int64_t took_ms;
};
// Puts everything back into the engine's table, before anything is asked. `control` is called for each row of
// CONTROLS; NULL: there must be none.
MUST_USE enum pdp_err state_load(struct state *state, struct engine *engine,
                                 enum pdp_err (*control)(void *user, struct str key, struct str value),
                                 void *user, struct state_loaded *out, char why[static STATE_WHY_MAX]);

// The writer's thread. `moved` is called by it whenever the journal has moved on, `failing` when the store
// begins to fail (with why) and when it no longer does (NULL).
struct state_host {
    void (*moved)(void *user);
    void (*failing)(void *user, const char *why);
    void *user;
};
MUST_USE enum pdp_err state_start(struct state *state, struct engine *engine, const struct state_host *host);
// Has what is noted written now, rather than at leisure; state_is_written: it was, up to what was noted
// since.
uint64_t state_hurry(struct state *state);
bool state_is_written(const struct state *state, uint64_t round);
// Writes all that is noted or in the journal, and ends the thread. A second call does nothing.
void state_stop(struct state *state);

struct state_stats {
    struct store_stats store;
    uint64_t head, durable, failed; // steps of the journal
    size_t waiting, waiting_bytes;
};
void state_stats(struct state *state, struct state_stats *out); // any thread

// Drops keys under which nothing is kept any more, but the newest: after state_load, before anything is
// asked. Returns how many. What cannot be written is left as it was.
size_t state_retire_ids(struct state *state, struct engine *engine);
// A new key for session ids: written to the folder before any id is hashed under it. *number tells which;
// LIMIT where all numbers are in use, IO.
MUST_USE enum pdp_err state_rotate_ids(struct state *state, struct engine *engine, uint8_t *number,
                                       char why[static STATE_WHY_MAX]);
#endif
