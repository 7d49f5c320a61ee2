// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/loop.h"

#include "base/num.h"
#include "daemon/clock.h"
#include "daemon/net/shake.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

// A node's ids have their top bit clear; these are ours.
static const uint64_t ID_WAKE = UINT64_MAX;
static const uint64_t ID_LISTENER = UINT64_C(1) << 63; // + index
static const int64_t ACCEPT_PAUSE_MS = 100;
static const int64_t ADMIT_MS = 1000; // from one look at who may stay to the next
static const int64_t LAST_WORDS_MS = 2000;
static const int64_t TURN_MS = 5; // then others are listened to, however dear the questions are

enum {
    EVENTS_A_TURN = 256,
    CONNECTIONS_A_TURN = NODE_TURN / NODE_QUANTUM, // that take all they may
    ACCEPTS_A_TURN = 64, // a storm of leavers must not keep newcomers in the backlog
    WAITS_A_TURN = 64,   // 16384 connections
    VERIFIES_A_TURN = 8, // of certificates of open connections
    LAST_TURNS = 4
};

struct loop {
    struct loop_config config;
    struct node *node;
    int epoll, wake;
    int reserve; // a descriptor to give up, so that a connection can be accepted and closed when none is left
    _Atomic bool stop;
    _Atomic int64_t busy_since_ms;
    _Atomic bool sweep; // was asked for
    bool accepting, working;
    int accepts_left;    // of this turn
    struct link secured; // streams with TLS: those not looked at in this sweep come first
    size_t sweep_left;   // of them, to look at
    pthread_mutex_t lock;
    struct link arrivals; // under the lock
    int64_t accept_again_ms;
    int64_t turn_ms;  // how long others are not listened to
    int64_t tick_ms;  // when config.tick is due
    int64_t admit_ms; // when those who are here are looked at again; INT64_MAX: never
    struct node_now now;
    struct epoll_event events[EVENTS_A_TURN];
};

static void listeners_watch(struct loop *loop)
{
    for (size_t i = 0; i < loop->config.listener_count; i++) {
        if (loop->config.listeners[i].spec.url.tls) {
            continue;
        }
        // Exclusive: a new connection wakes one loop, not all.
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = ID_LISTENER + i};
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->config.listeners[i].fd, &event);
    }
    loop->accepting = true;
}

static void listeners_leave(struct loop *loop)
{
    for (size_t i = 0; loop->accepting && i < loop->config.listener_count; i++) {
        if (!loop->config.listeners[i].spec.url.tls) {
            epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->config.listeners[i].fd, NULL);
        }
    }
    loop->accepting = false;
}

static int reserve_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

enum pdp_err loop_new(const struct loop_config *config, struct loop **out)
{
    *out = NULL;
    AUTO(loop_free) struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return PDP_ERR_NOMEM;
    }
    loop->config = *config;
    pthread_mutex_init(&loop->lock, NULL);
    link_head(&loop->arrivals);
    link_head(&loop->secured);
    loop->tick_ms = INT64_MAX;
    loop->admit_ms = config->admits != NULL ? 0 : INT64_MAX;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->reserve = reserve_open();
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = ID_WAKE};
    if (loop->epoll < 0 || loop->wake < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0) {
        return PDP_ERR_IO;
    }
    TRY(node_new(&config->node, &loop->node));
    *out = STEAL(loop);
    return PDP_ERR_OK;
}

static struct stream *stream_of(uint64_t handle)
{
    return (struct stream *)(uintptr_t)handle;
}

static void close_closed(struct loop *loop)
{
    uint64_t handle = 0;
    while (node_next_closed(loop->node, &handle)) {
        struct stream *stream = stream_of(handle);
        stream_close(&stream);
    }
}

static struct arrival *arrival_take(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct link *link = link_pop(&loop->arrivals);
    pthread_mutex_unlock(&loop->lock);
    return link != NULL ? LINK_OF(link, struct arrival, link) : NULL;
}

void loop_free(struct loop **loop_ptr)
{
    struct loop *loop = STEAL(*loop_ptr);
    if (loop == NULL) {
        return;
    }
    if (loop->node != NULL) {
        node_cut(loop->node);
        close_closed(loop);
    }
    node_free(&loop->node);
    for (struct arrival *late = arrival_take(loop); late != NULL; late = arrival_take(loop)) {
        arrival_free(&late);
    }
    pthread_mutex_destroy(&loop->lock);
    const int fds[] = {loop->epoll, loop->wake, loop->reserve};
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(loop);
}

// ---- Accepting -----------------------------------------------------------------------------------

