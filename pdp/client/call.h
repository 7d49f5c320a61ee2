// SPDX-License-Identifier: Apache-2.0
// One message under way over a REQ socket, its deadline, and what becomes of it when nobody waits any more.
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include "base/buf.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <pdp/client.h>
#include <pthread.h>
#include <sys/queue.h>

// libnng 1.5.2 does not bear the cancelling of a REQ operation that is still being sent. So a call whose
// deadline passes while it is being sent is left alone with its slot until the transport has taken it; only
// the wait for a reply is ever cancelled. And nothing is handed to the socket while no connection is up, so
// slots are not lost to a daemon that is away.
enum call_state {
    CALL_IDLE,    // on the free list
    CALL_QUEUED,  // waits for a connection
    CALL_SENDING, // the socket has it; must not be cancelled
    CALL_WAITING, // sent; may be cancelled
};

// What came of a call. `reply` is given away.
struct outcome {
    void (*done)(void *user, const struct outcome *outcome); // NULL: a caller waits in call_wait
    void *user;
    enum pdp_err err;
    nng_msg *reply;
};

struct call {
    TAILQ_ENTRY(call) queue; // of client->queued
    TAILQ_ENTRY(call) due;   // of client->due, where it has a `done`
    struct call *next_free, *next_all;
    struct pdp_client *client;
    nng_ctx ctx;
    nng_aio *aio;
    enum call_state state;
    bool open;           // somebody still waits for its outcome
    uint32_t generation; // of the connection that it was sent on
    int64_t deadline_ms; // on the monotonic clock
    struct buf message;  // kept, to be sent again after a reset
    pthread_cond_t woken;
    struct outcome outcome;
};

TAILQ_HEAD(call_queue, call);

struct pdp_client {
    pthread_mutex_t lock; // everything below
    nng_socket socket;
    nng_dialer dialer;
    nng_tls_config *tls; // NULL: the address has none
    int32_t reconnect_ms;
    uint32_t answer_bytes_max;
    enum pdp_form form;
    uint32_t in_flight_max, slots;
    struct call *all, *free;
    struct call_queue queued; // in the order in which they were asked
    struct call_queue due;    // with a callback, earliest deadline first
    bool up, closing, redialing;
    bool stuck; // not up because a call was not taken in time; nobody has told that the connection is gone
    bool closed, abandoned; // the socket is gone; pdp_close did not wait for that
    int64_t down_since_ms;  // or since the dialer was last replaced
    uint32_t generation;    // of the connection
    struct watch *watch;    // of notices and orders; NULL: none. Set before anybody asks
    bool caches;
    uint32_t busy;       // callers that wait and callbacks that run
    pthread_cond_t idle; // busy fell to zero
    bool has_keeper;
    pthread_t keeper; // ends calls with a callback at their deadline
    pthread_cond_t keeper_wake;
    char url[256];
};

int64_t call_now_ms(void); // monotonic
// A condition variable on the monotonic clock.
MUST_USE enum pdp_err call_cond_init(pthread_cond_t *cond);

// Sends `message` (its bytes are taken over, and it is left empty) and waits. *reply, to be freed with
// nng_msg_free, is NULL on every error.
MUST_USE enum pdp_err call_wait(struct pdp_client *client, struct buf *message, int32_t deadline_ms,
                                nng_msg **reply);
// Sends and returns; on OK, `done` will be called once, without the lock.
MUST_USE enum pdp_err call_start(struct pdp_client *client, struct buf *message, int32_t deadline_ms,
                                 void (*done)(void *user, const struct outcome *outcome), void *user);

// A dialer of its own in place of the one that may be dead. Without the lock. In client.c.
void client_redial(struct pdp_client *client);

// Dials with the client's options; `tls` is for this address, NULL without TLS. In client.c.
int client_dial(struct pdp_client *client, nng_socket socket, const char *url, nng_tls_config *tls,
                nng_dialer *out);
enum pdp_err client_nng_err(int rv);

// A connection came up, or went. Called by the socket's pipe notices.
void call_connected(struct pdp_client *client);
void call_disconnected(struct pdp_client *client);
// A caller is at work with the client: call_close_all waits for it.
void call_enter(struct pdp_client *client);
void call_leave(struct pdp_client *client);
// Answers every open call CLOSED, and returns when no caller and no callback is left.
void call_close_all(struct pdp_client *client);
// After the socket is closed: frees the slots.
void call_free_all(struct pdp_client *client);

#endif
