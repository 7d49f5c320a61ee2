// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_space.h"

#include "cli/lsp/lsp_job.h"

#include <stdlib.h>

static struct str copy(struct str text)
{
    char *at = malloc(text.len + 1);
    if (at == NULL) {
        return (struct str){NULL, 0};
    }
    memcpy(at, text.len > 0 ? text.at : "", text.len);
    at[text.len] = '\0';
    return (struct str){at, text.len};
}

static void drop(struct str *text)
{
    free((void *)(uintptr_t)text->at);
    *text = (struct str){NULL, 0};
}

static bool room(void *list_ptr, size_t count, size_t *cap)
{
    void **list = NULL;
    memcpy(&list, list_ptr, sizeof list);
    if (count < *cap) {
        return true;
    }
    size_t more = *cap == 0 ? 16 : *cap * 2;
    void *grown = realloc(list, more * sizeof *list);
    if (grown == NULL) {
        return false;
    }
    memcpy(list_ptr, &grown, sizeof grown);
    *cap = more;
    return true;
}

// ---- Files --------------------------------------------------------------------------------------

static struct lsp_file *file_new(struct str path, struct str uri)
{
    struct lsp_file *file = calloc(1, sizeof *file);
    AUTO(buf_fini) struct buf made = {0};
    if (file == NULL) {
        return NULL;
    }
    if (uri.len == 0) {
        lsp_uri_of(path, &made);
        uri = buf_view(&made);
    }
    file->path = copy(path);
    file->uri = copy(uri);
    return file;
}

static void file_free(struct lsp_file **file_ptr)
{
    struct lsp_file *file = STEAL(*file_ptr);
    if (file != NULL) {
        drop(&file->path);
        drop(&file->uri);
        lsp_blob_drop(&file->disk);
        lsp_blob_drop(&file->open);
        lsp_parsed_drop(&file->parsed);
        lsp_index_free(&file->index);
        free(file);
    }
}

const struct lsp_index *lsp_file_index(struct lsp_file *file)
{
    struct lsp_blob *text = lsp_file_text(file);
    if (file->index != NULL && file->index->text != text) {
        lsp_index_free(&file->index);
    }
    if (file->index == NULL && text != NULL) {
        file->index = lsp_index_new(text, file->parsed);
    }
    return file->index;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp((*(struct lsp_file *const *)a)->path, (*(struct lsp_file *const *)b)->path);
}

static void sort(struct lsp_folder *folder)
{
    if (folder->count > 1) {
        qsort(folder->files, folder->count, sizeof(struct lsp_file *), by_path);
    }
    folder->sorted = folder->count;
}

struct lsp_file *lsp_folder_file(const struct lsp_folder *folder, struct str path)
{
    struct lsp_file wanted = {.path = path};
    struct lsp_file *key = &wanted;
    struct lsp_file **found =
        folder->sorted > 0 ? bsearch(&key, folder->files, folder->sorted, sizeof(struct lsp_file *), by_path)
                           : NULL;
    for (size_t i = folder->sorted; found == NULL && i < folder->count; i++) {
        found = str_eq(folder->files[i]->path, path) ? &folder->files[i] : NULL;
    }
    return found != NULL ? *found : NULL;
}

// ---- Folders ------------------------------------------------------------------------------------

static void folder_add(struct lsp_folder *folder, struct lsp_file *file)
{
    if (file != NULL && room(&folder->files, folder->count, &folder->cap)) {
        folder->files[folder->count++] = file;
        file->folder = folder;
    }
}

static void see(void *user, struct str path, struct lsp_stamp stamp)
{
    struct lsp_folder *folder = user;
    struct lsp_file *file = lsp_folder_file(folder, path);
    if (file == NULL) {
        file = file_new(path, (struct str){NULL, 0});
        folder_add(folder, file);
    }
    if (file == NULL || file->path.at == NULL) {
        return;
    }
    file->seen = true;
    bool same = (file->disk != NULL || file->lost) && file->stamp.changed_ns == stamp.changed_ns &&
                file->stamp.size == stamp.size;
    if (!same) {
        lsp_blob_drop(&file->disk);
        file->disk = lsp_disk_read(file->path.at);
        file->lost = file->disk == NULL;
        file->stamp = stamp;
        folder->dirty = true;
    }
}

void lsp_folder_refresh(struct lsp_space *space, struct lsp_folder *folder)
{
    if (!folder->unread || space->no_disk) {
        return;
    }
    folder->unread = false;
    for (size_t i = 0; i < folder->count; i++) {
        folder->files[i]->seen = false;
    }
    (void)lsp_disk_walk(folder->dir.at, see, folder);
    for (size_t i = 0; i < folder->count; i++) {
        struct lsp_file *file = folder->files[i];
        if (!file->seen && (file->disk != NULL || file->lost)) {
            lsp_blob_drop(&file->disk);
            file->lost = false;
            folder->dirty = true;
        }
    }
    sort(folder);
}

