// SPDX-License-Identifier: Apache-2.0
// Ends of sessions, told to an identity provider over HTTPS: signed tokens, each at least once, from a thread
// of its own. Nobody waits for it.
//
// What is to be told is in the table already: every end leaves a tombstone. So the queue is bounded, and what
// finds no room in it, or was not delivered before a restart, is found again by a walk over the table. In the
// state folder there is one number for that: all ends before this time are delivered.
#ifndef DAEMON_TELL_WEBHOOK_H
#define DAEMON_TELL_WEBHOOK_H

#include "daemon/config/config.h"
#include "engine/engine.h"
#include "session/notice.h"

#define WEBHOOK_WHY_MAX 300

struct webhook;

struct webhook_setup {
    const struct config_webhook *config; // borrowed, as are these
    struct engine *engine;
    struct notices *notices;
    const char *state; // the folder that its place is kept in; NULL: a restart forgets what waits
    size_t number;     // among the webhooks
};

// Tries the files once. *out NULL on failure: IO, SYNTAX … with what is wrong in `why`; nothing is sent yet.
MUST_USE enum pdp_err webhook_new(const struct webhook_setup *setup, struct webhook **out,
                                  char why[static WEBHOOK_WHY_MAX]);
// Begins, or goes on after webhook_stop: reads its place anew.
MUST_USE enum pdp_err webhook_start(struct webhook *webhook);
// Notes the place and ends the thread. Without a state folder, what waits is delivered for two seconds more,
// as long as that succeeds.
void webhook_stop(struct webhook *webhook);
void webhook_free(struct webhook **webhook);

struct webhook_status {
    uint64_t delivered, failures; // tokens taken; tries that failed
    uint64_t refused;             // of those, tries that were answered 4xx
    uint64_t given_up;            // tokens that were refused for longer than `give_up`
    uint64_t waiting;             // in the queue
    bool behind;                  // there are more than the queue holds: the table is walked
    bool failing;                 // the last three tries failed
    char error[WEBHOOK_WHY_MAX];  // of the last try; empty: it went well
};
void webhook_status(struct webhook *webhook, struct webhook_status *out); // any thread

#endif
