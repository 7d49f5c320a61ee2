// SPDX-License-Identifier: Apache-2.0
// The daemon as a pure machine: bytes and time in, bytes and deadlines out. One node a thread, no lock.
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "engine/engine.h"
#include "sp/sp.h"

#define NODE_NAME_MAX 256 // bytes of a peer's name; a longer one is refused

// Why a connection was refused or closed, or a message dropped. X(name, wire name, what it means)
#define NODE_REFUSAL_LIST(X)                                                    \
    X(HANDSHAKE_BAD, "handshake_bad", "the first bytes were no SP handshake")   \
    X(HANDSHAKE_TYPE, "handshake_type", "the peer speaks another SP protocol")  \
    X(HANDSHAKE_LATE, "handshake_late", "no handshake in time")                 \
    X(HANDSHAKE_LEFT, "handshake_left", "the peer left during the handshake")   \
    X(FRAME_BAD, "frame_bad", "a frame of an unknown kind")                     \
    X(FRAME_LONG, "frame_long", "a frame above the size limit")                 \
    X(FRAME_LATE, "frame_late", "a frame was begun and not ended in time")      \
    X(FRAME_LEFT, "frame_left", "the peer left within a frame")                 \
    X(HOPS_BAD, "hops_bad", "a message without a request id")                   \
    X(HOPS_DEEP, "hops_deep", "a message that came over too many hops")         \
    X(IDLE, "idle", "nothing asked for too long")                               \
    X(SLOW_READER, "slow_reader", "answers were not read in time")              \
    X(BACKLOG, "backlog", "an answer did not fit the output limit")             \
    X(CONNECTIONS, "connections", "too many connections")                       \
    X(PEER_CONNECTIONS, "peer_connections", "too many connections of one peer") \
    X(NAME, "name", "a peer whose name cannot be used")                         \
    X(PEER, "peer_unknown", "a TLS peer that no entry of `peers` matches")      \
    X(BARRED, "barred", "a peer that may not listen here, or may no longer")    \
    X(TLS_BAD, "tls_bad", "a TLS handshake that failed")                        \
    X(TLS_LATE, "tls_late", "no TLS handshake in time")                         \
    X(TLS_MANY, "tls_many", "too many TLS handshakes at once")                  \
    X(CERTIFICATE, "certificate_over", "its certificate was revoked or ended")  \
    X(MEMORY, "memory", "memory was out")                                       \
    X(UNASKED, "unasked", "a peer that may only listen sent something")         \
    X(DESCRIPTORS, "descriptors", "no descriptor was left to accept with")      \
    X(DRAIN, "drain", "cut off when the daemon stopped")

enum node_refusal {
#define X(name, text, meaning) NODE_REFUSAL_##name,
    NODE_REFUSAL_LIST(X)
#undef X
    NODE_REFUSAL_COUNT
};
const char *node_refusal_name(enum node_refusal refusal);
const char *node_refusal_text(enum node_refusal refusal);

struct node_limits {
    uint32_t connections;      // of the node
    uint32_t peer_connections; // of one origin, on this node
    uint32_t in_flight;        // parked questions of one connection; more are not read
    uint32_t turn_messages;    // of one connection before the others have theirs
    int64_t queue_ms;          // a question that waited longer is answered `overloaded`; 0: however long
    size_t message_bytes;      // of one message with its hops
    size_t backlog_bytes;      // of answers not taken yet: above it, nothing more is read
    size_t waiting_bytes; // held for all readers that do not keep up: above it, one that does not is closed
    size_t output_bytes;  // hard limit of backlog_bytes: an answer that does not fit closes the connection
    int64_t handshake_ms; // from the opening to the last byte of the handshake
    int64_t frame_ms;     // from the first to the last byte of a frame
    int64_t idle_ms;      // from one message to the next while nothing is owed
    int64_t stall_ms;     // for a reader to take NODE_PROGRESS_BYTES of what is owed, or all of it
};
extern const struct node_limits NODE_LIMITS_DEFAULT;
#define NODE_PROGRESS_BYTES 16384

