// SPDX-License-Identifier: Apache-2.0
#include "node/node.h"

#include "base/num.h"
#include "node/inner.h"

#include <stdlib.h>

const struct node_limits NODE_LIMITS_DEFAULT = {
    .connections = 16384,
    .peer_connections = 8192,
    .in_flight = 1024,
    .turn_messages = 64,
    .queue_ms = 200,
    .message_bytes = REQUEST_BYTES_MAX + SP_HOPS_BYTES,
    .backlog_bytes = 256 * 1024,
    .waiting_bytes = 128 * 1024 * 1024,
    .output_bytes = 16 * 1024 * 1024,
    .handshake_ms = 5000,
    .frame_ms = 10000,
    .idle_ms = 600000,
    .stall_ms = 10000,
};

static const size_t SLOTS_LEAST = 64;

static const char *const REFUSALS[][2] = {
#define X(name, text, meaning) {text, meaning},
    NODE_REFUSAL_LIST(X)
#undef X
};

const char *node_refusal_name(enum node_refusal refusal)
{
    return (size_t)refusal < NODE_REFUSAL_COUNT ? REFUSALS[refusal][0] : "unknown";
}

const char *node_refusal_text(enum node_refusal refusal)
{
    return (size_t)refusal < NODE_REFUSAL_COUNT ? REFUSALS[refusal][1] : "unknown";
}

enum pdp_err node_new(const struct node_config *config, struct node **out)
{
    *out = NULL;
    invariant(sp_peer_of(config->type) != 0 && config->limits.turn_messages > 0);
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return PDP_ERR_NOMEM;
    }
    node->handler = config->handler;
    node->limits = config->limits;
    node->type = config->type;
    node->origins.seed = config->seed;
    node->budget = NODE_TURN;
    link_head(&node->active);
    link_head(&node->dirty);
    link_head(&node->change);
    link_head(&node->closed);
    *out = node;
    return PDP_ERR_OK;
}

void node_free(struct node **node_ptr)
{
    struct node *node = STEAL(*node_ptr);
    if (node == NULL) {
        return;
    }
    node_cut(node);
    uint64_t handle;
    while (node_next_closed(node, &handle)) {
    }
    timer_heap_fini(&node->timers);
    pool_fini(&node->pool);
    free(node->slots);
    free(node->parked);
    free(node);
}

struct conn *node_find(const struct node *node, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    if (slot >= node->slot_count || node->slots[slot].conn == NULL || node->slots[slot].conn->id != id ||
        node->slots[slot].conn->state == CONN_CLOSED) {
        return NULL;
    }
    return node->slots[slot].conn;
}

bool node_handle(const struct node *node, uint64_t id, uint64_t *handle)
{
    *handle = 0;
    const struct conn *conn = node_find(node, id);
    if (conn != NULL) {
        *handle = conn->handle;
    }
    return conn != NULL;
}

static enum pdp_err slots_grow(struct node *node)
{
    size_t cap = node->slot_cap == 0 ? SLOTS_LEAST : node->slot_cap * 2;
    size_t bytes = 0;
    if (cap > UINT32_MAX || !num_mul(cap, sizeof *node->slots, &bytes)) {
        return PDP_ERR_NOMEM;
    }
    struct slot *slots = realloc(node->slots, bytes);
    if (slots == NULL) {
        return PDP_ERR_NOMEM;
    }
    node->slots = slots;
    node->slot_cap = cap;
    return PDP_ERR_OK;
}

// A place for the connection; its number never had this generation before.
static enum pdp_err slot_take(struct node *node, struct conn *conn)
{
    uint32_t slot = node->slot_free - 1;
    if (node->slot_free != 0) {
        node->slot_free = node->slots[slot].next_free;
    } else {
        if (node->slot_count == node->slot_cap) {
            TRY(slots_grow(node));
        }
        slot = (uint32_t)node->slot_count++;
        node->slots[slot] = (struct slot){0};
    }
    node->generation = (node->generation + 1) & INT32_MAX;
    node->slots[slot].conn = conn;
    conn->id = (uint64_t)node->generation << 32 | slot;
    return PDP_ERR_OK;
}

static bool slots_roomy(const struct node *node)
{
    return node->slot_cap > SLOTS_LEAST && node->connections < node->slot_cap / 4;
}

