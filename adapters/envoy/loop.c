// SPDX-License-Identifier: Apache-2.0
#include "envoy/loop.h"

#include "common/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const int64_t ACCEPT_PAUSE_MS = 100; // when descriptors are out

enum {
    EVENTS_A_TURN = 128,
    ACCEPTS_A_TURN = 16
};

struct loop {
    const struct loop_rules *rules;
    struct calls calls;
    pthread_t thread;
    int epoll;
    struct conn *first, *last; // by use: the first has been quiet for longest
    size_t count;
    struct conn *in_hand; // whose answers are being made
    int64_t now_ms, due_ms, accept_again_ms, farewell_ms;
    bool accepting, leaving, busy;
    struct conn_scratch scratch;
};

// What an event is about: the box, a listener, or a connection.
static char BOX, LISTENER; // their addresses alone count

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- The list ----------------------------------------------------------------------------------------

static void list_out(struct loop *loop, struct conn *conn)
{
    *(conn->prev != NULL ? &conn->prev->next : &loop->first) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &loop->last) = conn->prev;
    conn->prev = conn->next = NULL;
    loop->count--;
}

static void list_in(struct loop *loop, struct conn *conn)
{
    conn->prev = loop->last;
    *(loop->last != NULL ? &loop->last->next : &loop->first) = conn;
    loop->last = conn;
    loop->count++;
}

static void drop(struct loop *loop, struct conn *conn)
{
    list_out(loop, conn);
    conn_free(&conn); // closes the descriptor, so epoll forgets it
}

// ---- What is waited for ------------------------------------------------------------------------------

static bool watch(struct loop *loop, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void wait_until(struct loop *loop, int64_t due_ms)
{
    loop->due_ms = due_ms < loop->due_ms ? due_ms : loop->due_ms;
}

// After any work on a connection.
static void settle(struct loop *loop, struct conn *conn, bool wanted_write)
{
    if (conn->over) {
        drop(loop, conn);
        return;
    }
    if (conn->wants_write != wanted_write) {
        struct epoll_event event = {.events = conn->wants_write ? EPOLLOUT : EPOLLIN, .data.ptr = conn};
        if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, conn->wire.fd, &event) != 0) {
            drop(loop, conn);
            return;
        }
    }
    loop->busy = loop->busy || conn->again;
    wait_until(loop, conn_due(conn));
}

static void work(struct loop *loop, struct conn *conn)
{
    bool wanted_write = conn->wants_write;
    list_out(loop, conn);
    list_in(loop, conn);
    conn_work(conn, loop->now_ms, &loop->scratch);
    settle(loop, conn, wanted_write);
}

// ---- Newcomers ---------------------------------------------------------------------------------------

static void listeners_watch(struct loop *loop, bool on)
{
    for (size_t i = 0; i < loop->rules->listener_count; i++) {
        int fd = loop->rules->listeners[i];
        if (on) {
            on = watch(loop, fd, EPOLLIN | EPOLLEXCLUSIVE, &LISTENER);
        } else {
            (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
        }
    }
    loop->accepting = on;
}

// The one that has been quiet for longest gives way; where all are at work there is no room.
static bool room(struct loop *loop)
{
    if (loop->count < loop->rules->conns_most) {
        return true;
    }
    for (struct conn *conn = loop->first; conn != NULL; conn = conn->next) {
        if (conn_is_idle(conn)) {
            drop(loop, conn);
            return true;
        }
    }
    return false;
}

// As the system writes an address; empty for a unix socket.
static bool is_believed(const struct loop *loop, const struct sockaddr_storage *from)
{
    char peer[INET6_ADDRSTRLEN] = "";
    const void *at = from->ss_family == AF_INET6
                         ? (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)from)->sin_addr;
    if (from->ss_family != AF_UNIX && inet_ntop(from->ss_family, at, peer, sizeof peer) == NULL) {
        return false;
    }
    return identity_trusts(loop->rules->conns.calls.check.identity, peer);
}

static void welcome(struct loop *loop, int fd, const struct sockaddr_storage *from)
{
    static const int ON = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &ON, sizeof ON); // not of a unix socket, which needs none
    struct conn *conn = NULL;
    if (!room(loop)) {
        (void)close(fd);
        return;
    }
    if (conn_new(&loop->rules->conns, &loop->calls, fd, is_believed(loop, from), loop->now_ms, &conn) !=
        PDP_ERR_OK) {
        return;
    }
    list_in(loop, conn);
    if (!watch(loop, fd, EPOLLIN, conn)) {
        drop(loop, conn);
        return;
    }
    wait_until(loop, conn_due(conn));
}

