// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WORD_MAX = 32,
    HELLO_MS = 1000,
    GIVE_MS = 10000,
    LABELS_MAX = TAKEOVER_FDS_MAX * 161
};

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static enum pdp_err fail(char why[static TAKEOVER_WHY_MAX], const char *what)
{
    (void)snprintf(why, TAKEOVER_WHY_MAX, "%s: %s", what, strerror(errno));
    return PDP_ERR_IO;
}

// By the folder's descriptor: a socket's path holds 107 bytes, the name of a folder may be longer.
static enum pdp_err address_of(const char *dir, int *folder, struct sockaddr_un *out,
                               char why[static TAKEOVER_WHY_MAX])
{
    *folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0) {
        return fail(why, "the state folder cannot be opened");
    }
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/" TAKEOVER_NAME, *folder);
    return PDP_ERR_OK;
}

// ---- The one that runs ---------------------------------------------------------------------------------

enum pdp_err takeover_listen(const char *dir, int *fd, char why[static TAKEOVER_WHY_MAX])
{
    *fd = -1;
    struct sockaddr_un address;
    AUTO(fd_close) int folder = -1;
    TRY(address_of(dir, &folder, &address, why));
    AUTO(fd_close) int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) {
        return fail(why, "cannot make a socket");
    }
    // We hold the folder's lock: nobody else listens there.
    if (unlinkat(folder, TAKEOVER_NAME, 0) != 0 && errno != ENOENT) {
        return fail(why, "cannot remove the old socket");
    }
    if (fchmod(made, 0600) != 0 || bind(made, (struct sockaddr *)&address, sizeof address) != 0 ||
        fchmodat(folder, TAKEOVER_NAME, 0600, 0) != 0 || listen(made, 1) != 0) {
        return fail(why, "cannot listen in the state folder");
    }
    *fd = made;
    made = -1;
    return PDP_ERR_OK;
}

void takeover_unlisten(const char *dir, int *fd)
{
    if (*fd >= 0) {
        AUTO(fd_close) int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
            (void)unlinkat(folder, TAKEOVER_NAME, 0);
        }
    }
    fd_close(fd);
}

bool takeover_say(int peer, const char *word)
{
    return send(peer, word, strlen(word), MSG_NOSIGNAL) == (ssize_t)strlen(word);
}

bool takeover_hear(int peer, const char *word, int wait_ms)
{
    char text[WORD_MAX];
    struct pollfd ready = {.fd = peer, .events = POLLIN};
    int got = poll(&ready, 1, wait_ms);
    while (got < 0 && errno == EINTR) {
        got = poll(&ready, 1, wait_ms);
    }
    ssize_t len = got == 1 ? recv(peer, text, sizeof text, MSG_DONTWAIT) : -1;
    return len == (ssize_t)strlen(word) && memcmp(text, word, (size_t)len) == 0;
}

void takeover_accept(int listener, int *peer, pid_t *pid)
{
    *peer = -1;
    *pid = 0;
    AUTO(fd_close) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t len = sizeof who;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
        (who.uid != geteuid() && who.uid != 0) || !takeover_hear(fd, "takeover?", HELLO_MS)) {
        return;
    }
    *pid = who.pid;
    *peer = fd;
    fd = -1;
}

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(TAKEOVER_FDS_MAX * sizeof(int))];
};

enum pdp_err takeover_give(int peer, const struct takeover_fd *fds, size_t count)
{
    if (count == 0 || count > TAKEOVER_FDS_MAX) {
        return PDP_ERR_LIMIT;
    }
    char labels[LABELS_MAX] = "";
    int numbers[TAKEOVER_FDS_MAX] = {0};
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = fds[i].fd;
        len += (size_t)snprintf(labels + len, sizeof labels - len, "%.*s\n", (int)sizeof fds[i].label - 1,
                                fds[i].label);
    }
    union control control = {.room = {0}};
    struct iovec part = {labels, len};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), numbers, count * sizeof(int));
    return sendmsg(peer, &msg, MSG_NOSIGNAL) == (ssize_t)len ? PDP_ERR_OK : PDP_ERR_IO;
}

// ---- The successor ---------------------------------------------------------------------------------------

static size_t take_numbers(struct msghdr *msg, int numbers[static TAKEOVER_FDS_MAX])
{
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
        return 0;
    }
    size_t bytes = head->cmsg_len - CMSG_LEN(0);
    bytes = bytes < TAKEOVER_FDS_MAX * sizeof(int) ? bytes : TAKEOVER_FDS_MAX * sizeof(int);
    memcpy(numbers, CMSG_DATA(head), bytes);
    return bytes / sizeof(int);
}

// One label a descriptor, in the same order.
static bool take_labels(struct str text, struct takeover_fd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t end = str_find_byte(text, '\n', 0);
        if (end >= text.len || end >= sizeof fds[i].label) {
            return false;
        }
        memcpy(fds[i].label, text.at, end);
        fds[i].label[end] = '\0';
        text = str_sub(text, end + 1, text.len);
    }
    return text.len == 0;
}

static enum pdp_err take(int peer, struct takeover_fd fds[static TAKEOVER_FDS_MAX], size_t *count,
                         char why[static TAKEOVER_WHY_MAX])
{
    char labels[LABELS_MAX];
    union control control = {.room = {0}};
    int numbers[TAKEOVER_FDS_MAX];
    struct iovec part = {labels, sizeof labels};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    struct pollfd ready = {.fd = peer, .events = POLLIN};
    ssize_t len = poll(&ready, 1, GIVE_MS) == 1 ? recvmsg(peer, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) : -1;
    *count = len > 0 ? take_numbers(&msg, numbers) : 0;
    for (size_t i = 0; i < *count; i++) {
        fds[i] = (struct takeover_fd){.fd = numbers[i]};
    }
    if (*count > 0 && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
        take_labels((struct str){labels, (size_t)len}, fds, *count)) {
        return PDP_ERR_OK;
    }
    for (size_t i = 0; i < *count; i++) {
        fd_close(&fds[i].fd);
    }
    *count = 0;
    (void)snprintf(why, TAKEOVER_WHY_MAX,
                   "the running pdpd gave no listeners\n  hint: is it of another version?");
    return PDP_ERR_STATE;
}

enum pdp_err takeover_ask(const char *dir, int *peer, struct takeover_fd fds[static TAKEOVER_FDS_MAX],
                          size_t *count, char why[static TAKEOVER_WHY_MAX])
{
    *peer = -1;
    *count = 0;
    struct sockaddr_un address;
    AUTO(fd_close) int folder = -1;
    TRY(address_of(dir, &folder, &address, why));
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(why, "cannot make a socket");
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        bool nobody = errno == ENOENT || errno == ECONNREFUSED;
        (void)fail(why, "cannot reach the running pdpd");
        if (nobody) {
            (void)snprintf(why, TAKEOVER_WHY_MAX,
                           "no pdpd runs in this state folder\n  hint: start without `--takeover`");
        }
        return nobody ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    if (!takeover_say(fd, "takeover?")) {
        return fail(why, "the running pdpd does not listen");
    }
    TRY(take(fd, fds, count, why));
    *peer = fd;
    fd = -1;
    return PDP_ERR_OK;
}