// Gives back the places behind the last one in use, and lists the free ones anew.
static void slots_trim(struct node *node)
{
    while (node->slot_count > 0 && node->slots[node->slot_count - 1].conn == NULL) {
        node->slot_count--;
    }
    node->slot_free = 0;
    for (size_t i = node->slot_count; i > 0; i--) {
        if (node->slots[i - 1].conn == NULL) {
            node->slots[i - 1].next_free = node->slot_free;
            node->slot_free = (uint32_t)i;
        }
    }
    size_t cap = node->slot_count < SLOTS_LEAST / 2 ? SLOTS_LEAST : node->slot_count * 2;
    struct slot *slots = cap < node->slot_cap ? realloc(node->slots, cap * sizeof *slots) : NULL;
    if (slots != NULL) {
        node->slots = slots;
        node->slot_cap = cap;
    }
    timer_heap_trim(&node->timers);
}

static enum pdp_err conn_new(const struct node_open *open, struct node_now now, struct conn **out)
{
    *out = NULL;
    struct conn *conn = calloc(1, sizeof *conn + open->peer.name.len);
    if (conn == NULL) {
        return PDP_ERR_NOMEM;
    }
    conn->handle = open->handle;
    conn->transport = open->transport;
    conn->read_least = open->read_least;
    conn->peer = open->peer;
    conn->peer.name.at = conn->name;
    if (open->peer.name.len != 0) {
        memcpy(conn->name, open->peer.name.at, open->peer.name.len);
    }
    conn->opened_ms = conn->heard_ms = conn->stall_since_ms = now.steady_ms;
    conn->told_read = true;
    conn->timer.due_ms = INT64_MAX;
    *out = conn;
    return PDP_ERR_OK;
}

static void conn_free(struct conn **conn)
{
    free(*conn);
    *conn = NULL;
}

// Says our half of the handshake without waiting for the other.
static void conn_greet(struct node *node, struct conn *conn)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    sp_handshake_write(node->type, hello);
    conn->out = pool_take(&node->pool, node->limits.output_bytes);
    buf_put(&conn->out, hello, sizeof hello);
    link_add(&node->dirty, &conn->dirty);
}

static enum pdp_err refuse(struct node *node, enum node_refusal why, enum pdp_err err)
{
    node_refused(node, why);
    return err;
}

enum pdp_err node_open(struct node *node, const struct node_open *open, struct node_now now, uint64_t *id)
{
    *id = 0;
    if (open->peer.name.len > NODE_NAME_MAX || open->origin.len > NODE_NAME_MAX) {
        return refuse(node, NODE_REFUSAL_NAME, PDP_ERR_RANGE);
    }
    if (node->draining || node->connections >= node->limits.connections) {
        return refuse(node, NODE_REFUSAL_CONNECTIONS, PDP_ERR_LIMIT);
    }
    AUTO(conn_free) struct conn *conn = NULL;
    if (conn_new(open, now, &conn) != PDP_ERR_OK ||
        timer_heap_reserve(&node->timers, node->connections + 1) != PDP_ERR_OK) {
        return refuse(node, NODE_REFUSAL_MEMORY, PDP_ERR_NOMEM);
    }
    enum pdp_err err =
        origin_enter(&node->origins, open->origin, node->limits.peer_connections, &conn->origin);
    if (err != PDP_ERR_OK) {
        return refuse(node, err == PDP_ERR_LIMIT ? NODE_REFUSAL_PEER_CONNECTIONS : NODE_REFUSAL_MEMORY, err);
    }
    err = slot_take(node, conn);
    if (err != PDP_ERR_OK) {
        origin_leave(&node->origins, &conn->origin);
        return refuse(node, NODE_REFUSAL_MEMORY, err);
    }
    node->connections++;
    atomic_store_explicit(&node->counters.connections, node->connections, memory_order_relaxed);
    counter_add(&node->counters.opened, 1);
    *id = conn->id;
    struct conn *kept = STEAL(conn);
    conn_greet(node, kept);
    conn_settle(node, kept, now);
    return PDP_ERR_OK;
}

void conn_close(struct node *node, struct conn *conn, enum node_refusal why, bool parting)
{
    if (conn->state == CONN_CLOSED) {
        return;
    }
    if (why != NODE_REFUSAL_COUNT) {
        node_refused(node, why);
    }
    bool opened = conn->state == CONN_OPEN;
    conn->state = CONN_CLOSED;
    conn_unready(conn);
    if (opened && node->handler.closed != NULL) {
        node->handler.closed(node->handler.user, conn->id);
    }
    link_remove(&conn->change);
    if (!parting || conn->waits) {
        link_remove(&conn->dirty);
    }
    link_add(&node->closed, &conn->closed);
    timer_remove(&node->timers, &conn->timer);
    origin_leave(&node->origins, &conn->origin);
    node->waiting -= conn->waiting;
    conn->waiting = 0;
    node->connections--;
    atomic_store_explicit(&node->counters.connections, node->connections, memory_order_relaxed);
}

