// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "common/settings.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 1000,      // between two looks at how slow connections are
    PAUSE_MS = 50,       // where no descriptor is left
    TAKEN_AT_ONCE = 64,  // connections of one socket, before the others have their turn
    LEAVE_MS = 100,      // that connections get to ask what they were about to when the server stops
    LAST_WORDS_MS = 1000 // that replies get to be sent when the server stops
};

int64_t server_steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- Connections -------------------------------------------------------------------------------------

static void name_peer(struct http_conn *conn, const struct sockaddr *address)
{
    const void *at = NULL;
    int family = address != NULL ? address->sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        at = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(six);
        family = mapped ? AF_INET : AF_INET6;
        at = mapped ? &six->s6_addr[12] : (const void *)six;
    }
    if (at == NULL || inet_ntop(family, at, conn->peer, sizeof conn->peer) == NULL) {
        conn->peer[0] = '\0';
    }
}

static struct http_conn *conn_new(struct http_server *server, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    conn->fd = fd != NULL ? fd->connect_fd : -1;
    name_peer(conn, address != NULL ? address->client_addr : NULL);
    conn->call.server = server;
    conn->call.connection = connection;
    atomic_store_explicit(&conn->since_ms, server_steady_ms(), memory_order_relaxed);
    return conn;
}

static void conn_join(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    conn->next = server->conns;
    conn->here = &server->conns;
    if (conn->next != NULL) {
        conn->next->here = &conn->next;
    }
    server->conns = conn;
    pthread_mutex_unlock(&server->lock);
}

// libmicrohttpd closes the descriptor after this, so that the door never shuts down another one's.
static void conn_leave(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    *conn->here = conn->next;
    if (conn->next != NULL) {
        conn->next->here = conn->here;
    }
    pthread_mutex_unlock(&server->lock);
    call_fini(&conn->call);
    free(conn->certificate);
    free(conn);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct http_conn *conn = conn_new(server, connection);
        *context = conn; // NULL: its requests are cut
        if (conn != NULL) {
            conn_join(server, conn);
        }
    } else {
        if (*context != NULL) {
            conn_leave(server, *context);
        }
        *context = NULL;
        atomic_fetch_sub(&server->open, 1);
    }
}

// ---- The door ----------------------------------------------------------------------------------------

// Bytes that drip keep a connection from being idle for libmicrohttpd; here only whole requests count.
static void cut_slow(struct http_server *server, int64_t now_ms)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        int64_t since = atomic_load_explicit(&conn->since_ms, memory_order_relaxed);
        if (now_ms - since >= server->limits.idle_ms) {
            (void)shutdown(conn->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
}

// Our own limit: 0.9.75 never gives back a lock where connections that were handed over reach its own.
static void hand_over(struct http_server *server, int fd, const struct sockaddr *address, socklen_t len)
{
    if (atomic_load(&server->open) >= server->limits.connections) {
        close(fd);
        return;
    }
    atomic_fetch_add(&server->open, 1);
    if (MHD_add_connection(server->daemon, fd, address, len) != MHD_YES) { // it has closed it
        atomic_fetch_sub(&server->open, 1);
    }
}

// false: there are no more descriptors.
static bool take(struct http_server *server, int listener)
{
    for (int i = 0; i < TAKEN_AT_ONCE; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(server, fd, (struct sockaddr *)&address, len);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS;
        }
    }
    return true;
}

static void *door(void *user)
{
    struct http_server *server = user;
    int64_t looked_ms = server_steady_ms();
    for (;;) {
        (void)poll(server->polled, server->polled_count, LOOK_MS);
        if (server->polled[0].revents != 0) {
            return NULL;
        }
        bool room = true;
        for (size_t i = 1; i < server->polled_count; i++) {
            room = (server->polled[i].revents == 0 || take(server, server->polled[i].fd)) && room;
        }
        if (!room) {
            (void)poll(server->polled, 1, PAUSE_MS);
        }
        int64_t now_ms = server_steady_ms();
        if (now_ms - looked_ms >= LOOK_MS) {
            looked_ms = now_ms;
            cut_slow(server, now_ms);
        }
    }
}

