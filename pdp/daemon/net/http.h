// SPDX-License-Identifier: Apache-2.0
// A small HTTP server for monitoring: GET and HEAD of a few paths, one request a connection, on a thread of
// its own. The only file that knows libmicrohttpd.
#ifndef DAEMON_NET_HTTP_H
#define DAEMON_NET_HTTP_H

#include "base/buf.h"

#define HTTP_CONNECTIONS_MAX 16  // at once; of one address half as many
#define HTTP_CONNECTION_MS 10000 // in all, however slowly it asks or reads

struct http_page {
    const char *path;
    const char *type; // of the content
    // Appends the page; returns its status, such as 200. On the server's thread, never two at once.
    unsigned (*write)(void *user, struct buf *out);
};

struct http;

// Serves `pages` (borrowed) on a socket that listens and does not block; `fd` stays the caller's. IO, NOMEM.
MUST_USE enum pdp_err http_new(int fd, const struct http_page *pages, size_t page_count, void *user,
                               struct http **out);
// Breaks off what is under way, and waits for the thread.
void http_free(struct http **http);

#endif
