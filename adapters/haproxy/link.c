// SPDX-License-Identifier: Apache-2.0
// A connection and its socket.
#include "haproxy/agent.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    UNDER_WAY_MOST = 1024,     // questions of one connection; then it is read no more
    PENDING_MOST = 256 * 1024, // bytes that wait to be sent; likewise
    FAREWELL_MS = 1000         // that the other side has to close, once it was told
};

// ---- Beginning and end
// ---------------------------------------------------------------------------------------

void link_open(struct loop *loop, int fd)
{
    struct link *link = calloc(1, sizeof *link);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    if (link == NULL || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        agent_complain(loop->agent, COMPLAINT_SYSTEM, "a connection cannot be watched");
        free(link);
        (void)close(fd);
        (void)atomic_fetch_sub(&loop->agent->links, 1);
        (void)atomic_fetch_sub(&loop->load, 1);
        return;
    }
    int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes,
                     sizeof yes); // fails on a unix socket, which has no delay
    link->fd = fd;
    link->watches_in = true;
    link->since_ms = loop->now_ms;
    peer_init(&link->peer, &loop->agent->settings.peer);
    link->after = loop->links;
    if (loop->links != NULL) {
        loop->links->before = link;
    }
    loop->links = link;
}

// Closed now, freed when nothing of this round can mean it any more.
static void link_die(struct loop *loop, struct link *link)
{
    if (link->dead) {
        return;
    }
    link->dead = true;
    ask_forget(loop, link);
    (void)close(link->fd);
    (void)atomic_fetch_sub(&loop->agent->links, 1);
    (void)atomic_fetch_sub(&loop->load, 1);
}

void link_reap(struct loop *loop)
{
    for (struct link *link = loop->links, *next; link != NULL; link = next) {
        next = link->after;
        if (link->dead) {
            *(link->before != NULL ? &link->before->after : &loop->links) = link->after;
            if (link->after != NULL) {
                link->after->before = link->before;
            }
            peer_fini(&link->peer);
            free(link);
        }
    }
}

// ---- Reading
// ---------------------------------------------------------------------------------------------------

static bool must_pause(const struct link *link)
{
    return link->under_way >= UNDER_WAY_MOST || link->peer.out.len >= PENDING_MOST;
}

// All that has arrived whole, as far as it may be taken now.
static void work(struct loop *loop, struct link *link)
{
    bool ended = link->peer.state == PEER_ENDING;
    uint64_t frames = link->peer.frames;
    struct spop_frame notify;
    while (!must_pause(link) && peer_next(&link->peer, &notify)) {
        link->since_ms = loop->now_ms;
        ask_begin(loop, link, &notify);
    }
    link->paused = must_pause(link);
    bool partial = !link->paused && peer_waits(&link->peer) && link->peer.state != PEER_ENDING;
    bool same = link->partial_ms != 0 && link->peer.frames == frames;
    link->partial_ms = !partial ? 0 : same ? link->partial_ms : loop->now_ms;
    if (!ended && link->peer.state == PEER_ENDING) {
        link->since_ms = loop->now_ms;
        ask_forget(loop, link);
        if (link->peer.status != SPOP_STATUS_NORMAL) {
            agent_complain(loop->agent, COMPLAINT_PROTOCOL, "a connection is ended: %s",
                           spop_status_text(link->peer.status));
        }
    }
    link_touch(loop, link);
}

static void receive(struct loop *loop, struct link *link)
{
    unsigned char *at;
    size_t room;
    if (peer_room(&link->peer, &at, &room) != PDP_ERR_OK || room == 0) {
        link_die(loop, link); // out of memory
        return;
    }
    ssize_t n = recv(link->fd, at, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        link_die(loop, link);
        return;
    }
    if (link->peer.state == PEER_ENDING) {
        return; // nobody listens to it any more
    }
    peer_took(&link->peer, (size_t)n);
    work(loop, link);
}

void link_ready(struct loop *loop, struct link *link, uint32_t events)
{
    if (link->dead) {
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
        link_die(loop, link);
        return;
    }
    if ((events & EPOLLIN) != 0 && link->watches_in) {
        receive(loop, link);
    }
    if ((events & EPOLLOUT) != 0) {
        link_touch(loop, link);
    }
}