bool node_next_closed(struct node *node, uint64_t *handle)
{
    *handle = 0;
    struct link *link = link_pop(&node->closed);
    if (link == NULL) {
        return false;
    }
    AUTO(conn_free) struct conn *conn = LINK_OF(link, struct conn, closed);
    *handle = conn->handle;
    link_remove(&conn->dirty);
    pool_give(&node->pool, &conn->in);
    pool_give(&node->pool, &conn->out);
    uint32_t slot = (uint32_t)conn->id;
    node->slots[slot].conn = NULL;
    node->slots[slot].next_free = node->slot_free;
    node->slot_free = slot + 1;
    return true;
}

bool node_next_change(struct node *node, struct node_change *out)
{
    for (struct link *link = link_pop(&node->change); link != NULL; link = link_pop(&node->change)) {
        struct conn *conn = LINK_OF(link, struct conn, change);
        bool reads = conn_wants(node, conn);
        if (reads != conn->told_read || conn->waits != conn->told_write) {
            conn->told_read = reads;
            conn->told_write = conn->waits;
            *out = (struct node_change){conn->id, conn->handle, reads, conn->waits};
            return true;
        }
    }
    return false;
}

int64_t node_deadline(const struct node *node)
{
    const struct timer *first = timer_first(&node->timers);
    int64_t due = first != NULL ? first->due_ms : INT64_MAX;
    return node->pool.count > 0 || slots_roomy(node) ? num_min(due, node->trim_ms) : due;
}

void node_expire(struct node *node, struct node_now now)
{
    for (struct timer *timer = timer_first(&node->timers); timer != NULL && timer->due_ms <= now.steady_ms;
         timer = timer_first(&node->timers)) {
        struct conn *conn = LINK_OF(timer, struct conn, timer);
        enum node_refusal why;
        int64_t due = conn_due(node, conn, &why);
        if (due > now.steady_ms) {
            timer_set(&node->timers, timer, due);
        } else {
            conn_close(node, conn, why, false);
        }
    }
    if (node->trim_ms <= now.steady_ms) {
        pool_trim(&node->pool);
        if (slots_roomy(node)) {
            slots_trim(node);
        }
        node->trim_ms = num_add_sat(now.steady_ms, NODE_TRIM_MS);
    }
}

void node_drain(struct node *node, struct node_now now)
{
    node->draining = true;
    for (size_t i = 0; i < node->slot_count; i++) {
        struct conn *conn = node->slots[i].conn;
        if (conn != NULL && conn->state == CONN_SHAKING) {
            conn_close(node, conn, NODE_REFUSAL_COUNT, true);
        } else if (conn != NULL) {
            conn_settle(node, conn, now);
        }
    }
}

void node_cut(struct node *node)
{
    for (size_t i = 0; i < node->slot_count; i++) {
        if (node->slots[i].conn != NULL && node->slots[i].conn->state != CONN_CLOSED) {
            conn_close(node, node->slots[i].conn, NODE_REFUSAL_DRAIN, false);
        }
    }
}

void node_resume(struct node *node)
{
    node->draining = false;
}

size_t node_connections(const struct node *node)
{
    return node->connections;
}

static uint64_t counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)counter, memory_order_relaxed);
}

void node_count(const struct node *node, struct node_counts *sum)
{
    const struct counters *counters = &node->counters;
    for (size_t i = 0; i < NODE_REFUSAL_COUNT; i++) {
        sum->refusals[i] += counter_get(&counters->refusals[i]);
    }
    for (size_t i = 0; i < NODE_DELAY_COUNT; i++) {
        sum->delays[i] += counter_get(&counters->delays[i]);
    }
    sum->delay_ms += counter_get(&counters->delay_ms);
    sum->connections += counter_get(&counters->connections);
    sum->opened += counter_get(&counters->opened);
    sum->messages += counter_get(&counters->messages);
    sum->answers += counter_get(&counters->answers);
    sum->parked += counter_get(&counters->parked);
    sum->bytes_in += counter_get(&counters->bytes_in);
    sum->bytes_out += counter_get(&counters->bytes_out);
}

void node_refused(struct node *node, enum node_refusal refusal)
{
    counter_add(&node->counters.refusals[refusal], 1);
}
