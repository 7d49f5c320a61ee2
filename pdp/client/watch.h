// SPDX-License-Identifier: Apache-2.0
// A client's connections for notices and orders, and the thread that looks after them. Keeps the guard true.
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include "client/call.h"
#include "client/guard.h"

struct watch;

struct watch_config {
    const char *notices_url, *orders_url; // NULL: none
    const char *name;                     // NULL: made of the host's name and the process id
    uint32_t cache_entries;
    const struct pdp_options *options; // what TLS needs; for the call
};
// Opens both; connecting goes on behind. As pdp_connect.
MUST_USE enum pdp_err watch_new(struct pdp_client *client, const struct watch_config *config,
                                struct watch **out);
// Stops the thread; no report is on its way when it returns. Before the client's calls are closed it may wait
// for one, so that is to be done between call_close_all's beginning and the closing of sockets.
void watch_stop(struct watch *watch);
// Closes the sockets; may hang in libnng as nng_close does.
void watch_free(struct watch **watch);
struct guard *watch_guard(struct watch *watch);
struct guard_now watch_now(void);

// ---- Around one question -----------------------------------------------------------------------------

// A question on its way. Zeroed: of a client that watches nothing.
struct asked {
    struct pdp_client *client;
    struct guard *guard;
    uint64_t begun;
    int64_t boot_ms;
    struct buf question; // canonical; empty: its answer is not kept
};
// Begins, and enters the client, which waits for asked_fini; true where an answer is kept, which is then
// *answer. `asked` is to be given back by asked_fini.
bool asked_begin(struct asked *asked, struct pdp_client *client, const struct pdp_question *question,
                 struct pdp_answer **answer);
// The daemon has answered: what may not be believed any more becomes a deny, what may be kept is kept.

void asked_end(struct asked *asked, struct pdp_answer **answer);
void asked_fini(struct asked *asked);

#endif
