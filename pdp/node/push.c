// SPDX-License-Identifier: Apache-2.0
#include "node/inner.h"

static enum pdp_err push(struct node *node, struct conn *conn, struct str hops, struct str message,
                         struct node_now now)
{
    size_t start = 0;
    if (!conn_begin_answer(node, conn, hops, &start)) {
        return PDP_ERR_CLOSED;
    }
    buf_str(&conn->out, message);
    if (!conn_end_answer(node, conn, start, now)) {
        return PDP_ERR_CLOSED;
    }
    conn_settle(node, conn, now);
    return conn->state == CONN_OPEN ? PDP_ERR_OK : PDP_ERR_CLOSED;
}

enum pdp_err node_push(struct node *node, uint64_t id, struct str hops, struct str message,
                       struct node_now now)
{
    struct conn *conn = node_find(node, id);
    return conn != NULL && conn->state == CONN_OPEN ? push(node, conn, hops, message, now) : PDP_ERR_CLOSED;
}

size_t node_push_all(struct node *node, struct str hops, struct str message, struct node_now now)
{
    size_t count = 0;
    for (size_t i = 0; i < node->slot_count; i++) {
        struct conn *conn = node->slots[i].conn;
        if (conn != NULL && conn->state == CONN_OPEN) {
            count += push(node, conn, hops, message, now) == PDP_ERR_OK;
        }
    }
    return count;
}

void node_admit_only(struct node *node, bool (*admits)(void *user, const struct peer *peer), void *user)
{
    for (size_t i = 0; i < node->slot_count; i++) {
        struct conn *conn = node->slots[i].conn;
        if (conn != NULL && conn->state == CONN_OPEN && !admits(user, &conn->peer)) {
            conn_close(node, conn, NODE_REFUSAL_BARRED, false);
        }
    }
}
