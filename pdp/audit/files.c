// SPDX-License-Identifier: Apache-2.0
#include "audit/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    PART_BYTES = 64 * 1024
};

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

enum pdp_err files_write(int fd, uint64_t at, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = pwrite(fd, bytes.at, bytes.len, (off_t)at);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return PDP_ERR_IO;
        }
        at += (uint64_t)put;
        bytes = str_sub(bytes, (size_t)put, SIZE_MAX);
    }
    return PDP_ERR_OK;
}

enum pdp_err files_read(int fd, uint64_t at, void *out, size_t len, size_t *got)
{
    *got = 0;
    while (*got < len) {
        ssize_t part = pread(fd, (char *)out + *got, len - *got, (off_t)(at + *got));
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return PDP_ERR_IO;
        }
        if (part == 0) {
            break;
        }
        *got += (size_t)part;
    }
    return PDP_ERR_OK;
}

enum pdp_err files_read_exactly(int fd, uint64_t at, void *out, size_t len)
{
    size_t got = 0;
    TRY(files_read(fd, at, out, len, &got));
    return got == len ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}

bool files_path(const char *dir, const char *name, char out[static 4096])
{
    int len = snprintf(out, PATH_BYTES, "%s/%s", dir, name);
    return len > 0 && len < PATH_BYTES;
}