static void folder_free(struct lsp_folder **folder_ptr)
{
    struct lsp_folder *folder = STEAL(*folder_ptr);
    for (size_t i = 0; folder != NULL && i < folder->count; i++) {
        file_free(&folder->files[i]);
    }
    if (folder != NULL) {
        lsp_job_free(&folder->checked);
        lsp_job_free(&folder->linted);
        free(folder->files);
        drop(&folder->dir);
        free(folder);
    }
}

struct lsp_folder *lsp_space_folder(const struct lsp_space *space, struct str dir)
{
    for (size_t i = 0; i < space->folder_count; i++) {
        if (str_eq(space->folders[i]->dir, dir)) {
            return space->folders[i];
        }
    }
    return NULL;
}

static struct lsp_folder *folder_of(struct lsp_space *space, struct str dir)
{
    struct lsp_folder *folder = lsp_space_folder(space, dir);
    if (folder != NULL) {
        return folder;
    }
    folder = calloc(1, sizeof *folder);
    if (folder == NULL || !room(&space->folders, space->folder_count, &space->folder_cap)) {
        free(folder);
        return NULL;
    }
    folder->dir = copy(dir);
    folder->unread = true;
    space->folders[space->folder_count++] = folder;
    if (folder->dir.at != NULL) {
        lsp_folder_refresh(space, folder);
    }
    return folder;
}

// ---- Which folder a document belongs to ---------------------------------------------------------

static struct str parent(struct str path)
{
    while (path.len > 0 && path.at[path.len - 1] != '/') {
        path.len--;
    }
    return path.len > 1 ? str_sub(path, 0, path.len - 1) : path;
}

static bool inside(struct str path, struct str dir)
{
    return str_starts(path, dir) &&
           (path.len == dir.len || dir.len == 1 || (path.len > dir.len && path.at[dir.len] == '/'));
}

// Hidden folders are no part of the folder that they stand in.
static bool plainly_inside(struct str path, struct str dir)
{
    return inside(path, dir) && str_find(str_sub(path, dir.len, path.len), STR("/."), 0) == SIZE_MAX;
}

static bool holds(const struct lsp_space *space, struct str dir)
{
    for (size_t i = 0; i < space->open_count; i++) {
        const struct lsp_file *file = space->open[i];
        if (file->path.len > 0 && str_eq(parent(file->path), dir) && lsp_is_yaml(file->path) &&
            lsp_is_policy(lsp_blob_str(file->open))) {
            return true;
        }
    }
    AUTO(buf_fini) struct buf path = {0};
    buf_str(&path, dir);
    buf_byte(&path, '\0');
    return !space->no_disk && !path.failed && lsp_disk_holds((const char *)path.at);
}

static bool marked(const struct lsp_space *space, struct str dir)
{
    AUTO(buf_fini) struct buf path = {0};
    buf_str(&path, dir);
    buf_byte(&path, '\0');
    return !space->no_disk && !path.failed && lsp_disk_marked((const char *)path.at);
}

// The innermost folder of a list that holds the path; empty: none does.
static struct str innermost(const struct str *list, size_t count, struct str path)
{
    struct str best = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        if (plainly_inside(path, list[i]) && list[i].len > best.len) {
            best = list[i];
        }
    }
    return best;
}

// The folder that is named, or marked; else the nearest that holds documents, and from there upwards as long
// as folders do. Never above the workspace.
static struct str policy_dir(const struct lsp_space *space, struct str path)
{
    struct str named = innermost(space->named, space->named_count, path);
    struct str root = innermost(space->roots, space->root_count, path);
    struct str own = parent(path);
    if (named.len > 0) {
        return named;
    }
    struct str nearest = own;
    for (struct str dir = own; root.len > 0 && inside(dir, root); dir = parent(dir)) {
        if (marked(space, dir)) {
            return dir;
        }
        if (dir.len == 1) {
            break;
        }
    }
    while (!holds(space, nearest)) {
        if (root.len == 0 || nearest.len <= root.len || nearest.len <= 1) {
            return (struct str){NULL, 0};
        }
        nearest = parent(nearest);
    }
    for (struct str up = parent(nearest); up.len > 1 && nearest.len > root.len && holds(space, up);
         up = parent(up)) {
        nearest = up;
    }
    return plainly_inside(path, nearest) ? nearest : (struct str){NULL, 0};
}

// ---- Open documents -----------------------------------------------------------------------------

struct lsp_file *lsp_space_find(const struct lsp_space *space, struct str uri)
{
    for (size_t i = 0; i < space->open_count; i++) {
        if (str_eq(space->open[i]->uri, uri)) {
            return space->open[i];
        }
    }
    return NULL;
}

static void touch(struct lsp_file *file)
{
    if (file->folder != NULL) {
        file->folder->dirty = true;
    }
}

