// SPDX-License-Identifier: Apache-2.0
#include "envoy/http2_inner.h"

#include <stdio.h>
#include <stdlib.h>

#define WHY_ROOM 160
#define NUMBER_ROOM 16

static nghttp2_nv header(const char *name, const char *value, size_t len)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), len,
                        NGHTTP2_NV_FLAG_NONE};
}

// Status and words behind the message, or alone with the headers in front.
static size_t status_headers(enum grpc_status status, const char *why, char number[NUMBER_ROOM],
                             char words[WHY_ROOM], nghttp2_nv out[2])
{
    int digits = snprintf(number, NUMBER_ROOM, "%d", (int)status);
    out[0] = header("grpc-status", number, (size_t)digits);
    if (why == NULL) {
        return 1;
    }
    out[1] = header("grpc-message", words, grpc_message(why, words, WHY_ROOM));
    return 2;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    (void)user;
    struct http2_stream *stream = source->ptr;
    size_t left = stream->reply_len - stream->reply_sent;
    size_t taken = left < room ? left : room;
    memcpy(out, stream->reply + stream->reply_sent, taken);
    stream->reply_sent += taken;
    if (stream->reply_sent == stream->reply_len) {
        char number[NUMBER_ROOM], words[WHY_ROOM];
        nghttp2_nv trailers[2];
        size_t count = status_headers(stream->status, NULL, number, words, trailers);
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, trailers, count) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return (ssize_t)taken;
}

// A stream that was answered before its request had ended is closed for the peer, too, as gRPC asks for.
int http2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return 0;
    }
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL || stream->remote_done) {
        return 0;
    }
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
}

static int respond_http(struct http2_stream *stream, const struct http2_answer *answer)
{
    char number[NUMBER_ROOM];
    int digits = snprintf(number, sizeof number, "%u", answer->http);
    nghttp2_nv headers[] = {header(":status", number, (size_t)digits)};
    return nghttp2_submit_response(stream->owner->session, stream->id, headers, COUNT_OF(headers), NULL);
}

static int respond_status(struct http2_stream *stream, const struct http2_answer *answer)
{
    char number[NUMBER_ROOM], words[WHY_ROOM];
    nghttp2_nv headers[4] = {header(":status", "200", 3), header("content-type", "application/grpc", 16)};
    size_t count = 2 + status_headers(answer->status, answer->why, number, words, headers + 2);
    return nghttp2_submit_response(stream->owner->session, stream->id, headers, count, NULL);
}

static int respond_message(struct http2_stream *stream, const struct http2_answer *answer)
{
    stream->reply_len = GRPC_PREFIX_BYTES + answer->message.len;
    stream->reply = malloc(stream->reply_len);
    if (stream->reply == NULL) {
        return NGHTTP2_ERR_NOMEM;
    }
    grpc_prefix_write(stream->reply, answer->message.len);
    if (answer->message.len > 0) {
        memcpy(stream->reply + GRPC_PREFIX_BYTES, answer->message.at, answer->message.len);
    }
    nghttp2_nv headers[] = {header(":status", "200", 3), header("content-type", "application/grpc", 16)};
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = on_read};
    return nghttp2_submit_response(stream->owner->session, stream->id, headers, COUNT_OF(headers), &provider);
}

void http2_respond(struct http2_stream *stream, const struct http2_answer *answer)
{
    if (stream->state != ASKED) {
        return;
    }
    stream->state = ANSWERED;
    stream->status = answer->status;
    stream->with = NULL;
    http2_wake_at(stream, http2_later(stream->owner->now_ms, stream->owner->limits.linger_ms));
    int failed = answer->http != 200         ? respond_http(stream, answer)
                 : answer->status != GRPC_OK ? respond_status(stream, answer)
                                             : respond_message(stream, answer);
    if (failed != 0) {
        http2_drop(stream, NGHTTP2_INTERNAL_ERROR);
    }
}
