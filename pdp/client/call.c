// SPDX-License-Identifier: Apache-2.0
#include "client/call.h"

#include "base/num.h"

#include <stdlib.h>
#include <time.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000L
#define REDIAL_LEAST_MS 500
#define REDIAL_TIMES 4

int64_t call_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

static struct timespec at_ms(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / MS_PER_S), .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};
}

enum pdp_err call_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) {
        return PDP_ERR_NOMEM;
    }
    bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_cond_init(cond, &attr) == 0;
    (void)pthread_condattr_destroy(&attr);
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

// ---- Slots. All below runs under the client's lock unless it says otherwise. ----------------------------

static void progressed(void *arg);

static enum pdp_err slot_new(struct pdp_client *client, struct call **out)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL || call_cond_init(&call->woken) != PDP_ERR_OK) {
        free(call);
        return PDP_ERR_NOMEM;
    }
    call->client = client;
    if (nng_aio_alloc(&call->aio, progressed, call) != 0) {
        (void)pthread_cond_destroy(&call->woken);
        free(call);
        return PDP_ERR_NOMEM;
    }
    if (nng_ctx_open(&call->ctx, client->socket) != 0) {
        nng_aio_free(call->aio);
        (void)pthread_cond_destroy(&call->woken);
        free(call);
        return PDP_ERR_NOMEM;
    }
    call->next_all = client->all;
    client->all = call;
    client->slots++;
    *out = call;
    return PDP_ERR_OK;
}

static enum pdp_err slot_take(struct pdp_client *client, struct call **out)
{
    *out = NULL;
    if (client->closing) {
        return PDP_ERR_CLOSED;
    }
    if (client->free != NULL) {
        *out = client->free;
        client->free = client->free->next_free;
        return PDP_ERR_OK;
    }
    return client->slots < client->in_flight_max ? slot_new(client, out) : PDP_ERR_BUSY;
}

static void slot_release(struct call *call)
{
    call->state = CALL_IDLE;
    call->next_free = call->client->free;
    call->client->free = call;
}

// ---- Settling --------------------------------------------------------------------------------------

static void leave(struct pdp_client *client)
{
    if (--client->busy == 0) {
        (void)pthread_cond_broadcast(&client->idle);
    }
}

void call_enter(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    client->busy++;
    (void)pthread_mutex_unlock(&client->lock);
}

void call_leave(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    leave(client);
    (void)pthread_mutex_unlock(&client->lock);
}

// Fixes the outcome of an open call; the waiter is woken, and a callback is to be made by deliver().
static struct outcome settle(struct call *call, enum pdp_err err, nng_msg *reply)
{
    call->open = false;
    call->outcome.err = err;
    call->outcome.reply = reply;
    if (call->outcome.done != NULL) {
        TAILQ_REMOVE(&call->client->due, call, due);
    } else {
        (void)pthread_cond_signal(&call->woken);
    }
    return call->outcome;
}

// Without the lock: `outcome` is a copy, since the slot may be in use again.
static void deliver(struct pdp_client *client, const struct outcome *outcome)
{
    if (outcome->done != NULL) {
        outcome->done(outcome->user, outcome);
        (void)pthread_mutex_lock(&client->lock);
        leave(client);
        (void)pthread_mutex_unlock(&client->lock);
    }
}

static void gone(struct pdp_client *client)
{
    client->stuck = false;
    if (client->up) {
        client->up = false;
        client->down_since_ms = call_now_ms();
    }
}

// Nobody waits any more: gives the slot back as soon as that is safe.
static void abandon(struct call *call)
{
    switch (call->state) {
    case CALL_QUEUED:
        TAILQ_REMOVE(&call->client->queued, call, queue);
        slot_release(call);
        break;
    case CALL_WAITING:
        nng_aio_cancel(call->aio); // progressed() releases it
        break;
    case CALL_SENDING:
        // Not taken within a deadline: the connection is stuck, or gone without a word (libnng 1.5.2 tells of
        // lost connections on one thread a process, and that one can hang). Another is made.
        // But on a busy machine it may only be slow: what is taken late, shows that it lives.
        if (call->client->up && call->generation == call->client->generation) {
            gone(call->client);
            call->client->stuck = true;
        }
        break;
    case CALL_IDLE:
        break;
    }
}

// ---- Sending ---------------------------------------------------------------------------------------

static enum pdp_err send_now(struct call *call)
{
    nng_msg *msg = NULL;
    if (nng_msg_alloc(&msg, 0) != 0) {
        return PDP_ERR_NOMEM;
    }
    if (nng_msg_append(msg, call->message.at, call->message.len) != 0) {
        nng_msg_free(msg);
        return PDP_ERR_NOMEM;
    }
    call->state = CALL_SENDING;
    call->generation = call->client->generation;
    nng_aio_set_msg(call->aio, msg);
    nng_ctx_send(call->ctx, call->aio);
    return PDP_ERR_OK;
}

static enum pdp_err submit(struct call *call)
{
    if (call->client->up) {
        return send_now(call);
    }
    call->state = CALL_QUEUED;
    TAILQ_INSERT_TAIL(&call->client->queued, call, queue);
    return PDP_ERR_OK;
}