// Takes the stream over.
static void welcome(struct loop *loop, const struct listen_spec *spec, const struct accepted *accepted,
                    struct str certificate, struct stream *stream)
{
    struct node_open open = {
        .handle = (uint64_t)(uintptr_t)stream,
        .transport = accepted->transport,
        .read_least = stream->ssl != NULL ? STREAM_READ_LEAST : 0,
        .origin = str_of(accepted->origin),
    };
    if (!identity_settle(loop->config.peers, spec, accepted, certificate, &open.peer)) {
        node_refused(loop->node, NODE_REFUSAL_PEER);
        stream_close(&stream);
        return;
    }
    char origin[NODE_NAME_MAX];
    if (certificate.len != 0) { // counted by who it is, from wherever it comes
        (void)snprintf(origin, sizeof origin, "peer:" STR_FMT, STR_ARG(open.peer.name));
        open.origin = str_of(origin);
    }
    if (loop->config.peer_hash != NULL) {
        open.peer.hash = loop->config.peer_hash(loop->config.user, open.peer.name);
    }
    if (loop->config.admits != NULL && !loop->config.admits(loop->config.user, &open.peer)) {
        node_refused(loop->node, NODE_REFUSAL_BARRED);
        stream_close(&stream);
        return;
    }
    if (node_open(loop->node, &open, loop->now, &stream->id) != PDP_ERR_OK) {
        stream_close(&stream);
        return;
    }
    if (stream->ssl != NULL) {
        link_add(&loop->secured, &stream->secured);
    }
    stream->told_read = true;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = stream->id};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stream->fd, &event) != 0) {
        node_refused(loop->node, NODE_REFUSAL_DESCRIPTORS);
        node_lost(loop->node, stream->id);
    }
}

static void welcome_plain(struct loop *loop, const struct listener *listener, const struct accepted *accepted)
{
    struct stream *stream = stream_new(accepted->fd, NULL, NULL);
    if (stream == NULL) {
        node_refused(loop->node, NODE_REFUSAL_MEMORY);
        close(accepted->fd);
        return;
    }
    welcome(loop, &listener->spec, accepted, (struct str){0}, stream);
}

// No descriptor is left: one connection is refused rather than left hanging, and then there is a pause, since
// the listener would go on being ready and the loop would spin.
static void accept_exhausted(struct loop *loop, const struct listener *listener)
{
    node_refused(loop->node, NODE_REFUSAL_DESCRIPTORS);
    if (loop->reserve >= 0) {
        close(loop->reserve);
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            close(fd);
        }
        loop->reserve = reserve_open();
    }
    listeners_leave(loop);
    loop->accept_again_ms = num_add_sat(loop->now.steady_ms, ACCEPT_PAUSE_MS);
}

static void accept_some(struct loop *loop, const struct listener *listener)
{
    for (; loop->accepts_left > 0 && loop->accepting; loop->accepts_left--) {
        struct accepted accepted;
        if (listener_accept(listener, &accepted)) {
            welcome_plain(loop, listener, &accepted);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return; // another loop was faster
        } else if (errno != ECONNABORTED && errno != EINTR) {
            accept_exhausted(loop, listener);
        }
    }
}

// ---- Those with TLS -------------------------------------------------------------------------------

// Is it good by what is true now? A signature is looked at only where files were read since it was last.
static bool stream_good(struct loop *loop, struct stream *stream, int *verifies)
{
    if (stream->until_s < loop->now.wall_ms / 1000) {
        return false;
    }
    struct tls_facts facts;
    tls_facts(stream->tls, &facts);
    if (facts.generation == stream->generation) {
        return true;
    }
    ++*verifies;
    stream->generation = facts.generation;
    return tls_still_good(stream->tls, stream->ssl);
}

static void adopt_all(struct loop *loop)
{
    int verifies = 0;
    for (struct arrival *one = arrival_take(loop); one != NULL; one = arrival_take(loop)) {
        if (stream_good(loop, one->stream, &verifies)) {
            welcome(loop, &one->listener->spec, &one->accepted, str_of(one->certificate), STEAL(one->stream));
        } else {
            node_refused(loop->node, NODE_REFUSAL_CERTIFICATE);
        }
        arrival_free(&one);
    }
    if (atomic_exchange_explicit(&loop->sweep, false, memory_order_acquire)) {
        loop->sweep_left = SIZE_MAX;
    }
}

