// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const int LINKS_MOST = 40;
static const int TRIES_MOST = 100;
static const char ACL[] = "system.posix_acl_access";
static const char NOT_KEPT[] = "it belongs to another owner or group, which could not stay so";

// Where bytes go, and by which name until they are whole.
struct aim {
    char path[PATH_MAX], made[PATH_MAX];
    size_t folder; // of `path`, so many bytes, with the slash
    struct stat was;
    bool there;
};

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

// ---- Where ---------------------------------------------------------------------------------------------

static void folder_of(struct aim *aim)
{
    const char *slash = strrchr(aim->path, '/');
    aim->folder = slash != NULL ? (size_t)(slash - aim->path) + 1 : 0;
}

// One link is followed; false with errno.
static bool follow(struct aim *aim)
{
    char to[PATH_MAX];
    ssize_t len = readlink(aim->path, to, sizeof to);
    if (len <= 0) {
        return false;
    }
    folder_of(aim);
    size_t keep = to[0] == '/' ? 0 : aim->folder;
    if (keep + (size_t)len >= sizeof aim->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(aim->path + keep, to, (size_t)len);
    aim->path[keep + (size_t)len] = '\0';
    return true;
}

// The last name is no link; a link that leads to nothing is followed too, to the file that is to be.
static bool resolve(const char *path, struct aim *aim)
{
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof aim->path) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return false;
    }
    memcpy(aim->path, path, len + 1);
    for (int i = 0; i < LINKS_MOST; i++) {
        aim->there = lstat(aim->path, &aim->was) == 0;
        if (!aim->there || !S_ISLNK(aim->was.st_mode)) {
            folder_of(aim);
            return aim->there || errno == ENOENT;
        }
        if (!follow(aim)) {
            return false;
        }
    }
    errno = ELOOP;
    return false;
}

// ---- In place --------------------------------------------------------------------------------------------

// Through a link such as /dev/stdout; a plain file that is named itself is replaced.
static bool is_standard(const char *path, const struct stat *info)
{
    struct stat out, name;
    if (lstat(path, &name) != 0 || S_ISREG(name.st_mode)) {
        return false;
    }
    return fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == info->st_dev && out.st_ino == info->st_ino;
}

static enum pdp_err write_place(const char *path, struct str bytes, const char **why)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        return fail(why);
    }
    if (S_ISREG(info.st_mode)) {
        *why = "it changed meanwhile";
        return PDP_ERR_IO;
    }
    return write_all(fd, bytes) ? PDP_ERR_OK : fail(why);
}

// ---- Beside ----------------------------------------------------------------------------------------------

