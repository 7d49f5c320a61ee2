// SPDX-License-Identifier: Apache-2.0
#include "envoy/http2.h"

#include <criterion/criterion.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_PATH "/envoy.service.auth.v3.Authorization/Check"
enum {
    STREAMS = 64,
    MESSAGE_MOST = 4096,
    MEMORY = 100000
};

// What the client saw of one stream.
struct seen {
    char status[8], content_type[32], grpc_status[8], grpc_message[200];
    char body[512];
    size_t body_len;
    bool closed;
    uint32_t code;
};

// A connection, its server's side and its client's, joined by hand.
struct pair {
    struct http2 *server;
    nghttp2_session *client;
    size_t memory;
    struct seen seen[STREAMS * 2];
    uint32_t goaway; // its code; UINT32_MAX: none
    // The handler:
    struct http2_answer answer;
    bool at_once;
    int64_t wait_ms; // 0: none
    struct http2_stream *waiting[STREAMS];
    size_t waiting_count;
    int asked, late, gone;
    enum http2_fault fault;
    char path[64], timeout[16], message[MESSAGE_MOST + 1];
};

// ---- The server's handler ------------------------------------------------------------------------------

static void copy(struct text from, char *to, size_t room)
{
    size_t len = from.len < room - 1 ? from.len : room - 1;
    if (len > 0) {
        memcpy(to, from.at, len);
    }
    to[len] = '\0';
}

static void asked(void *user, struct http2_stream *stream, const struct http2_request *request)
{
    struct pair *pair = user;
    pair->asked++;
    pair->fault = request->fault;
    copy(request->path, pair->path, sizeof pair->path);
    copy(request->timeout, pair->timeout, sizeof pair->timeout);
    copy(request->message, pair->message, sizeof pair->message);
    cr_assert_null(http2_attached(stream));
    if (pair->at_once) {
        http2_respond(stream, &pair->answer);
        return;
    }
    http2_attach(stream, pair);
    if (pair->wait_ms > 0) {
        http2_wait(stream, pair->wait_ms);
    }
    pair->waiting[pair->waiting_count++] = stream;
}

static void late(void *user, struct http2_stream *stream)
{
    struct pair *pair = user;
    pair->late++;
    cr_expect_eq(http2_attached(stream), pair);
    http2_respond(stream, &pair->answer);
}

static void gone(void *user, struct http2_stream *stream)
{
    struct pair *pair = user;
    pair->gone++;
    cr_expect_eq(http2_attached(stream), pair);
}

// ---- The client ----------------------------------------------------------------------------------------

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    (void)session;
    (void)flags;
    struct seen *seen = &((struct pair *)user)->seen[frame->hd.stream_id];
    struct text text = {(const char *)value, value_len}, key = {(const char *)name, name_len};
    const struct {
        const char *name;
        char *out;
        size_t room;
    } all[] = {{":status", seen->status, sizeof seen->status},
               {"content-type", seen->content_type, sizeof seen->content_type},
               {"grpc-status", seen->grpc_status, sizeof seen->grpc_status},
               {"grpc-message", seen->grpc_message, sizeof seen->grpc_message}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (text_is(key, all[i].name)) {
            copy(text, all[i].out, all[i].room);
        }
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *user)
{
    (void)session;
    (void)flags;
    struct seen *seen = &((struct pair *)user)->seen[id];
    cr_assert(seen->body_len + len <= sizeof seen->body);
    memcpy(seen->body + seen->body_len, data, len);
    seen->body_len += len;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    struct seen *seen = &((struct pair *)user)->seen[id];
    seen->closed = true;
    seen->code = code;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        ((struct pair *)user)->goaway = frame->goaway.error_code;
    }
    return 0;
}

static struct pair *pair_new(void)
{
    static const struct http2_limits LIMITS = {.streams = STREAMS / 2,
                                               .header_bytes = 2048,
                                               .message_bytes = MESSAGE_MOST,
                                               .receive_ms = 100,
                                               .linger_ms = 1000};
    struct pair *pair = calloc(1, sizeof *pair);
    pair->memory = MEMORY;
    pair->goaway = UINT32_MAX;
    pair->at_once = true;
    pair->answer = (struct http2_answer){.http = 200, .message = TEXT("yes")};
    struct http2_handler handler = {asked, late, gone, pair};
    cr_assert_eq(http2_new(&LIMITS, &handler, &pair->memory, 1000, &pair->server), PDP_ERR_OK);
    nghttp2_session_callbacks *callbacks;
    cr_assert_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    cr_assert_eq(nghttp2_session_client_new(&pair->client, callbacks, pair), 0);
    nghttp2_session_callbacks_del(callbacks);
    cr_assert_eq(nghttp2_submit_settings(pair->client, 0, NULL, 0), 0);
    return pair;
}