// A little at a time: each goes to the end of the list, until all were looked at.
static void sweep_some(struct loop *loop)
{
    if (loop->sweep_left == SIZE_MAX) {
        loop->sweep_left = 0;
        for (const struct link *at = loop->secured.next; at != &loop->secured; at = at->next) {
            loop->sweep_left++;
        }
    }
    for (int verifies = 0; loop->sweep_left > 0 && verifies < VERIFIES_A_TURN; loop->sweep_left--) {
        struct link *link = link_pop(&loop->secured);
        if (link == NULL) {
            loop->sweep_left = 0;
            return;
        }
        struct stream *stream = LINK_OF(link, struct stream, secured);
        link_add(&loop->secured, link);
        if (!stream_good(loop, stream, &verifies)) {
            node_refused(loop->node, NODE_REFUSAL_CERTIFICATE);
            node_lost(loop->node, stream->id);
        }
    }
}

void loop_adopt(struct loop *loop, struct arrival *arrival)
{
    pthread_mutex_lock(&loop->lock);
    link_add(&loop->arrivals, &arrival->link);
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

void loop_sweep(struct loop *loop)
{
    atomic_store_explicit(&loop->sweep, true, memory_order_release);
    loop_wake(loop);
}

// ---- One turn ------------------------------------------------------------------------------------

// What epoll is to wait for: what the node wants, and what TLS needs for a read.
static bool stream_wait(struct loop *loop, const struct stream *stream)
{
    struct epoll_event event = {.data.u64 = stream->id};
    event.events =
        (stream->told_read ? EPOLLIN : 0U) | (stream->told_write || stream->read_writes ? EPOLLOUT : 0U);
    return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, stream->fd, &event) == 0;
}

static void read_from(struct loop *loop, const struct node_ready *ready)
{
    const uint64_t id = ready->id;
    const bool hung_up = ready->hung_up;
    struct node_space space;
    if (!node_space(loop->node, id, &space)) {
        if (hung_up && !node_waiting(loop->node, id)) {
            node_lost(loop->node, id);
        }
        return;
    }
    size_t len = 0;
    struct stream *stream = stream_of(ready->handle);
    bool waited = stream->read_writes;
    enum stream_got got = stream_read(stream, space.at, space.len, &len);
    if (stream->read_writes != waited && !stream_wait(loop, stream)) {
        got = STREAM_LOST;
    }
    if (got == STREAM_SOME) {
        node_received(loop->node, id, len, loop->now);
    } else if (hung_up || got == STREAM_LOST) {
        node_lost(loop->node, id);
    } else if (got == STREAM_ENDED) {
        node_ended(loop->node, id, loop->now);
    }
}

// true: it says something that this turn did not know.
static bool on_event(struct loop *loop, const struct epoll_event *event)
{
    uint64_t id = event->data.u64, handle = 0;
    bool news = false;
    if (id == ID_WAKE) {
        eventfd_t count;
        eventfd_read(loop->wake, &count);
        adopt_all(loop);
        if (loop->config.mail != NULL) {
            loop->config.mail(loop->config.user, loop->node, loop->now);
        }
    } else if (id >= ID_LISTENER) {
        accept_some(loop, &loop->config.listeners[id - ID_LISTENER]);
    } else if (node_handle(loop->node, id, &handle)) {
        bool read_writes = stream_of(handle)->read_writes;
        if ((event->events & EPOLLOUT) != 0) {
            node_writable(loop->node, id);
        }
        if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 || read_writes) {
            news = node_readable(loop->node, id, (event->events & (EPOLLHUP | EPOLLERR)) != 0, loop->now);
        }
    }
    return news;
}

static void send_all(struct loop *loop)
{
    struct node_output output;
    while (node_next_output(loop->node, &output)) {
        size_t sent = 0;
        if (stream_write(stream_of(output.handle), output.bytes, &sent) != STREAM_LOST) {
            node_sent(loop->node, output.id, sent, loop->now);
        } else {
            node_lost(loop->node, output.id);
        }
    }
}

static void tell_interests(struct loop *loop)
{
    struct node_change change;
    while (node_next_change(loop->node, &change)) {
        struct stream *stream = stream_of(change.handle);
        stream->told_read = change.read;
        stream->told_write = change.write;
        if (!stream_wait(loop, stream)) {
            node_lost(loop->node, change.id);
        }
    }
}

static int timeout_ms(const struct loop *loop, int64_t until_ms)
{
    if (loop->working || node_runnable(loop->node) || loop->sweep_left > 0) {
        return 0;
    }
    int64_t due = num_min(num_min(node_deadline(loop->node), loop->tick_ms), until_ms);
    due = num_min(due, loop->admit_ms);
    due = loop->accepting ? due : num_min(due, loop->accept_again_ms);
    if (due == INT64_MAX) {
        return -1;
    }
    int64_t wait = num_sub_sat(due, clock_now().steady_ms);
    return (int)num_max(0, num_min(wait, 60000));
}

