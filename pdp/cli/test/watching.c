// SPDX-License-Identifier: Apache-2.0
#include "cli/test/watching.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                                IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF;
static const int QUIET_MS = 50;
static const int AGAIN_MS = 200;   // the folders above may be gone too, so that nothing tells of its return
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

enum pdp_err watching_return(const char *dir, int *fd)
{
    close(*fd);
    enum pdp_err err = watching_begin(dir, fd);
    while (err != PDP_ERR_OK && (errno == ENOENT || errno == ENOTDIR)) {
        (void)!poll(NULL, 0, AGAIN_MS);
        err = watching_begin(dir, fd);
    }
    return err;
}

// What happened to one name since the wait began.
struct seen {
    int folder;
    char name[NAME_MAX + 1];
    bool born, gone; // it was not there before; it is not there any more
};

struct burst {
    struct seen seen[NAMES_MOST];
    size_t count;
    bool more; // of what has no name here
};

static struct seen *find(struct burst *burst, const struct inotify_event *event)
{
    for (size_t i = 0; i < burst->count; i++) {
        if (burst->seen[i].folder == event->wd && strcmp(burst->seen[i].name, event->name) == 0) {
            return &burst->seen[i];
        }
    }
    if (burst->count == NAMES_MOST || strlen(event->name) > NAME_MAX) {
        burst->more = true;
        return NULL;
    }
    struct seen *seen = &burst->seen[burst->count++];
    *seen = (struct seen){.folder = event->wd, .born = (event->mask & IN_CREATE) != 0};
    memcpy(seen->name, event->name, strlen(event->name) + 1);
    return seen;
}

static void note(const struct inotify_event *event, struct burst *burst)
{
    struct str name = event->len > 0 ? str_of(event->name) : STR("");
    burst->more = burst->more || (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
    // What editors keep beside a file begins with a dot, or ends so.
    if (name.len == 0 || name.at[0] == '.' || str_ends(name, STR("~"))) {
        return;
    }
    struct seen *seen = find(burst, event);
    if (seen != NULL) {
        seen->gone = (event->mask & (IN_DELETE | IN_MOVED_FROM)) != 0;
    }
}

// All that is there to be read.
static void drain(int fd, struct burst *burst)
{
    _Alignas(struct inotify_event) char bytes[16384];
    for (ssize_t got = read(fd, bytes, sizeof bytes); got > 0; got = read(fd, bytes, sizeof bytes)) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)&bytes[at];
            note(event, burst);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
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

// What came and went meanwhile was a step of somebody's way to write another file.
static bool tell(const struct burst *burst, struct buf *names)
{
    bool changed = burst->more;
    for (size_t i = 0; i < burst->count; i++) {
        const struct seen *seen = &burst->seen[i];
        AUTO(buf_fini) struct buf shown = {0};
        buf_escaped(&shown, str_of(seen->name));
        changed = changed || !seen->born || !seen->gone;
        if ((!seen->born || !seen->gone) && !named(names, buf_view(&shown))) {
            buf_str(names, names->len > 0 ? STR(", ") : STR(""));
            buf_str(names, buf_view(&shown));
        }
    }
    return changed;
}

enum pdp_err watching_wait(int fd, struct buf *names)
{
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    bool changed = false;
    while (!changed) {
        struct burst burst = {0};
        if (poll(&waits, 1, -1) < 0 && errno != EINTR) {
            return PDP_ERR_IO;
        }
        drain(fd, &burst);
        for (int i = 0; i < ROUNDS_MOST && poll(&waits, 1, QUIET_MS) > 0; i++) {
            drain(fd, &burst);
        }
        changed = tell(&burst, names);
    }
    return PDP_ERR_OK;
}