static void accept_some(struct loop *loop, int listener)
{
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(loop, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listeners_watch(loop, false);
            loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
            wait_until(loop, loop->accept_again_ms);
            loop->rules->log(loop->rules->user, PDP_LOG_WARN, "ext_authz_no_descriptors",
                             "no descriptor is left for another gateway's connection");
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void accept_all(struct loop *loop)
{
    for (size_t i = 0; i < loop->rules->listener_count && loop->accepting; i++) {
        accept_some(loop, loop->rules->listeners[i]);
    }
}

// ---- Answers -----------------------------------------------------------------------------------------

static void flush_in_hand(struct loop *loop)
{
    struct conn *conn = loop->in_hand;
    loop->in_hand = NULL;
    if (conn != NULL) {
        bool wanted_write = conn->wants_write;
        conn_flush(conn, loop->now_ms, &loop->scratch);
        settle(loop, conn, wanted_write);
    }
}

// Answers to the same connection that lie one behind the other go out together.
static void on_ready(void *user, void *whose)
{
    struct loop *loop = user;
    struct conn *conn = whose;
    if (loop->in_hand != conn) {
        flush_in_hand(loop);
        loop->in_hand = conn;
    }
    http2_tick(conn->http2, loop->now_ms);
}

// ---- Turns -------------------------------------------------------------------------------------------

static void tick(struct loop *loop)
{
    if (loop->now_ms < loop->due_ms) {
        return;
    }
    loop->due_ms = INT64_MAX;
    for (struct conn *conn = loop->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        bool wanted_write = conn->wants_write;
        if (conn_due(conn) <= loop->now_ms) {
            conn_tick(conn, loop->now_ms, &loop->scratch);
        }
        settle(loop, conn, wanted_write);
    }
    if (!loop->accepting && !loop->leaving) {
        if (loop->now_ms >= loop->accept_again_ms) {
            listeners_watch(loop, true);
        }
        wait_until(loop, loop->accept_again_ms);
    }
}

static void leave(struct loop *loop)
{
    loop->leaving = true;
    loop->farewell_ms = loop->now_ms + loop->rules->farewell_ms;
    if (loop->accepting) {
        listeners_watch(loop, false);
    }
    for (struct conn *conn = loop->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        bool wanted_write = conn->wants_write;
        conn_leave(conn, loop->now_ms, &loop->scratch);
        settle(loop, conn, wanted_write);
    }
}

// Those who had more to say than their turn took.
static void work_again(struct loop *loop)
{
    if (!loop->busy) {
        return;
    }
    loop->busy = false;
    for (struct conn *conn = loop->first, *next, *end = loop->last; conn != NULL; conn = next) {
        next = conn == end ? NULL : conn->next;
        if (conn->again) {
            work(loop, conn);
        }
    }
}

static int pause_ms(const struct loop *loop)
{
    int64_t due = loop->leaving && loop->farewell_ms < loop->due_ms ? loop->farewell_ms : loop->due_ms;
    int64_t left = due - loop->now_ms;
    return loop->busy || left <= 0 ? 0 : due == INT64_MAX ? -1 : left > 60000 ? 60000 : (int)left;
}

static bool turn(struct loop *loop)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, pause_ms(loop));
    loop->now_ms = steady_ms();
    bool newcomers = false, answers = false;
    // A connection is worked on once a turn, and is freed only by its own event until all are seen.
    for (int i = 0; i < count; i++) {
        newcomers = newcomers || events[i].data.ptr == &LISTENER;
        answers = answers || events[i].data.ptr == &BOX;
        if (events[i].data.ptr != &LISTENER && events[i].data.ptr != &BOX) {
            work(loop, events[i].data.ptr);
        }
    }
    if (answers) {
        calls_take(&loop->calls, on_ready, loop);
        flush_in_hand(loop);
    }
    if (newcomers) {
        accept_all(loop);
    }
    work_again(loop);
    tick(loop);
    if (!loop->leaving && atomic_load(loop->rules->conns.calls.closing)) {
        leave(loop);
    }
    return !loop->leaving || (loop->first != NULL && loop->now_ms < loop->farewell_ms);
}

static void *serve(void *user)
{
    struct loop *loop = user;
    loop->calls.thread = pthread_self();
    loop->now_ms = steady_ms();
    while (turn(loop)) {
    }
    while (loop->first != NULL) {
        drop(loop, loop->first);
    }
    return NULL;
}

// ---- Life --------------------------------------------------------------------------------------------

static void loop_free(struct loop *loop)
{
    calls_fini(&loop->calls);
    if (loop->epoll >= 0) {
        (void)close(loop->epoll);
    }
    free(loop);
}

// Signals are the host's: none is taken by our threads.
static bool start_thread(struct loop *loop)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&loop->thread, NULL, serve, loop) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum pdp_err loop_start(const struct loop_rules *rules, struct loop **out)
{
    *out = NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return PDP_ERR_NOMEM;
    }
    loop->rules = rules;
    loop->due_ms = INT64_MAX;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (calls_init(&loop->calls, &rules->conns.calls, rules->conns.http2.streams * 4) != PDP_ERR_OK) {
        loop_free(loop);
        return PDP_ERR_NOMEM;
    }
    bool good = loop->epoll >= 0 && watch(loop, calls_wake_fd(&loop->calls), EPOLLIN, &BOX);
    if (good) {
        listeners_watch(loop, true);
    }
    if (!good || !loop->accepting || !start_thread(loop)) {
        loop_free(loop);
        return PDP_ERR_IO;
    }
    *out = loop;
    return PDP_ERR_OK;
}

void loop_nudge(struct loop *loop)
{
    calls_wake(&loop->calls);
}

void loop_join(struct loop **loop_ptr)
{
    struct loop *loop = *loop_ptr;
    *loop_ptr = NULL;
    if (loop != NULL) {
        (void)pthread_join(loop->thread, NULL);
        loop_free(loop);
    }
}