// Deadlines run on a clock that never jumps; decisions are made on the wall's.
struct node_now {
    int64_t steady_ms, wall_ms;
};

struct node;
struct node_asking; // the message that a handler is looking at

struct node_ticket {
    uint32_t slot, generation;
};

enum node_outcome {
    NODE_DONE,
    NODE_PARKED
};

// Appends the answer to `out` and returns NODE_DONE; or keeps a ticket of node_park() and returns
// NODE_PARKED, and node_complete() is called later by the node's thread. `message` lives for the call.
//
// Without `answer` the node is one that speaks first (PUB, SURVEYOR), by node_push: `opened` is called when a
// peer's handshake is whole (it may push), `heard` for what the peer sends, with its stack of hops (it must
// not; NULL: a peer that sends anything is closed), `closed` when an opened one has gone.
struct node_handler {
    enum node_outcome (*answer)(void *user, struct node_asking *asking, struct str message, struct buf *out);
    void *user;
    void (*opened)(void *user, struct node *node, uint64_t id, const struct peer *peer, struct node_now now);
    void (*heard)(void *user, uint64_t id, struct str hops, struct str message, struct node_now now);
    void (*closed)(void *user, uint64_t id);
};
const struct peer *node_asking_peer(const struct node_asking *asking);
struct str node_asking_origin(const struct node_asking *asking); // as node_open.origin
struct node_now node_asking_now(const struct node_asking *asking);
// How long it has waited since it was first seen, at least, and how long one may (0: however long).
int64_t node_asking_waited_ms(const struct node_asking *asking);
int64_t node_asking_queue_ms(const struct node_asking *asking);
// Answering it costs more than its bytes tell: so many more are taken from the share of who asked, and once
// they are a whole one, others are answered before the next message of the connection.
void node_asking_charge(struct node_asking *asking, size_t bytes);
// A ticket for the message; *out zeroed on failure (NOMEM), which the handler must answer itself.
MUST_USE enum pdp_err node_park(struct node_asking *asking, struct node_ticket *out);
// Sends a parked message's answer. CLOSED where its connection is gone, UNKNOWN for a ticket that was used
// before.
enum pdp_err node_complete(struct node *node, struct node_ticket ticket, struct str answer,
                           struct node_now now);

// Sends a message of ours, behind `hops` (of a survey: its id; else empty). CLOSED where the peer is gone, or
// did not take so much that this found no room: then it is closed, and counted.
enum pdp_err node_push(struct node *node, uint64_t id, struct str hops, struct str message,
                       struct node_now now);
// The same to every peer whose handshake is whole; returns how many there are.
size_t node_push_all(struct node *node, struct str hops, struct str message, struct node_now now);

// Closes every peer that is not admitted, or is not any more (counted as BARRED).
void node_admit_only(struct node *node, bool (*admits)(void *user, const struct peer *peer), void *user);

struct node_config {
    struct node_handler handler;
    struct node_limits limits;
    uint16_t type;        // of our side of the handshake: SP_REP0, SP_PUB0, SP_SURVEYOR0
    struct hash_key seed; // keys the table of origins
};
MUST_USE enum pdp_err node_new(const struct node_config *config, struct node **out);
void node_free(struct node **node);

// ---- Connections. An id is never used again; calls with one that is gone do nothing ----------------------

struct node_open {
    uint64_t handle; // the caller's, given back on output, changes and closing
    enum sp_transport transport;
    size_t read_least; // room that every node_space gives; 0: the node's own choice
    struct str origin; // what connections are counted by: `uid:1000`, `ip:192.0.2.1`
    struct peer peer;  // name is copied
};
// LIMIT (counted) where there are too many, NOMEM, RANGE for a name above NODE_NAME_MAX: the caller closes
// it.
MUST_USE enum pdp_err node_open(struct node *node, const struct node_open *open, struct node_now now,
                                uint64_t *id);
