// SPDX-License-Identifier: Apache-2.0
#include "envoy/conn.h"

#include <stdlib.h>

enum {
    READS_A_TURN = 4 // then others are listened to
};

// ---- What HTTP/2 tells -------------------------------------------------------------------------------

static void on_asked(void *user, struct http2_stream *stream, const struct http2_request *request)
{
    struct conn *conn = user;
    struct call_peer peer = {conn->gateway, conn->believed, conn};
    call_serve(conn->calls, stream, request, &peer, conn->used_ms);
}

static void on_late(void *user, struct http2_stream *stream)
{
    (void)user;
    call_late(stream);
}

static void on_gone(void *user, struct http2_stream *stream)
{
    (void)user;
    call_gone(stream);
}

// ---- Writing -----------------------------------------------------------------------------------------

static void stuck(struct conn *conn, int64_t now_ms)
{
    if (conn->stuck_ms == INT64_MAX) {
        conn->stuck_ms = now_ms;
    }
}

// What the peer has not taken is kept, and no more is made until it has.
static bool keep(struct conn *conn, const unsigned char *bytes, size_t len)
{
    unsigned char *out = malloc(len);
    if (out == NULL) {
        conn->over = true;
        return false;
    }
    memcpy(out, bytes, len);
    conn->out = out;
    conn->out_len = len;
    conn->out_sent = 0;
    return true;
}

// true: all is written.
static bool write_all(struct conn *conn, const unsigned char *bytes, size_t len, size_t *sent)
{
    while (*sent < len) {
        size_t moved = 0;
        enum wire_state state = wire_write(&conn->wire, bytes + *sent, len - *sent, &moved);
        *sent += moved;
        if (state == WIRE_ENDED) {
            conn->over = true;
        }
        if (state != WIRE_DONE) {
            return false;
        }
    }
    return true;
}

static bool write_kept(struct conn *conn)
{
    if (conn->out == NULL) {
        return true;
    }
    if (!write_all(conn, conn->out, conn->out_len, &conn->out_sent)) {
        return false;
    }
    free(conn->out);
    conn->out = NULL;
    return true;
}

// Frames are gathered, so that many answers are one write.
static size_t gather(struct conn *conn, struct conn_scratch *scratch)
{
    size_t len = 0;
    const unsigned char *frame = NULL;
    // A frame is at most 16 KiB and its head: what is left holds one more.
    while (len <= sizeof scratch->bytes - 16384 - 16) {
        size_t more = http2_output(conn->http2, &frame);
        if (more == 0 || more > sizeof scratch->bytes - len) {
            conn->over = conn->over || more != 0;
            break;
        }
        memcpy(scratch->bytes + len, frame, more);
        len += more;
    }
    return len;
}

static void write_out(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    bool took = write_kept(conn);
    while (took && !conn->over) {
        size_t len = gather(conn, scratch), sent = 0;
        if (len == 0) {
            break;
        }
        if (!write_all(conn, scratch->bytes, len, &sent) && !conn->over) {
            took = !keep(conn, scratch->bytes + sent, len - sent);
        }
    }
    conn->wants_write = !took;
    if (took) {
        conn->stuck_ms = INT64_MAX;
    } else {
        stuck(conn, now_ms);
    }
}

void conn_flush(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    if (conn->http2 == NULL || conn->over) {
        return;
    }
    write_out(conn, now_ms, scratch);
    conn->over = conn->over || (conn->out == NULL && http2_over(conn->http2));
}

// ---- Reading -----------------------------------------------------------------------------------------

static bool shake(struct conn *conn, int64_t now_ms)
{
    enum wire_state state = wire_shake(&conn->wire, conn->rules->tls, conn->gateway);
    conn->wants_write = state == WIRE_WANTS_WRITE;
    conn->over = state == WIRE_ENDED;
    if (state != WIRE_DONE) {
        return false;
    }
    conn->believed = conn->believed || conn->gateway[0] != '\0';
    struct http2_handler handler = {on_asked, on_late, on_gone, conn};
    conn->over =
        http2_new(&conn->rules->http2, &handler, &conn->calls->memory, now_ms, &conn->http2) != PDP_ERR_OK;
    return !conn->over;
}

