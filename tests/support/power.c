// SPDX-License-Identifier: Apache-2.0
#include "support/power.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SECTOR = 512,
    DISKS_MAX = 16,
    PATH_BYTES = 512
};

// A write that was not synced; len -1: a truncation to `at`.
struct pending {
    struct pending *next;
    long at, len;
    unsigned char bytes[];
};

struct disk {
    char path[PATH_BYTES];
    unsigned char *bytes; // what is durable
    long size;
    struct pending *first, **last;
};

struct file {
    sqlite3_file base;
    struct disk *disk; // NULL: a file that does not count
    sqlite3_file *real;
};

struct power power;
static struct disk disks[DISKS_MAX];
static sqlite3_vfs *under;

static void *need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

// ---- Disks ------------------------------------------------------------------------------------------

static void disk_forget_pending(struct disk *disk)
{
    while (disk->first != NULL) {
        struct pending *next = disk->first->next;
        free(disk->first);
        disk->first = next;
    }
    disk->last = &disk->first;
}

static void disk_resize(struct disk *disk, long size)
{
    disk->bytes = need(realloc(disk->bytes, size > 0 ? (size_t)size : 1));
    if (size > disk->size) {
        memset(disk->bytes + disk->size, 0, (size_t)(size - disk->size));
    }
    disk->size = size;
}

static void disk_write(struct disk *disk, long at, const unsigned char *bytes, long len)
{
    if (at + len > disk->size) {
        disk_resize(disk, at + len);
    }
    memcpy(disk->bytes + at, bytes, (size_t)len);
}

static void disk_apply(struct disk *disk, const struct pending *pending)
{
    if (pending->len >= 0) {
        disk_write(disk, pending->at, pending->bytes, pending->len);
    } else if (pending->at < disk->size) {
        disk_resize(disk, pending->at);
    }
}

static void disk_note(struct disk *disk, long at, const void *bytes, long len)
{
    struct pending *pending = need(malloc(sizeof *pending + (len > 0 ? (size_t)len : 0)));
    pending->next = NULL;
    pending->at = at;
    pending->len = len;
    if (len > 0) {
        memcpy(pending->bytes, bytes, (size_t)len);
    }
    *disk->last = pending;
    disk->last = &pending->next;
}

// The file as it stands counts as durable the first time that it is seen.
static void disk_learn(struct disk *disk, const char *path)
{
    struct stat info;
    snprintf(disk->path, sizeof disk->path, "%s", path);
    disk->last = &disk->first;
    FILE *file = stat(path, &info) == 0 ? fopen(path, "rb") : NULL;
    disk_resize(disk, file != NULL ? (long)info.st_size : 0);
    if (file != NULL) {
        if (fread(disk->bytes, 1, (size_t)disk->size, file) != (size_t)disk->size) {
            abort();
        }
        fclose(file);
    }
}

static struct disk *disk_of(const char *path)
{
    for (size_t i = 0; i < DISKS_MAX; i++) {
        if (disks[i].path[0] == '\0') {
            disk_learn(&disks[i], path);
        }
        if (strcmp(disks[i].path, path) == 0) {
            return &disks[i];
        }
    }
    abort();
}

static void disk_put_back(const struct disk *disk)
{
    struct stat info;
    if (disk->path[0] == '\0' || stat(disk->path, &info) != 0) {
        return; // deleted for good
    }
    FILE *file = fopen(disk->path, "r+b");
    if (file == NULL || ftruncate(fileno(file), 0) != 0 ||
        fwrite(disk->bytes, 1, (size_t)disk->size, file) != (size_t)disk->size || fclose(file) != 0) {
        abort();
    }
}

// ---- Failing ----------------------------------------------------------------------------------------

static bool reached(enum power_call call)
{
    unsigned at = power.fail_at[call];
    return at != 0 && (power.calls[call] == at || (power.lasting && power.calls[call] > at));
}

static bool fails(enum power_call call)
{
    power.calls[call]++;
    power.calls[POWER_ANY]++;
    bool now = reached(call) || reached(POWER_ANY);
    power.failed += now;
    return now;
}

static int code_of(enum power_call call)
{
    return power.code != 0 ? power.code : call == POWER_SYNC ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
}

// ---- Files ------------------------------------------------------------------------------------------

static struct file *file_of(sqlite3_file *file)
{
    return (struct file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return file_of(file)->real;
}

static int power_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int power_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, len, at);
}

static int power_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct disk *disk = file_of(file)->disk;
    bool bad = disk != NULL && fails(POWER_WRITE);
    int done = bad ? len / 2 : len; // a write that fails may have got half way
    int code = done > 0 ? real_of(file)->pMethods->xWrite(real_of(file), bytes, done, at) : SQLITE_OK;
    if (code == SQLITE_OK && disk != NULL && done > 0) {
        disk_note(disk, (long)at, bytes, done);
    }
    return bad ? code_of(POWER_WRITE) : code;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct disk *disk = file_of(file)->disk;
    if (disk != NULL && fails(POWER_WRITE)) {
        return power.code != 0 ? power.code : SQLITE_IOERR_TRUNCATE;
    }
    int code = real_of(file)->pMethods->xTruncate(real_of(file), size);
    if (code == SQLITE_OK && disk != NULL) {
        disk_note(disk, (long)size, NULL, -1);
    }
    return code;
}

