// SPDX-License-Identifier: Apache-2.0
#include "envoy/http2_inner.h"

#include <stdlib.h>

static const size_t HEADERS_HOPELESS = 4; // times the limit: the connection ends
static const size_t HEADER_COST = 32;     // of each, as RFC 9113 counts

static const char *const WORD_NAMES[WORDS] = {
    [WORD_METHOD] = ":method",
    [WORD_PATH] = ":path",
    [WORD_CONTENT_TYPE] = "content-type",
    [WORD_TIMEOUT] = "grpc-timeout",
};

static struct text word_of(const struct http2_stream *stream, enum http2_word word)
{
    const struct http2_kept *kept = &stream->words[word];
    return kept->there ? (struct text){kept->text, kept->len} : (struct text){0};
}

static void ask(struct http2_stream *stream)
{
    struct http2 *http2 = stream->owner;
    struct http2_request request = {
        .method = word_of(stream, WORD_METHOD),
        .path = word_of(stream, WORD_PATH),
        .content_type = word_of(stream, WORD_CONTENT_TYPE),
        .timeout = word_of(stream, WORD_TIMEOUT),
        .fault = stream->fault,
    };
    bool whole = stream->prefix_len == GRPC_PREFIX_BYTES && stream->message_len == stream->message_whole;
    if (request.fault == HTTP2_WHOLE && !whole) {
        request.fault = HTTP2_BROKEN;
    }
    if (request.fault == HTTP2_WHOLE) {
        static const char NOTHING[1] = "";
        request.message = (struct text){stream->message != NULL ? (const char *)stream->message : NOTHING,
                                        stream->message_len};
    }
    stream->state = ASKED;
    stream->due_ms = INT64_MAX;
    http2->handler.asked(http2->handler.user, stream, &request);
    http2_message_drop(stream);
}

static void fail(struct http2_stream *stream, enum http2_fault fault)
{
    stream->fault = fault;
    http2_message_drop(stream);
    ask(stream);
}

int http2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct http2_stream *stream = http2_stream_new(user, frame->hd.stream_id);
    return stream == NULL ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE
                          : nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
}

static void keep(struct http2_stream *stream, struct text name, struct text value)
{
    for (int i = 0; i < WORDS; i++) {
        struct http2_kept *kept = &stream->words[i];
        if (!text_eq(name, text_of(WORD_NAMES[i]))) {
            continue;
        }
        // A second one, or one too long, is none that is known.
        bool fits = !kept->there && value.len <= sizeof kept->text;
        kept->len = fits ? value.len : 0;
        memcpy(kept->text, value.at, kept->len);
        kept->there = true;
        return;
    }
}

int http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    (void)flags;
    struct http2 *http2 = user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL) {
        return 0;
    }
    stream->header_bytes += name_len + value_len + HEADER_COST;
    if (stream->header_bytes > HEADERS_HOPELESS * http2->limits.header_bytes) {
        return http2_enough(http2, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    if (stream->header_bytes > http2->limits.header_bytes) {
        if (stream->state == RECEIVING && stream->fault == HTTP2_WHOLE) {
            stream->fault = HTTP2_HEADERS_TOO_BIG;
        }
    } else if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        keep(stream, (struct text){(const char *)name, name_len},
             (struct text){(const char *)value, value_len});
    }
    return 0;
}

// false: memory, or what all connections may have of it, is out.
static bool message_grow(struct http2_stream *stream, size_t more)
{
    size_t *memory = stream->owner->memory;
    size_t wanted = stream->message_len + more; // at most message_bytes, which the prefix was held to
    if (wanted <= stream->message_room) {
        return true;
    }
    size_t room = stream->message_room * 2 > wanted ? stream->message_room * 2 : wanted;
    if (room - stream->message_room > *memory) {
        return false;
    }
    unsigned char *grown = realloc(stream->message, room);
    if (grown != NULL) {
        *memory -= room - stream->message_room;
        stream->message = grown;
        stream->message_room = room;
    }
    return grown != NULL;
}

// The prefix of the message, as far as it is there; what is wrong with it.
static enum http2_fault take_prefix(struct http2_stream *stream, struct text *bytes)
{
    size_t wanted = GRPC_PREFIX_BYTES - stream->prefix_len;
    size_t taken = bytes->len < wanted ? bytes->len : wanted;
    memcpy(stream->prefix + stream->prefix_len, bytes->at, taken);
    stream->prefix_len += taken;
    *bytes = (struct text){bytes->at + taken, bytes->len - taken};
    if (stream->prefix_len < GRPC_PREFIX_BYTES) {
        return HTTP2_WHOLE;
    }
    bool compressed = false;
    grpc_prefix_read(stream->prefix, &compressed, &stream->message_whole);
    if (compressed) {
        return HTTP2_COMPRESSED;
    }
    return stream->message_whole > stream->owner->limits.message_bytes ? HTTP2_TOO_BIG : HTTP2_WHOLE;
}

static enum http2_fault take(struct http2_stream *stream, struct text bytes)
{
    if (stream->prefix_len < GRPC_PREFIX_BYTES) {
        enum http2_fault fault = take_prefix(stream, &bytes);
        if (fault != HTTP2_WHOLE || bytes.len == 0) {
            return fault;
        }
    }
    if (bytes.len > stream->message_whole - stream->message_len || !message_grow(stream, bytes.len)) {
        return HTTP2_BROKEN;
    }
    memcpy(stream->message + stream->message_len, bytes.at, bytes.len);
    stream->message_len += bytes.len;
    return HTTP2_WHOLE;
}

int http2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                  void *user)
{
    (void)flags;
    (void)user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    // Once its headers were too big it is asked for when they end.
    if (stream == NULL || stream->state != RECEIVING || stream->fault != HTTP2_WHOLE) {
        return 0;
    }
    enum http2_fault fault = take(stream, (struct text){(const char *)data, len});
    if (fault != HTTP2_WHOLE) {
        fail(stream, fault);
    }
    return 0;
}

static bool brings_work(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_HEADERS || (frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0);
}

int http2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *http2 = user;
    http2->began = true;
    if (!brings_work(frame)) {
        int over = http2_spend(http2);
        if (over != 0) {
            return over;
        }
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL) {
        return 0;
    }
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    stream->remote_done = stream->remote_done || last;
    if (stream->state != RECEIVING || (!last && stream->fault == HTTP2_WHOLE)) {
        return 0;
    }
    ask(stream);
    return 0;
}

int http2_on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int code, void *user)
{
    (void)session;
    (void)frame;
    (void)code;
    return http2_spend(user);
}

int http2_on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct http2 *http2 = user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    int over = code != NGHTTP2_NO_ERROR ? http2_spend(http2) : 0;
    if (stream == NULL) {
        return over;
    }
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    if (stream->state == ASKED) {
        stream->state = DROPPED;
        http2->handler.gone(http2->handler.user, stream);
    } else if (stream->state == ANSWERED && code == NGHTTP2_NO_ERROR) {
        http2_earn_answer(http2);
    }
    http2_stream_free(stream);
    return over;
}
