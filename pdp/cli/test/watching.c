// SPDX-License-Identifier: Apache-2.0
#include "cli/test/watching.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t CHANGES =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR | IN_DELETE_SELF;
static const int QUIET_MS = 50;
static const int ROUNDS_MOST = 20; // of a file that is written all the time
static const int DEPTH_MOST = 16;
enum {
    NAMES_MOST = 20
};

static void dir_close(DIR **dir)
{
    if (*dir != NULL) {
        closedir(*dir);
    }
}

static enum pdp_err add(const char *path, int fd, int depth)
{
    if (inotify_add_watch(fd, path, CHANGES) < 0) {
        return PDP_ERR_IO;
    }
    AUTO(dir_close) DIR *dir = opendir(path);
    if (dir == NULL || depth == DEPTH_MOST) {
        return dir == NULL ? PDP_ERR_IO : PDP_ERR_OK;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char below[4096];
        struct stat info;
        int len = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && len > 0 && (size_t)len < sizeof below && lstat(below, &info) == 0 &&
            S_ISDIR(info.st_mode)) {
            (void)!add(below, fd, depth + 1); // it may be gone again
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err watching_begin(const char *dir, int *fd)
{
    *fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (*fd < 0) {
        return PDP_ERR_IO;
    }
    enum pdp_err err = add(dir, *fd, 0);
    if (err != PDP_ERR_OK) {
        int why = errno;
        close(*fd);
        *fd = -1;
        errno = why;
    }
    return err;
}

enum pdp_err watching_renew(const char *dir, int fd)
{
    return add(dir, fd, 0);
}

static bool named(const struct buf *names, struct str name)
{
    struct str all = buf_view(names);
    for (size_t at = 0; at < all.len;) {
        size_t end = str_find(all, STR(", "), at);
        end = end == SIZE_MAX ? all.len : end;
        if (str_eq(str_sub(all, at, end - at), name)) {
            return true;
        }
        at = end + 2;
    }
    return false;
}

static void note(const struct inotify_event *event, struct buf *names, size_t *count)
{
    struct str name = event->len > 0 ? str_of(event->name) : STR("");
    // What editors keep beside a file begins with a dot, or ends so.
    if (name.len == 0 || name.at[0] == '.' || str_ends(name, STR("~")) || named(names, name)) {
        return;
    }
    if (*count < NAMES_MOST) {
        buf_str(names, names->len > 0 ? STR(", ") : STR(""));
        buf_escaped(names, name);
    }
    ++*count;
}

// All that is there to be read. true: something changed that counts.
static bool drain(int fd, struct buf *names, size_t *count)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool changed = false;
    for (ssize_t got = read(fd, bytes, sizeof bytes); got > 0; got = read(fd, bytes, sizeof bytes)) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)&bytes[at];
            size_t before = *count;
            note(event, names, count);
            changed = changed || *count > before || (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF)) != 0;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return changed;
}

enum pdp_err watching_wait(int fd, struct buf *names)
{
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    size_t count = 0;
    bool changed = false;
    while (!changed) {
        if (poll(&waits, 1, -1) < 0 && errno != EINTR) {
            return PDP_ERR_IO;
        }
        changed = drain(fd, names, &count);
    }
    for (int i = 0; i < ROUNDS_MOST && poll(&waits, 1, QUIET_MS) > 0; i++) {
        (void)drain(fd, names, &count);
    }
    return PDP_ERR_OK;
}