bool node_handle(const struct node *node, uint64_t id, uint64_t *handle); // false: gone or about to be closed

struct node_space {
    unsigned char *at;
    size_t len; // at least 1
};
// Where to read to, until the next call to the node. false: nothing is to be read from it now.
bool node_space(struct node *node, uint64_t id, struct node_space *out);
// It has whole messages that a later turn answers, so nothing needs to be done about it now.
bool node_waiting(const struct node *node, uint64_t id);
// `len` bytes were put where node_space said. Answers at most turn_messages of them.
void node_received(struct node *node, uint64_t id, size_t len, struct node_now now);
// The peer sends no more; what it asked is still answered.
void node_ended(struct node *node, uint64_t id, struct node_now now);
// The peer is gone: nothing can be sent to it.
void node_lost(struct node *node, uint64_t id);

// There is something to read from it; hung_up: and nothing can be sent to it any more.
bool node_readable(struct node *node, uint64_t id, bool hung_up, struct node_now now);

struct node_ready {
    uint64_t id, handle;
    bool reads; // read from it now; else messages that it had sent before were answered
    bool hung_up;
};
// Whose turn it is among all that are readable or have whole messages waiting. Origins take turns, and each
// has NODE_QUANTUM bytes of questions and answers in one, however many connections it has; within an origin
// its connections take turns. What one takes too much it gives back in the next. false: the turn is over
// after NODE_TURN bytes, or nothing is ready; node_runnable tells which. The next call begins another turn.
// Who stops asking earlier goes on where it stopped.
bool node_next_ready(struct node *node, struct node_now now, struct node_ready *out);
bool node_runnable(const struct node *node);
#define NODE_QUANTUM INT64_C(65536)
#define NODE_TURN INT64_C(1048576)

struct node_output {
    uint64_t id, handle;
    struct str bytes;
};
// The next connection with bytes to send that were not offered yet. What is sent is told by node_sent (0
// too); the rest is offered again after node_writable.
bool node_next_output(struct node *node, struct node_output *out);
void node_sent(struct node *node, uint64_t id, size_t len, struct node_now now);
void node_writable(struct node *node, uint64_t id);

// Connections whose interests have changed since they were told; a new one begins with reading.
struct node_change {
    uint64_t id, handle;
    bool read, write;
};
bool node_next_change(struct node *node, struct node_change *out);
// Connections to close now. Call after their last output was offered.
bool node_next_closed(struct node *node, uint64_t *handle);

// When node_expire is due, on the steady clock; INT64_MAX: never.
int64_t node_deadline(const struct node *node);
void node_expire(struct node *node, struct node_now now);

// No more is read; each connection is closed as soon as nothing is owed to it. Closing all the rest is
// node_cut.
void node_drain(struct node *node, struct node_now now);
void node_cut(struct node *node);
void node_resume(struct node *node); // after node_cut: as if it had never drained
size_t node_connections(const struct node *node);

// ---- Counters: any thread may read -----------------------------------------------------------------------

#define NODE_DELAY_COUNT 11
extern const int64_t NODE_DELAYS_MS[NODE_DELAY_COUNT - 1]; // upper bounds, inclusive

struct node_counts {
    uint64_t refusals[NODE_REFUSAL_COUNT];
    uint64_t connections; // now
    uint64_t opened, messages, answers, parked, bytes_in, bytes_out;
    uint64_t delays[NODE_DELAY_COUNT]; // messages by how long they waited: up to NODE_DELAYS_MS, or longer
    uint64_t delay_ms;                 // of all of them
};
// Adds the node's counters to *sum.
void node_count(const struct node *node, struct node_counts *sum);
void node_refused(struct node *node, enum node_refusal refusal); // for what the caller refused itself

#endif
