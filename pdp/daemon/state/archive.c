// SPDX-License-Identifier: Apache-2.0
#include "daemon/file.h"
#include "daemon/state/archive_inner.h"
#include "engine/packed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t INDEX_BYTES_MAX = 2 * 1024 * 1024;

struct archive {
    const char *state; // NULL: in memory alone
    char dir[PATH_MAX];
    pthread_mutex_t lock; // of all that follows; held for no I/O
    struct archive_index index;
    uint64_t changed, written; // numbers of changes: noted, and in the folder
    bool yielded;
    pthread_mutex_t io;       // of the folder; taken before `lock`
    struct archive_index now; // what is written; under `io`
};

static void PRINTF_LIKE(2, 3) tell(char why[static ARCHIVE_WHY_MAX], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, ARCHIVE_WHY_MAX, fmt, args); // a longer text is cut
    va_end(args);
}

// ---- Sources -----------------------------------------------------------------------------------------

enum pdp_err sources_new(struct buf *bytes, struct sources **out)
{
    struct bundle bundle;
    struct bundle_fault why;
    *out = NULL;
    TRY(bundle_read(buf_view(bytes), &bundle, &why));
    struct sources *sources = calloc(1, sizeof *sources);
    if (sources == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_init(&sources->held, 1);
    packed_digest(&bundle, sources->digest);
    void *fits = realloc(bytes->at, bytes->len); // a growing buffer has room for as much again
    if (fits != NULL) {
        bytes->at = fits;
        bytes->cap = bytes->len;
    }
    sources->bytes = *bytes;
    *bytes = (struct buf){0};
    *out = sources;
    return PDP_ERR_OK;
}

struct sources *sources_hold(struct sources *sources)
{
    if (sources != NULL) {
        atomic_fetch_add(&sources->held, 1);
    }
    return sources;
}

void sources_drop(struct sources **sources_ptr)
{
    struct sources *sources = STEAL(*sources_ptr);
    if (sources != NULL && atomic_fetch_sub(&sources->held, 1) == 1) {
        buf_fini(&sources->bytes);
        free(sources);
    }
}

// ---- Opening -----------------------------------------------------------------------------------------

static bool path_of(const struct archive *archive, const char *file, char out[static PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/%s", archive->dir, file);
    return len > 0 && len < PATH_MAX;
}

static enum pdp_err folder_make(struct archive *archive, bool writes, char why[static ARCHIVE_WHY_MAX])
{
    int len = snprintf(archive->dir, sizeof archive->dir, "%s/served", archive->state);
    if (len < 0 || (size_t)len >= sizeof archive->dir) {
        tell(why, "the name of the state folder is too long");
        return PDP_ERR_LIMIT;
    }
    if (!writes) {
        archive->yielded = true;
        return PDP_ERR_OK;
    }
    if (mkdir(archive->dir, 0700) != 0 && errno != EEXIST) {
        tell(why, "the folder `%s` cannot be made: %s\n  hint: let the user that runs this write there",
             archive->dir, strerror(errno));
        return PDP_ERR_IO;
    }
    int above = open(archive->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above >= 0) { // else a power cut takes the folder with all that is in it
        (void)fsync(above);
        (void)close(above);
    }
    return PDP_ERR_OK;
}

static enum pdp_err index_take(struct archive *archive, char why[static ARCHIVE_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    char path[PATH_MAX];
    const char *said = "it is not what was written";
    if (!path_of(archive, "index", path)) {
        tell(why, "the name of the state folder is too long");
        return PDP_ERR_LIMIT;
    }
    enum pdp_err err = file_take(path, INDEX_BYTES_MAX, &text, NULL, &said);
    if (err == PDP_ERR_MISSING) {
        return PDP_ERR_OK;
    }
    err = err == PDP_ERR_OK ? archive_index_read(buf_view(&text), &archive->index) : err;
    if (err != PDP_ERR_OK) {
        tell(why,
             "`%s`, which remembers what was served, is refused: %s\n  hint: bring the folder back from a "
             "copy; "
             "or, only if no roll-back is in force and none will be wanted to what was served before, delete "
             "it",
             path, said);
    }
    return err;
}

static bool named(const struct archive_index *index, const char *file)
{
    for (size_t i = 0; i < index->count; i++) {
        if (strcmp(index->entries[i].file, file) == 0) {
            return true;
        }
    }
    return false;
}

// Removes what no serving of `index` names: of a write that was cut short, or past its time.
static void sweep(const struct archive *archive, const struct archive_index *index)
{
    char path[PATH_MAX];
    DIR *dir = opendir(archive->dir);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        bool ours = strstr(entry->d_name, ".bundle") != NULL;
        if (ours && !named(index, entry->d_name) && path_of(archive, entry->d_name, path)) {
            (void)unlink(path);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

enum pdp_err archive_open(const char *state, bool writes, struct archive **out,
                          char why[static ARCHIVE_WHY_MAX])
{
    *out = NULL;
    tell(why, "memory is out");
    AUTO(archive_close) struct archive *archive = calloc(1, sizeof *archive);
    if (archive == NULL) {
        return PDP_ERR_NOMEM;
    }
    archive->state = state;
    pthread_mutex_init(&archive->lock, NULL);
    pthread_mutex_init(&archive->io, NULL);
    if (state != NULL) {
        TRY(folder_make(archive, writes, why));
        TRY(index_take(archive, why));
        if (writes) {
            sweep(archive, &archive->index);
        }
    }
    *out = STEAL(archive);
    return PDP_ERR_OK;
}

void archive_close(struct archive **archive_ptr)
{
    struct archive *archive = STEAL(*archive_ptr);
    if (archive == NULL) {
        return;
    }
    for (size_t i = 0; i < archive->index.count; i++) {
        sources_drop(&archive->index.entries[i].held);
    }
    pthread_mutex_destroy(&archive->lock);
    pthread_mutex_destroy(&archive->io);
    free(archive);
}

// ---- What was served, under the lock -----------------------------------------------------------------

static void forget(struct archive_index *index, size_t at)
{
    sources_drop(&index->entries[at].held);
    index->count--;
    memmove(&index->entries[at], &index->entries[at + 1], (index->count - at) * sizeof index->entries[0]);
}

// Servings of the same sources share their bytes.
static bool counted_before(const struct archive_index *index, size_t at)
{
    for (size_t i = at + 1; i < index->count; i++) {
        if (strcmp(index->entries[i].sources, index->entries[at].sources) == 0) {
            return true;
        }
    }
    return false;
}

// What serves always stays.
static void bound(struct archive *archive, int64_t now_ms)
{
    struct archive_index *index = &archive->index;
    uint64_t most = archive->state != NULL ? ARCHIVE_DISK_MOST : ARCHIVE_MEMORY_MOST, sum = 0;
    while (index->count > 1 && index->entries[0].until_ms < now_ms - ARCHIVE_KEEP_MS) {
        forget(index, 0);
    }
    for (size_t at = index->count; at-- > 0;) {
        sum += counted_before(index, at) ? 0 : index->entries[at].bytes;
        if (sum > most && at + 1 < index->count) {
            for (size_t left = at + 1; left-- > 0;) {
                forget(index, 0);
            }
            break;
        }
    }
}

static void name_file(const struct archive_index *index, struct archive_entry *entry)
{
    entry->file[0] = '\0';
    for (size_t i = 0; i < index->count; i++) {
        const struct archive_entry *other = &index->entries[i];
        if (other->file[0] != '\0' && strcmp(other->sources, entry->sources) == 0) {
            memcpy(entry->file, other->file, sizeof entry->file);
            return;
        }
    }
    if (entry->sources[0] != '\0') {
        (void)snprintf(entry->file, sizeof entry->file, "%lld-%.16s.bundle", (long long)entry->since_ms,
                       entry->sources + 7);
    }
}

void archive_served(struct archive *archive, const struct archive_entry *entry, bool lists)
{
    pthread_mutex_lock(&archive->lock);
    struct archive_index *index = &archive->index;
    struct archive_entry *last = index->count > 0 ? &index->entries[index->count - 1] : NULL;
    if (last != NULL && strcmp(last->snapshot, entry->snapshot) == 0 &&
        strcmp(last->sources, entry->sources) == 0) {
        if (last->held != NULL && entry->held != NULL) { // the compiler holds the new one: once is enough
            sources_drop(&last->held);
            last->held = sources_hold(entry->held);
        }
        pthread_mutex_unlock(&archive->lock);
        return;
    }
    struct archive_entry next = *entry;
    next.held = sources_hold(entry->held);
    next.until_ms = 0;
    if (last != NULL && lists) { // what it was is not kept beside
        next.since_ms = last->since_ms;
        memcpy(next.by, last->by, sizeof next.by);
        memcpy(next.reason, last->reason, sizeof next.reason);
        forget(index, index->count - 1);
    } else if (last != NULL) {
        last->until_ms = entry->since_ms > last->since_ms ? entry->since_ms : last->since_ms;
    }
    if (index->count == ARCHIVE_MOST) {
        forget(index, 0);
    }
    name_file(index, &next);
    index->entries[index->count++] = next;
    bound(archive, entry->since_ms);
    archive->changed++;
    pthread_mutex_unlock(&archive->lock);
}

void archive_set_pin(struct archive *archive, const struct archive_pin *pin)
{
    pthread_mutex_lock(&archive->lock);
    if (pin->at_ms != 0 || archive->index.pin.at_ms != 0) {
        archive->index.pin = *pin;
        archive->changed++;
    }
    pthread_mutex_unlock(&archive->lock);
}

void archive_pin(struct archive *archive, struct archive_pin *out)
{
    pthread_mutex_lock(&archive->lock);
    *out = archive->index.pin;
    pthread_mutex_unlock(&archive->lock);
}

size_t archive_list(struct archive *archive, struct archive_entry *out, size_t most)
{
    pthread_mutex_lock(&archive->lock);
    size_t count = archive->index.count < most ? archive->index.count : most;
    for (size_t i = 0; i < count; i++) {
        out[i] = archive->index.entries[archive->index.count - 1 - i];
    }
    pthread_mutex_unlock(&archive->lock);
    return count;
}

bool archive_behind(struct archive *archive)
{
    pthread_mutex_lock(&archive->lock);
    bool behind = archive->state != NULL && archive->changed != archive->written && !archive->yielded;
    pthread_mutex_unlock(&archive->lock);
    return behind;
}

void archive_yield(struct archive *archive)
{
    pthread_mutex_lock(&archive->io); // what is being written is finished first
    pthread_mutex_lock(&archive->lock);
    archive->yielded = true;
    pthread_mutex_unlock(&archive->lock);
    pthread_mutex_unlock(&archive->io);
}

void archive_regain(struct archive *archive)
{
    pthread_mutex_lock(&archive->lock);
    archive->yielded = false;
    archive->changed++; // the other may have written
    pthread_mutex_unlock(&archive->lock);
}

// ---- The folder --------------------------------------------------------------------------------------

// A copy of the index, with everything held.
static uint64_t copy(struct archive *archive, bool *yielded)
{
    pthread_mutex_lock(&archive->lock);
    uint64_t changed = archive->changed;
    *yielded = archive->yielded;
    archive->now = archive->index;
    for (size_t i = 0; i < archive->now.count; i++) {
        (void)sources_hold(archive->now.entries[i].held);
    }
    pthread_mutex_unlock(&archive->lock);
    return changed;
}

static enum pdp_err write_files(struct archive *archive, char why[static ARCHIVE_WHY_MAX])
{
    char path[PATH_MAX];
    const char *said = "its name is too long";
    for (size_t i = 0; i < archive->now.count; i++) {
        const struct archive_entry *entry = &archive->now.entries[i];
        struct stat info;
        if (entry->held == NULL || entry->file[0] == '\0') {
            continue;
        }
        bool there = path_of(archive, entry->file, path) && stat(path, &info) == 0 &&
                     (uint64_t)info.st_size == entry->bytes;
        if (!there && file_replace(path, buf_view(&entry->held->bytes), 0600, &said) != PDP_ERR_OK) {
            tell(why, "`%s` cannot be written: %s", path, said);
            return PDP_ERR_IO;
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err write_index(struct archive *archive, char why[static ARCHIVE_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    char path[PATH_MAX];
    const char *said = "its name is too long";
    struct archive_index *again = malloc(sizeof *again);
    archive_index_print(&archive->now, &text);
    // What could not be read again would keep the next start from serving.
    bool right = again != NULL && !text.failed && archive_index_read(buf_view(&text), again) == PDP_ERR_OK;
    free(again);
    if (!right) {
        tell(why, "the index of `%s` cannot be made", archive->dir);
        return PDP_ERR_NOMEM;
    }
    if (!path_of(archive, "index", path) || file_replace(path, buf_view(&text), 0600, &said) != PDP_ERR_OK) {
        tell(why, "`%s` cannot be written: %s", path, said);
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

// Bytes that lie in the folder need not stay in memory, but for those of what serves.
static void release(struct archive *archive, uint64_t changed)
{
    pthread_mutex_lock(&archive->lock);
    archive->written = changed > archive->written ? changed : archive->written;
    for (size_t i = 0; i + 1 < archive->index.count; i++) {
        struct archive_entry *entry = &archive->index.entries[i];
        if (entry->file[0] != '\0' && named(&archive->now, entry->file)) {
            sources_drop(&entry->held);
        }
    }
    pthread_mutex_unlock(&archive->lock);
}

enum pdp_err archive_write(struct archive *archive, char why[static ARCHIVE_WHY_MAX])
{
    bool yielded = false;
    why[0] = '\0';
    if (archive->state == NULL) {
        return PDP_ERR_OK;
    }
    pthread_mutex_lock(&archive->io);
    uint64_t changed = copy(archive, &yielded);
    enum pdp_err err = PDP_ERR_OK;
    if (yielded) {
        tell(why, "another pdpd takes over");
        err = PDP_ERR_BUSY;
    }
    err = err == PDP_ERR_OK ? write_files(archive, why) : err;
    err = err == PDP_ERR_OK ? write_index(archive, why) : err;
    if (err == PDP_ERR_OK) {
        release(archive, changed);
        sweep(archive, &archive->now);
    }
    for (size_t i = 0; i < archive->now.count; i++) {
        sources_drop(&archive->now.entries[i].held);
    }
    pthread_mutex_unlock(&archive->io);
    return err;
}

// ---- Serving again -----------------------------------------------------------------------------------

// What is in memory, or the name of the file.
static struct sources *find(struct archive *archive, const char *sources, char file[static 96])
{
    struct sources *held = NULL;
    file[0] = '\0';
    pthread_mutex_lock(&archive->lock);
    for (size_t i = archive->index.count; i-- > 0 && held == NULL;) {
        const struct archive_entry *entry = &archive->index.entries[i];
        if (strcmp(entry->sources, sources) == 0) {
            held = sources_hold(entry->held);
            memcpy(file, entry->file, sizeof entry->file);
        }
    }
    pthread_mutex_unlock(&archive->lock);
    return held;
}

enum pdp_err archive_take(struct archive *archive, const char *sources, struct sources **out,
                          char why[static ARCHIVE_WHY_MAX])
{
    AUTO(buf_fini) struct buf bytes = {0};
    char file[96], path[PATH_MAX];
    const char *said = "it is not what was written";
    *out = sources[0] != '\0' ? find(archive, sources, file) : NULL;
    if (*out != NULL) {
        return PDP_ERR_OK;
    }
    if (sources[0] == '\0' || file[0] == '\0' || !path_of(archive, file, path)) {
        tell(why, "its sources were not kept");
        return PDP_ERR_MISSING;
    }
    enum pdp_err err = file_take(path, BUNDLE_BYTES_MAX, &bytes, NULL, &said);
    err = err == PDP_ERR_OK ? sources_new(&bytes, out) : err;
    if (err == PDP_ERR_OK && strcmp((*out)->digest, sources) != 0) {
        sources_drop(out);
        err = PDP_ERR_CORRUPT;
    }
    if (err != PDP_ERR_OK) {
        tell(why, "`%s`, which was served here, cannot be used: %s", path, said);
    }
    return err;
}
