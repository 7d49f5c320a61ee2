// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own, and files in it, byte by byte.
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_MAX 512

struct scratch {
    char dir[SCRATCH_MAX - 64];
};

static inline void scratch_make(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch->dir, sizeof scratch->dir, "%s/pdp-test-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(scratch->dir) == NULL) {
        perror("mkdtemp");
        abort();
    }
}

static inline int scratch_remove(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void scratch_drop(struct scratch *scratch)
{
    (void)nftw(scratch->dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

// DIR/name; the last eight answers stay valid.
static inline const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static _Thread_local char paths[8][SCRATCH_MAX];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, SCRATCH_MAX, "%s/%s", scratch->dir, name);
    return path;
}

static inline long scratch_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static inline void scratch_write(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

static inline void scratch_copy(const char *from, const char *to)
{
    long size = scratch_size(from);
    char *bytes = malloc(size > 0 ? (size_t)size : 1);
    FILE *file = fopen(from, "rb");
    if (file == NULL || bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(from);
        abort();
    }
    fclose(file);
    scratch_write(to, bytes, (size_t)size);
    free(bytes);
}

// Flips bits of the byte at `at`.
static inline void scratch_flip(const char *path, long at, int mask)
{
    FILE *file = fopen(path, "r+b");
    int byte = 0;
    if (file == NULL || fseek(file, at, SEEK_SET) != 0 || (byte = fgetc(file)) == EOF ||
        fseek(file, at, SEEK_SET) != 0 || fputc(byte ^ mask, file) == EOF || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

#endif