static int power_sync(sqlite3_file *file, int flags)
{
    (void)flags; // the real disk need not hear of it
    struct disk *disk = file_of(file)->disk;
    if (disk == NULL) {
        return SQLITE_OK;
    }
    bool bad = fails(POWER_SYNC);
    for (const struct pending *pending = disk->first; !bad && pending != NULL; pending = pending->next) {
        disk_apply(disk, pending);
    }
    disk_forget_pending(disk);
    if (bad && power.evict) {
        disk_put_back(disk);
    }
    return bad ? code_of(POWER_SYNC) : SQLITE_OK;
}

static int power_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int power_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int power_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int power_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int power_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int power_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int power_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int power_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int power_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), at, count, flags);
}

static void power_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int power_shm_unmap(sqlite3_file *file, int gone)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), gone);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2, // no mapped reads
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_reserved,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_traits,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

// ---- The layer --------------------------------------------------------------------------------------

static int power_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
    (void)vfs;
    struct file *mine = file_of(file);
    mine->base.pMethods = NULL;
    mine->disk = NULL;
    mine->real = (sqlite3_file *)(void *)(mine + 1);
    if (name != NULL && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0) {
        mine->disk = disk_of(name);
    }
    int code = under->xOpen(under, name, mine->real, flags, got);
    mine->base.pMethods = mine->real->pMethods != NULL ? &METHODS : NULL;
    return code;
}

static int power_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    if (fails(POWER_WRITE)) {
        return power.code != 0 ? power.code : SQLITE_IOERR_DELETE;
    }
    struct disk *disk = disk_of(name);
    disk_forget_pending(disk);
    disk_resize(disk, 0);
    return under->xDelete(under, name, sync);
}

static int power_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return under->xAccess(under, name, flags, out);
}

static int power_full_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
    (void)vfs;
    return under->xFullPathname(under, name, room, out);
}

void power_install(void)
{
    static sqlite3_vfs vfs;
    under = sqlite3_vfs_find(NULL);
    if (under == NULL) {
        abort();
    }
    vfs = *under;
    vfs.zName = POWER_VFS;
    vfs.szOsFile = (int)sizeof(struct file) + under->szOsFile;
    vfs.xOpen = power_open;
    vfs.xDelete = power_delete;
    vfs.xAccess = power_access;
    vfs.xFullPathname = power_full_path;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
        abort();
    }
}

void power_heal(void)
{
    memset(power.fail_at, 0, sizeof power.fail_at);
}

void power_reset(void)
{
    for (size_t i = 0; i < DISKS_MAX; i++) {
        disk_forget_pending(&disks[i]);
        free(disks[i].bytes);
        disks[i] = (struct disk){.path = ""};
    }
    power = (struct power){.code = 0};
}

// ---- The cut ----------------------------------------------------------------------------------------

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

// By sectors, as a disk writes them.
static void tear(struct disk *disk, const struct pending *pending, uint32_t *seed)
{
    if (pending->len < 0) {
        if (draw(seed) % 2 == 0) {
            disk_apply(disk, pending);
        }
        return;
    }
    for (long from = 0; from < pending->len;) {
        long end = ((pending->at + from) / SECTOR + 1) * SECTOR - pending->at;
        long to = end < pending->len ? end : pending->len;
        if (draw(seed) % 2 == 0) {
            disk_write(disk, pending->at + from, pending->bytes + from, to - from);
        }
        from = to;
    }
}

static void survive(struct disk *disk, uint32_t *seed, bool in_order)
{
    size_t count = 0;
    for (const struct pending *pending = disk->first; pending != NULL; pending = pending->next) {
        count++;
    }
    size_t first = count > 0 ? draw(seed) % (count + 1) : 0;
    for (const struct pending *pending = disk->first; pending != NULL; pending = pending->next) {
        if (in_order && first > 0) {
            disk_apply(disk, pending);
            first--;
        } else if (!in_order || first == 0) {
            tear(disk, pending, seed);
            if (in_order) {
                return;
            }
        }
    }
}

void power_cut(uint32_t seed)
{
    uint32_t drawn = seed * 2654435761u;
    for (size_t i = 0; i < DISKS_MAX; i++) {
        struct disk *disk = &disks[i];
        if (disk->path[0] == '\0') {
            continue;
        }
        if (seed != 0) {
            survive(disk, &drawn, seed % 2 == 1);
        }
        disk_put_back(disk);
        char index[PATH_BYTES + 8];
        int len = snprintf(index, sizeof index, "%.*s-shm", PATH_BYTES - 1, disk->path);
        if (len > 0) {
            (void)unlink(index); // was in memory
        }
    }
    power_reset();
}
