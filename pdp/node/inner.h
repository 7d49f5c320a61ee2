// SPDX-License-Identifier: Apache-2.0
// What the files of the node share: its tables, its lists, and one connection.
#ifndef NODE_INNER_H
#define NODE_INNER_H

#include "node/link.h"
#include "node/node.h"
#include "node/origin.h"
#include "node/pool.h"
#include "node/timer.h"

#include <stdatomic.h>

#define NODE_SCRATCH_BYTES 65536 // read at once
#define NODE_TRIM_MS 1000

enum conn_state {
    CONN_SHAKING,
    CONN_OPEN,
    CONN_CLOSED
};

struct conn {
    uint64_t id, handle;
    enum conn_state state;
    enum sp_transport transport;
    struct peer peer; // its name points to `name`
    struct origin *origin;
    struct buf in;  // what has arrived of messages not answered yet; memory only while there is some
    struct buf out; // answers not sent yet; memory only while there are some
    size_t sent;    // bytes of `out` that are gone
    size_t read_least;
    size_t waiting; // capacity of `out` while its reader does not keep up; counted in node->waiting
    int64_t opened_ms, heard_ms;
    int64_t frame_since_ms; // a frame was begun; valid where `in` holds something
    int64_t stall_since_ms; // the reader last took its share; valid where `out` holds something
    size_t stall_bytes;     // taken since
    uint32_t parked;
    int64_t since_ms; // what is answered next was first seen then
    bool told;        // there is something to read, and it was not read yet
    bool hung_up;     // and behind it the connection is broken
    bool more;        // `in` begins with a whole message that a limit holds back
    bool ended;       // the peer sends no more
    bool waits;       // the last send did not take everything
    bool told_read, told_write;
    struct timer timer;
    struct link run, dirty, change, closed;
    char name[];
};

struct slot {
    struct conn *conn;
    uint32_t next_free;
};

struct parked {
    uint64_t conn;
    uint32_t generation, next_free;
    uint8_t hops_len; // 0: the place is free
    unsigned char hops[SP_HOPS_BYTES];
};

struct counters {
    _Atomic uint64_t refusals[NODE_REFUSAL_COUNT];
    _Atomic uint64_t delays[NODE_DELAY_COUNT], delay_ms;
    _Atomic uint64_t connections, opened, messages, answers, parked, bytes_in, bytes_out;
};

struct node {
    struct node_handler handler;
    struct node_limits limits;
    uint16_t type;
    bool draining;
    struct slot *slots;
    size_t slot_count, slot_cap;
    uint32_t slot_free;  // index + 1
    uint32_t generation; // of the connection opened last: high half of its id
    struct parked *parked;
    size_t parked_count, parked_cap;
    uint32_t parked_free; // index + 1
    struct origin_table origins;
    struct timer_heap timers;
    struct pool pool;
    int64_t trim_ms;
    int64_t budget;  // what this turn may still cost
    int64_t charged; // by the handler, of messages that the connection at hand has had answered in its turn
    size_t connections;
    size_t waiting;     // bytes held for readers that do not keep up
    struct link active; // origins with ready connections, in the order of their turns
    struct link dirty, change, closed;
    struct counters counters;
    unsigned char scratch[NODE_SCRATCH_BYTES];
};

struct node_asking {
    struct node *node;
    struct conn *conn;
    struct str hops;
    struct node_now now;
    bool parked;
};

// Only the node's own thread writes, so no locked instruction is needed.
static inline void counter_add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static inline size_t conn_owed(const struct conn *conn)
{
    return conn->out.len - conn->sent;
}

struct conn *node_find(const struct node *node, uint64_t id); // NULL: gone, or closed
// Closes it, for a reason (counted) or NODE_REFUSAL_COUNT for none. What is owed is offered once more if
// `parting`.
void conn_close(struct node *node, struct conn *conn, enum node_refusal why, bool parting);
// turn.c: has something to answer or to read, since `since_ms`; in no list, or leaves it.
void conn_ready(struct node *node, struct conn *conn, int64_t since_ms);
void conn_unready(struct conn *conn);
// A message was answered: what it cost, and how long it had waited.
void turn_charge(struct node *node, const struct conn *conn, size_t bytes);
// Has the connection at hand had a whole share by what the handler has charged for it? Then others come
// first.
bool turn_spent(const struct node *node);
void turn_waited(struct node *node, int64_t waited_ms);
// Answers what is in `bytes` until turn_messages, a limit or the end; moves *bytes past what was used.
void conn_feed(struct node *node, struct conn *conn, struct str *bytes, struct node_now now);
void conn_feed_kept(struct node *node, struct conn *conn, struct node_now now); // what is in `in`
// Frames an answer that handler or ticket wrote from `start` of conn->out on; false where it closed the
// connection.
bool conn_begin_answer(struct node *node, struct conn *conn, struct str hops, size_t *start);
bool conn_end_answer(struct node *node, struct conn *conn, size_t start, struct node_now now);
// Keeps lists, timer and told interests true after any change. May close the connection.
void conn_settle(struct node *node, struct conn *conn, struct node_now now);
// To be told when there is something to read. One whose turn is only over stays so: its next turn is at once,
// and telling the caller twice would cost more than being told in vain.
bool conn_wants(const struct node *node, const struct conn *conn);
bool conn_reads(const struct node *node, const struct conn *conn); // now
bool conn_held(const struct node *node, const struct conn *conn);  // by a limit: not answered on
// When it will be closed unless something happens, and why.
int64_t conn_due(const struct node *node, const struct conn *conn, enum node_refusal *why);

#endif
