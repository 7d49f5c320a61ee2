// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/notify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST_FD = 3
};

void notify_send(const char *state)
{
    struct str path = str_of(getenv("NOTIFY_SOCKET"));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.len < 2 || path.len >= sizeof address.sun_path || (path.at[0] != '/' && path.at[0] != '@')) {
        return;
    }
    memcpy(address.sun_path, path.at, path.len);
    if (path.at[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
    close(fd);
}

void notify_reloading(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    char text[80];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    notify_send(text);
}

size_t notify_inherited(struct notify_fd *out, size_t most)
{
    uint64_t pid = 0, count = 0;
    if (!str_to_u64(str_of(getenv("LISTEN_PID")), &pid) || pid != (uint64_t)getpid() ||
        !str_to_u64(str_of(getenv("LISTEN_FDS")), &count)) {
        return 0;
    }
    struct str names = str_of(getenv("LISTEN_FDNAMES"));
    count = count < most ? count : most;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = str_find_byte(names, ':', at);
        out[i] = (struct notify_fd){FIRST_FD + (int)i, str_sub(names, at, end - at)};
        at = end < names.len ? end + 1 : names.len;
        (void)fcntl(out[i].fd, F_SETFD, FD_CLOEXEC);
        int flags = fcntl(out[i].fd, F_GETFL);
        if (flags >= 0) {
            (void)fcntl(out[i].fd, F_SETFL, flags | O_NONBLOCK);
        }
    }
    return (size_t)count;
}
