// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection that carries gRPC calls, from the side of the server, as a machine: bytes and time
// in, bytes and deadlines out. No socket, no clock of its own but that of nghttp2's limit of resets. One
// thread at a time.
//
// What a peer can make it hold is bounded: streams at once, bytes of a header list, of a message, and of all
// unfinished messages of all connections; frames that ask for work and bring none end the connection.
#ifndef ENVOY_HTTP2_H
#define ENVOY_HTTP2_H

#include "envoy/grpc.h"

#include <pdp/err.h>

struct http2;
struct http2_stream;

struct http2_limits {
    uint32_t streams;     // at once
    size_t header_bytes;  // of a list of headers, each counted with 32 more
    size_t message_bytes; // of a request's message
    int64_t receive_ms;   // from a request's first bytes to its last
    int64_t linger_ms;    // from an answer to when the peer has taken it
};

// Why a request has no message.
enum http2_fault {
    HTTP2_WHOLE,
    HTTP2_COMPRESSED,
    HTTP2_TOO_BIG,
    HTTP2_HEADERS_TOO_BIG,
    HTTP2_BROKEN // not one message of gRPC, or memory is out
};

// Borrowed for the call. What was not sent has `at` NULL.
struct http2_request {
    struct text method, path, content_type, timeout;
    struct text message;
    enum http2_fault fault;
};

struct http2_answer {
    unsigned http;           // 200 for all that gRPC has words for
    enum grpc_status status; // with 200
    const char *why;         // grpc-message; NULL: none
    struct text message;     // without its prefix; sent where status is GRPC_OK
};

// Called by http2_feed, http2_tick and http2_free, never by another function.
struct http2_handler {
    // A request is there. To be answered now, or later.
    void (*asked)(void *user, struct http2_stream *stream, const struct http2_request *request);
    // The time of http2_wait has passed: to be answered now.
    void (*late)(void *user, struct http2_stream *stream);
    // The stream, which was asked and has not been answered, is no more.
    void (*gone)(void *user, struct http2_stream *stream);
    void *user;
};

// `memory` is what unfinished messages may take: shared by the connections of a thread, which it outlives; a
// request for which it does not suffice is HTTP2_BROKEN. NOMEM leaves *out NULL.
MUST_USE enum pdp_err http2_new(const struct http2_limits *limits, const struct http2_handler *handler,
                                size_t *memory, int64_t now_ms, struct http2 **out);
// Streams that wait for an answer are gone. Leaves NULL behind.
void http2_free(struct http2 **http2);

// What came from the peer. Any error: what http2_output still gives may be sent, then it is over.
MUST_USE enum pdp_err http2_feed(struct http2 *http2, int64_t now_ms, const void *bytes, size_t len);
// The next bytes to send, good until the next call; 0: none now.
size_t http2_output(struct http2 *http2, const unsigned char **bytes);
// Deadlines that have passed. To be called at http2_due, which is INT64_MAX where nothing waits.
void http2_tick(struct http2 *http2, int64_t now_ms);
int64_t http2_due(const struct http2 *http2);
// No more streams are taken; those that are there may end.
void http2_leave(struct http2 *http2);
// Is there nothing more to read or write?
bool http2_over(const struct http2 *http2);
size_t http2_streams(const struct http2 *http2);
// Has the peer shown that it speaks HTTP/2?
bool http2_began(const struct http2 *http2);

// What the handler keeps with a stream; NULL at first.
void http2_attach(struct http2_stream *stream, void *with);
void *http2_attached(const struct http2_stream *stream);
// Calls `late` at that time, unless it was answered.
void http2_wait(struct http2_stream *stream, int64_t due_ms);
// Once. Copies. What cannot be sent for want of memory ends as a reset.
void http2_respond(struct http2_stream *stream, const struct http2_answer *answer);

#endif
