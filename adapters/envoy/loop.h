// SPDX-License-Identifier: Apache-2.0
// A thread with its connections.
#ifndef ENVOY_LOOP_H
#define ENVOY_LOOP_H

#include "envoy/conn.h"

struct loop_rules {
    struct conn_rules conns;
    const int *listeners;
    size_t listener_count;
    size_t conns_most;
    int64_t farewell_ms; // how long what is under way may take once the adapter closes
    void (*log)(void *user, enum pdp_log_level level, const char *event, const char *text);
    void *user;
};

struct loop;

// Starts to serve. `rules` outlives the loop. NOMEM or IO leave *out NULL.
MUST_USE enum pdp_err loop_start(const struct loop_rules *rules, struct loop **out);
// After `closing` of the calls' rules was set: the loop looks at it now.
void loop_nudge(struct loop *loop);
// Waits for its end.
void loop_join(struct loop **loop);

#endif
