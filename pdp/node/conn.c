// SPDX-License-Identifier: Apache-2.0
// HOT
#include "node/inner.h"

#include "base/num.h"

static const size_t READ_LEAST = 4096;

// What a codec's finding costs the peer. NODE_REFUSAL_COUNT: nothing.
static enum node_refusal refusal_of(enum sp_got got)
{
    static const enum node_refusal REFUSALS[] = {
        [SP_MORE] = NODE_REFUSAL_COUNT,
        [SP_WHOLE] = NODE_REFUSAL_COUNT,
        [SP_BAD_MAGIC] = NODE_REFUSAL_HANDSHAKE_BAD,
        [SP_BAD_TYPE] = NODE_REFUSAL_HANDSHAKE_TYPE,
        [SP_BAD_FRAME] = NODE_REFUSAL_FRAME_BAD,
        [SP_TOO_LONG] = NODE_REFUSAL_FRAME_LONG,
        [SP_BAD_HOPS] = NODE_REFUSAL_HOPS_BAD,
        [SP_TOO_DEEP] = NODE_REFUSAL_HOPS_DEEP,
    };
    return REFUSALS[got];
}

bool conn_held(const struct node *node, const struct conn *conn)
{
    return conn_owed(conn) >= node->limits.backlog_bytes || conn->parked >= node->limits.in_flight;
}

bool conn_wants(const struct node *node, const struct conn *conn)
{
    return conn->state != CONN_CLOSED && !conn->ended && !node->draining && !conn_held(node, conn);
}

bool conn_reads(const struct node *node, const struct conn *conn)
{
    return conn_wants(node, conn) && !conn->more;
}

bool conn_begin_answer(struct node *node, struct conn *conn, struct str hops, size_t *start)
{
    if (conn->out.at == NULL) {
        conn->out = pool_take(&node->pool, node->limits.output_bytes);
    }
    *start = conn->out.len;
    size_t header = sp_header_bytes(conn->transport);
    if (!buf_room(&conn->out, header + hops.len)) {
        conn_close(node, conn, NODE_REFUSAL_BACKLOG, false);
        return false;
    }
    conn->out.len += header; // filled in when the length is known
    buf_str(&conn->out, hops);
    return true;
}

// Counts what is held for a reader that did not take all. false: together they hold too much, and it was
// closed.
static bool conn_count_waiting(struct node *node, struct conn *conn)
{
    size_t now = conn->waits ? conn->out.cap : 0;
    node->waiting += now - conn->waiting;
    conn->waiting = now;
    if (now == 0 || node->waiting <= node->limits.waiting_bytes) {
        return true;
    }
    conn_close(node, conn, NODE_REFUSAL_BACKLOG, false);
    return false;
}

bool conn_end_answer(struct node *node, struct conn *conn, size_t start, struct node_now now)
{
    if (conn->out.failed) {
        conn_close(node, conn, NODE_REFUSAL_BACKLOG, false);
        return false;
    }
    if (start == conn->sent) {
        conn->stall_since_ms = now.steady_ms;
        conn->stall_bytes = 0;
    }
    size_t header = sp_header_bytes(conn->transport);
    sp_frame_write(conn->transport, conn->out.len - start - header, conn->out.at + start);
    counter_add(&node->counters.answers, 1);
    conn->heard_ms = now.steady_ms;
    if (!conn->waits) {
        link_add(&node->dirty, &conn->dirty);
        return true;
    }
    return conn_count_waiting(node, conn);
}

// What a peer says to a node that speaks first. false where the connection was closed.
static bool conn_hear(struct node *node, struct conn *conn, struct str body, struct node_now now)
{
    struct str hops, message;
    enum sp_got got = SP_BAD_FRAME;
    if (node->handler.heard != NULL) {
        got = sp_hops_split(body, &hops, &message);
    }
    if (got == SP_TOO_DEEP) {
        counter_add(&node->counters.refusals[NODE_REFUSAL_HOPS_DEEP], 1);
        return true;
    }
    if (got != SP_WHOLE) {
        conn_close(node, conn, got == SP_BAD_FRAME ? NODE_REFUSAL_UNASKED : refusal_of(got), true);
        return false;
    }
    counter_add(&node->counters.messages, 1);
    conn->heard_ms = now.steady_ms;
    node->handler.heard(node->handler.user, conn->id, hops, message, now);
    return true;
}

// false where the connection was closed.
static bool conn_ask(struct node *node, struct conn *conn, struct str body, struct node_now now)
{
    struct str hops, message;
    enum sp_got got = sp_hops_split(body, &hops, &message);
    if (got == SP_TOO_DEEP) { // as nng does: dropped, since devices may be in a ring
        counter_add(&node->counters.refusals[NODE_REFUSAL_HOPS_DEEP], 1);
        return true;
    }
    if (got != SP_WHOLE) {
        conn_close(node, conn, refusal_of(got), true);
        return false;
    }
    size_t start = 0;
    if (!conn_begin_answer(node, conn, hops, &start)) {
        return false;
    }
    counter_add(&node->counters.messages, 1);
    struct node_asking asking = {.node = node, .conn = conn, .hops = hops, .now = now};
    turn_waited(node, node_asking_waited_ms(&asking));
    enum node_outcome outcome = node->handler.answer(node->handler.user, &asking, message, &conn->out);
    invariant((outcome == NODE_PARKED) == asking.parked);
    if (outcome == NODE_PARKED) {
        conn->out.len = start;
    }
    turn_charge(node, conn, message.len + conn->out.len - start);
    return outcome == NODE_PARKED || conn_end_answer(node, conn, start, now);
}

