// SPDX-License-Identifier: Apache-2.0
#include "daemon/file.h"

#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static enum pdp_err fail(const char **why)
{
    *why = strerror(errno);
    return PDP_ERR_IO;
}

// ---- Writing ---------------------------------------------------------------------------------------

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes = str_sub(bytes, (size_t)put, SIZE_MAX);
    }
    return true;
}

// Made anew, so that nobody else has it open and no link leads elsewhere.
static enum pdp_err write_new(const char *path, struct str bytes, mode_t mode, const char **why)
{
    (void)unlink(path);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail(why);
    }
    if (!write_all(fd, bytes) || fsync(fd) != 0) {
        enum pdp_err err = fail(why);
        (void)unlink(path);
        return err;
    }
    return PDP_ERR_OK;
}

static enum pdp_err sync_folder_of(const char *path, const char **why)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, slash != NULL ? path : ".", slash != NULL ? len : 1);
    folder[slash != NULL ? len : 1] = '\0';
    AUTO(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? PDP_ERR_OK : fail(why);
}

enum pdp_err file_replace(const char *path, struct str bytes, mode_t mode, const char **why)
{
    char made[PATH_MAX];
    int len = snprintf(made, sizeof made, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof made) {
        errno = ENAMETOOLONG;
        return fail(why);
    }
    TRY(write_new(made, bytes, mode, why));
    if (rename(made, path) != 0) {
        enum pdp_err err = fail(why);
        (void)unlink(made);
        return err;
    }
    return sync_folder_of(path, why);
}

// ---- Reading ---------------------------------------------------------------------------------------

static enum pdp_err read_all(int fd, size_t most, struct buf *out, const char **why)
{
    size_t left = most + 1; // one more, to see that there is more
    while (left > 0) {
        size_t part = left < 65536 ? left : 65536;
        if (!buf_room(out, part)) {
            *why = "memory is out";
            return PDP_ERR_NOMEM;
        }
        ssize_t got = read(fd, out->at + out->len, part);
        if (got < 0) {
            return fail(why);
        }
        if (got == 0) {
            return PDP_ERR_OK;
        }
        out->len += (size_t)got;
        left -= (size_t)got;
    }
    *why = "the file is too large";
    return PDP_ERR_LIMIT;
}

enum pdp_err file_take(const char *path, size_t most, struct buf *out, mode_t *mode, const char **why)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not hold us up
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        bool missing = errno == ENOENT;
        (void)fail(why);
        return missing ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    if (!S_ISREG(info.st_mode)) {
        *why = "not a file";
        return PDP_ERR_TYPE;
    }
    if (mode != NULL) {
        *mode = info.st_mode & 07777;
    }
    enum pdp_err err = read_all(fd, most, out, why);
    if (err != PDP_ERR_OK) {
        seal_wipe(out->at, out->len);
        buf_clear(out);
    }
    return err;
}