static void pair_free(struct pair *pair)
{
    http2_free(&pair->server);
    cr_expect_eq(pair->memory, MEMORY, "all memory of messages is given back");
    nghttp2_session_del(pair->client);
    free(pair);
}

// Moves bytes both ways until none are left.
static enum pdp_err talk(struct pair *pair, int64_t now_ms)
{
    for (bool moved = true; moved;) {
        moved = false;
        const uint8_t *bytes;
        for (ssize_t len; (len = nghttp2_session_mem_send(pair->client, &bytes)) > 0; moved = true) {
            enum pdp_err err = http2_feed(pair->server, now_ms, bytes, (size_t)len);
            if (err != PDP_ERR_OK) {
                return err;
            }
        }
        const unsigned char *out;
        for (size_t len; (len = http2_output(pair->server, &out)) > 0; moved = true) {
            (void)nghttp2_session_mem_recv(pair->client, out, len);
        }
    }
    return PDP_ERR_OK;
}

struct upload {
    const char *bytes;
    size_t len, sent;
    bool open; // no END_STREAM behind it
};

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)user;
    struct upload *upload = source->ptr;
    size_t left = upload->len - upload->sent, taken = left < room ? left : room;
    memcpy(out, upload->bytes + upload->sent, taken);
    upload->sent += taken;
    if (upload->sent == upload->len && !upload->open) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (taken == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)taken;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static int32_t call(struct pair *pair, const char *path, struct upload *upload, const char *extra,
                    const char *value)
{
    nghttp2_nv headers[] = {nv(":method", "POST"),
                            nv(":scheme", "http"),
                            nv(":path", path),
                            nv(":authority", "pdp"),
                            nv("content-type", "application/grpc"),
                            nv(extra != NULL ? extra : "te", extra != NULL ? value : "trailers")};
    nghttp2_data_provider provider = {.source.ptr = upload, .read_callback = on_read};
    return nghttp2_submit_request(pair->client, NULL, headers, COUNT_OF(headers),
                                  upload != NULL ? &provider : NULL, NULL);
}

#define UPLOAD(literal) (&(struct upload){(literal), sizeof(literal) - 1, 0, false})

// ---- Tests ---------------------------------------------------------------------------------------------

Test(envoy_http2, answers_a_call)
{
    struct pair *pair = pair_new();
    int32_t id = call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\5hello"), "grpc-timeout", "20m");
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    const struct seen *seen = &pair->seen[id];
    cr_expect_eq(pair->asked, 1);
    cr_expect_str_eq(pair->path, CHECK_PATH);
    cr_expect_str_eq(pair->timeout, "20m");
    cr_expect_str_eq(pair->message, "hello");
    cr_expect_str_eq(seen->status, "200");
    cr_expect_str_eq(seen->content_type, "application/grpc");
    cr_expect_str_eq(seen->grpc_status, "0");
    cr_expect_eq(seen->body_len, 8);
    cr_expect_arr_eq(seen->body, "\0\0\0\0\3yes", 8);
    cr_expect(seen->closed && seen->code == NGHTTP2_NO_ERROR);
    cr_expect_eq(http2_streams(pair->server), 0);
    pair_free(pair);
}

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    enum http2_fault fault;
} BODIES[] = {
    {"an empty message", "\0\0\0\0\0", 5, HTTP2_WHOLE},
    {"nothing", "", 0, HTTP2_BROKEN},
    {"half a prefix", "\0\0\0", 3, HTTP2_BROKEN},
    {"half a message", "\0\0\0\0\5hel", 8, HTTP2_BROKEN},
    {"more than a message", "\0\0\0\0\5hello!", 11, HTTP2_BROKEN},
    {"two messages", "\0\0\0\0\1a\0\0\0\0\1b", 12, HTTP2_BROKEN},
    {"compressed", "\1\0\0\0\5hello", 10, HTTP2_COMPRESSED},
    {"as long as may be, but not there", "\0\0\0\x10\0", 5, HTTP2_BROKEN},
    {"a byte longer than may be", "\0\0\0\x10\1", 5, HTTP2_TOO_BIG},
    {"as long as can be said", "\0\xff\xff\xff\xff", 5, HTTP2_TOO_BIG},
};