// The connection broke under a call. Sent again under the same request id, it is a repeat.
static bool again(struct call *call, int rv)
{
    struct pdp_client *client = call->client;
    if (!call->open || client->closing || (rv != NNG_ECONNRESET && rv != NNG_ESTATE)) {
        return false;
    }
    if (call->generation == client->generation) {
        gone(client); // there is one connection
    }
    return submit(call) == PDP_ERR_OK;
}

static void send_queued(struct pdp_client *client)
{
    struct call *call = NULL;
    while ((call = TAILQ_FIRST(&client->queued)) != NULL) {
        TAILQ_REMOVE(&client->queued, call, queue);
        if (send_now(call) != PDP_ERR_OK) {
            TAILQ_INSERT_HEAD(&client->queued, call, queue); // its deadline will find it
            break;
        }
    }
}

// The transport took a call, be it late.
static void taken(struct call *call)
{
    struct pdp_client *client = call->client;
    if (client->stuck && call->generation == client->generation) {
        client->stuck = false;
        client->up = true;
        send_queued(client);
    }
}

// The end of a call in the socket's eyes.
static struct outcome ended(struct call *call, enum pdp_err err, nng_msg *reply)
{
    struct outcome outcome = {0};
    if (call->open) {
        outcome = settle(call, err, reply);
        if (outcome.done != NULL) {
            slot_release(call); // a waiter releases by itself
        } else {
            call->state = CALL_IDLE;
        }
    } else {
        if (reply != NULL) {
            nng_msg_free(reply);
        }
        slot_release(call);
    }
    return outcome;
}

static struct outcome sent(struct call *call, int rv)
{
    if (rv != 0) {
        nng_msg *msg = nng_aio_get_msg(call->aio);
        if (msg != NULL) {
            nng_aio_set_msg(call->aio, NULL);
            nng_msg_free(msg);
        }
        return ended(call, rv == NNG_ECLOSED ? PDP_ERR_CLOSED : PDP_ERR_IO, NULL);
    }
    call->state = CALL_WAITING;
    nng_ctx_recv(call->ctx, call->aio);
    taken(call);
    if (!call->open) {
        abandon(call);
    }
    return (struct outcome){0};
}

static struct outcome received(struct call *call, int rv)
{
    nng_msg *reply = NULL;
    if (rv == 0) {
        reply = nng_aio_get_msg(call->aio);
        nng_aio_set_msg(call->aio, NULL);
    } else if (again(call, rv)) {
        return (struct outcome){0};
    }
    return ended(call, rv == 0 ? PDP_ERR_OK : rv == NNG_ECLOSED ? PDP_ERR_CLOSED : PDP_ERR_IO, reply);
}

// libnng's callback, on one of its threads, without the lock.
static void progressed(void *arg)
{
    struct call *call = arg;
    struct pdp_client *client = call->client;
    (void)pthread_mutex_lock(&client->lock);
    int rv = nng_aio_result(call->aio);
    struct outcome outcome = call->state == CALL_SENDING ? sent(call, rv) : received(call, rv);
    (void)pthread_mutex_unlock(&client->lock);
    deliver(client, &outcome);
}

void call_connected(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    client->up = true;
    client->stuck = false;
    client->generation++;
    send_queued(client);
    (void)pthread_mutex_unlock(&client->lock);
}

void call_disconnected(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    gone(client);
    (void)pthread_mutex_unlock(&client->lock);
}

// ---- Waiting ---------------------------------------------------------------------------------------

// When a caller should look after the connection again: 0 while it is up.
static int64_t next_look_ms(const struct pdp_client *client)
{
    int64_t pause_ms = num_max(REDIAL_LEAST_MS, REDIAL_TIMES * (int64_t)client->reconnect_ms);
    return client->up || client->redialing ? INT64_MAX : client->down_since_ms + pause_ms;
}

// A dialer of libnng 1.5.2 gives up for good where a daemon that goes away breaks its handshake (EPIPE counts
// as "closed by us"). So whoever waits longer than a few attempts take has it replaced.
static void look_after(struct pdp_client *client)
{
    if (client->closing || call_now_ms() < next_look_ms(client)) {
        return;
    }
    client->redialing = true;
    client->busy++;
    (void)pthread_mutex_unlock(&client->lock);
    client_redial(client);
    (void)pthread_mutex_lock(&client->lock);
    client->redialing = false;
    client->down_since_ms = call_now_ms();
    leave(client);
}

static enum pdp_err begin(struct pdp_client *client, struct buf *message, int32_t deadline_ms,
                          struct outcome outcome, struct call **out)
{
    TRY(slot_take(client, out));
    struct call *call = *out;
    buf_fini(&call->message);
    call->message = *message;
    *message = (struct buf){0};
    call->deadline_ms = call_now_ms() + deadline_ms;
    call->outcome = outcome;
    enum pdp_err err = submit(call);
    if (err != PDP_ERR_OK) {
        slot_release(call);
        return err;
    }
    call->open = true;
    client->busy++;
    return PDP_ERR_OK;
}