// false where there is nothing more to take.
static bool conn_shake(struct node *node, struct conn *conn, struct str *bytes, struct node_now now)
{
    enum sp_got got = sp_handshake_read(*bytes, sp_peer_of(node->type));
    if (got == SP_WHOLE) {
        *bytes = str_sub(*bytes, SP_HANDSHAKE_BYTES, bytes->len);
        conn->state = CONN_OPEN;
        conn->heard_ms = now.steady_ms;
        if (node->handler.opened != NULL) {
            node->handler.opened(node->handler.user, node, conn->id, &conn->peer, now);
        }
        return conn->state == CONN_OPEN;
    }
    if (got != SP_MORE) {
        conn_close(node, conn, refusal_of(got), true);
    }
    return false;
}

void conn_feed(struct node *node, struct conn *conn, struct str *bytes, struct node_now now)
{
    conn->more = false;
    node->charged = 0;
    if (conn->state == CONN_SHAKING && !conn_shake(node, conn, bytes, now)) {
        return;
    }
    for (uint32_t left = node->limits.turn_messages; bytes->len > 0; left--) {
        struct sp_frame frame;
        enum sp_got got = sp_frame_read(conn->transport, *bytes, node->limits.message_bytes, &frame);
        if (got == SP_MORE) {
            return;
        }
        if (got != SP_WHOLE) {
            conn_close(node, conn, refusal_of(got), true);
            return;
        }
        if (left == 0 || conn_held(node, conn) || turn_spent(node)) {
            conn->more = true;
            return;
        }
        if (!(node->handler.answer != NULL ? conn_ask : conn_hear)(node, conn, frame.body, now)) {
            return;
        }
        *bytes = str_sub(*bytes, frame.used, bytes->len);
    }
}

void conn_feed_kept(struct node *node, struct conn *conn, struct node_now now)
{
    struct str bytes = buf_view(&conn->in);
    conn_feed(node, conn, &bytes, now);
    if (conn->state == CONN_CLOSED || bytes.len == conn->in.len) {
        return;
    }
    conn->frame_since_ms = now.steady_ms;
    buf_drop(&conn->in, conn->in.len - bytes.len);
    if (conn->in.len == 0) {
        pool_give(&node->pool, &conn->in);
    }
}

static void conn_feed_fresh(struct node *node, struct conn *conn, size_t len, struct node_now now)
{
    struct str bytes = {(const char *)node->scratch, len};
    conn_feed(node, conn, &bytes, now);
    if (conn->state == CONN_CLOSED || bytes.len == 0) {
        return;
    }
    conn->frame_since_ms = now.steady_ms;
    conn->in = pool_take(&node->pool, 0);
    buf_str(&conn->in, bytes);
    if (conn->in.failed) {
        conn_close(node, conn, NODE_REFUSAL_MEMORY, false);
    }
}

bool node_space(struct node *node, uint64_t id, struct node_space *out)
{
    *out = (struct node_space){0};
    struct conn *conn = node_find(node, id);
    if (conn == NULL || !conn_reads(node, conn)) {
        return false;
    }
    if (conn->in.len == 0) {
        *out = (struct node_space){node->scratch, sizeof node->scratch};
        return true;
    }
    // As much again as has arrived: a claimed length makes nothing grow.
    size_t more = conn->in.len < READ_LEAST ? READ_LEAST : conn->in.len;
    more = more < conn->read_least ? conn->read_least : more;
    if (!buf_room(&conn->in, more < NODE_SCRATCH_BYTES ? more : NODE_SCRATCH_BYTES)) {
        conn_close(node, conn, NODE_REFUSAL_MEMORY, false);
        return false;
    }
    *out = (struct node_space){conn->in.at + conn->in.len, conn->in.cap - conn->in.len};
    return true;
}

bool node_waiting(const struct node *node, uint64_t id)
{
    const struct conn *conn = node_find(node, id);
    return conn != NULL && conn->more && !conn_held(node, conn);
}

void node_received(struct node *node, uint64_t id, size_t len, struct node_now now)
{
    struct conn *conn = node_find(node, id);
    if (conn == NULL || len == 0) {
        return;
    }
    counter_add(&node->counters.bytes_in, len);
    conn->since_ms = conn->told ? conn->since_ms : now.steady_ms;
    conn->told = false;
    if (conn->in.len == 0) {
        invariant(len <= sizeof node->scratch);
        conn_feed_fresh(node, conn, len, now);
    } else {
        invariant(len <= conn->in.cap - conn->in.len);
        conn->in.len += len;
        conn_feed_kept(node, conn, now);
    }
    conn->since_ms = now.steady_ms; // what is left has waited since now at least
    conn_settle(node, conn, now);
}