enum pdp_err files_sync_dir(const char *dir)
{
    AUTO(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

enum pdp_err files_replace(const char *dir, const char *name, struct str bytes, unsigned mode)
{
    char path[PATH_BYTES], made[PATH_BYTES + 8];
    if (!files_path(dir, name, path)) {
        return PDP_ERR_LIMIT;
    }
    snprintf(made, sizeof made, "%s.new", path);
    (void)unlink(made);
    AUTO(fd_close) int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 || files_write(fd, 0, bytes) != PDP_ERR_OK || fsync(fd) != 0 || rename(made, path) != 0) {
        (void)unlink(made);
        return PDP_ERR_IO;
    }
    return files_sync_dir(dir);
}

enum pdp_err files_take(const char *dir, const char *name, size_t most, struct buf *out)
{
    char path[PATH_BYTES];
    if (!files_path(dir, name, path)) {
        return PDP_ERR_LIMIT;
    }
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    size_t got = 0;
    if (!buf_room(out, most + 1)) {
        return PDP_ERR_NOMEM;
    }
    TRY(files_read(fd, 0, out->at + out->len, most + 1, &got));
    out->len += got <= most ? got : 0;
    return got <= most ? PDP_ERR_OK : PDP_ERR_LIMIT;
}

// ---- Segments ------------------------------------------------------------------------------------

void audit_segments_fini(struct audit_segments *segments)
{
    free(segments->list);
    *segments = (struct audit_segments){0};
}

enum pdp_err audit_segments_add(struct audit_segments *segments, const char *name)
{
    struct audit_segment added = {0};
    if (!segment_name_read(name, &added.first, &added.packed)) {
        return PDP_ERR_OK;
    }
    for (size_t i = 0; i < segments->count; i++) {
        struct audit_segment *other = &segments->list[i];
        if (other->first == added.first) {
            other->packed = false;
            segment_name(added.first, false, other->name);
            return PDP_ERR_OK;
        }
    }
    struct audit_segment *more = realloc(segments->list, (segments->count + 1) * sizeof *more);
    if (more == NULL) {
        return PDP_ERR_NOMEM;
    }
    segments->list = more;
    segment_name(added.first, added.packed, added.name);
    more[segments->count++] = added;
    return PDP_ERR_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct audit_segment *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

void audit_segments_sort(struct audit_segments *segments)
{
    if (segments->count > 1) {
        qsort(segments->list, segments->count, sizeof *segments->list, by_first);
    }
}

enum pdp_err audit_source_take(const struct audit_source *source, const char *name, size_t most,
                               struct buf *out)
{
    size_t begin = out->len;
    for (;;) {
        size_t got = 0, have = out->len - begin;
        if (have > most) {
            out->len = begin;
            return PDP_ERR_LIMIT;
        }
        if (!buf_room(out, PART_BYTES)) {
            return PDP_ERR_NOMEM;
        }
        TRY(source->read(source->user, name, have, out->at + out->len, PART_BYTES, &got));
        out->len += got;
        if (got < PART_BYTES) {
            return PDP_ERR_OK;
        }
    }
}

// ---- The folder ----------------------------------------------------------------------------------

struct audit_folder {
    char dir[PATH_BYTES];
    struct vault *users; // NULL: none can be read
    int fd;              // of the file that was read last
    char name[SEGMENT_NAME_BYTES];
};

static bool no_draw(void *out, size_t len)
{
    memset(out, 0, len);
    return false;
}

enum pdp_err audit_folder_open(const char *dir, struct audit_folder **out)
{
    *out = NULL;
    AUTO(audit_folder_close) struct audit_folder *folder = calloc(1, sizeof *folder);
    char path[PATH_BYTES];
    if (folder == NULL) {
        return PDP_ERR_NOMEM;
    }
    folder->fd = -1;
    if (strlen(dir) >= sizeof folder->dir || !files_path(dir, "users", path)) {
        return PDP_ERR_LIMIT;
    }
    memcpy(folder->dir, dir, strlen(dir) + 1);
    if (vault_open(path, false, no_draw, &folder->users) != PDP_ERR_OK) {
        folder->users = NULL;
    }
    *out = STEAL(folder);
    return PDP_ERR_OK;
}

void audit_folder_close(struct audit_folder **folder_ptr)
{
    struct audit_folder *folder = STEAL(*folder_ptr);
    if (folder != NULL) {
        fd_close(&folder->fd);
        vault_close(&folder->users);
        free(folder);
    }
}

static enum pdp_err folder_list(void *user, struct audit_segments *out)
{
    const struct audit_folder *folder = user;
    DIR *dir = opendir(folder->dir);
    if (dir == NULL) {
        return errno == ENOENT ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    enum pdp_err err = PDP_ERR_OK;
    for (struct dirent *entry = readdir(dir); entry != NULL && err == PDP_ERR_OK; entry = readdir(dir)) {
        err = audit_segments_add(out, entry->d_name);
    }
    closedir(dir);
    audit_segments_sort(out);
    return err;
}

// What was opened last stays open: a segment that is compressed meanwhile can be read to its end.
static enum pdp_err folder_read(void *user, const char *name, uint64_t at, void *out, size_t len, size_t *got)
{
    struct audit_folder *folder = user;
    char path[PATH_BYTES];
    *got = 0;
    if (folder->fd < 0 || strcmp(folder->name, name) != 0) {
        fd_close(&folder->fd);
        if (strlen(name) >= sizeof folder->name || strchr(name, '/') != NULL ||
            !files_path(folder->dir, name, path)) {
            return PDP_ERR_MISSING;
        }
        folder->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (folder->fd < 0) {
            return errno == ENOENT ? PDP_ERR_MISSING : PDP_ERR_IO;
        }
        memcpy(folder->name, name, strlen(name) + 1);
    }
    enum pdp_err err = files_read(folder->fd, at, out, len, got);
    if (strstr(name, ".log") == NULL && strcmp(name, "hashes") != 0) {
        fd_close(&folder->fd); // is replaced by another file of its name
    }
    return err;
}

static enum pdp_err folder_unseal(void *user, const struct envelope *envelope, struct buf *out)
{
    const struct audit_folder *folder = user;
    uint8_t key[AEAD_KEY_BYTES];
    if (folder->users == NULL) {
        return PDP_ERR_DENIED;
    }
    if (!vault_find(folder->users, envelope->key_id, key)) {
        return PDP_ERR_MISSING;
    }
    enum pdp_err err = envelope_unseal(envelope, key, out);
    seal_wipe(key, sizeof key);
    return err;
}

struct audit_source audit_folder_source(struct audit_folder *folder)
{
    return (struct audit_source){folder_list, folder_read, folder_unseal, folder};
}
