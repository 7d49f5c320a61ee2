// SPDX-License-Identifier: Apache-2.0
#include "envoy/http2_inner.h"

#include <stdlib.h>

static const int64_t CREDIT_PER_S = 100;
static const int64_t CREDIT_PER_ANSWER = 4;

void http2_wake_at(struct http2_stream *stream, int64_t due_ms)
{
    stream->due_ms = due_ms;
    if (due_ms < stream->owner->due_ms) {
        stream->owner->due_ms = due_ms;
    }
}

int64_t http2_later(int64_t now_ms, int64_t ms)
{
    return ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + ms;
}

struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id)
{
    struct http2_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->owner = http2;
    stream->id = id;
    stream->next = http2->first;
    if (http2->first != NULL) {
        http2->first->prev = stream;
    }
    http2->first = stream;
    http2->count++;
    http2_wake_at(stream, http2_later(http2->now_ms, http2->limits.receive_ms));
    return stream;
}

void http2_message_drop(struct http2_stream *stream)
{
    *stream->owner->memory += stream->message_room;
    free(stream->message);
    stream->message = NULL;
    stream->message_len = stream->message_room = 0;
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2 *http2 = stream->owner;
    if (stream->prev != NULL) {
        stream->prev->next = stream->next;
    } else {
        http2->first = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->prev = stream->prev;
    }
    http2->count--;
    http2_message_drop(stream);
    free(stream->reply);
    free(stream);
}

void http2_drop(struct http2_stream *stream, uint32_t code)
{
    stream->state = DROPPED;
    stream->due_ms = INT64_MAX;
    (void)nghttp2_submit_rst_stream(stream->owner->session, NGHTTP2_FLAG_NONE, stream->id, code);
}

// ---- Budget of frames --------------------------------------------------------------------------------

static void earn(struct http2 *http2, int64_t credit)
{
    http2->credit = http2->credit + credit < HTTP2_CREDIT_MOST ? http2->credit + credit : HTTP2_CREDIT_MOST;
}

int http2_enough(struct http2 *http2, uint32_t code)
{
    http2->broken = true;
    (void)nghttp2_session_terminate_session(http2->session, code);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int http2_spend(struct http2 *http2)
{
    int64_t passed_ms = http2->now_ms - http2->credit_at_ms;
    if (passed_ms >= 1000 / CREDIT_PER_S) {
        earn(http2,
             passed_ms > 1000 * HTTP2_CREDIT_MOST ? HTTP2_CREDIT_MOST : passed_ms * CREDIT_PER_S / 1000);
        http2->credit_at_ms = http2->now_ms;
    }
    return --http2->credit < 0 ? http2_enough(http2, NGHTTP2_ENHANCE_YOUR_CALM) : 0;
}

void http2_earn_answer(struct http2 *http2)
{
    earn(http2, CREDIT_PER_ANSWER);
}