enum pdp_err call_wait(struct pdp_client *client, struct buf *message, int32_t deadline_ms, nng_msg **reply)
{
    *reply = NULL;
    (void)pthread_mutex_lock(&client->lock);
    struct call *call = NULL;
    enum pdp_err err = begin(client, message, deadline_ms, (struct outcome){0}, &call);
    if (err != PDP_ERR_OK) {
        (void)pthread_mutex_unlock(&client->lock);
        return err;
    }
    while (call->open && call_now_ms() < call->deadline_ms) {
        struct timespec until = at_ms(num_min(call->deadline_ms, next_look_ms(client)));
        (void)pthread_cond_timedwait(&call->woken, &client->lock, &until);
        if (call->open) {
            look_after(client);
        }
    }
    if (call->open) {
        err = PDP_ERR_TIMEOUT;
        call->open = false;
        abandon(call);
    } else {
        err = call->outcome.err;
        *reply = call->outcome.reply;
        if (call->state == CALL_IDLE) {
            slot_release(call);
        } else {
            abandon(call);
        }
    }
    leave(client);
    (void)pthread_mutex_unlock(&client->lock);
    return err;
}

// ---- Callbacks and their deadlines -------------------------------------------------------------------

// The thread that ends calls with a callback at their deadline. Takes the lock by itself.
static void *keep(void *arg)
{
    struct pdp_client *client = arg;
    (void)pthread_mutex_lock(&client->lock);
    while (!client->closing) {
        struct call *call = TAILQ_FIRST(&client->due);
        if (call == NULL) {
            (void)pthread_cond_wait(&client->keeper_wake, &client->lock);
        } else if (call->deadline_ms > call_now_ms()) {
            struct timespec until = at_ms(num_min(call->deadline_ms, next_look_ms(client)));
            (void)pthread_cond_timedwait(&client->keeper_wake, &client->lock, &until);
            look_after(client);
        } else {
            struct outcome outcome = settle(call, PDP_ERR_TIMEOUT, NULL);
            abandon(call);
            (void)pthread_mutex_unlock(&client->lock);
            deliver(client, &outcome);
            (void)pthread_mutex_lock(&client->lock);
        }
    }
    (void)pthread_mutex_unlock(&client->lock);
    return NULL;
}

static void insert_due(struct pdp_client *client, struct call *call)
{
    struct call *at = TAILQ_LAST(&client->due, call_queue);
    while (at != NULL && at->deadline_ms > call->deadline_ms) {
        at = TAILQ_PREV(at, call_queue, due);
    }
    if (at != NULL) {
        TAILQ_INSERT_AFTER(&client->due, at, call, due);
    } else {
        TAILQ_INSERT_HEAD(&client->due, call, due);
        (void)pthread_cond_signal(&client->keeper_wake);
    }
}

enum pdp_err call_start(struct pdp_client *client, struct buf *message, int32_t deadline_ms,
                        void (*done)(void *user, const struct outcome *outcome), void *user)
{
    (void)pthread_mutex_lock(&client->lock);
    enum pdp_err err = PDP_ERR_OK;
    if (!client->has_keeper && !client->closing) {
        client->has_keeper = pthread_create(&client->keeper, NULL, keep, client) == 0;
        err = client->has_keeper ? PDP_ERR_OK : PDP_ERR_NOMEM;
    }
    struct call *call = NULL;
    if (err == PDP_ERR_OK) {
        err = begin(client, message, deadline_ms, (struct outcome){.done = done, .user = user}, &call);
    }
    if (err == PDP_ERR_OK) {
        insert_due(client, call);
    }
    (void)pthread_mutex_unlock(&client->lock);
    return err;
}

// ---- Closing ---------------------------------------------------------------------------------------

static void close_open_calls(struct pdp_client *client)
{
    for (struct call *call = client->all; call != NULL; call = call->next_all) {
        if (!call->open) {
            continue;
        }
        struct outcome outcome = settle(call, PDP_ERR_CLOSED, NULL);
        if (outcome.done == NULL) {
            continue; // the waiter wakes, abandons and leaves
        }
        abandon(call);
        (void)pthread_mutex_unlock(&client->lock);
        deliver(client, &outcome);
        (void)pthread_mutex_lock(&client->lock);
    }
}

void call_close_all(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    client->closing = true;
    (void)pthread_cond_broadcast(&client->keeper_wake);
    close_open_calls(client);
    while (client->busy > 0) {
        (void)pthread_cond_wait(&client->idle, &client->lock);
    }
    bool join = client->has_keeper;
    (void)pthread_mutex_unlock(&client->lock);
    if (join) {
        (void)pthread_join(client->keeper, NULL);
    }
}

void call_free_all(struct pdp_client *client)
{
    while (client->all != NULL) {
        struct call *call = client->all;
        client->all = call->next_all;
        nng_aio_stop(call->aio); // waits for its callback
        nng_aio_free(call->aio);
        buf_fini(&call->message);
        (void)pthread_cond_destroy(&call->woken);
        free(call);
    }
    client->free = NULL;
}
