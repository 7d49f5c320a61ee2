// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MOST = 64,
    ACCEPT_MOST = 16, // of one listener before others have their turn
    SWEEP_MS = 200,
    DRAIN_MS = 2000 // beyond the deadline of questions, to end in order
};

// ---- Taking connections
// ------------------------------------------------------------------------------------

// The loop that has least to do: connections live long, and a gateway has few of them.
static struct loop *least(struct agent *agent)
{
    struct loop *best = agent->loops[0];
    for (unsigned i = 1; i < agent->loop_count; i++) {
        if (atomic_load(&agent->loops[i]->load) < atomic_load(&best->load)) {
            best = agent->loops[i];
        }
    }
    return best;
}

static void place(struct loop *loop, int fd)
{
    struct agent *agent = loop->agent;
    struct loop *at = least(agent);
    (void)atomic_fetch_add(&at->load, 1);
    if (at == loop) {
        link_open(loop, fd);
    } else if (!desk_put_socket(at->desk, fd)) {
        (void)atomic_fetch_sub(&at->load, 1);
        (void)atomic_fetch_sub(&agent->links, 1);
        (void)close(fd);
    }
}

static void listen_on(struct loop *loop, bool yes)
{
    for (size_t i = 0; i < loop->agent->listener_count && yes != loop->accepting; i++) {
        const int *listener = &loop->agent->listeners[i];
        // So that one connection wakes one thread.
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data.ptr = (void *)(uintptr_t)listener};
        (void)epoll_ctl(loop->epoll, yes ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, *listener, &event);
    }
    loop->accepting = yes;
}

static void take_connections(struct loop *loop, int listener)
{
    struct agent *agent = loop->agent;
    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                agent_complain(agent, COMPLAINT_SYSTEM, "connections cannot be taken: error %d", errno);
                listen_on(loop, false); // until the next sweep: out of descriptors, it would spin
            }
            return;
        }
        if (atomic_fetch_add(&agent->links, 1) >= agent->settings.connections) {
            (void)atomic_fetch_sub(&agent->links, 1);
            (void)close(fd);
            agent_complain(agent, COMPLAINT_FULL, "a connection is refused: there are %lld already",
                           (long long)agent->settings.connections);
            continue;
        }
        place(loop, fd);
    }
}

// ---- The desk
// --------------------------------------------------------------------------------------------------

static void look_at_desk(struct loop *loop)
{
    struct desk *desk = loop->desk;
    uint64_t count;
    (void)!read(desk->event, &count, sizeof count);
    (void)pthread_mutex_lock(&desk->lock);
    struct ask *answers = desk->answers;
    int *sockets = desk->sockets;
    size_t socket_count = desk->socket_count;
    desk->answers = NULL;
    desk->sockets = NULL;
    desk->socket_count = desk->socket_room = 0;
    (void)pthread_mutex_unlock(&desk->lock);

    ask_collect(loop, answers);
    for (size_t i = 0; i < socket_count; i++) {
        link_open(loop, sockets[i]);
    }
    free(sockets);
}

// ---- Round by round
// ----------------------------------------------------------------------------------------------

static bool is_listener(const struct agent *agent, const void *at)
{
    const int *one = at;
    return one >= agent->listeners && one < agent->listeners + agent->listener_count;
}

static void see_to(struct loop *loop, const struct epoll_event *event)
{
    void *at = event->data.ptr;
    if (at == loop->desk) {
        look_at_desk(loop);
    } else if (is_listener(loop->agent, at)) {
        take_connections(loop, *(const int *)at);
    } else {
        link_ready(loop, at, event->events);
    }
}

static int sleep_ms(const struct loop *loop)
{
    int64_t until_ms = loop->links != NULL || !loop->accepting ? loop->sweep_ms : INT64_MAX;
    if (loop->oldest != NULL && loop->oldest->until_ms < until_ms) {
        until_ms = loop->oldest->until_ms;
    }
    if (until_ms == INT64_MAX) {
        return -1;
    }
    return until_ms > loop->now_ms ? (int)(until_ms - loop->now_ms) : 0;
}