Test(envoy_http2, takes_one_message)
{
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        struct pair *pair = pair_new();
        struct upload upload = {BODIES[i].bytes, BODIES[i].len, 0, false};
        int32_t id = call(pair, CHECK_PATH, &upload, NULL, NULL);
        cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
        cr_expect_eq(pair->asked, 1, "%s: asked %d times", BODIES[i].name, pair->asked);
        cr_expect_eq(pair->fault, BODIES[i].fault, "%s: fault %d", BODIES[i].name, pair->fault);
        cr_expect(pair->seen[id].closed, "%s: closed", BODIES[i].name);
        pair_free(pair);
    }
}

Test(envoy_http2, closes_what_was_answered_early)
{
    struct pair *pair = pair_new();
    int32_t id = call(pair, CHECK_PATH, &(struct upload){"\0\1\0\0\0", 5, 0, true}, NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->fault, HTTP2_TOO_BIG);
    cr_expect_str_eq(pair->seen[id].grpc_status, "0", "the answer is whole");
    cr_expect_eq(pair->seen[id].body_len, 8);
    cr_expect(pair->seen[id].closed && pair->seen[id].code == NGHTTP2_NO_ERROR, "and asks for no more");
    pair_free(pair);
}

Test(envoy_http2, says_what_is_wrong)
{
    struct pair *pair = pair_new();
    pair->answer =
        (struct http2_answer){.http = 200, .status = GRPC_UNIMPLEMENTED, .why = "50% of \xc3\xbc\n"};
    int32_t id = call(pair, "/x", UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_str_eq(pair->seen[id].grpc_status, "12");
    cr_expect_str_eq(pair->seen[id].grpc_message, "50%25 of %C3%BC%0A");
    cr_expect(pair->seen[id].closed && pair->seen[id].body_len == 0);
    pair->answer = (struct http2_answer){.http = 415};
    id = call(pair, "/x", UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_str_eq(pair->seen[id].status, "415");
    cr_expect_str_eq(pair->seen[id].grpc_status, "", "no client takes it for gRPC");
    pair_free(pair);
}

Test(envoy_http2, bounds_headers)
{
    static char value[9000];
    memset(value, 'x', sizeof value - 1);
    struct pair *pair = pair_new();
    value[3000] = '\0';
    (void)call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), "x-long", value);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->fault, HTTP2_HEADERS_TOO_BIG);
    cr_expect_str_eq(pair->path, CHECK_PATH, "what it was for is known");
    value[3000] = 'x';
    (void)call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), "x-long", value);
    cr_expect_eq(talk(pair, 1000), PDP_ERR_LIMIT, "far too long ends the connection");
    pair_free(pair);
}

Test(envoy_http2, a_word_twice_is_none)
{
    struct pair *pair = pair_new();
    (void)call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), "content-type", "text/plain");
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->asked, 1);
    cr_expect_str_eq(pair->path, CHECK_PATH);
    pair_free(pair);
}

Test(envoy_http2, holds_deadlines)
{
    struct pair *pair = pair_new();
    pair->at_once = false;
    pair->wait_ms = 1050;
    int32_t waits = call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), NULL, NULL);
    int32_t half = call(pair, CHECK_PATH, &(struct upload){"\0\0\0\0\5hel", 8, 0, true}, NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(http2_due(pair->server), 1050);
    http2_tick(pair->server, 1049);
    cr_expect_eq(pair->late, 0);
    http2_tick(pair->server, 1050);
    cr_expect_eq(pair->late, 1);
    cr_expect_eq(http2_due(pair->server), 1100, "the half one");
    cr_assert_eq(talk(pair, 1050), PDP_ERR_OK);
    cr_expect_str_eq(pair->seen[waits].grpc_status, "0");
    http2_tick(pair->server, 1100);
    cr_assert_eq(talk(pair, 1100), PDP_ERR_OK);
    cr_expect(pair->seen[half].closed && pair->seen[half].code == NGHTTP2_CANCEL);
    cr_expect_eq(pair->asked, 1, "half a request is not asked for");
    http2_tick(pair->server, 1200);
    cr_expect_eq(http2_due(pair->server), INT64_MAX);
    pair_free(pair);
}

Test(envoy_http2, an_answer_that_nobody_takes_is_dropped)
{
    struct pair *pair = pair_new();
    nghttp2_settings_entry shut = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    cr_assert_eq(nghttp2_submit_settings(pair->client, 0, &shut, 1), 0);
    int32_t id = call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect(!pair->seen[id].closed && pair->seen[id].body_len == 0);
    http2_tick(pair->server, 1999);
    cr_expect_eq(http2_due(pair->server), 2000);
    http2_tick(pair->server, 2000);
    cr_assert_eq(talk(pair, 2000), PDP_ERR_OK);
    cr_expect(pair->seen[id].closed && pair->seen[id].code == NGHTTP2_CANCEL);
    cr_expect_eq(http2_streams(pair->server), 0);
    pair_free(pair);
}

