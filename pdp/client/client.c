// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include "client/call.h"
#include "client/options.h"
#include "client/tls.h"
#include "client/watch.h"

#include <nng/protocol/reqrep0/req.h>
#include <nng/transport/ipc/ipc.h>
#include <nng/transport/tcp/tcp.h>
#include <stdlib.h>
#include <time.h>

#define RECONNECT_FIRST_MS 10
#define CLOSE_MOST_MS 2000

static void on_connected(nng_pipe pipe, nng_pipe_ev event, void *user)
{
    (void)pipe;
    (void)event;
    call_connected(user);
}

static void on_disconnected(nng_pipe pipe, nng_pipe_ev event, void *user)
{
    (void)pipe;
    (void)event;
    call_disconnected(user);
}

enum pdp_err client_nng_err(int rv)
{
    switch (rv) {
    case 0:
        return PDP_ERR_OK;
    case NNG_ENOMEM:
        return PDP_ERR_NOMEM;
    case NNG_ENOTSUP:
        return PDP_ERR_UNSUPPORTED;
    default:
        return PDP_ERR_SYNTAX;
    }
}

int client_dial(struct pdp_client *client, nng_socket socket, const char *url, nng_tls_config *tls,
                nng_dialer *out)
{
    nng_dialer dialer;
    int rv = nng_dialer_create(&dialer, socket, url);
    if (rv != 0) {
        return rv;
    }
    *out = dialer;
    size_t most = client->answer_bytes_max > NOTICE_BYTES_MAX ? client->answer_bytes_max : NOTICE_BYTES_MAX;
    int32_t first = client->reconnect_ms < RECONNECT_FIRST_MS ? client->reconnect_ms : RECONNECT_FIRST_MS;
    rv = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, first);
    rv = rv != 0 ? rv : nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, client->reconnect_ms);
    rv = rv != 0 ? rv : nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, most);
    if (rv == 0 && tls != NULL) {
        rv = nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, tls);
    }
    return rv != 0 ? rv : nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
}

static int dial(struct pdp_client *client)
{
    return client_dial(client, client->socket, client->url, client->tls, &client->dialer);
}

void client_redial(struct pdp_client *client)
{
    (void)nng_dialer_close(client->dialer);
    (void)dial(client); // out of memory: the next look tries again
}

// Sending again is ours to do (see call.c): with a time-out of libnng's own, REQ would do it behind our back.
static int open_socket(struct pdp_client *client)
{
    int rv = nng_req0_open(&client->socket);
    if (rv != 0) {
        return rv;
    }
    rv = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    rv = rv != 0 ? rv : nng_pipe_notify(client->socket, NNG_PIPE_EV_ADD_POST, on_connected, client);
    rv = rv != 0 ? rv : nng_pipe_notify(client->socket, NNG_PIPE_EV_REM_POST, on_disconnected, client);
    rv = rv != 0 ? rv : dial(client);
    if (rv != 0) {
        (void)nng_close(client->socket);
    }
    return rv;
}

static void client_free(struct pdp_client **client)
{
    if (*client != NULL) {
        if ((*client)->tls != NULL) {
            nng_tls_config_free((*client)->tls);
        }
        (void)pthread_cond_destroy(&(*client)->keeper_wake);
        (void)pthread_cond_destroy(&(*client)->idle);
        (void)pthread_mutex_destroy(&(*client)->lock);
        free(*client);
        *client = NULL;
    }
}

static enum pdp_err client_new(const struct pdp_options *options, struct pdp_client **out)
{
    struct pdp_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (pthread_mutex_init(&client->lock, NULL) != 0) {
        free(client);
        return PDP_ERR_NOMEM;
    }
    TAILQ_INIT(&client->queued);
    TAILQ_INIT(&client->due);
    client->form = options->form;
    client->in_flight_max = options->in_flight_max;
    client->reconnect_ms = options->reconnect_ms;
    client->answer_bytes_max = options->answer_bytes_max;
    client->down_since_ms = call_now_ms();
    *out = client;
    enum pdp_err err = call_cond_init(&client->idle);
    return err != PDP_ERR_OK ? err : call_cond_init(&client->keeper_wake);
}

enum pdp_err pdp_connect(const char *url, const struct pdp_options *options, struct pdp_client **client)
{
    *client = NULL;
    struct pdp_options settled;
    TRY(options_read(options, &settled));
    TRY(options_check_url(url));
    AUTO(client_free) struct pdp_client *made = NULL;
    TRY(client_new(&settled, &made));
    memcpy(made->url, url, strlen(url) + 1);
    TRY(client_tls_new(url, &settled, &made->tls));
    if (settled.notices_url != NULL || settled.orders_url != NULL) {
        TRY(watch_new(made,
                      &(struct watch_config){settled.notices_url, settled.orders_url, settled.name,
                                             settled.cache_entries, &settled},
                      &made->watch));
        made->caches = settled.cache_entries > 0;
    }
    enum pdp_err err = client_nng_err(open_socket(made));
    if (err == PDP_ERR_OK) {
        *client = STEAL(made);
    } else if (made->watch != NULL) {
        watch_stop(made->watch);
        watch_free(&made->watch);
    }
    return err;
}

// Closes the socket. Its own thread, since libnng 1.5.2 may wait for ever where a socket is closed in the
// instant in which its dialer connects; the memory of that client is then given up, but nobody hangs.
static void *close_socket(void *arg)
{
    struct pdp_client *client = arg;
    (void)nng_close(client->socket);
    watch_free(&client->watch);
    call_free_all(client);
    (void)pthread_mutex_lock(&client->lock);
    client->closed = true;
    bool abandoned = client->abandoned;
    (void)pthread_cond_broadcast(&client->idle);
    (void)pthread_mutex_unlock(&client->lock);
    if (abandoned) {
        client_free(&client);
    }
    return NULL;
}

// true: all is closed, and the client may be freed.
static bool wait_closed(struct pdp_client *client)
{
    int64_t until_ms = call_now_ms() + CLOSE_MOST_MS;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000L};
    (void)pthread_mutex_lock(&client->lock);
    while (!client->closed && call_now_ms() < until_ms) {
        (void)pthread_cond_timedwait(&client->idle, &client->lock, &until);
    }
    bool closed = client->closed;
    client->abandoned = !closed;
    (void)pthread_mutex_unlock(&client->lock);
    return closed;
}

void pdp_close(struct pdp_client **client)
{
    if (client == NULL || *client == NULL) {
        return;
    }
    struct pdp_client *closing = *client;
    *client = NULL;
    call_close_all(closing);
    if (closing->watch != NULL) {
        watch_stop(closing->watch);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_socket, closing) != 0) {
        (void)close_socket(closing);
        client_free(&closing);
    } else if (wait_closed(closing)) {
        (void)pthread_join(thread, NULL);
        client_free(&closing);
    } else {
        (void)pthread_detach(thread);
    }
}

bool pdp_connected(struct pdp_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    bool up = client->up;
    (void)pthread_mutex_unlock(&client->lock);
    return up;
}

void pdp_cache_state(struct pdp_client *client, struct pdp_cache_state *out)
{
    *out = (struct pdp_cache_state){0};
    if (client->watch != NULL) {
        struct guard_state state = guard_state(watch_guard(client->watch), watch_now());
        *out = (struct pdp_cache_state){.live = state.live,
                                        .kept = state.kept,
                                        .hits = state.hits,
                                        .dropped = state.dropped,
                                        .ended = state.revoked,
                                        .seq = state.seq};
    }
}
