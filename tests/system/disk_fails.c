// SPDX-License-Identifier: Apache-2.0
// Preloaded into a daemon: files whose path begins with DISK_FILES are on a disk that fails as the file
// DISK_FAILS says, while it is there: `full` (no room), `sync` (what was written is not kept), `all` (both,
// as of a broken disk), or a number: each call of that number fails.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
    WRITES,
    SYNCS
};

static bool is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    const char *files = getenv("DISK_FILES");
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = files != NULL ? readlink(link, path, sizeof path) : -1;
    return len > 0 && (size_t)len >= strlen(files) && strncmp(path, files, strlen(files)) == 0;
}

// What the disk is asked to do now; empty where it works.
static void asked(char *mode, size_t size)
{
    const char *control = getenv("DISK_FAILS");
    int fd = control != NULL ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len = fd >= 0 ? syscall(SYS_read, fd, mode, size - 1) : 0;
    mode[len > 0 ? len : 0] = '\0';
    if (fd >= 0) {
        (void)syscall(SYS_close, fd);
    }
}

// 0, or what the call fails with.
static int fails(int fd, enum call call)
{
    static _Atomic unsigned long calls;
    char mode[32];
    int saved = errno;
    asked(mode, sizeof mode);
    errno = saved;
    if (mode[0] == '\0' || !is_ours(fd)) {
        return 0;
    }
    if (strcmp(mode, "full") == 0) {
        return call == WRITES ? ENOSPC : 0;
    }
    if (strcmp(mode, "sync") == 0) {
        return call == SYNCS ? EIO : 0;
    }
    unsigned long every = strtoul(mode, NULL, 10);
    return every == 0 || (atomic_fetch_add(&calls, 1) + 1) % every == 0 ? EIO : 0;
}

#define FAIL_OR(call, fd, done)        \
    do {                               \
        int why = fails((fd), (call)); \
        if (why != 0) {                \
            errno = why;               \
            return -1;                 \
        }                              \
        return (done);                 \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t len)
{
    FAIL_OR(WRITES, fd, syscall(SYS_write, fd, bytes, len));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    FAIL_OR(WRITES, fd, syscall(SYS_pwrite64, fd, bytes, len, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    FAIL_OR(WRITES, fd, syscall(SYS_pwrite64, fd, bytes, len, at));
}

int ftruncate(int fd, off_t len)
{
    FAIL_OR(WRITES, fd, (int)syscall(SYS_ftruncate, fd, len));
}

int fsync(int fd)
{
    FAIL_OR(SYNCS, fd, (int)syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    FAIL_OR(SYNCS, fd, (int)syscall(SYS_fdatasync, fd));
}
