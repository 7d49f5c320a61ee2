// SPDX-License-Identifier: Apache-2.0
#include "common/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    HOST_MOST = 64
};

static enum pdp_err failed(const char *address, int *fd, char why[SOCKETS_WHY_MAX])
{
    (void)snprintf(why, SOCKETS_WHY_MAX, "cannot listen on `%s`: %s", address, strerror(errno));
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return PDP_ERR_IO;
}

static const char *unix_path(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

static bool answered(const struct sockaddr_un *name)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = probe >= 0 && connect(probe, (const struct sockaddr *)name, sizeof *name) == 0;
    if (probe >= 0) {
        close(probe);
    }
    return up;
}

static enum pdp_err open_unix(const char *address, const char *path, int *fd, char why[SOCKETS_WHY_MAX])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat file;
    if (path[0] != '/' || strlen(path) >= sizeof name.sun_path) {
        (void)snprintf(why, SOCKETS_WHY_MAX, "`%s` needs a whole path of at most %zu bytes", address,
                       sizeof name.sun_path - 1);
        return PDP_ERR_SYNTAX;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    if (lstat(path, &file) == 0 && (!S_ISSOCK(file.st_mode) || answered(&name))) {
        errno = EADDRINUSE;
        return failed(address, fd, why);
    }
    (void)unlink(path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        return failed(address, fd, why);
    }
    mode_t mask = umask(0177);
    int bound = bind(*fd, (const struct sockaddr *)&name, sizeof name);
    umask(mask);
    return bound != 0 || listen(*fd, BACKLOG) != 0 ? failed(address, fd, why) : PDP_ERR_OK;
}

// `host:port` or `[host]:port`; the port behind the last colon.
static bool split(const char *address, char host[HOST_MOST], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    bool bracketed = len >= 2 && address[0] == '[' && address[len - 1] == ']';
    const char *from = bracketed ? address + 1 : address;
    len -= bracketed ? 2 : 0;
    if (colon == NULL || len == 0 || len >= HOST_MOST || (!bracketed && memchr(from, ':', len) != NULL)) {
        return false;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    *port = colon + 1;
    return **port != '\0';
}

static enum pdp_err open_tcp(const char *address, int *fd, char why[SOCKETS_WHY_MAX])
{
    char host[HOST_MOST];
    const char *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!split(address, host, &port) || getaddrinfo(host, port, &hints, &found) != 0) {
        (void)snprintf(
            why, SOCKETS_WHY_MAX,
            "`%s` is no address; write `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/pdp/name.sock`", address);
        return PDP_ERR_SYNTAX;
    }
    const int yes = 1;
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good = *fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                bind(*fd, found->ai_addr, found->ai_addrlen) == 0 && listen(*fd, BACKLOG) == 0;
    freeaddrinfo(found);
    return good ? PDP_ERR_OK : failed(address, fd, why);
}

enum pdp_err sockets_open(const char *address, int *fd, char why[SOCKETS_WHY_MAX])
{
    *fd = -1;
    why[0] = '\0';
    const char *path = unix_path(address);
    return path != NULL ? open_unix(address, path, fd, why) : open_tcp(address, fd, why);
}

void sockets_close(const char *address, int *fd)
{
    const char *path = unix_path(address);
    if (*fd >= 0 && path != NULL) {
        (void)unlink(path);
    }
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}
