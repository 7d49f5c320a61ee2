// SPDX-License-Identifier: Apache-2.0
// HOT
// Whose turn it is: deficit round robin over origins.
#include "node/inner.h"

#include "base/num.h"

static const int64_t MESSAGE_COST = 256;    // of any message, beside its bytes and those of its answer
static const int64_t COST_MOST = NODE_TURN; // so that a debt is paid in a bounded number of rounds

const int64_t NODE_DELAYS_MS[NODE_DELAY_COUNT - 1] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

static void origin_refill(struct origin *origin)
{
    origin->credit = num_min(origin->credit + NODE_QUANTUM, NODE_QUANTUM);
}

void conn_ready(struct node *node, struct conn *conn, int64_t since_ms)
{
    struct origin *origin = conn->origin;
    if (link_in(&conn->run)) {
        return;
    }
    conn->since_ms = since_ms;
    link_add(&origin->ready, &conn->run);
    if (!link_in(&origin->active)) {
        if (origin->credit <= 0) { // at the end of the list it comes in the next round
            origin_refill(origin);
        }
        link_add(&node->active, &origin->active);
    }
}

void conn_unready(struct conn *conn)
{
    link_remove(&conn->run);
    if (link_empty(&conn->origin->ready)) {
        link_remove(&conn->origin->active);
    }
}

void turn_charge(struct node *node, const struct conn *conn, size_t bytes)
{
    int64_t cost = num_min(MESSAGE_COST + (int64_t)num_min((int64_t)bytes, COST_MOST), COST_MOST);
    node->budget -= cost;
    if (conn->origin != NULL) { // it may have been closed meanwhile
        conn->origin->credit -= cost;
    }
}

void node_asking_charge(struct node_asking *asking, size_t bytes)
{
    int64_t cost = num_min((int64_t)bytes, COST_MOST);
    asking->node->charged += cost;
    asking->node->budget -= cost;
    if (asking->conn->origin != NULL) {
        asking->conn->origin->credit -= cost;
    }
}

bool turn_spent(const struct node *node)
{
    return node->charged >= NODE_QUANTUM;
}

void turn_waited(struct node *node, int64_t waited_ms)
{
    size_t i = 0;
    while (i < NODE_DELAY_COUNT - 1 && waited_ms > NODE_DELAYS_MS[i]) {
        i++;
    }
    counter_add(&node->counters.delays[i], 1);
    counter_add(&node->counters.delay_ms, (uint64_t)waited_ms);
}

bool node_readable(struct node *node, uint64_t id, bool hung_up, struct node_now now)
{
    struct conn *conn = node_find(node, id);
    bool news = conn != NULL && !conn->told;
    if (conn != NULL) {
        conn->told = true;
        conn->hung_up = hung_up;
        conn_ready(node, conn, now.steady_ms);
    }
    return news;
}

// The next connection by the order of origins, taken out of its list; NULL where the turn is over.
static struct conn *next_of(struct node *node)
{
    while (!link_empty(&node->active) && node->budget > 0) {
        struct origin *origin = LINK_OF(node->active.next, struct origin, active);
        if (origin->credit <= 0) { // it has had its share of this round
            origin_refill(origin);
            link_remove(&origin->active);
            link_add(&node->active, &origin->active);
            continue;
        }
        struct conn *conn = LINK_OF(origin->ready.next, struct conn, run);
        conn_unready(conn);
        return conn;
    }
    return NULL;
}

bool node_next_ready(struct node *node, struct node_now now, struct node_ready *out)
{
    *out = (struct node_ready){0};
    struct conn *conn = next_of(node);
    if (conn == NULL) {
        node->budget = NODE_TURN;
        return false;
    }
    bool kept = conn->more && !conn_held(node, conn);
    *out = (struct node_ready){conn->id, conn->handle, .reads = !kept, .hung_up = conn->hung_up};
    if (kept) {
        conn_feed_kept(node, conn, now);
        conn_settle(node, conn, now);
    }
    return true;
}

bool node_runnable(const struct node *node)
{
    return !link_empty(&node->active);
}
