// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/shake.h"

#include "base/num.h"
#include "daemon/clock.h"
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_A_TURN = 64,
    ACCEPTS_A_TURN = 16,
    LOGS_A_SECOND = 5
};
static const int64_t ACCEPT_PAUSE_MS = 100;

struct pending {
    struct link link; // of shaker->pending: in the order in which they began, so the first is due first
    const struct shake_listener *from;
    struct accepted accepted;
    SSL *ssl;
    uint64_t generation; // of the files that it is judged by, or of some before
    int64_t due_ms;
    uint32_t events; // that epoll was told to wait for
};

struct shaker {
    struct shake_config config;
    int epoll, wake, reserve;
    pthread_t thread;
    bool runs, accepting;
    _Atomic bool stop;
    int64_t now_ms, accept_again_ms;
    struct link pending;
    uint32_t pending_count;
    int64_t log_second; // the second of log_count
    uint32_t log_count, log_lost;
    _Atomic uint64_t refusals[NODE_REFUSAL_COUNT];
};

void arrival_free(struct arrival **arrival_ptr)
{
    struct arrival *arrival = STEAL(*arrival_ptr);
    if (arrival != NULL) {
        stream_close(&arrival->stream);
        free(arrival);
    }
}

static void count(struct shaker *shaker, enum node_refusal why)
{
    atomic_fetch_add_explicit(&shaker->refusals[why], 1, memory_order_relaxed);
}

// Who was turned away and why; a flood of them is not a flood of lines.
static void log_refused(struct shaker *shaker, const struct pending *pending, const char *why)
{
    int64_t second = shaker->now_ms / 1000;
    if (second != shaker->log_second) {
        shaker->log_second = second;
        shaker->log_count = 0;
    }
    if (shaker->log_count++ >= LOGS_A_SECOND) {
        shaker->log_lost++;
        return;
    }
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "tls_refused");
    log_text(&line, "peer", pending->accepted.origin);
    log_text(&line, "error", why);
    if (shaker->log_lost > 0) {
        log_int(&line, "others", shaker->log_lost);
    }
    shaker->log_lost = 0;
    log_end(&line);
}

// ---- One handshake -----------------------------------------------------------------------------------

// Takes it off the list; the descriptor and the SSL stay open where they were moved on.
static void pending_end(struct shaker *shaker, struct pending *pending)
{
    link_remove(&pending->link);
    shaker->pending_count--;
    if (pending->ssl != NULL) {
        SSL_free(pending->ssl);
    }
    if (pending->accepted.fd >= 0) {
        close(pending->accepted.fd);
    }
    ERR_clear_error();
    free(pending);
}

static void pending_refuse(struct shaker *shaker, struct pending *pending, enum node_refusal refusal,
                           const char *why)
{
    count(shaker, refusal);
    log_refused(shaker, pending, why);
    pending_end(shaker, pending);
}

static const char *why_failed(const struct pending *pending)
{
    long verified = SSL_get_verify_result(pending->ssl);
    if (verified != X509_V_OK) {
        return X509_verify_cert_error_string(verified);
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason != NULL ? reason : "the peer left";
}

static enum pdp_err arrival_new(const struct pending *pending, struct arrival **out)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);
    struct buf name = {.limit = TLS_NAME_MAX};
    enum pdp_err err =
        arrival == NULL ? PDP_ERR_NOMEM : tls_peer_name(pending->from->tls, pending->ssl, &name);
    if (err == PDP_ERR_OK) {
        arrival->stream = stream_new(pending->accepted.fd, pending->ssl, pending->from->tls);
        err = arrival->stream != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
    }
    if (err != PDP_ERR_OK) {
        free(arrival);
        arrival = NULL;
    } else {
        arrival->listener = pending->from->listener;
        arrival->accepted = pending->accepted;
        arrival->stream->generation = pending->generation;
        arrival->stream->until_s = tls_peer_until_s(pending->ssl);
        if (name.len != 0) {
            memcpy(arrival->certificate, name.at, name.len);
        }
    }
    buf_fini(&name);
    *out = arrival;
    return err;
}

static void pending_done(struct shaker *shaker, struct pending *pending)
{
    struct arrival *arrival = NULL;
    enum pdp_err err = arrival_new(pending, &arrival);
    if (err != PDP_ERR_OK) {
        bool memory = err == PDP_ERR_NOMEM;
        pending_refuse(shaker, pending, memory ? NODE_REFUSAL_MEMORY : NODE_REFUSAL_NAME,
                       memory ? "memory is out" : "the certificate has no name that can be used");
        return;
    }
    epoll_ctl(shaker->epoll, EPOLL_CTL_DEL, pending->accepted.fd, NULL);
    const struct shake_listener *from = pending->from;
    pending->accepted.fd = -1;
    pending->ssl = NULL;
    pending_end(shaker, pending);
    from->arrived(from->user, arrival);
}

