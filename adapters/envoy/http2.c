// SPDX-License-Identifier: Apache-2.0
#include "envoy/http2_inner.h"

#include <stdlib.h>

static const int32_t CONNECTION_WINDOW = 1 << 20;

static int callbacks_new(nghttp2_session_callbacks **out)
{
    if (nghttp2_session_callbacks_new(out) != 0) {
        return NGHTTP2_ERR_NOMEM;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(*out, http2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(*out, http2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*out, http2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*out, http2_on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(*out, http2_on_invalid);
    nghttp2_session_callbacks_set_on_stream_close_callback(*out, http2_on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(*out, http2_on_sent);
    return 0;
}

static int session_new(struct http2 *http2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int failed = callbacks_new(&callbacks);
    if (failed == 0) {
        failed = nghttp2_option_new(&option);
    }
    if (failed == 0) {
        nghttp2_option_set_no_closed_streams(option, 1);
        failed = nghttp2_session_server_new2(&http2->session, callbacks, http2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return failed;
}

static int greet(struct http2 *http2)
{
    const struct http2_limits *limits = &http2->limits;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)(GRPC_PREFIX_BYTES + limits->message_bytes)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    int failed = nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, COUNT_OF(settings));
    return failed != 0 ? failed
                       : nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0,
                                                               CONNECTION_WINDOW);
}

enum pdp_err http2_new(const struct http2_limits *limits, const struct http2_handler *handler, size_t *memory,
                       int64_t now_ms, struct http2 **out)
{
    *out = NULL;
    struct http2 *http2 = calloc(1, sizeof *http2);
    if (http2 == NULL) {
        return PDP_ERR_NOMEM;
    }
    http2->limits = *limits;
    http2->handler = *handler;
    http2->memory = memory;
    http2->now_ms = http2->credit_at_ms = now_ms;
    http2->credit = HTTP2_CREDIT_MOST;
    http2->due_ms = INT64_MAX;
    if (session_new(http2) != 0 || greet(http2) != 0) {
        http2_free(&http2);
        return PDP_ERR_NOMEM;
    }
    *out = http2;
    return PDP_ERR_OK;
}

void http2_free(struct http2 **http2_ptr)
{
    struct http2 *http2 = *http2_ptr;
    *http2_ptr = NULL;
    if (http2 == NULL) {
        return;
    }
    nghttp2_session_del(http2->session);
    while (http2->first != NULL) {
        if (http2->first->state == ASKED) {
            http2->handler.gone(http2->handler.user, http2->first);
        }
        http2_stream_free(http2->first);
    }
    free(http2);
}

enum pdp_err http2_feed(struct http2 *http2, int64_t now_ms, const void *bytes, size_t len)
{
    http2->now_ms = now_ms > http2->now_ms ? now_ms : http2->now_ms;
    if (http2->broken) {
        return PDP_ERR_LIMIT;
    }
    ssize_t taken = nghttp2_session_mem_recv(http2->session, bytes, len);
    if (taken >= 0 && !http2->broken) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = http2->broken                ? PDP_ERR_LIMIT
                       : taken == NGHTTP2_ERR_NOMEM ? PDP_ERR_NOMEM
                                                    : PDP_ERR_MALFORMED;
    http2->broken = true;
    return err;
}

size_t http2_output(struct http2 *http2, const unsigned char **bytes)
{
    ssize_t len = nghttp2_session_mem_send(http2->session, bytes);
    if (len < 0) {
        http2->broken = true;
    }
    return len > 0 ? (size_t)len : 0;
}

static void pass(struct http2_stream *stream)
{
    struct http2 *http2 = stream->owner;
    if (stream->state == ASKED) {
        stream->due_ms = INT64_MAX;
        http2->handler.late(http2->handler.user, stream);
    } else if (stream->state != DROPPED) {
        http2_drop(stream, NGHTTP2_CANCEL);
    }
}

void http2_tick(struct http2 *http2, int64_t now_ms)
{
    http2->now_ms = now_ms > http2->now_ms ? now_ms : http2->now_ms;
    if (http2->now_ms < http2->due_ms) {
        return;
    }
    http2->due_ms = INT64_MAX;
    for (struct http2_stream *stream = http2->first; stream != NULL; stream = stream->next) {
        if (stream->due_ms <= http2->now_ms) {
            pass(stream);
        }
        http2_wake_at(stream, stream->due_ms);
    }
}

int64_t http2_due(const struct http2 *http2)
{
    return http2->due_ms;
}

void http2_leave(struct http2 *http2)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(http2->session);
    (void)nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
}

bool http2_over(const struct http2 *http2)
{
    return nghttp2_session_want_write(http2->session) == 0 &&
           (http2->broken || nghttp2_session_want_read(http2->session) == 0);
}

size_t http2_streams(const struct http2 *http2)
{
    return http2->count;
}

bool http2_began(const struct http2 *http2)
{
    return http2->began;
}

void http2_attach(struct http2_stream *stream, void *with)
{
    stream->with = with;
}

void *http2_attached(const struct http2_stream *stream)
{
    return stream->with;
}

void http2_wait(struct http2_stream *stream, int64_t due_ms)
{
    http2_wake_at(stream, due_ms);
}
