// SPDX-License-Identifier: Apache-2.0
// Everything that was written, put back at a start: users before sessions, each on all processors.
#ifndef DAEMON_STATE_LOAD_H
#define DAEMON_STATE_LOAD_H

#include "daemon/state/state.h"

struct load_config {
    struct store *store;
    struct session_table *table;
    enum pdp_err (*control)(void *user, struct str key, struct str value); // NULL: there must be none
    void *user;
    const char *dir, *path; // for words: the folder, and the store's file in it
    unsigned threads;       // as load_threads says
};

// As many as are worth it for what the store holds.
unsigned load_threads(const struct store *store);
// *out is what was put back, without the time it took. The table and the store belong to this call until it
// returns; `control` is called on the caller's thread.
MUST_USE enum pdp_err load_all(const struct load_config *config, struct state_loaded *out,
                               char why[static STATE_WHY_MAX]);

#endif