static void pending_wait(struct shaker *shaker, struct pending *pending, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = pending};
    if (pending->events != events &&
        epoll_ctl(shaker->epoll, EPOLL_CTL_MOD, pending->accepted.fd, &event) != 0) {
        pending_refuse(shaker, pending, NODE_REFUSAL_DESCRIPTORS, "it cannot be waited for");
        return;
    }
    pending->events = events;
}

static void pending_go_on(struct shaker *shaker, struct pending *pending)
{
    ERR_clear_error();
    int rv = SSL_do_handshake(pending->ssl);
    if (rv == 1) {
        pending_done(shaker, pending);
        return;
    }
    switch (SSL_get_error(pending->ssl, rv)) {
    case SSL_ERROR_WANT_READ:
        pending_wait(shaker, pending, EPOLLIN);
        break;
    case SSL_ERROR_WANT_WRITE:
        pending_wait(shaker, pending, EPOLLOUT);
        break;
    default:
        pending_refuse(shaker, pending, NODE_REFUSAL_TLS_BAD, why_failed(pending));
        break;
    }
}

// ---- Accepting ---------------------------------------------------------------------------------------

static uint32_t of_origin(const struct shaker *shaker, const char *origin)
{
    uint32_t sum = 0;
    for (const struct link *at = shaker->pending.next; at != &shaker->pending; at = at->next) {
        sum += strcmp(LINK_OF(at, const struct pending, link)->accepted.origin, origin) == 0;
    }
    return sum;
}

static struct pending *pending_first(const struct shaker *shaker)
{
    return link_empty(&shaker->pending) ? NULL : LINK_OF(shaker->pending.next, struct pending, link);
}

// Takes over the descriptor of `accepted`.
static void welcome(struct shaker *shaker, const struct shake_listener *from, const struct accepted *accepted)
{
    struct pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        count(shaker, NODE_REFUSAL_MEMORY);
        close(accepted->fd);
        return;
    }
    pending->from = from;
    pending->accepted = *accepted;
    pending->due_ms = num_add_sat(shaker->now_ms, shaker->config.deadline_ms);
    pending->events = EPOLLIN;
    bool crowded = of_origin(shaker, accepted->origin) >= shaker->config.origin_most;
    if (!crowded && shaker->pending_count >= shaker->config.most) {
        // A peer that means it is through in a few milliseconds: the oldest is the least likely to come.
        pending_refuse(shaker, pending_first(shaker), NODE_REFUSAL_TLS_MANY, "too many handshakes at once");
    }
    link_add(&shaker->pending, &pending->link);
    shaker->pending_count++;
    if (crowded) {
        pending_refuse(shaker, pending, NODE_REFUSAL_TLS_MANY, "too many handshakes of this address at once");
        return;
    }
    struct tls_facts facts;
    tls_facts(from->tls, &facts);
    pending->generation = facts.generation;
    pending->ssl = tls_accept(from->tls, accepted->fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = pending};
    if (pending->ssl == NULL || epoll_ctl(shaker->epoll, EPOLL_CTL_ADD, accepted->fd, &event) != 0) {
        pending_refuse(shaker, pending, NODE_REFUSAL_MEMORY, "memory is out");
    }
}

static void listeners_watch(struct shaker *shaker)
{
    for (size_t i = 0; i < shaker->config.listener_count; i++) {
        const struct shake_listener *from = &shaker->config.listeners[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)from};
        epoll_ctl(shaker->epoll, EPOLL_CTL_ADD, from->listener->fd, &event);
    }
    shaker->accepting = true;
}

static void listeners_leave(struct shaker *shaker)
{
    for (size_t i = 0; shaker->accepting && i < shaker->config.listener_count; i++) {
        epoll_ctl(shaker->epoll, EPOLL_CTL_DEL, shaker->config.listeners[i].listener->fd, NULL);
    }
    shaker->accepting = false;
}

// As a loop does it: one is refused rather than left hanging, then there is a pause.
static void accept_exhausted(struct shaker *shaker, const struct listener *listener)
{
    count(shaker, NODE_REFUSAL_DESCRIPTORS);
    if (shaker->reserve >= 0) {
        close(shaker->reserve);
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            close(fd);
        }
        shaker->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    listeners_leave(shaker);
    shaker->accept_again_ms = num_add_sat(shaker->now_ms, ACCEPT_PAUSE_MS);
}

