// SPDX-License-Identifier: Apache-2.0
// The SPOE agent: threads with an epoll loop each, connections that belong to one of them, and questions that
// are under way. What an answer says is written by reply.h, what a connection may do is peer.h's business.
#ifndef HAPROXY_AGENT_H
#define HAPROXY_AGENT_H

#include "haproxy/notify.h"
#include "haproxy/peer.h"

#include <pdp/adapter.h>
#include <pthread.h>
#include <stdatomic.h>

// What went wrong at the door, counted and told in the log, at most once a second each.
// X(NAME, event, level)
#define COMPLAINT_LIST(X)                          \
    X(PROTOCOL, "spoe_protocol", PDP_LOG_WARN)     \
    X(REQUEST, "spoe_request", PDP_LOG_WARN)       \
    X(NO_ANSWER, "spoe_no_answer", PDP_LOG_WARN)   \
    X(OVERLOADED, "spoe_overloaded", PDP_LOG_WARN) \
    X(SLOW, "spoe_slow_reader", PDP_LOG_WARN)      \
    X(FULL, "spoe_connections", PDP_LOG_WARN)      \
    X(SYSTEM, "spoe_system", PDP_LOG_ERROR)

enum complaint {
#define X(name, event, level) COMPLAINT_##name,
    COMPLAINT_LIST(X)
#undef X
    COMPLAINTS
};

struct agent_settings {
    int64_t deadline_ms; // until an answer; then it is a deny
    int64_t hello_ms;    // until a HELLO is whole, and until a frame that has begun is
    int64_t idle_ms;     // without a frame and without a question under way
    int64_t stall_ms;    // that a connection may not read what is sent to it
    int64_t connections; // in all
    struct peer_rules peer;
    struct notify_rules notify;
    enum spop_scope scope;
};

struct loop;

struct agent {
    struct agent_settings settings;
    struct identity *identity; // that settings.notify borrows
    struct pdp_decider decider;
    const int *listeners; // our own copy of the list
    size_t listener_count;
    int64_t (*now_ms)(void *user);
    void (*log)(void *user, enum pdp_log_level level, const char *event, const char *text);
    void *user;
    struct loop **loops;
    unsigned loop_count;
    _Atomic int64_t links; // connections, of all loops
    struct {
        _Atomic int64_t told_ms;
        _Atomic uint64_t kept; // since it was told
    } complaints[COMPLAINTS];
};

__attribute__((format(printf, 3, 4))) void agent_complain(struct agent *agent, enum complaint what,
                                                          const char *format, ...);
// Milliseconds of a clock that never steps.
int64_t agent_clock_ms(void);

// ---- Desk: what other threads lay down for a loop
// -------------------------------------------------------------

struct ask;

// Outlives its loop for as long as a question holds it.
struct desk {
    pthread_mutex_t lock;
    int event;           // eventfd, readable where something lies there
    bool closed;         // the loop is gone
    struct ask *answers; // newest first
    int *sockets;        // connections that are this loop's from now on
    size_t socket_count, socket_room;
    _Atomic unsigned holders;
};

MUST_USE enum pdp_err desk_new(struct desk **out);
void desk_hold(struct desk *desk);
// Frees it with its last holder. Leaves NULL behind.
void desk_drop(struct desk **desk);
// Any thread. false: the loop is gone, the caller keeps what it brought.
MUST_USE bool desk_put_answer(struct desk *desk, struct ask *ask);
MUST_USE bool desk_put_socket(struct desk *desk, int fd);
void desk_wake(struct desk *desk);

// ---- Questions under way
// ----------------------------------------------------------------------------------------

// One NOTIFY. Belongs to its loop, but for `err`, `answer` and `next`, which belong to who answers until it
// is back on the desk.
struct ask {
    struct ask *next; // on the desk
    struct desk *desk;
    enum pdp_err err;
    struct pdp_answer *answer;

    struct ask *before, *after; // in the loop's list, the oldest first
    struct link *link;          // NULL: nobody waits for it any more
    uint64_t stream_id, frame_id;
    int64_t until_ms;
    size_t subject_len;
    char subject[]; // as far as the reply tells it
};

// Asks what a NOTIFY says. Every way out ends in exactly one ACK, now or later.
void ask_begin(struct loop *loop, struct link *link, const struct spop_frame *notify);
// Takes the answers off the desk, in the order in which they came.
void ask_collect(struct loop *loop, struct ask *newest_first);
// Answers deny what has waited too long.
void ask_expire(struct loop *loop, int64_t now_ms);
// Nobody waits any more for what this connection asked.
void ask_forget(struct loop *loop, struct link *link);
// Frees what came back to a loop that is gone.
void ask_free(struct ask **ask);

// ---- Connections
// --------------------------------------------------------------------------------------------------

struct link {
    int fd;
    struct peer peer;
    struct link *before, *after; // of the loop
    struct link *next_dirty;
    bool dirty;  // has something to send, or may read again
    bool paused; // reads no more until answers are out
    bool shut;   // all is sent, the other side has to close
    bool dead;   // to be freed
    bool watches_in, watches_out;
    unsigned under_way;
    int64_t since_ms;   // opened, or what it last did
    int64_t partial_ms; // since when a frame is not whole; 0: none is
    int64_t stuck_ms;   // since when nothing of what is to be sent was taken; 0: nothing waits
};

// Takes `fd`; closes it where it cannot be served.
void link_open(struct loop *loop, int fd);
// What epoll said of it.
void link_ready(struct loop *loop, struct link *link, uint32_t events);
// There is something to send, or room to read again: see to it before the loop sleeps.
void link_touch(struct loop *loop, struct link *link);
void link_flush_all(struct loop *loop);
// Deadlines of all connections.
void link_sweep(struct loop *loop, int64_t now_ms);
// Frees those that are dead.
void link_reap(struct loop *loop);
// Ends all connections that have nothing under way; with `now`, all.
void link_end_all(struct loop *loop, bool now);

// ---- Loop
// -----------------------------------------------------------------------------------------------------------

struct loop {
    struct agent *agent;
    struct desk *desk;
    int epoll;
    pthread_t thread;
    bool started;
    bool accepting;
    _Atomic bool stop;
    _Atomic int64_t load; // connections of this loop
    int64_t now_ms;       // when it last woke
    int64_t sweep_ms;     // when it next looks at deadlines of connections
    struct pdp_question *question;
    struct ask *oldest, *newest;
    unsigned asks; // with those that nobody waits for any more
    struct link *links, *dirty;
};

MUST_USE enum pdp_err loop_new(struct agent *agent, struct loop **out);
MUST_USE enum pdp_err loop_start(struct loop *loop);
// Tells its thread to end once what is under way is answered, and waits for that. Loops lay connections on
// each other's desks: all are joined before the first is freed.
void loop_stop(struct loop *loop);
void loop_join(struct loop *loop);
// Leaves NULL behind.
void loop_free(struct loop **loop);

#endif
