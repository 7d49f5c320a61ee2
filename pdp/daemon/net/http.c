// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/http.h"

#include "daemon/clock.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MEMORY_EACH = 8192, // for the head of a request; a longer one is refused
    IDLE_S = 5,
    LOOK_MS = 1000 // between two looks at how old connections are
};

struct http {
    const struct http_page *pages;
    size_t page_count;
    void *user;
    struct MHD_Daemon *daemon;
    int wake, listener;
    _Atomic bool stop;
    bool runs;
    pthread_t thread;
    struct {
        int fd; // -1: the place is free
        int64_t since_ms;
    } open[HTTP_CONNECTIONS_MAX];
};

// ---- Answers -----------------------------------------------------------------------------------------

static const struct http_page *page_of(const struct http *http, const char *path)
{
    for (size_t i = 0; i < http->page_count; i++) {
        if (strcmp(http->pages[i].path, path) == 0) {
            return &http->pages[i];
        }
    }
    return NULL;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
                               const struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->at, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    struct http *http = user;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)state;
    AUTO(buf_fini) struct buf body = {0};
    const struct http_page *page = page_of(http, path);
    bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    unsigned status = MHD_HTTP_METHOD_NOT_ALLOWED;
    if (reads && page != NULL) {
        status = page->write(http->user, &body);
    } else if (reads) {
        status = MHD_HTTP_NOT_FOUND;
        buf_str(&body, STR("not found: try /metrics, /live or /ready\n"));
    } else {
        buf_str(&body, STR("only GET and HEAD\n"));
    }
    if (body.failed) {
        return MHD_NO;
    }
    return respond(connection, status, page != NULL ? page->type : "text/plain; charset=utf-8", &body);
}

// ---- Old connections ---------------------------------------------------------------------------------

static void on_connection(void *user, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = user;
    (void)state;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int was = code == MHD_CONNECTION_NOTIFY_STARTED ? -1 : info != NULL ? info->connect_fd : -1;
    int is = code == MHD_CONNECTION_NOTIFY_STARTED && info != NULL ? info->connect_fd : -1;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (http->open[i].fd == was) {
            http->open[i].fd = is;
            http->open[i].since_ms = clock_now().steady_ms;
            return;
        }
    }
}

// Bytes that drip keep a connection from being idle; nothing keeps it from being old.
static void cut_old(struct http *http, int64_t now_ms)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (http->open[i].fd >= 0 && now_ms - http->open[i].since_ms >= HTTP_CONNECTION_MS) {
            (void)shutdown(http->open[i].fd, SHUT_RDWR);
        }
    }
}

// ---- The thread ----------------------------------------------------------------------------------------

static void *serve(void *user)
{
    struct http *http = user;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{.fd = info != NULL ? info->epoll_fd : -1, .events = POLLIN},
                           {.fd = http->wake, .events = POLLIN}};
    while (!atomic_load_explicit(&http->stop, memory_order_acquire)) {
        MHD_UNSIGNED_LONG_LONG due = LOOK_MS;
        if (MHD_get_timeout(http->daemon, &due) != MHD_YES || due > LOOK_MS) {
            due = LOOK_MS;
        }
        (void)poll(fds, COUNT_OF(fds), (int)due);
        (void)MHD_run(http->daemon);
        cut_old(http, clock_now().steady_ms);
    }
    return NULL;
}

enum pdp_err http_new(int fd, const struct http_page *pages, size_t page_count, void *user, struct http **out)
{
    *out = NULL;
    AUTO(http_free) struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return PDP_ERR_NOMEM;
    }
    http->pages = pages;
    http->page_count = page_count;
    http->user = user;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        http->open[i].fd = -1;
    }
    http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->listener = fcntl(fd, F_DUPFD_CLOEXEC, 3); // libmicrohttpd closes its own
    if (http->wake < 0 || http->listener < 0) {
        return PDP_ERR_IO;
    }
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ITC, 0, NULL, NULL, on_request, http,
                                    MHD_OPTION_LISTEN_SOCKET, http->listener, MHD_OPTION_CONNECTION_LIMIT,
                                    (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                    (unsigned)HTTP_CONNECTIONS_MAX / 2, MHD_OPTION_CONNECTION_TIMEOUT,
                                    (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_EACH,
                                    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
    if (http->daemon == NULL) {
        return PDP_ERR_IO;
    }
    http->listener = -1;
    http->runs = pthread_create(&http->thread, NULL, serve, http) == 0;
    if (!http->runs) {
        return PDP_ERR_IO;
    }
    *out = STEAL(http);
    return PDP_ERR_OK;
}

void http_free(struct http **http_ptr)
{
    struct http *http = STEAL(*http_ptr);
    if (http == NULL) {
        return;
    }
    atomic_store_explicit(&http->stop, true, memory_order_release);
    if (http->runs) {
        eventfd_write(http->wake, 1);
        pthread_join(http->thread, NULL);
    }
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon);
    }
    const int fds[] = {http->wake, http->listener};
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(http);
}