static int open_beside(struct aim *aim)
{
    for (int i = 0; i < TRIES_MOST; i++) {
        uint64_t drawn = 0;
        if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
            return -1;
        }
        int len = snprintf(aim->made, sizeof aim->made, "%.*s.pdpctl-%016" PRIx64, (int)aim->folder,
                           aim->path, drawn);
        if (len < 0 || (size_t)len >= sizeof aim->made) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(aim->made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

// Without its list, the bits of a group would say more than they did.
static bool keep_acl(int fd, const char *path)
{
    char list[4096];
    ssize_t len = getxattr(path, ACL, list, sizeof list);
    if (len > 0) {
        return fsetxattr(fd, ACL, list, (size_t)len, 0) == 0;
    }
    if (errno != ENODATA) {
        return errno == ENOTSUP;
    }
    return fremovexattr(fd, ACL) == 0 || errno == ENODATA || errno == ENOTSUP;
}

static mode_t less_umask(mode_t mode)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return mode & ~mask;
}

// Owner first: a change of it takes bits off the mode.
static bool keep_owner(int fd, const struct aim *aim, mode_t mode, const char **why)
{
    struct stat is;
    if (!aim->there) {
        return fchmod(fd, less_umask(mode)) == 0;
    }
    if (fstat(fd, &is) != 0) {
        return false;
    }
    if ((is.st_uid != aim->was.st_uid || is.st_gid != aim->was.st_gid) &&
        fchown(fd, aim->was.st_uid, aim->was.st_gid) != 0) {
        *why = NOT_KEPT;
        return false;
    }
    return keep_acl(fd, aim->path) && fchmod(fd, aim->was.st_mode & 07777) == 0;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// What was looked at is what is replaced: a plain file in which nobody wrote since, or nothing.
static bool is_as_it_was(const struct aim *aim)
{
    struct stat now;
    if (lstat(aim->path, &now) != 0) {
        return !aim->there && errno == ENOENT;
    }
    return aim->there && S_ISREG(now.st_mode) && now.st_dev == aim->was.st_dev &&
           now.st_ino == aim->was.st_ino && now.st_size == aim->was.st_size &&
           is_same_time(now.st_mtim, aim->was.st_mtim);
}

static bool fill(int fd, const struct aim *aim, struct str bytes, mode_t mode, const char **why)
{
    *why = NULL;
    bool good = write_all(fd, bytes) && keep_owner(fd, aim, mode, why) && fsync(fd) == 0;
    if (good && !is_as_it_was(aim)) {
        *why = "it changed meanwhile";
        good = false;
    }
    good = good && rename(aim->made, aim->path) == 0;
    if (!good && *why == NULL) {
        (void)fail(why);
    }
    return good;
}

// The name is taken already: a folder that cannot be synced (of some file systems) is no mistake.
static void sync_folder(struct aim *aim)
{
    aim->path[aim->folder] = '\0';
    AUTO(fd_close) int fd = open(aim->folder > 0 ? aim->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
    }
}

static enum pdp_err put_beside(struct aim *aim, struct str bytes, mode_t mode, const char **why)
{
    if (aim->there && faccessat(AT_FDCWD, aim->path, W_OK, AT_EACCESS) != 0) {
        return fail(why);
    }
    AUTO(fd_close) int fd = open_beside(aim);
    if (fd < 0) {
        return fail(why);
    }
    if (!fill(fd, aim, bytes, mode, why)) {
        (void)unlink(aim->made);
        return PDP_ERR_IO;
    }
    sync_folder(aim);
    return PDP_ERR_OK;
}

// ---- All of it -------------------------------------------------------------------------------------------

enum pdp_err output_put(const char *path, struct str bytes, mode_t mode, const char **why)
{
    struct aim aim;
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && is_standard(path, &info)) {
        (void)fflush(stdout);
        return write_all(STDOUT_FILENO, bytes) ? PDP_ERR_OK : fail(why);
    }
    if (there && !S_ISREG(info.st_mode)) {
        return write_place(path, bytes, why);
    }
    if (!resolve(path, &aim)) {
        return fail(why);
    }
    if (there && (!aim.there || aim.was.st_dev != info.st_dev || aim.was.st_ino != info.st_ino)) {
        *why = "it is open, but has no name any more"; // links of /proc lead to files, whatever they say
        return PDP_ERR_IO;
    }
    return put_beside(&aim, bytes, mode, why);
}

int output_write(const char *path, const struct buf *bytes, mode_t mode)
{
    const char *why = "out of memory";
    if (bytes->failed || output_put(path, buf_view(bytes), mode, &why) != PDP_ERR_OK) {
        const char *hint = why == NOT_KEPT ? "let its owner do this, or name another file" : NULL;
        return cli_bad(hint, "`%s` cannot be written: %s", path, why);
    }
    return CLI_DONE;
}

static void text_free(char **text)
{
    free(*text);
    *text = NULL;
}

static bool is_document(const char *path)
{
    return path != NULL && (str_ends(str_of(path), STR(".yaml")) || str_ends(str_of(path), STR(".yml")));
}

int output_report(const char *flag, const char *path)
{
    AUTO(text_free) char *whole = path != NULL ? realpath(path, NULL) : NULL;
    if (!is_document(path) && !is_document(whole)) {
        return CLI_DONE;
    }
    return cli_bad("take a name that does not end in `.yaml` or `.yml`",
                   "`%s %s` is, or leads to, the name of a policy or a test", flag, path);
}
