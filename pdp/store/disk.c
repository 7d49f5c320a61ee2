// SPDX-License-Identifier: Apache-2.0
#include "store/disk.h"

#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
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

static enum pdp_err fail(const char *path, const char *verb, char why[static STORE_WHY_MAX])
{
    enum pdp_err err = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? PDP_ERR_LIMIT : PDP_ERR_IO;
    store_tell(why, "`%s` cannot be %s: %s", path, verb, strerror(errno));
    return err;
}

enum pdp_err disk_name(char out[static DISK_PATH_MAX], const char *path, const char *ending,
                       char why[static STORE_WHY_MAX])
{
    int len = snprintf(out, DISK_PATH_MAX, "%s%s", path, ending);
    if (len < 0 || len >= DISK_PATH_MAX) {
        store_tell(why, "the name of the file is too long");
        return PDP_ERR_LIMIT;
    }
    return PDP_ERR_OK;
}

static bool holds_bytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size > 0;
}

enum pdp_err disk_look(const char *path, char why[static STORE_WHY_MAX])
{
    char log[DISK_PATH_MAX], restored[DISK_PATH_MAX];
    struct stat info;
    TRY(disk_name(log, path, "-wal", why));
    TRY(disk_name(restored, path, ".restored", why));
    if (lstat(restored, &info) == 0) {
        store_tell(
            why,
            "`%s` is refused: a restore was begun and not finished\n  hint: run `pdpctl store restore DIR "
            "FILE` again",
            path);
        return PDP_ERR_STATE;
    }
    if (stat(path, &info) != 0) {
        if (errno != ENOENT) {
            return fail(path, "read", why);
        }
        store_tell(why, "there is no file `%s`", path);
        return holds_bytes(log) ? sql_refuse(path, PDP_ERR_CORRUPT, "it is gone, but its log is there", why)
                                : PDP_ERR_MISSING;
    }
    if (!S_ISREG(info.st_mode)) {
        return sql_refuse(path, PDP_ERR_CORRUPT, "it is no plain file", why);
    }
    return info.st_size > 0 ? PDP_ERR_OK : sql_refuse(path, PDP_ERR_CORRUPT, "it is empty", why);
}

enum pdp_err disk_empty(const char *path, char why[static STORE_WHY_MAX])
{
    static const char *const BESIDE[] = {"", "-wal", "-shm", "-journal"};
    char name[DISK_PATH_MAX];
    for (size_t i = 0; i < COUNT_OF(BESIDE); i++) {
        TRY(disk_name(name, path, BESIDE[i], why));
        if (unlink(name) != 0 && errno != ENOENT) {
            return fail(name, "replaced", why);
        }
    }
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 ? PDP_ERR_OK : fail(path, "made", why);
}

enum pdp_err disk_sync_folder(const char *path, char why[static STORE_WHY_MAX])
{
    char folder[DISK_PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t len = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, len); // shorter than a path that was opened
        folder[len] = '\0';
    }
    AUTO(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? PDP_ERR_OK : fail(folder, "synced", why);
}

enum pdp_err disk_place(const char *from, const char *to, char why[static STORE_WHY_MAX])
{
    AUTO(fd_close) int fd = open(from, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        return fail(from, "synced", why);
    }
    if (rename(from, to) != 0) {
        return fail(to, "replaced", why);
    }
    return disk_sync_folder(to, why);
}

static enum pdp_err fill(const struct schema *schema, const char *path, const char *vfs)
{
    AUTO(sql_close) sqlite3 *db = NULL;
    char format[64];
    (void)snprintf(format, sizeof format, "PRAGMA page_size=%d; PRAGMA journal_mode=DELETE", SQL_PAGE_BYTES);
    TRY(sql_open(path, vfs, SQLITE_OPEN_READWRITE, &db));
    TRY(sql_run(db, format));
    return schema_make(schema, db);
}

enum pdp_err disk_make(const struct schema *schema, const char *path, const char *vfs,
                       char why[static STORE_WHY_MAX])
{
    char made[DISK_PATH_MAX];
    TRY(disk_name(made, path, ".new", why));
    TRY(disk_empty(made, why));
    enum pdp_err err = fill(schema, made, vfs);
    if (err != PDP_ERR_OK) {
        store_tell(why, "`%s` cannot be made: %s", path, pdp_err_text(err));
        (void)unlink(made);
        return err;
    }
    return disk_place(made, path, why);
}

uint64_t disk_bytes(const char *path)
{
    char log[DISK_PATH_MAX], why[STORE_WHY_MAX];
    struct stat info;
    uint64_t bytes = stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
    if (disk_name(log, path, "-wal", why) == PDP_ERR_OK && stat(log, &info) == 0) {
        bytes += (uint64_t)info.st_size;
    }
    return bytes;
}