static void tick(struct loop *loop)
{
    if (loop->now.steady_ms >= loop->admit_ms) {
        node_admit_only(loop->node, loop->config.admits, loop->config.user);
        loop->admit_ms = num_add_sat(loop->now.steady_ms, ADMIT_MS);
    }
    if (loop->config.tick != NULL) {
        loop->tick_ms = loop->config.tick(loop->config.ticker, loop->node, loop->now);
    }
}

// All that is ready is learned before anybody is answered: a flood of connections hides no other. What is
// ready stays so until it is read, and is told again and again: once nothing is new, all was heard. Newcomers
// are taken in so many a turn; were they not, those who come and go would have all the time that there is.
static void listen_all(struct loop *loop, int wait_ms)
{
    int count = EVENTS_A_TURN;
    bool news = true;
    loop->accepts_left = ACCEPTS_A_TURN;
    for (int i = 0; i < WAITS_A_TURN && count == EVENTS_A_TURN && news; i++) {
        count = epoll_wait(loop->epoll, loop->events, EVENTS_A_TURN, i == 0 ? wait_ms : 0);
        if (i == 0) {
            loop->now = clock_now();
            atomic_store_explicit(&loop->busy_since_ms, loop->now.steady_ms, memory_order_relaxed);
        }
        news = false;
        for (int k = 0; k < count; k++) {
            news = on_event(loop, &loop->events[k]) || news;
        }
    }
}

static void answer_some(struct loop *loop)
{
    const int64_t until_ms = num_add_sat(loop->now.steady_ms, loop->turn_ms);
    struct node_ready ready;
    while (loop->now.steady_ms <= until_ms && node_next_ready(loop->node, loop->now, &ready)) {
        if (ready.reads) {
            read_from(loop, &ready);
        }
        loop->now = clock_now(); // how long the others have waited is part of their answers
    }
}

static void turn(struct loop *loop, int wait_ms)
{
    listen_all(loop, wait_ms);
    answer_some(loop);
    sweep_some(loop);
    if (node_deadline(loop->node) <= loop->now.steady_ms) {
        node_expire(loop->node, loop->now);
    }
    loop->working = loop->config.work != NULL && loop->config.work(loop->config.user, loop->node, loop->now);
    tick(loop);
    send_all(loop);
    tell_interests(loop);
    close_closed(loop);
    atomic_store_explicit(&loop->busy_since_ms, 0, memory_order_relaxed);
}

static void drain(struct loop *loop)
{
    listeners_leave(loop);
    loop->accept_again_ms = INT64_MAX;
    loop->turn_ms = INT64_MAX;
    // What has arrived is still heard: so many turns that each connection has one, even if it is a long one,
    // and then until nothing is ready any more. A flood, which never ends, is heard for so long only.
    size_t turns = node_connections(loop->node) / CONNECTIONS_A_TURN + LAST_TURNS;
    int64_t heard_ms = num_add_sat(loop->now.steady_ms, num_min(LAST_WORDS_MS, loop->config.drain_ms / 2));
    for (size_t i = 0; i < turns || (node_runnable(loop->node) && loop->now.steady_ms < heard_ms); i++) {
        turn(loop, 0);
    }
    node_drain(loop->node, loop->now);
    send_all(loop);
    close_closed(loop);
    int64_t until_ms = num_add_sat(loop->now.steady_ms, loop->config.drain_ms);
    while (node_connections(loop->node) > 0 && loop->now.steady_ms < until_ms) {
        turn(loop, timeout_ms(loop, until_ms));
    }
    node_cut(loop->node);
    close_closed(loop);
}

void loop_run(struct loop *loop)
{
    loop->now = clock_now();
    loop->turn_ms = TURN_MS;
    tick(loop);
    listeners_watch(loop);
    while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) {
        turn(loop, timeout_ms(loop, INT64_MAX));
        if (!loop->accepting && loop->accept_again_ms <= loop->now.steady_ms) {
            listeners_watch(loop);
        }
    }
    drain(loop);
}

void loop_resume(struct loop *loop)
{
    node_resume(loop->node);
    atomic_store_explicit(&loop->stop, false, memory_order_release);
}

void loop_wake(struct loop *loop)
{
    eventfd_write(loop->wake, 1);
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_release);
    loop_wake(loop);
}

void loop_count(const struct loop *loop, struct node_counts *sum)
{
    node_count(loop->node, sum);
}

int64_t loop_busy_since_ms(const struct loop *loop)
{
    return atomic_load_explicit((_Atomic int64_t *)(uintptr_t)&loop->busy_since_ms, memory_order_relaxed);
}
