// SPDX-License-Identifier: Apache-2.0
// Calls that are under way: from a stream to the decision point and back, on whatever thread the answer
// comes.
#ifndef ENVOY_CALL_H
#define ENVOY_CALL_H

#include "envoy/check.h"
#include "envoy/http2.h"

#include <pdp/adapter.h>
#include <pthread.h>
#include <stdatomic.h>

// Where answers from other threads lie until the connection's own thread takes them. Lives until its owner
// has closed it and the last question has been answered.
struct call_box;

// What a call needs to know; lives as long as the adapter.
struct call_rules {
    struct check_rules check;
    struct pdp_decider decider;
    int64_t deadline_ms;
    int64_t (*now_ms)(void *user);
    void *user;
    const atomic_bool *closing; // health: not serving any more
};

// One thread's calls.
struct calls {
    const struct call_rules *rules;
    struct call_box *box;
    pthread_t thread;
    struct pdp_question *question; // used again and again
    size_t waiting;                // for an answer
    size_t waiting_most;
    size_t memory; // that is left for unfinished requests
};

// NOMEM, or IO without a descriptor. To be called by the thread that will own them, but for `wake`.
MUST_USE enum pdp_err calls_init(struct calls *calls, const struct call_rules *rules, size_t most);
void calls_fini(struct calls *calls);         // answers that come later are dropped
int calls_wake_fd(const struct calls *calls); // readable where answers lie in the box
void calls_wake(const struct calls *calls);   // makes it so. Any thread

// Whose call it is. Borrowed for the call, but for `whose`, which comes back from calls_take.
struct call_peer {
    const char *gateway; // that its certificate names; may be empty
    bool believed;       // a gateway of ours: by its certificate, or by its address
    void *whose;
};

// Serves one request: responds now, or later.
void call_serve(struct calls *calls, struct http2_stream *stream, const struct http2_request *request,
                const struct call_peer *peer, int64_t now_ms);
// The stream's time is up: it is denied.
void call_late(struct http2_stream *stream);
// The stream is no more.
void call_gone(struct http2_stream *stream);
// Responds to what lies in the box. `ready` is called before each response, and may do what it likes with the
// stream's connection but free it.
void calls_take(struct calls *calls, void (*ready)(void *user, void *whose), void *user);

#endif