bool node_next_output(struct node *node, struct node_output *out)
{
    for (struct link *link = link_pop(&node->dirty); link != NULL; link = link_pop(&node->dirty)) {
        struct conn *conn = LINK_OF(link, struct conn, dirty);
        if (conn_owed(conn) > 0) {
            *out = (struct node_output){
                conn->id, conn->handle, {(const char *)conn->out.at + conn->sent, conn_owed(conn)}};
            return true;
        }
    }
    return false;
}

void node_sent(struct node *node, uint64_t id, size_t len, struct node_now now)
{
    struct conn *conn = node_find(node, id);
    if (conn == NULL) {
        return;
    }
    invariant(len <= conn_owed(conn));
    counter_add(&node->counters.bytes_out, len);
    conn->sent += len;
    conn->waits = conn_owed(conn) > 0;
    conn->stall_bytes += len;
    if (conn->stall_bytes >= NODE_PROGRESS_BYTES) {
        conn->stall_since_ms = now.steady_ms;
        conn->stall_bytes = 0;
    }
    if (!conn->waits) {
        conn->sent = 0;
        pool_give(&node->pool, &conn->out);
    } else if (conn->sent >= conn_owed(conn)) { // each byte is moved once for one that was sent
        buf_drop(&conn->out, conn->sent);
        conn->sent = 0;
    }
    if (conn_count_waiting(node, conn)) {
        conn_settle(node, conn, now);
    }
}

void node_writable(struct node *node, uint64_t id)
{
    struct conn *conn = node_find(node, id);
    if (conn != NULL && conn_owed(conn) > 0) {
        conn->waits = false;
        link_add(&node->dirty, &conn->dirty);
    }
}

int64_t conn_due(const struct node *node, const struct conn *conn, enum node_refusal *why)
{
    const struct node_limits *limits = &node->limits;
    *why = NODE_REFUSAL_HANDSHAKE_LATE;
    if (conn->state == CONN_SHAKING) {
        return num_add_sat(conn->opened_ms, limits->handshake_ms);
    }
    int64_t due = INT64_MAX;
    if (conn_owed(conn) > 0) {
        *why = NODE_REFUSAL_SLOW_READER;
        due = num_add_sat(conn->stall_since_ms, limits->stall_ms);
    }
    if (conn->in.len > 0 && conn_reads(node, conn)) {
        int64_t frame = num_add_sat(conn->frame_since_ms, limits->frame_ms);
        *why = frame < due ? NODE_REFUSAL_FRAME_LATE : *why;
        due = num_min(frame, due);
    }
    if (conn_owed(conn) == 0 && conn->parked == 0 && conn->in.len == 0) {
        *why = NODE_REFUSAL_IDLE;
        due = num_add_sat(conn->heard_ms, limits->idle_ms);
    }
    return due;
}

// Nothing is owed and nothing more is to come.
static bool conn_done(const struct node *node, const struct conn *conn)
{
    return (conn->ended || node->draining) && !conn->more && conn->parked == 0 && conn_owed(conn) == 0;
}

static enum node_refusal left_within(const struct conn *conn)
{
    if (conn->state == CONN_SHAKING) {
        return NODE_REFUSAL_HANDSHAKE_LEFT;
    }
    return conn->in.len > 0 && !conn->more ? NODE_REFUSAL_FRAME_LEFT : NODE_REFUSAL_COUNT;
}

void conn_settle(struct node *node, struct conn *conn, struct node_now now)
{
    if (conn->state == CONN_CLOSED) {
        return;
    }
    // A half handshake is owed nothing either, but our own eight bytes.
    if (conn_done(node, conn) || (conn->ended && conn->state == CONN_SHAKING)) {
        conn_close(node, conn, conn->ended ? left_within(conn) : NODE_REFUSAL_COUNT, true);
        return;
    }
    if (conn->more && !conn_held(node, conn)) {
        conn_ready(node, conn, conn->since_ms);
    }
    bool reads = conn_wants(node, conn);
    if (reads != conn->told_read || conn->waits != conn->told_write) {
        link_add(&node->change, &conn->change);
        if (reads && !conn->told_read) {
            conn->frame_since_ms = now.steady_ms; // the pause was ours
        }
    }
    enum node_refusal why;
    int64_t due = conn_due(node, conn, &why);
    if (due < conn->timer.due_ms) {
        timer_set(&node->timers, &conn->timer, due);
    }
}

void node_lost(struct node *node, uint64_t id)
{
    struct conn *conn = node_find(node, id);
    if (conn != NULL) {
        conn_close(node, conn, left_within(conn), false);
    }
}

void node_ended(struct node *node, uint64_t id, struct node_now now)
{
    struct conn *conn = node_find(node, id);
    if (conn != NULL) {
        conn->ended = true;
        conn_settle(node, conn, now);
    }
}