static void forget(struct lsp_space *space, const struct lsp_file *file)
{
    for (size_t i = 0; i < space->open_count; i++) {
        if (space->open[i] == file) {
            space->open[i] = space->open[--space->open_count];
            return;
        }
    }
}

// Gives a document that belongs nowhere to its folder, now that there is one. The file that the folder has
// under this path already is the one that stays.
static struct lsp_file *settle(struct lsp_space *space, struct lsp_file *file)
{
    if (file->folder != NULL || file->path.len == 0 || !lsp_is_yaml(file->path)) {
        return file;
    }
    struct str dir = policy_dir(space, file->path);
    struct lsp_folder *folder = dir.len > 0 ? folder_of(space, dir) : NULL;
    struct lsp_file *old = folder != NULL ? lsp_folder_file(folder, file->path) : NULL;
    if (folder == NULL) {
        return file;
    }
    if (old == NULL) {
        folder_add(folder, file);
        sort(folder);
        touch(file);
        return file;
    }
    lsp_blob_drop(&old->open); // of the same path under another name
    old->open = STEAL(file->open);
    old->version = file->version;
    old->told_version = INT64_MIN;
    drop(&old->uri);
    old->uri = file->uri;
    file->uri = (struct str){NULL, 0};
    forget(space, old);
    for (size_t i = 0; i < space->open_count; i++) {
        space->open[i] = space->open[i] == file ? old : space->open[i];
    }
    file_free(&file);
    touch(old);
    return old;
}

struct lsp_file *lsp_space_open(struct lsp_space *space, struct str uri, struct lsp_blob *text,
                                int64_t version)
{
    AUTO(lsp_blob_drop) struct lsp_blob *owned = text;
    struct lsp_file *file = lsp_space_find(space, uri);
    if (file != NULL) {
        lsp_space_change(space, file, STEAL(owned), version);
        return file;
    }
    AUTO(buf_fini) struct buf path = {0};
    if (!lsp_uri_path(uri, &path)) {
        path.len = 0;
    }
    if (owned == NULL || space->open_count == LSP_OPEN_MAX ||
        !room(&space->open, space->open_count, &space->open_cap)) {
        return NULL;
    }
    file = file_new(buf_view(&path), uri);
    if (file == NULL || file->uri.at == NULL || file->path.at == NULL) {
        file_free(&file);
        return NULL;
    }
    file->open = STEAL(owned);
    file->version = version;
    file->told_version = INT64_MIN;
    space->open[space->open_count++] = file;
    return settle(space, file);
}

void lsp_space_change(struct lsp_space *space, struct lsp_file *file, struct lsp_blob *text, int64_t version)
{
    lsp_blob_drop(&file->open);
    file->open = text;
    file->version = version;
    if (file->folder == NULL && lsp_is_policy(lsp_blob_str(text))) {
        (void)settle(space, file);
    } else {
        touch(file);
    }
}

void lsp_space_close(struct lsp_space *space, struct lsp_file *file)
{
    forget(space, file);
    lsp_blob_drop(&file->open);
    if (file->folder == NULL) {
        file_free(&file);
        return;
    }
    file->folder->unread = true;
    touch(file);
}

void lsp_space_stale(struct lsp_space *space)
{
    for (size_t i = 0; i < space->folder_count; i++) {
        space->folders[i]->unread = true;
        space->folders[i]->dirty = true; // a list's file may have changed
    }
    for (size_t i = 0; i < space->open_count; i++) {
        (void)settle(space, space->open[i]);
    }
}

void lsp_space_root(struct lsp_space *space, struct str path, bool named)
{
    struct str *list = named ? space->named : space->roots;
    size_t *count = named ? &space->named_count : &space->root_count;
    if (path.len > 0 && *count < LSP_ROOTS_MAX) {
        list[*count] = copy(path);
        *count += list[*count].at != NULL;
    }
}

void lsp_space_unroot(struct lsp_space *space, struct str path)
{
    for (size_t i = 0; i < space->root_count; i++) {
        if (str_eq(space->roots[i], path)) {
            drop(&space->roots[i]);
            space->roots[i] = space->roots[--space->root_count];
            return;
        }
    }
}

void lsp_space_fini(struct lsp_space *space)
{
    for (size_t i = 0; i < space->open_count; i++) {
        if (space->open[i]->folder == NULL) {
            file_free(&space->open[i]);
        }
    }
    for (size_t i = 0; i < space->folder_count; i++) {
        folder_free(&space->folders[i]);
    }
    for (size_t i = 0; i < space->root_count; i++) {
        drop(&space->roots[i]);
    }
    for (size_t i = 0; i < space->named_count; i++) {
        drop(&space->named[i]);
    }
    free(space->open);
    free(space->folders);
    *space = (struct lsp_space){0};
}
