// SPDX-License-Identifier: Apache-2.0
// What the parts of one HTTP/2 connection share: its streams, its budget of frames, and what nghttp2 calls.
#ifndef ENVOY_HTTP2_INNER_H
#define ENVOY_HTTP2_INNER_H

#include "envoy/http2.h"

#include <nghttp2/nghttp2.h>

#define HTTP2_CREDIT_MOST 1000 // frames; see http2_spend
#define WORD_ROOM 64           // no method, path, type or timeout that we take is longer

enum http2_word {
    WORD_METHOD,
    WORD_PATH,
    WORD_CONTENT_TYPE,
    WORD_TIMEOUT,
    WORDS
};

// What is longer than WORD_ROOM is none that we know: its length tells.
struct http2_kept {
    char text[WORD_ROOM];
    size_t len;
    bool there;
};

enum http2_state {
    RECEIVING,
    ASKED,
    ANSWERED,
    DROPPED // reset; only its end is waited for
};

struct http2_stream {
    struct http2 *owner;
    struct http2_stream *prev, *next;
    int32_t id;
    enum http2_state state;
    bool remote_done; // the peer has sent its last
    enum http2_fault fault;
    int64_t due_ms;
    void *with;

    struct http2_kept words[WORDS];
    size_t header_bytes;

    unsigned char prefix[GRPC_PREFIX_BYTES];
    size_t prefix_len;
    unsigned char *message;
    size_t message_len, message_room, message_whole; // that came, that fit, that were announced

    unsigned char *reply; // with its prefix
    size_t reply_len, reply_sent;
    enum grpc_status status;
};

struct http2 {
    nghttp2_session *session;
    struct http2_limits limits;
    struct http2_handler handler;
    struct http2_stream *first;
    size_t count;
    size_t *memory;
    int64_t now_ms, due_ms;
    int64_t credit, credit_at_ms;
    bool began, broken;
};

// ---- http2_stream.c ------------------------------------------------------------------------------------

int64_t http2_later(int64_t now_ms, int64_t ms); // saturates
void http2_wake_at(struct http2_stream *stream, int64_t due_ms);
struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id); // NULL where memory is out
void http2_stream_free(struct http2_stream *stream);                    // takes it out of the list
void http2_message_drop(struct http2_stream *stream);
void http2_drop(struct http2_stream *stream, uint32_t code); // resets it

// Frames that bring no request (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA), and streams that end in
// a reset, cost one each; time and answers give some back. 0, or what a callback of nghttp2 returns to end
// the connection.
int http2_spend(struct http2 *http2);
void http2_earn_answer(struct http2 *http2);
int http2_enough(struct http2 *http2, uint32_t code);

// ---- http2_in.c, http2_out.c: callbacks ----------------------------------------------------------------

int http2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user);
int http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user);
int http2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                  void *user);
int http2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user);
int http2_on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int code, void *user);
int http2_on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user);
int http2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user);

#endif
