// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    DEPTH_MAX = 16,
    LOOKED_AT = 64 * 1024, // bytes of a file in which its first document begins
    FILES_ASKED = 200      // of a folder, before it is taken to hold none
};

bool lsp_is_yaml(struct str path)
{
    return str_ends(path, STR(".yaml")) || str_ends(path, STR(".yml"));
}

bool lsp_is_policy(struct str text)
{
    static const struct str KEY = {"apiVersion:", 11};
    for (size_t at = str_find(text, KEY, 0); at != SIZE_MAX; at = str_find(text, KEY, at + 1)) {
        struct str value = str_sub(text, at + KEY.len, 24);
        size_t from = 0;
        while (from < value.len &&
               (value.at[from] == ' ' || value.at[from] == '"' || value.at[from] == '\'')) {
            from++;
        }
        if ((at == 0 || text.at[at - 1] == '\n') && str_starts(str_sub(value, from, 24), STR("pdp/"))) {
            return true;
        }
    }
    return false;
}

// ---- Reading ------------------------------------------------------------------------------------

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static struct lsp_blob *read_most(const char *path, size_t most, bool whole)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not hold us up
    struct stat info;
    AUTO(buf_fini) struct buf text = {0};
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        (whole && (uint64_t)info.st_size > LSP_TEXT_MAX)) {
        return NULL;
    }
    while (text.len < most && buf_room(&text, 65536)) {
        ssize_t got = read(fd, text.at + text.len, most - text.len < 65536 ? most - text.len : 65536);
        if (got <= 0) {
            break;
        }
        text.len += (size_t)got;
    }
    return text.failed ? NULL : lsp_blob_new(buf_view(&text));
}

struct lsp_blob *lsp_disk_read(const char *path)
{
    return read_most(path, LSP_TEXT_MAX, true);
}

// ---- Folders ------------------------------------------------------------------------------------

struct walk {
    void (*see)(void *user, struct str path, struct lsp_stamp stamp);
    void *user;
    size_t entries, files;
};

static void dir_close(DIR **dir)
{
    if (*dir != NULL) {
        closedir(*dir);
    }
}

static bool walk(struct walk *w, const char *path, int depth);

static bool entry(struct walk *w, const char *dir, const char *name, int depth)
{
    char path[PATH_BYTES];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
    if (len < 0 || (size_t)len >= sizeof path || lstat(path, &info) != 0) {
        return true;
    }
    if (S_ISDIR(info.st_mode)) {
        return walk(w, path, depth + 1);
    }
    if (!lsp_is_yaml((struct str){path, (size_t)len}) ||
        stat(path, &info) != 0) { // of a link what it leads to
        return true;
    }
    struct lsp_stamp stamp = {(int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
                              (int64_t)info.st_size};
    w->see(w->user, (struct str){path, (size_t)len}, stamp);
    return ++w->files < LSP_FILES_MAX;
}

static bool walk(struct walk *w, const char *path, int depth)
{
    AUTO(dir_close) DIR *dir = depth <= DEPTH_MAX ? opendir(path) : NULL;
    if (dir == NULL) {
        return false;
    }
    for (struct dirent *found = readdir(dir); found != NULL; found = readdir(dir)) {
        if (++w->entries > LSP_ENTRIES_MAX) {
            return false;
        }
        if (found->d_name[0] != '.' && !entry(w, path, found->d_name, depth)) {
            return false;
        }
    }
    return true;
}

bool lsp_disk_walk(const char *dir, void (*see)(void *user, struct str path, struct lsp_stamp stamp),
                   void *user)
{
    struct walk w = {see, user, 0, 0};
    return walk(&w, dir, 0);
}

bool lsp_disk_marked(const char *dir)
{
    char path[PATH_BYTES];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/%s", dir, LSP_MARK);
    return len > 0 && (size_t)len < sizeof path && lstat(path, &info) == 0;
}

static bool holds(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (len < 0 || (size_t)len >= sizeof path || !lsp_is_yaml((struct str){path, (size_t)len})) {
        return false;
    }
    AUTO(lsp_blob_drop) struct lsp_blob *text = read_most(path, LOOKED_AT, false);
    return text != NULL && lsp_is_policy(lsp_blob_str(text));
}

bool lsp_disk_holds(const char *path)
{
    AUTO(dir_close) DIR *dir = opendir(path);
    size_t asked = 0;
    if (dir == NULL) {
        return false;
    }
    if (lsp_disk_marked(path)) {
        return true;
    }
    for (struct dirent *found = readdir(dir); found != NULL && asked < FILES_ASKED; found = readdir(dir)) {
        bool yaml = found->d_name[0] != '.' && lsp_is_yaml(str_of(found->d_name));
        asked += yaml;
        if (yaml && holds(path, found->d_name)) {
            return true;
        }
    }
    return false;
}