// ---- Sending
// ---------------------------------------------------------------------------------------------------

void link_touch(struct loop *loop, struct link *link)
{
    if (!link->dirty && !link->dead) {
        link->dirty = true;
        link->next_dirty = loop->dirty;
        loop->dirty = link;
    }
}

// Sends what it can. false: the connection is gone.
static bool send_some(struct loop *loop, struct link *link)
{
    for (struct text left = peer_pending(&link->peer); left.len > 0; left = peer_pending(&link->peer)) {
        ssize_t n = send(link->fd, left.at, left.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            link->stuck_ms = link->stuck_ms != 0 ? link->stuck_ms : loop->now_ms;
            return true;
        }
        if (n <= 0) {
            return false;
        }
        peer_sent(&link->peer, (size_t)n);
        link->stuck_ms = 0;
    }
    if (link->peer.state == PEER_ENDING && !link->shut) {
        link->shut = true;
        (void)shutdown(link->fd, SHUT_WR); // its last words must not be lost by a reset
    }
    return true;
}

static void watch(struct loop *loop, struct link *link)
{
    bool in = !link->paused, out = link->peer.out.len > 0;
    if (in != link->watches_in || out != link->watches_out) {
        uint32_t events = (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u);
        struct epoll_event event = {.events = events, .data.ptr = link};
        if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, link->fd, &event) != 0) {
            link_die(loop, link);
            return;
        }
        link->watches_in = in;
        link->watches_out = out;
    }
}

static void flush(struct loop *loop, struct link *link)
{
    if (!send_some(loop, link)) {
        link_die(loop, link);
        return;
    }
    if (link->paused && !must_pause(link)) {
        work(loop, link); // may touch it again: it is seen to in the same round
    }
    watch(loop, link);
}

void link_flush_all(struct loop *loop)
{
    while (loop->dirty != NULL) {
        struct link *link = loop->dirty;
        loop->dirty = link->next_dirty;
        link->dirty = false;
        if (!link->dead) {
            flush(loop, link);
        }
    }
}

// ---- Deadlines
// ---------------------------------------------------------------------------------------------------

static bool passed(int64_t since_ms, int64_t span_ms, int64_t now_ms)
{
    return since_ms != 0 && now_ms - since_ms >= span_ms;
}

static void end(struct loop *loop, struct link *link, enum spop_status status)
{
    ask_forget(loop, link);
    peer_end(&link->peer, status);
    link->since_ms = loop->now_ms;
    link->paused = false;
    link_touch(loop, link);
}

static void sweep_one(struct loop *loop, struct link *link, int64_t now_ms)
{
    const struct agent_settings *settings = &loop->agent->settings;
    if (passed(link->stuck_ms, settings->stall_ms, now_ms)) {
        agent_complain(loop->agent, COMPLAINT_SLOW, "a connection that does not read its answers is closed");
        link_die(loop, link);
    } else if (link->peer.state == PEER_ENDING) {
        if (passed(link->since_ms, FAREWELL_MS, now_ms)) {
            link_die(loop, link);
        }
    } else if (passed(link->partial_ms, settings->hello_ms, now_ms) ||
               (link->peer.state == PEER_NEW && passed(link->since_ms, settings->hello_ms, now_ms))) {
        agent_complain(loop->agent, COMPLAINT_PROTOCOL, "a connection is ended: %s",
                       link->peer.state == PEER_NEW ? "no hello in time" : "a frame does not end");
        end(loop, link, SPOP_STATUS_TIMEOUT);
    } else if (link->under_way == 0 && passed(link->since_ms, settings->idle_ms, now_ms)) {
        end(loop, link, SPOP_STATUS_TIMEOUT);
    }
}

void link_sweep(struct loop *loop, int64_t now_ms)
{
    for (struct link *link = loop->links; link != NULL; link = link->after) {
        if (!link->dead) {
            sweep_one(loop, link, now_ms);
        }
    }
}

void link_end_all(struct loop *loop, bool now)
{
    for (struct link *link = loop->links; link != NULL; link = link->after) {
        if (link->dead) {
            continue;
        }
        if (now) {
            link_die(loop, link);
        } else if (link->under_way == 0 && link->peer.state != PEER_ENDING) {
            end(loop, link, SPOP_STATUS_NORMAL);
        }
    }
}