// false: there is nothing more to read now.
static bool read_once(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    size_t len = 0;
    enum wire_state state = wire_read(&conn->wire, scratch->bytes, sizeof scratch->bytes, &len);
    if (state != WIRE_DONE) {
        conn->over = state == WIRE_ENDED;
        return false;
    }
    conn->used_ms = now_ms;
    if (http2_feed(conn->http2, now_ms, scratch->bytes, len) != PDP_ERR_OK) {
        write_out(conn, now_ms, scratch); // a last word, if it can be had at once
        conn->over = true;
        return false;
    }
    return len == sizeof scratch->bytes || wire_has_more(&conn->wire);
}

void conn_work(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    conn->again = false;
    if (conn->over || (conn->http2 == NULL && !shake(conn, now_ms))) {
        return;
    }
    if (!write_kept(conn)) {
        conn->wants_write = true; // who takes nothing is not listened to
        return;
    }
    for (int i = 0; i < READS_A_TURN && !conn->over; i++) {
        conn->again = read_once(conn, now_ms, scratch);
        if (!conn->again) {
            break;
        }
    }
    conn_flush(conn, now_ms, scratch);
}

// ---- Time --------------------------------------------------------------------------------------------

static int64_t after(int64_t at_ms, int64_t ms)
{
    return at_ms > INT64_MAX - ms ? INT64_MAX : at_ms + ms;
}

static int64_t own_due(const struct conn *conn)
{
    if (conn->http2 == NULL || !http2_began(conn->http2)) {
        return after(conn->opened_ms, conn->rules->shake_ms);
    }
    if (conn->stuck_ms != INT64_MAX) {
        return after(conn->stuck_ms, conn->rules->linger_ms);
    }
    return conn_is_idle(conn) ? after(conn->used_ms, conn->rules->idle_ms) : INT64_MAX;
}

int64_t conn_due(const struct conn *conn)
{
    int64_t own = own_due(conn), theirs = conn->http2 != NULL ? http2_due(conn->http2) : INT64_MAX;
    return own < theirs ? own : theirs;
}

void conn_tick(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    if (own_due(conn) <= now_ms) {
        conn->over = true;
        return;
    }
    if (conn->http2 != NULL && http2_due(conn->http2) <= now_ms) {
        http2_tick(conn->http2, now_ms);
        conn_flush(conn, now_ms, scratch);
    }
}

void conn_leave(struct conn *conn, int64_t now_ms, struct conn_scratch *scratch)
{
    if (conn->http2 == NULL) {
        conn->over = true;
        return;
    }
    http2_leave(conn->http2);
    conn_flush(conn, now_ms, scratch);
}

bool conn_is_idle(const struct conn *conn)
{
    return conn->http2 == NULL || http2_streams(conn->http2) == 0;
}

// ---- Life --------------------------------------------------------------------------------------------

enum pdp_err conn_new(const struct conn_rules *rules, struct calls *calls, int fd, bool believed,
                      int64_t now_ms, struct conn **out)
{
    *out = NULL;
    struct conn *conn = calloc(1, sizeof *conn);
    struct wire wire;
    if (wire_init(&wire, rules->tls, fd) != PDP_ERR_OK || conn == NULL) {
        wire_fini(&wire);
        free(conn);
        return PDP_ERR_NOMEM;
    }
    conn->wire = wire;
    conn->rules = rules;
    conn->calls = calls;
    conn->believed = believed;
    conn->opened_ms = conn->used_ms = now_ms;
    conn->stuck_ms = INT64_MAX;
    *out = conn;
    return PDP_ERR_OK;
}

void conn_free(struct conn **conn_ptr)
{
    struct conn *conn = *conn_ptr;
    *conn_ptr = NULL;
    if (conn == NULL) {
        return;
    }
    http2_free(&conn->http2);
    wire_fini(&conn->wire);
    free(conn->out);
    free(conn);
}