// ---- Life --------------------------------------------------------------------------------------------

// Nothing is decoded: what came is what is judged.
static size_t as_it_came(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

static void log_nothing(void *user, const char *format, va_list args)
{
    (void)user;
    (void)format;
    (void)args;
}

static struct MHD_Daemon *daemon_of(struct http_server *server)
{
    const struct http_limits *limits = &server->limits;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[16];
    size_t count = 0;
    if (server->setup.threads > 1) {
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)server->setup.threads, NULL};
    }
    if (limits->connections_each > 0) {
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                                   (intptr_t)limits->connections_each, NULL};
    }
    if (server->tls != NULL) {
        flags |= MHD_USE_TLS;
        count += tls_options(server->tls, options + count);
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(flags, 0, NULL, NULL, call_goes_on, server, MHD_OPTION_EXTERNAL_LOGGER,
                            log_nothing, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)limits->connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((limits->idle_ms + 999) / 1000),
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)limits->head_bytes,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, call_begins, server,
                            MHD_OPTION_UNESCAPE_CALLBACK, as_it_came, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                            call_ends, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static enum pdp_err polled_of(struct http_server *server, const int *listeners, size_t count)
{
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->polled = calloc(count + 1, sizeof *server->polled);
    if (server->polled == NULL) {
        return PDP_ERR_NOMEM;
    }
    server->polled[0] = (struct pollfd){.fd = server->wake, .events = POLLIN};
    server->polled_count = 1;
    for (size_t i = 0; i < count; i++) {
        int fd = fcntl(listeners[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            return PDP_ERR_IO;
        }
        server->polled[server->polled_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return server->wake >= 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

enum pdp_err server_start(struct http_server *server, const struct pdp_adapter_setup *setup,
                          struct pdp_adapter_wrong *wrong)
{
    server->setup = *setup;
    server->setup.listeners = NULL;
    server->setup.listener_count = 0;
    server->setup.settings = NULL;
    server->setup.setting_count = 0;
    server->wake = -1;
    pthread_mutex_init(&server->lock, NULL);
    enum pdp_err err = polled_of(server, setup->listeners, setup->listener_count);
    if (err == PDP_ERR_OK) {
        server->daemon = daemon_of(server);
        err = server->daemon != NULL ? PDP_ERR_OK : PDP_ERR_IO;
    }
    if (err == PDP_ERR_OK) {
        server->runs = pthread_create(&server->door, NULL, door, server) == 0;
        err = server->runs ? PDP_ERR_OK : PDP_ERR_IO;
    }
    if (err != PDP_ERR_OK) {
        server_stop(server);
        return setting_wrong(setup, NULL, wrong, err, "the HTTP server cannot start: %s", strerror(errno));
    }
    return PDP_ERR_OK;
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

// A connection that sleeps must not be there when libmicrohttpd stops: each question is answered by its
// deadline.
static void settle(struct http_server *server)
{
    atomic_store(&server->leaving, true);
    for (int64_t until_ms = server_steady_ms() + LEAVE_MS;
         atomic_load(&server->open) > 0 && server_steady_ms() < until_ms;) {
        nap();
    }
    atomic_store(&server->closing, true);
    while (atomic_load(&server->asked) > 0) {
        nap();
    }
    for (int64_t until_ms = server_steady_ms() + LAST_WORDS_MS;
         atomic_load(&server->busy) > 0 && server_steady_ms() < until_ms;) {
        nap();
    }
}

void server_stop(struct http_server *server)
{
    if (server->runs) {
        (void)eventfd_write(server->wake, 1);
        pthread_join(server->door, NULL);
        server->runs = false;
    }
    if (server->daemon != NULL) {
        settle(server);
        MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
    }
    for (size_t i = 0; i < server->polled_count; i++) {
        if (server->polled[i].fd >= 0) {
            close(server->polled[i].fd);
        }
    }
    free(server->polled);
    server->polled = NULL;
    server->polled_count = 0;
    pthread_mutex_destroy(&server->lock);
}
