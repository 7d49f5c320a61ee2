// SPDX-License-Identifier: Apache-2.0
// Preloaded into a daemon: with AT_RENAME=kill the process is killed as soon as `served-bundle` has its new
// content, with AT_RENAME=full the disk is full when that is to be synced.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool asked(const char *what)
{
    const char *mode = getenv("AT_RENAME");
    return mode != NULL && strcmp(mode, what) == 0;
}

int rename(const char *from, const char *to)
{
    long done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (done == 0 && asked("kill") && strstr(to, "served-bundle") != NULL) {
        (void)raise(SIGKILL);
    }
    return (int)done;
}

int fsync(int fd)
{
    if (asked("full")) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}
