// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const int BACKLOG = 1024;
static const int LOCK_TRIES = 100, LOCK_PAUSE_MS = 10;

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static enum pdp_err fail(char why[LISTEN_WHY_MAX], const char *what)
{
    snprintf(why, LISTEN_WHY_MAX, "%s: %s", what, strerror(errno));
    return PDP_ERR_IO;
}

static socklen_t address_of(const struct url *url, union address *out)
{
    memset(out, 0, sizeof *out);
    if (url->transport == SP_IPC) {
        out->un.sun_family = AF_UNIX;
        memcpy(out->un.sun_path, url->path, sizeof url->path);
        return sizeof out->un;
    }
    if (url->ip.v4) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(url->port);
        memcpy(&out->in.sin_addr, url->ip.bytes + 12, 4);
        return sizeof out->in;
    }
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_port = htons(url->port);
    memcpy(&out->in6.sin6_addr, url->ip.bytes, 16);
    return sizeof out->in6;
}

static void url_of(const union address *address, struct url *out)
{
    *out = (struct url){.transport = SP_TCP};
    if (address->any.sa_family == AF_UNIX) {
        out->transport = SP_IPC;
        snprintf(out->path, sizeof out->path, "%s", address->un.sun_path);
    } else if (address->any.sa_family == AF_INET) {
        static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
        memcpy(out->ip.bytes, MAPPED, sizeof MAPPED);
        memcpy(out->ip.bytes + 12, &address->in.sin_addr, 4);
        out->ip.v4 = true;
        out->port = ntohs(address->in.sin_port);
    } else {
        memcpy(out->ip.bytes, &address->in6.sin6_addr, 16);
        out->port = ntohs(address->in6.sin6_port);
    }
}

// Removes a socket file that was left behind. Nothing there is fine.
static enum pdp_err clear_stale(const struct url *url, char why[LISTEN_WHY_MAX])
{
    struct stat info;
    if (lstat(url->path, &info) != 0) {
        return errno == ENOENT ? PDP_ERR_OK : fail(why, "cannot look at the socket's path");
    }
    if (!S_ISSOCK(info.st_mode)) {
        snprintf(why, LISTEN_WHY_MAX, "the path exists and is no socket");
        return PDP_ERR_STATE;
    }
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    union address address;
    socklen_t len = address_of(url, &address);
    if (fd < 0) {
        return fail(why, "cannot make a socket");
    }
    if (connect(fd, &address.any, len) == 0 || errno != ECONNREFUSED) {
        snprintf(why, LISTEN_WHY_MAX, "another process is listening there");
        return PDP_ERR_STATE;
    }
    return unlink(url->path) == 0 ? PDP_ERR_OK : fail(why, "cannot remove the old socket");
}

// To look for a socket that was left behind and to put ours there is one step: two daemons that start at once
// would each remove the other's. -1 where there can be no lock, or somebody keeps it: we go on without.
static int folder_lock(const struct url *url)
{
    if (url->transport != SP_IPC) {
        return -1;
    }
    char folder[URL_PATH_MAX + 1];
    memcpy(folder, url->path, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        return -1;
    }
    slash[slash == folder] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return fd;
}

static enum pdp_err bind_to(int fd, const struct listen_spec *spec, char why[LISTEN_WHY_MAX])
{
    union address address;
    socklen_t len = address_of(&spec->url, &address);
    if (spec->url.transport == SP_IPC) {
        TRY(clear_stale(&spec->url, why));
        // Before bind, so that the file never has wider rights; chmod makes up for a narrow umask.
        if (fchmod(fd, (mode_t)spec->mode) != 0) {
            return fail(why, "cannot set the socket's mode");
        }
    } else {
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (!spec->url.ip.v4) {
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        }
    }
    if (bind(fd, &address.any, len) != 0) {
        return fail(why, "cannot bind");
    }
    if (spec->url.transport == SP_IPC && chmod(spec->url.path, (mode_t)spec->mode) != 0) {
        return fail(why, "cannot set the socket's mode");
    }
    return listen(fd, BACKLOG) == 0 ? PDP_ERR_OK : fail(why, "cannot listen");
}