static void accept_some(struct shaker *shaker, const struct shake_listener *from)
{
    for (int i = 0; i < ACCEPTS_A_TURN && shaker->accepting; i++) {
        struct accepted accepted;
        if (listener_accept(from->listener, &accepted)) {
            welcome(shaker, from, &accepted);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            accept_exhausted(shaker, from->listener);
        }
    }
}

// ---- The thread --------------------------------------------------------------------------------------

static bool is_listener(const struct shaker *shaker, const void *ptr)
{
    const struct shake_listener *first = shaker->config.listeners;
    return ptr >= (const void *)first && ptr < (const void *)(first + shaker->config.listener_count);
}

static int timeout_ms(const struct shaker *shaker)
{
    const struct pending *first = pending_first(shaker);
    int64_t due = first != NULL ? first->due_ms : INT64_MAX;
    due = shaker->accepting ? due : num_min(due, shaker->accept_again_ms);
    if (due == INT64_MAX) {
        return -1;
    }
    return (int)num_max(0, num_min(num_sub_sat(due, clock_now().steady_ms), 60000));
}

static void expire(struct shaker *shaker)
{
    for (struct pending *first = pending_first(shaker); first != NULL && first->due_ms <= shaker->now_ms;
         first = pending_first(shaker)) {
        pending_refuse(shaker, first, NODE_REFUSAL_TLS_LATE, "no handshake in time");
    }
}

// Handshakes go first: accepting may end one of those that the events name.
static void turn(struct shaker *shaker)
{
    struct epoll_event events[EVENTS_A_TURN];
    int got = epoll_wait(shaker->epoll, events, EVENTS_A_TURN, timeout_ms(shaker));
    shaker->now_ms = clock_now().steady_ms;
    for (int i = 0; i < got; i++) {
        if (events[i].data.ptr != NULL && !is_listener(shaker, events[i].data.ptr)) {
            pending_go_on(shaker, events[i].data.ptr);
        }
    }
    expire(shaker);
    for (int i = 0; i < got; i++) {
        if (events[i].data.ptr != NULL && is_listener(shaker, events[i].data.ptr)) {
            accept_some(shaker, events[i].data.ptr);
        }
    }
    if (!shaker->accepting && shaker->accept_again_ms <= shaker->now_ms) {
        listeners_watch(shaker);
    }
}

static void *run(void *user)
{
    struct shaker *shaker = user;
    while (!atomic_load_explicit(&shaker->stop, memory_order_acquire)) {
        turn(shaker);
    }
    return NULL;
}

enum pdp_err shaker_new(const struct shake_config *config, struct shaker **out)
{
    *out = NULL;
    AUTO(shaker_free) struct shaker *shaker = calloc(1, sizeof *shaker);
    if (shaker == NULL) {
        return PDP_ERR_NOMEM;
    }
    shaker->config = *config;
    link_head(&shaker->pending);
    shaker->epoll = epoll_create1(EPOLL_CLOEXEC);
    shaker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    shaker->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (shaker->epoll < 0 || shaker->wake < 0 ||
        epoll_ctl(shaker->epoll, EPOLL_CTL_ADD, shaker->wake, &event) != 0) {
        return PDP_ERR_IO;
    }
    *out = STEAL(shaker);
    return PDP_ERR_OK;
}

enum pdp_err shaker_start(struct shaker *shaker)
{
    atomic_store_explicit(&shaker->stop, false, memory_order_relaxed);
    listeners_watch(shaker);
    shaker->runs = pthread_create(&shaker->thread, NULL, run, shaker) == 0;
    return shaker->runs ? PDP_ERR_OK : PDP_ERR_IO;
}

void shaker_stop(struct shaker *shaker)
{
    if (shaker->runs) {
        atomic_store_explicit(&shaker->stop, true, memory_order_release);
        eventfd_write(shaker->wake, 1);
        pthread_join(shaker->thread, NULL);
        eventfd_t count;
        eventfd_read(shaker->wake, &count);
        shaker->runs = false;
    }
    while (!link_empty(&shaker->pending)) {
        pending_end(shaker, pending_first(shaker));
    }
    listeners_leave(shaker);
}

void shaker_free(struct shaker **shaker_ptr)
{
    struct shaker *shaker = STEAL(*shaker_ptr);
    if (shaker == NULL) {
        return;
    }
    shaker_stop(shaker);
    const int fds[] = {shaker->epoll, shaker->wake, shaker->reserve};
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(shaker);
}

void shaker_count(const struct shaker *shaker, struct node_counts *sum)
{
    for (size_t i = 0; i < NODE_REFUSAL_COUNT; i++) {
        sum->refusals[i] +=
            atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)&shaker->refusals[i], memory_order_relaxed);
    }
}