Test(envoy_http2, a_stream_that_was_reset_is_gone)
{
    struct pair *pair = pair_new();
    pair->at_once = false;
    int32_t id = call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_assert_eq(nghttp2_submit_rst_stream(pair->client, 0, id, NGHTTP2_CANCEL), 0);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->gone, 1);
    cr_expect_eq(http2_streams(pair->server), 0);
    (void)call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    http2_free(&pair->server);
    cr_expect_eq(pair->gone, 2, "and so is one whose connection ends");
    pair_free(pair);
}

Test(envoy_http2, shares_memory_among_messages)
{
    static char bytes[5 + MESSAGE_MOST] = "\0\0\0\x10";
    struct pair *pair = pair_new();
    pair->memory = 10000;
    struct upload uploads[4];
    int32_t ids[4];
    for (size_t i = 0; i < COUNT_OF(uploads); i++) {
        uploads[i] = (struct upload){bytes, sizeof bytes - 1, 0, true};
        ids[i] = call(pair, CHECK_PATH, &uploads[i], NULL, NULL);
    }
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->asked, 2, "two have room; the others are answered at once, and denied");
    cr_expect_eq(pair->fault, HTTP2_BROKEN);
    cr_expect(pair->seen[ids[3]].closed && !pair->seen[ids[0]].closed);
    pair->memory += MEMORY - 10000;
    pair_free(pair);
}

Test(envoy_http2, loses_patience_with_idle_frames)
{
    struct pair *pair = pair_new();
    enum pdp_err err = PDP_ERR_OK;
    int sent = 0;
    for (; sent < 3000 && err == PDP_ERR_OK; sent++) {
        cr_assert_eq(nghttp2_submit_ping(pair->client, 0, NULL), 0);
        err = talk(pair, 1000);
    }
    cr_expect_eq(err, PDP_ERR_LIMIT);
    cr_expect(sent > 900 && sent < 1100, "after %d", sent);
    const unsigned char *out;
    for (size_t len; (len = http2_output(pair->server, &out)) > 0;) {
        (void)nghttp2_session_mem_recv(pair->client, out, len);
    }
    cr_expect_eq(pair->goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    cr_expect_eq(http2_feed(pair->server, 1000, "x", 1), PDP_ERR_LIMIT, "and is deaf from then on");
    cr_expect(http2_over(pair->server));
    pair_free(pair);
}

Test(envoy_http2, time_and_answers_give_patience_back)
{
    struct pair *pair = pair_new();
    for (int i = 0; i < 5000; i++) {
        cr_assert_eq(nghttp2_submit_ping(pair->client, 0, NULL), 0);
        cr_assert_eq(talk(pair, 1000 + 10 * i), PDP_ERR_OK, "a hundred a second may be");
    }
    pair_free(pair);
    pair = pair_new();
    for (int i = 0; i < 3000; i++) {
        struct upload upload = {"\0\0\0\0\0", 5, 0, false};
        memset(pair->seen, 0, sizeof pair->seen);
        cr_assert_eq(nghttp2_submit_ping(pair->client, 0, NULL), 0);
        if (i < (int)STREAMS - 2) {
            (void)call(pair, CHECK_PATH, &upload, NULL, NULL);
        }
        cr_assert(talk(pair, 1000) == PDP_ERR_OK || i > 1000);
    }
    pair_free(pair);
}

Test(envoy_http2, leaves_in_order)
{
    struct pair *pair = pair_new();
    pair->at_once = false;
    int32_t id = call(pair, CHECK_PATH, UPLOAD("\0\0\0\0\0"), NULL, NULL);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    http2_leave(pair->server);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_eq(pair->goaway, NGHTTP2_NO_ERROR);
    cr_expect(!http2_over(pair->server), "one is under way");
    http2_respond(pair->waiting[0], &pair->answer);
    cr_assert_eq(talk(pair, 1000), PDP_ERR_OK);
    cr_expect_str_eq(pair->seen[id].grpc_status, "0");
    cr_expect(http2_over(pair->server));
    pair_free(pair);
}

Test(envoy_http2, refuses_what_is_no_http2)
{
    static const char *const OTHERS[] = {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSX",
                                         "\x16\x03\x01"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        struct pair *pair = pair_new();
        cr_expect_eq(http2_feed(pair->server, 1000, OTHERS[i], strlen(OTHERS[i])), PDP_ERR_MALFORMED);
        cr_expect(!http2_began(pair->server));
        pair_free(pair);
    }
}