enum pdp_err listener_open(const struct listen_spec *spec, struct listener *out, char why[LISTEN_WHY_MAX])
{
    *out = (struct listener){.fd = -1};
    int family = spec->url.transport == SP_IPC ? AF_UNIX : spec->url.ip.v4 ? AF_INET : AF_INET6;
    AUTO(fd_close) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(why, "cannot make a socket");
    }
    AUTO(fd_close) int lock = folder_lock(&spec->url);
    (void)lock; // held until we listen
    TRY(bind_to(fd, spec, why));
    *out = (struct listener){.fd = fd, .spec = *spec};
    struct stat info;
    if (spec->url.transport == SP_IPC && lstat(spec->url.path, &info) == 0) {
        out->file_device = info.st_dev;
        out->file_number = info.st_ino;
    }
    if (spec->url.transport == SP_TCP) { // port 0 is given one now
        union address address;
        socklen_t len = sizeof address;
        if (getsockname(fd, &address.any, &len) == 0) {
            url_of(&address, &out->spec.url);
            out->spec.url.tls = spec->url.tls;
        }
    }
    fd = -1;
    return PDP_ERR_OK;
}

enum pdp_err listener_inherit(int fd, struct listener *out, char why[LISTEN_WHY_MAX])
{
    *out = (struct listener){.fd = -1};
    int type = 0, accepts = 0;
    socklen_t len = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0) {
        return fail(why, "not a socket");
    }
    len = sizeof accepts;
    if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) != 0 ||
        accepts == 0) {
        snprintf(why, LISTEN_WHY_MAX, "not a listening stream socket");
        return PDP_ERR_UNSUPPORTED;
    }
    union address address = {0};
    len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0) {
        return fail(why, "no address");
    }
    if (address.any.sa_family != AF_UNIX && address.any.sa_family != AF_INET &&
        address.any.sa_family != AF_INET6) {
        snprintf(why, LISTEN_WHY_MAX, "neither a unix nor a tcp socket");
        return PDP_ERR_UNSUPPORTED;
    }
    *out = (struct listener){.fd = fd, .inherited = true};
    out->spec = (struct listen_spec){.grants = GRANT_ALL, .roles = ROLE_ALL};
    url_of(&address, &out->spec.url);
    out->spec.configured = out->spec.url;
    out->spec.own_only = out->spec.url.transport == SP_IPC;
    return PDP_ERR_OK;
}

void listener_close(struct listener *listener)
{
    // Somebody may have taken our file away, and another daemon have made its own there.
    struct stat info;
    if (listener->fd >= 0 && listener->file_number != 0 && lstat(listener->spec.url.path, &info) == 0 &&
        info.st_dev == listener->file_device && info.st_ino == listener->file_number) {
        unlink(listener->spec.url.path);
    }
    fd_close(&listener->fd);
}

static void origin_of(int fd, const union address *address, struct accepted *out)
{
    struct buf text = {.limit = sizeof out->origin - 1};
    if (out->transport == SP_IPC) {
        struct ucred who = {.uid = (uid_t)-1};
        socklen_t len = sizeof who;
        bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0;
        buf_printf(&text, known ? "uid:%u" : "uid:unknown", (unsigned)who.uid);
        out->has_uid = known;
        out->uid = who.uid;
        out->gid = who.gid;
    } else {
        struct url url;
        url_of(address, &url);
        struct buf digits = {0};
        ip_print(&digits, &url.ip);
        struct ip canonical = url.ip; // a mapped address counts as the IPv4 one
        if (ip_parse(buf_view(&digits), &canonical)) {
            buf_str(&text, STR("ip:"));
            ip_print(&text, &canonical);
        }
        buf_fini(&digits);
    }
    memset(out->origin, 0, sizeof out->origin);
    if (text.len != 0) {
        memcpy(out->origin, text.at, text.len);
    }
    buf_fini(&text);
}

bool listener_accept(const struct listener *listener, struct accepted *out)
{
    *out = (struct accepted){.fd = -1, .transport = listener->spec.url.transport};
    union address address = {0};
    socklen_t len = sizeof address;
    out->fd = accept4(listener->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (out->fd < 0) {
        return false;
    }
    if (out->transport == SP_TCP) {
        int on = 1;
        setsockopt(out->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(out->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    origin_of(out->fd, &address, out);
    return true;
}
