// SPDX-License-Identifier: Apache-2.0
// The server: sockets, connections and their limits, on libmicrohttpd. Only server.c, call.c and tls.c know
// it.
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/callers.h"
#include "http/part.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

struct tls;
struct http_server;

// What the settings say of the server itself.
struct http_limits {
    int64_t connections, connections_each; // in all; from one address
    int64_t idle_ms;                       // without a whole request
    int64_t head_bytes;
    int64_t deadline_ms; // for an answer
};

struct http_opened { // a part that is there
    const struct http_part *part;
    void *self;
};

struct http_chunk; // memory of a call

// Where the answer to a question is: on its way, waited for by a connection that sleeps, or there.
enum http_wait {
    HTTP_ASKED,
    HTTP_ASLEEP,
    HTTP_ANSWERED
};

struct http_call {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_request request;
    struct http_header headers[HTTP_HEADERS_MAX];
    char *target; // as it came: libmicrohttpd cuts its own copy at the query
    size_t target_room;
    char *body;
    size_t body_len, body_room;
    const struct http_endpoint *endpoint;
    void *self;
    struct http_chunk *memory;
    void *kept;
    char caller[CALLERS_NAME_MAX + 1];
    bool begun, unread, too_long, served, counted, no_memory;

    _Atomic int wait; // enum http_wait
    bool asking;      // a question is under way, or its answer was not taken yet
    http_answered *then;
    enum pdp_err err;
    struct pdp_answer *answer;

    bool replied;
    unsigned status;
    const char *type;
    char *reply;
    size_t reply_len;
    struct {
        const char *name, *value;
    } reply_headers[HTTP_REPLY_HEADERS];
    size_t reply_header_count;
};

// One connection. Its call is used again by the next request.
struct http_conn {
    struct http_conn *next, **here; // in the server's list
    int fd;
    _Atomic int64_t since_ms; // when its last whole request began to be served, or it was opened
    char peer[64];
    char *certificate;     // name of the client; NULL: none, or not looked at yet
    int64_t certified_ms;  // when it was looked at; 0: never
    uint64_t certified_by; // which reading of `client-ca`
    struct http_call call;
};

struct http_server {
    struct pdp_adapter_setup setup; // settings and sockets are gone
    struct http_limits limits;
    struct callers *callers;
    struct tls *tls; // NULL: without
    struct http_opened *parts;
    size_t part_count;

    struct MHD_Daemon *daemon;
    _Atomic bool leaving, closing; // each answer ends its connection; and nothing is asked any more
    _Atomic int64_t open;          // connections
    _Atomic int64_t asked, busy;   // questions, and calls, that are under way

    pthread_t door; // takes connections, and cuts those that are slow
    bool runs;
    int wake;              // the door stops
    struct pollfd *polled; // `wake`, then the sockets
    size_t polled_count;

    pthread_mutex_t lock; // of the list below
    struct http_conn *conns;
};

// Serves the parts on all sockets of the setup. `server` is zeroed but for limits, callers, tls and parts,
// which it borrows. IO, NOMEM; then nothing runs.
MUST_USE enum pdp_err server_start(struct http_server *server, const struct pdp_adapter_setup *setup,
                                   struct pdp_adapter_wrong *wrong);
// Takes no more connections, waits for what is under way, ends the threads.
void server_stop(struct http_server *server);

// Milliseconds of a clock that only goes forward.
int64_t server_steady_ms(void);

// ---- call.c: what libmicrohttpd calls ------------------------------------------------------------------

void *call_begins(void *server, const char *target, struct MHD_Connection *connection);
enum MHD_Result call_goes_on(void *server, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_bytes, void **state);
void call_ends(void *server, struct MHD_Connection *connection, void **state,
               enum MHD_RequestTerminationCode why);
void call_fini(struct http_call *call);

// ---- head.c --------------------------------------------------------------------------------------------

// Fills request and headers from what libmicrohttpd read. Where the bytes were such that another server may
// read them in another way, returns false, and *why says what was wrong with them.
MUST_USE bool head_read(struct http_call *call, const char *path, const char *method, const char *version,
                        const char **why, unsigned *status);

#endif
