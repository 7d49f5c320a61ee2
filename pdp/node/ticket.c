// SPDX-License-Identifier: Apache-2.0
#include "node/inner.h"

#include "base/num.h"

#include <stdlib.h>

static const size_t LEAST = 16;
static const size_t MOST = 1 << 20;

static enum pdp_err parked_grow(struct node *node)
{
    size_t cap = node->parked_cap == 0 ? LEAST : node->parked_cap * 2;
    if (cap > MOST) {
        return PDP_ERR_LIMIT;
    }
    struct parked *places = realloc(node->parked, cap * sizeof *places);
    if (places == NULL) {
        return PDP_ERR_NOMEM;
    }
    node->parked = places;
    node->parked_cap = cap;
    return PDP_ERR_OK;
}

static enum pdp_err parked_take(struct node *node, uint32_t *slot)
{
    if (node->parked_free != 0) {
        *slot = node->parked_free - 1;
        node->parked_free = node->parked[*slot].next_free;
        return PDP_ERR_OK;
    }
    if (node->parked_count == node->parked_cap) {
        TRY(parked_grow(node));
    }
    *slot = (uint32_t)node->parked_count++;
    node->parked[*slot] = (struct parked){.generation = 1};
    return PDP_ERR_OK;
}

enum pdp_err node_park(struct node_asking *asking, struct node_ticket *out)
{
    *out = (struct node_ticket){0};
    invariant(!asking->parked);
    struct node *node = asking->node;
    uint32_t slot = 0;
    TRY(parked_take(node, &slot));

    struct parked *place = &node->parked[slot];
    place->conn = asking->conn->id;
    place->hops_len = (uint8_t)asking->hops.len;
    memcpy(place->hops, asking->hops.at, asking->hops.len);
    asking->conn->parked++;
    asking->parked = true;
    counter_add(&node->counters.parked, 1);
    *out = (struct node_ticket){slot, place->generation};
    return PDP_ERR_OK;
}

enum pdp_err node_complete(struct node *node, struct node_ticket ticket, struct str answer,
                           struct node_now now)
{
    if (ticket.slot >= node->parked_count || node->parked[ticket.slot].generation != ticket.generation ||
        node->parked[ticket.slot].hops_len == 0) {
        return PDP_ERR_UNKNOWN;
    }
    struct parked *place = &node->parked[ticket.slot];
    struct parked was = *place;
    place->hops_len = 0;
    place->generation++;
    place->next_free = node->parked_free;
    node->parked_free = ticket.slot + 1;

    struct conn *conn = node_find(node, was.conn);
    if (conn == NULL) {
        return PDP_ERR_CLOSED;
    }
    conn->parked--;
    size_t start = 0;
    if (!conn_begin_answer(node, conn, (struct str){(const char *)was.hops, was.hops_len}, &start)) {
        return PDP_ERR_CLOSED;
    }
    buf_str(&conn->out, answer);
    if (!conn_end_answer(node, conn, start, now)) {
        return PDP_ERR_CLOSED;
    }
    conn_settle(node, conn, now);
    return PDP_ERR_OK;
}

const struct peer *node_asking_peer(const struct node_asking *asking)
{
    return &asking->conn->peer;
}

struct node_now node_asking_now(const struct node_asking *asking)
{
    return asking->now;
}

int64_t node_asking_waited_ms(const struct node_asking *asking)
{
    int64_t waited_ms = num_sub_sat(asking->now.steady_ms, asking->conn->since_ms);
    return waited_ms > 0 ? waited_ms : 0;
}

struct str node_asking_origin(const struct node_asking *asking)
{
    const struct origin *origin = asking->conn->origin;
    return origin != NULL ? (struct str){origin->name, origin->len} : (struct str){0};
}

int64_t node_asking_queue_ms(const struct node_asking *asking)
{
    return asking->node->limits.queue_ms;
}