static void round_once(struct loop *loop)
{
    struct epoll_event events[EVENTS_MOST];
    int n = epoll_wait(loop->epoll, events, EVENTS_MOST, sleep_ms(loop));
    loop->now_ms = agent_clock_ms();
    for (int i = 0; i < n; i++) {
        see_to(loop, &events[i]);
    }
    ask_expire(loop, loop->now_ms);
    if (loop->now_ms >= loop->sweep_ms) {
        loop->sweep_ms = loop->now_ms + SWEEP_MS;
        link_sweep(loop, loop->now_ms);
        if (!atomic_load(&loop->stop)) {
            listen_on(loop, true);
        }
    }
    link_flush_all(loop);
    link_reap(loop);
}

// No new connections; what is under way is answered, then each connection is told to go.
static void drain(struct loop *loop)
{
    listen_on(loop, false);
    int64_t until_ms = loop->now_ms + loop->agent->settings.deadline_ms + DRAIN_MS;
    while (loop->links != NULL && loop->now_ms < until_ms) {
        link_end_all(loop, false);
        link_flush_all(loop);
        round_once(loop);
    }
    link_end_all(loop, true);
    link_reap(loop);
}

static void *run(void *user)
{
    struct loop *loop = user;
    loop->now_ms = agent_clock_ms();
    listen_on(loop, true);
    while (!atomic_load(&loop->stop)) {
        round_once(loop);
    }
    drain(loop);
    return NULL;
}

// ---- Beginning and end
// -----------------------------------------------------------------------------------------

enum pdp_err loop_new(struct agent *agent, struct loop **out)
{
    *out = NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return PDP_ERR_NOMEM;
    }
    loop->agent = agent;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    enum pdp_err err = loop->epoll >= 0 ? desk_new(&loop->desk) : PDP_ERR_IO;
    if (err == PDP_ERR_OK) {
        err = pdp_question_new(&loop->question);
    }
    if (err == PDP_ERR_OK) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = loop->desk};
        err = epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->desk->event, &event) == 0 ? PDP_ERR_OK : PDP_ERR_IO;
    }
    if (err != PDP_ERR_OK) {
        loop_free(&loop);
        return err;
    }
    *out = loop;
    return PDP_ERR_OK;
}

enum pdp_err loop_start(struct loop *loop)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); // signals are for the program's own threads
    loop->started = pthread_create(&loop->thread, NULL, run, loop) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loop->started ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

// What lies on the desk when the loop is gone, and what comes later, is nobody's.
static void close_desk(struct loop *loop)
{
    struct desk *desk = loop->desk;
    (void)pthread_mutex_lock(&desk->lock);
    desk->closed = true;
    struct ask *answers = desk->answers;
    desk->answers = NULL;
    for (size_t i = 0; i < desk->socket_count; i++) {
        (void)close(desk->sockets[i]);
        (void)atomic_fetch_sub(&loop->agent->links, 1);
    }
    desk->socket_count = 0;
    (void)pthread_mutex_unlock(&desk->lock);
    while (answers != NULL) {
        struct ask *next = answers->next;
        ask_free(&answers);
        answers = next;
    }
    desk_drop(&loop->desk);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    desk_wake(loop->desk);
}

void loop_join(struct loop *loop)
{
    if (loop->started) {
        (void)pthread_join(loop->thread, NULL);
        loop->started = false;
    }
}

void loop_free(struct loop **loop)
{
    struct loop *one = *loop;
    *loop = NULL;
    if (one == NULL) {
        return;
    }
    if (one->desk != NULL) {
        close_desk(one);
    }
    if (one->epoll >= 0) {
        (void)close(one->epoll);
    }
    pdp_question_free(&one->question);
    free(one);
}
